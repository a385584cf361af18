"""Example specs: every file in positive/ is valid, every file in negative/ has just the problems that it names.

A negative file says on its first line what is expected: `# expect: code@line code@line=text`, in the order of lines;
`text` is what the caret underlines.
"""

import ast
import re
from pathlib import Path

import pytest

from abcx.problems import Problem
from abcx.spec.document import MAX_BYTES, read
from abcx.spec.load import check

HERE = Path(__file__).parent
SPEC = HERE.parent.parent / "abcx" / "spec"
POSITIVE = sorted((HERE / "positive").glob("*.yaml"))
NEGATIVE = sorted((HERE / "negative").glob("*.yaml"))
VALID = (HERE / "positive" / "minimal.yaml").read_bytes()

# Problems that a text file with a comment on its first line cannot show.
BYTES = {
    "empty": (b"", ["spec-empty@0"]),
    "only blank lines": (b"\n\n  \n", ["spec-empty@0"]),
    "only a comment": (b"# nothing yet\n", ["spec-empty@0"]),
    "null": (b"~\n", ["spec-empty@0"]),
    "only a document start": (b"---\n", ["spec-empty@0"]),
    "too large": (b"#" * (MAX_BYTES + 1), ["spec-too-large@0"]),
    "latin-1": (b"schema_version: 1\nname: caf\xe9\n", ["not-utf8@2"]),
    "utf-16": ("schema_version: 1\n".encode("utf-16"), ["not-utf8@1"]),
    "zip": (b"PK\x03\x04\x14\x00\x06\x00", ["yaml-syntax@1"]),
    "null byte": (b"schema_version: 1\nname: a\x00b\n", ["yaml-syntax@2"]),
    "nested beyond the parser": (b"[" * 100_000, ["yaml-depth@0"]),
    "html": (b"<!DOCTYPE html>\n<html><body>Log in</body></html>\n", ["spec-shape@1"]),
}


def problems_in(raw: bytes, name: str = "spec.yaml") -> list[Problem]:
    return check(read(raw, name))[1]


def underlined(problem: Problem) -> str:
    span = problem.span
    assert span is not None
    return span.text[span.column - 1 : span.column - 1 + span.width] if span.column else ""


def places(problems: list[Problem]) -> list[str]:
    return [f"{problem.code}@{problem.span.line if problem.span else 0}" for problem in problems]


def expected(raw: bytes) -> list[tuple[str, str | None]]:
    """The expectations of a negative file, as (code@line, underlined text or None)."""
    head = raw.decode().splitlines()[0]
    assert head.startswith("# expect: "), "the first line says what is expected"
    words = [word.partition("=") for word in head.removeprefix("# expect: ").split(" ")]
    return [(place, text if equals else None) for place, equals, text in words]


@pytest.mark.parametrize("path", POSITIVE, ids=lambda path: path.stem)
def test_positive(path: Path) -> None:
    experiment, problems = check(read(path.read_bytes(), path.name))
    assert problems == []
    assert experiment is not None


@pytest.mark.parametrize("path", NEGATIVE, ids=lambda path: path.stem)
@pytest.mark.slow
def test_negative(path: Path) -> None:
    raw = path.read_bytes()
    experiment, problems = check(read(raw, path.name))
    wanted = expected(raw)
    assert places(problems) == [place for place, _ in wanted]
    for problem, (_, text) in zip(problems, wanted, strict=True):
        assert text is None or underlined(problem) == text
    assert (experiment is None) == any(problem.level == "error" for problem in problems)


@pytest.mark.parametrize("path", NEGATIVE, ids=lambda path: path.stem)
def test_every_problem_has_a_place_and_most_a_cure(path: Path) -> None:
    for problem in problems_in(path.read_bytes(), path.name):
        assert problem.span is not None and problem.span.file == path.name
        assert problem.help or "must be" in problem.message
        assert not re.search(r"None|\[key\]|constrained|<inline>|<file>|Input should|Value error", problem.message)


@pytest.mark.parametrize("raw, wanted", BYTES.values(), ids=BYTES.keys())
@pytest.mark.slow
def test_bytes_that_are_no_spec(raw: bytes, wanted: list[str]) -> None:
    assert places(problems_in(raw)) == wanted


def test_every_code_of_the_spec_has_an_example() -> None:
    shown = {place.partition("@")[0] for path in NEGATIVE for place, _ in expected(path.read_bytes())}
    shown |= {place.partition("@")[0] for _, wanted in BYTES.values() for place in wanted}
    elsewhere = {"spec-not-found", "spec-is-folder", "spec-unreadable"}  # tests/spec/test_load.py
    elsewhere |= {"cannot-pack"}  # tests/commands/test_pack.py
    assert codes_in_source() - elsewhere == shown


def codes_in_source() -> set[str]:
    """Every text in abcx/spec and abcx/metrics that is given as the code of a Problem, a Finding or a Rule."""
    found = set()
    for path in (*SPEC.glob("*.py"), *(SPEC.parent / "metrics").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                position = {"Problem": 1, "Finding": 1, "Rule": 1, "problem": 0, "_failed": 1}.get(name_of(node.func))
                if position is not None and len(node.args) > position:
                    constants = [part for part in ast.walk(node.args[position]) if isinstance(part, ast.Constant)]
                    found |= {part.value for part in constants if isinstance(part.value, str) and "-" in part.value}
    return found


def name_of(function: ast.expr) -> str:
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def test_one_problem_does_not_hide_another() -> None:
    """Six mistakes in six sections, of four kinds: all are found in one run."""
    path = HERE / "negative" / "all-at-once.yaml"
    assert len({problem.span for problem in problems_in(path.read_bytes())}) == 6
