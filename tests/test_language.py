"""The language of the code: American spelling, names that were given up, and modules that say what they are."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support import house

ROOT = house.PACKAGE.parent
TEXTS = sorted(
    path
    for pattern in ("abcx/**/*.py", "abcx/presets/*.yaml", "docs/*.md", "docs/*.py", "*.md", "tests/**/*.py")
    for path in ROOT.glob(pattern)
    if path.name not in ("test_language.py", "test_house.py")  # both name what must not be
)
BRITISH = re.compile(
    r"\banalyse\b|analysed|analysing|favour|towards|summaris|randomis|recognis|standardis|studentis|linearis|maximis|minimis|normalis|optimis"
    r"|organis|colour|neighbour|behaviour|labell|judgement|generalis|licence|misspelt",
    re.IGNORECASE,
)
GIVEN_UP = re.compile(
    r"\b(rows_elsewhere|second_look|unlike_ids|beside\.py|_teller|told_header|told_event|told_by_rule|tells_arm|HELD_BACK|decisions\.md|house\.md)\b"
)
"""Names that said nothing to a reader, and documents that are no part of the project."""


def test_the_patterns_find_what_they_look_for() -> None:
    assert BRITISH.search("the Randomised units") and not BRITISH.search("the analyses of randomized units")
    assert GIVEN_UP.search("if engine.rows_elsewhere:") and not GIVEN_UP.search("rows elsewhere")


@pytest.mark.parametrize("pattern", [BRITISH, GIVEN_UP], ids=["British", "given up"])
def test_words_that_do_not_come_back(pattern: re.Pattern[str]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in TEXTS
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := pattern.search(line)) is not None
    ]
    assert found == []


def test_modules_say_what_they_are_in_a_sentence() -> None:
    short = []
    for module in house.modules().values():
        said = ast.get_docstring(module.tree) if module.text.strip() else None
        first = " ".join((said or "").partition("\n\n")[0].split())
        if module.text.strip() and (len(first.split()) < 4 or not re.search(r"[.?!:`]$", first)):
            short.append(f"{module.name}: {first}")
    assert short == []
