"""What the README says is true: its output is the output, its spec validates, its Python runs."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from abcx.checks import CHECKS
from abcx.spec.document import read
from abcx.spec.load import check

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_readout_is_what_the_command_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("demo", ROOT / "docs" / "demo.py")
    assert spec is not None and spec.loader is not None
    demo = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(demo)
    monkeypatch.chdir(ROOT)
    assert demo.page(README) == README, "run python docs/demo.py"


def test_checks_and_presets_are_counted() -> None:
    words = {16: "sixteen", 17: "seventeen", 30: "Thirty", 31: "Thirty-one", 32: "Thirty-two"}
    presets = list((ROOT / "abcx" / "presets").glob("*.yaml"))
    assert f"{words[len(CHECKS)]} checks" in README and f"{words[len(presets)]} presets" in README
    experiments = list((ROOT / "experiments").glob("*/experiment.yaml"))
    assert len(experiments) == 8 and "the eight documented experiments" in README


def test_the_spec_validates() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    experiment, problems = check(read(text.encode(), "README.md"))
    assert experiment is not None and problems == []


def test_the_python_runs_and_its_comments_are_true(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    (text,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    for line in text.splitlines():
        code, _, comment = line.partition("#")
        if line.startswith(("import", "results =")):
            exec(line, names)
        elif code.strip():
            found = repr(eval(code, names))
            shown = comment.strip()
            if shown[:1] in ("(", "'") and "where" not in shown:
                assert re.fullmatch(re.escape(shown).replace(re.escape("..."), r"\d*"), found), found


def test_the_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / link).exists(), link
