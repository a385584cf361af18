"""Random specs, in the process: whatever stands in the file, problems come back and no exception."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abcx.commands import validate
from abcx.problems import Problem, render_all
from abcx.report.findings import FORMATS, Checked
from abcx.spec.document import read
from abcx.spec.load import check

pytestmark = pytest.mark.slow

POSITIVE = sorted((Path(__file__).parent / "positive").glob("*.yaml"))
SPECS = [read(path.read_bytes(), path.name).value for path in POSITIVE]
WORDS = [
    "type", "conversion", "mean", "ratio", "nps", "primary", "increase", "5%", "0.4pp", "7d", "99.9%", "units", "file",
    "events.csv", "where", "min", "max", "a", "b", "control", "-", "", " ", "é", "\x85", "\u2028", "[", "{",
    "%", "1e400", "2024-03-04", "9999-12-31", "0001-01-01T00:00+23:59", "UTC", "../..", "<inline>",
    "[key]", "metrics", "count",
]  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**30, 10**320, -(10**30), 2**63]),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(WORDS),
)
KEYS = st.one_of(st.sampled_from(WORDS), st.text(max_size=5))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)
quiet = settings(deadline=None, suppress_health_check=list(HealthCheck))


def problems_in(raw: bytes) -> list[Problem]:
    """The problems of a spec; fails where they contradict each other or cannot be shown."""
    document = read(raw, "spec.yaml")
    experiment, problems = check(document)
    assert (experiment is None) == any(problem.level == "error" for problem in problems)
    for problem in problems:
        assert problem.message and problem.code and problem.span is not None
        span = problem.span
        assert not document.lines or 0 <= span.line <= len(document.lines) + 1
        assert span.column <= len(span.text) + 1
    render_all(problems)
    return problems


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, inner in items for found in paths_of(inner, (*path, key)))]


def mutated(spec: Any, path: tuple[Any, ...], how: str, junk: Any) -> Any:
    """The spec with the thing at `path` deleted, renamed or replaced."""
    if not path:
        return junk
    spec = copy.deepcopy(spec)
    holder = spec
    for part in path[:-1]:
        holder = holder[part]
    if how == "replace" or isinstance(holder, list):
        holder[path[-1]] = junk
    elif how == "rename":
        holder[str(junk)[:20]] = holder.pop(path[-1])
    else:
        del holder[path[-1]]
    return spec


@quiet
@given(VALUES)
def test_any_value(value: Any) -> None:
    problems_in(yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass"))


@settings(quiet, max_examples=300)
@given(st.sampled_from(SPECS), st.data())
def test_a_valid_spec_with_mutations(spec: Any, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        paths = paths_of(spec)
        how = data.draw(st.sampled_from(["delete", "rename", "replace"]))
        spec = mutated(spec, data.draw(st.sampled_from(paths)), how, data.draw(VALUES))
    problems_in(json.dumps(spec).encode())
    if isinstance(spec, dict):
        check_dict(spec)


def check_dict(spec: dict[Any, Any]) -> None:
    """The same spec as a dict gives the same codes, whether places are known or not."""
    from abcx.spec.document import Document

    document = Document("<dict>", [], spec)
    _, problems = check(document)
    assert all(problem.span is not None and problem.span.line == 0 for problem in problems)


@quiet
@given(st.binary(max_size=200))
def test_any_bytes(raw: bytes) -> None:
    problems_in(raw)


@quiet
@given(st.sampled_from(POSITIVE), st.data())
def test_a_valid_spec_with_broken_text(path: Path, data: st.DataObject) -> None:
    """A piece of the file is cut out, or a special character is put in."""
    text = path.read_text(encoding="utf-8-sig")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    noise = data.draw(st.text(alphabet="{}[]:,#&*!|>'\"%@`\t\n -?~<\\é", max_size=4))
    problems_in((text[:start] + noise + text[end:]).encode())


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("format", FORMATS)
def test_the_command_ends_with_0_1_or_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int, format: str
) -> None:
    """Files with random damage through `validate.run`, in every format."""
    rng = random.Random(seed)
    for number in range(5):
        raw = bytearray(rng.choice(POSITIVE).read_bytes())
        for _ in range(rng.randrange(4)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        (tmp_path / f"{number}.yaml").write_bytes(raw)
    code = validate.run([str(path) for path in sorted(tmp_path.iterdir())], format=format)
    assert code in (0, 1)
    assert validate.run([str(tmp_path), str(tmp_path / "none.yaml")], format=format) == 2
    assert "Traceback" not in capsys.readouterr().err


@quiet
@given(
    st.lists(st.builds(Problem, st.sampled_from(["error", "warning"]), st.text(min_size=1), st.text(), help=st.text()))
)
def test_every_format_takes_any_text(problems: list[Problem]) -> None:
    from xml.etree import ElementTree

    files = [Checked("a b,c:%.yaml", tuple(problems))]
    told = {name: write(files) for name, write in FORMATS.items()}
    json.loads(told["json"])
    json.loads(told["sarif"])
    ElementTree.fromstring(told["junit"].encode("utf-8", "xmlcharrefreplace"))
    assert len([line for line in told["github"].split("\n") if line]) == len(problems)
