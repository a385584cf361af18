"""The real command: exit codes, streams, help, and terminals that cannot show everything."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import abcx

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ("analyze", "report", "validate", "counts", "pack", "init", "sql", "schema")
HEAVY = ("duckdb", "numpy", "scipy", "pandas", "statsmodels", "matplotlib", "polars", "pyarrow")
SPEC = """\
schema_version: 1
name: mini
title: Größe
arms: {a: , b: }
data: {counts: {a: {units: 1000, orders: 100}, b: {units: 1000, orders: 120}}}
metrics:
  orders: {type: conversion, role: primary, goal: increase, minimum_effect: 5%}
"""


def run(*arguments: str | Path, env: dict[str, str] | None = None, **more: Any) -> subprocess.CompletedProcess[str]:
    """abcx as a user starts it, in a clean environment; output as UTF-8."""
    kept = ("PATH", "HOME", "SYSTEMROOT", "TMPDIR", "COVERAGE_PROCESS_CONFIG")
    clean = {key: value for key, value in os.environ.items() if key in kept}
    return subprocess.run(
        [sys.executable, "-m", "abcx", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        env=clean | (env or {}),
        timeout=120,
        **more,
    )


def imported(*arguments: str | Path, modules: Sequence[str] = HEAVY) -> set[str]:
    """Which of the modules a run of abcx imports."""
    code = "import sys; from abcx.__main__ import main; main(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "abcx" in loaded
    return loaded & set(modules)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "experiment.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.yaml"
    path.write_text(SPEC.replace("goal: increase", "goal: größer"), encoding="utf-8")
    return path


@pytest.mark.parametrize("arguments", [(), ("-h",), ("--help",)])
def test_help(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert tuple(re.findall(r"(?m)^  (\w+)  +[A-Z]", done.stdout)) == COMMANDS
    assert "\x1b" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_commands(command: str) -> None:
    done = run(command, "-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: abcx {command}")
    assert "-h, --help" in done.stdout and "\x1b" not in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "command, wanted",
    [
        ("analyze", "--format --output --events --exposures --units --control --variant --arm --fail-on --engine"),
        ("analyze", "--as-of --seed --memory --threads --quiet --verbose --color --full --summary -o -q -v"),
        ("analyze", "--format terminal|markdown|html|json|csv|slack"),
        ("report", "--summary --quiet --color"),
        ("report", "--output --events --exposures --units --control --variant --arm --fail-on --engine --as-of --seed"),
        ("validate", "--format text|concise|github|json|sarif|junit --output"),
        ("counts", "--share --goal --alpha --format --output --fail-on --full --summary"),
        ("pack", "--output --overwrite --memory --threads --quiet --verbose --allow-outside -o -q -v"),
        ("init", "--output --name"),
        ("schema", "--results --output"),
    ],
)
def test_options(command: str, wanted: str) -> None:
    shown = run(command, "-h").stdout
    assert [option for option in wanted.split() if option not in shown] == []


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"abcx {abcx.__version__}\n", "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments, message",
    [
        (("anlyze",), "No such command"),
        (("--bad",), "No such option"),
        (("validate",), "Missing argument"),
        (("validate", "--format", "xml", "x"), "--format cannot be 'xml'"),
        (("analyze", "x", "--format", "pdf"), "--format cannot be 'pdf'"),
        (("analyze", "x", "--format", "pdf"), "one of: terminal, markdown, html, json, csv, slack"),
        (("analyze", "x", "--fail-on", "loss"), "--fail-on cannot be 'loss'"),
        (("analyze", "x", "--engine", "sqlite"), "--engine cannot be 'sqlite'"),
        (("analyze", "x", "--color", "blue"), "--color cannot be 'blue'"),
        (("analyze", "x", "--seed", "-1"), "Invalid value for '--seed'"),
        (("analyze", "x", "--seed", "one"), "Invalid value for '--seed'"),
        (("analyze", "x", "--threads", "0"), "Invalid value for '--threads'"),
        (("analyze", "x", "--memory", "lots"), "--memory cannot be 'lots'"),
        (("analyze", "x", "--control", "c.csv"), "--control needs --variant"),
        (("analyze", "x", "--variant", "v.csv"), "--variant needs --control"),
        (("analyze", "x", "--arm", "variant.csv"), "--arm cannot be 'variant.csv'"),
        (("analyze", "x", "--arm", "a=1", "--arm", "a=2"), "the arm 'a' has two files"),
        (("analyze", "x", "--arm", "a=1", "--events", "e.csv"), "--events cannot be combined with a file per arm"),
        (("analyze", "x", "--events", "-", "--units", "-"), "standard input (-) is named twice"),
        (("report", "x"), "Missing option"),
        (("counts", "1/2", "2/3", "--goal", "up"), "--goal cannot be 'up'"),
        (("schema", "-o", "none/spec.json"), "there is no folder"),
    ],
)
def test_bad_options_end_with_2_and_a_short_message(arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr and len(done.stderr.splitlines()) <= 6


def test_findings_on_stdout_fatal_errors_on_stderr(spec: Path, broken: Path) -> None:
    done = run("validate", spec, broken)
    assert (done.returncode, done.stderr) == (1, "")
    assert "goal cannot be 'größer'" in done.stdout
    assert done.stdout.splitlines()[-1] == "2 specs: 1 valid, 1 with 1 error"
    done = run("validate", spec.parent / "none.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no file" in done.stderr
    assert run("validate", spec).returncode == 0


def test_a_spec_on_standard_input() -> None:
    done = run("validate", "-", input=SPEC)
    assert (done.returncode, done.stdout) == (0, "1 spec: 1 valid\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"GITHUB_ACTIONS": "1", "CI": "1", "TERM": "xterm-256color", "FORCE_COLOR": "1"},
        {"TERM": "dumb", "COLUMNS": "20"},
    ],
    ids=["C", "C coerced", "ascii", "actions", "dumb"],
)
def test_odd_terminals(env: dict[str, str], broken: Path) -> None:
    for arguments, code in ((("validate", broken), 1), (("-h",), 0), (("analyze", "-h"), 0), (("schema",), 0)):
        done = run(*arguments, env=env)
        assert (done.returncode, done.stderr) == (code, "")
        assert "\x1b" not in done.stdout and done.stdout
    assert "Traceback" not in run("validate", "größe.yaml", env=env).stderr


@pytest.mark.slow
def test_a_reader_that_stops_early(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"{number}.yaml").write_text("schema_version: 2\n")
    command = [sys.executable, "-m", "abcx", "validate", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 1


def test_a_full_disk_is_said(spec: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "abcx", "validate", str(spec)], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 2
    assert "No space left" in done.stderr and "Traceback" not in done.stderr


LONG = "SELECT count(*) FROM range(1000000000000) t(i) WHERE hash(i) = 7"
SLOW = {
    "python": "print('ready', flush=True); time.sleep(60)",
    "rows": f"with Engine() as engine: print('ready', flush=True); engine.run({LONG!r})",
    "arrays": f"with Engine() as engine: print('ready', flush=True); engine.arrays({LONG!r})",
}


@pytest.mark.slow
@pytest.mark.parametrize("sent, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("inside", SLOW)
def test_interrupted(tmp_path: Path, inside: str, sent: signal.Signals, code: int) -> None:
    """A signal in the middle of a command, or of a statement of the engine, ends it without a word or a file left."""
    heard = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # `nohup` around the tests has it ignored
    command = [sys.executable, "-c", heard + planted(f"from abcx.engines.local import Engine\n    {SLOW[inside]}")]
    place = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=place) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        process.send_signal(sent)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (code, b"", b"")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("raised, code", [("KeyboardInterrupt", 130), ("SystemExit(143)", 143)])
def test_interrupted_while_a_lock_is_taken(raised: str, code: int) -> None:
    """Python then tells of the lock in place of the signal."""
    done = bug(f"""try:
        raise {raised}
    finally:
        raise RuntimeError('cannot release un-acquired lock')""")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def planted(statement: str) -> str:
    """Code that runs main() with a `validate` whose body is `statement`."""
    return (
        "import sys, time\nfrom abcx.commands import validate\nfrom abcx.__main__ import main\n"
        f"def planted(*a, **k):\n    {statement}\nvalidate.run = planted\nsys.exit(main(['validate', 'x.yaml']))\n"
    )


def bug(statement: str) -> subprocess.CompletedProcess[str]:
    """A run of main() in which `validate` meets something unforeseen."""
    return subprocess.run([sys.executable, "-c", planted(statement)], capture_output=True, text=True)


def test_a_bug_is_reported_as_a_bug() -> None:
    done = bug("raise ZeroDivisionError('planted')")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("error[bug]: this is a bug in abcx")
    assert f"abcx {abcx.__version__}, Python {sys.version.split()[0]}" in done.stderr
    assert "ZeroDivisionError: planted" in done.stderr and len(done.stderr.splitlines()) < 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement, code, message",
    [
        ("raise MemoryError", 2, "error[memory]"),
        ("raise OSError(28, 'No space left on device', 'lift.md')", 2, "error[disk]: cannot write lift.md"),
        ("raise KeyboardInterrupt", 130, ""),
        ("raise BrokenPipeError(32, 'Broken pipe')", 1, ""),
        ("raise RecursionError('deep')", 3, "error[bug]"),
        ("from abcx.errors import DataError\n    from abcx.problems import Problem\n"
         "    raise DataError([Problem('error', 'one', 'first'), Problem('error', 'two', 'second')])",
         2, "error[one]: first\n\nerror[two]: second\n"),
    ],
)  # fmt: skip
def test_every_end_has_its_code(statement: str, code: int, message: str) -> None:
    done = bug(statement)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(message) if message else done.stderr == ""


def test_help_and_validate_import_nothing_heavy(spec: Path) -> None:
    assert imported("--help") == set()
    assert imported("validate", spec) == set()
    assert imported("schema") == set()
    assert imported("schema", "--results") == set()
    assert imported("--help", modules=("pydantic", "yaml", "rich")) == set()


def test_importing_abcx_costs_nothing() -> None:
    code = "import sys, abcx; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
                            capture_output=True, text=True, check=True).stdout.split()  # fmt: skip
    assert not {"pydantic", "yaml", "typer", *HEAVY} & set(loaded)


COUNTS = [sys.executable, "-m", "abcx", "counts", "20/100", "30/100"]


@pytest.mark.parametrize(
    ("closed", "code", "said"),
    [(">&-", 2, "standard output is closed"), ("2>&-", 0, ""), (">&- 2>&-", 2, ""), ("<&-", 0, "")],
)
@pytest.mark.slow
def test_a_stream_that_is_closed_is_no_bug(closed: str, code: int, said: str) -> None:
    command = " ".join(f"'{word}'" for word in COUNTS)
    done = subprocess.run(["sh", "-c", f"{command} {closed}"], capture_output=True, text=True)
    assert done.returncode == code and said in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("limit", [300_000, 900_000, 1_240_000])
@pytest.mark.slow
def test_a_limit_on_memory_below_what_libraries_need_is_said(limit: int) -> None:
    command = " ".join(f"'{word}'" for word in COUNTS)
    done = subprocess.run(["sh", "-c", f"ulimit -v {limit}; {command}"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "error[memory]" in done.stderr and "ulimit -v" in done.stderr
    assert "Traceback" not in done.stderr and not done.stdout
