"""docs/checks.md and docs/metrics.md are what the docstrings say."""

import runpy
from pathlib import Path

import pytest

from abcx.checks import CHECKS

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGES: dict[str, str] = runpy.run_path(str(DOCS / "build.py"))["pages"]()


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name], "run: python docs/build.py"


@pytest.mark.parametrize("code", CHECKS)
def test_every_check_says_what_it_looks_at_why_and_what_to_do(code: str) -> None:
    section = PAGES["checks.md"].split(f"\n## {code}\n")[1].split("\n## ")[0]
    for words in ("Looks at:", "Why it matters:", "What to do now:"):
        assert f"\n{words}" in section
