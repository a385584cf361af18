"""docs/methods.md: the sections that the code names exist, and the numbers it quotes are those of the code."""

import importlib
import re
from fractions import Fraction
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
REFERENCE = re.compile(r"docs/methods\.md(?:,\s+\"([^\"]+)\")?")
ROW = re.compile(r"^\| `([\w.]+)` \| (\S+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
NUMBER = re.compile(r"\d+/\d+|(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?:e-?\d+)?(?: %)?")
CODE = [path for folder in ("abcx", "tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]
DROPPED = "decisions" + ".md"


def sections() -> dict[str, str]:
    """The text of every section up to the next heading, in one line, by its title."""
    parts = HEADING.split(PAGE)
    return {title: " ".join(text.split()) for title, text in zip(parts[1::2], parts[2::2], strict=True)}


def references(text: str) -> list[str]:
    """Titles of the page's sections that a file names; a mention of the page without a title is the empty string."""
    return REFERENCE.findall(re.sub(r"\s*\n\s*(?:#\s+)?", " ", text))


def numbers(words: str) -> set[Fraction]:
    """The numbers in words, per cent as fractions: {1/1000} of `top 0.1 % of units`."""
    return {
        Fraction(one.replace(",", "").removesuffix(" %")) / (100 if one.endswith("%") else 1)
        for one in NUMBER.findall(words)
    }


NUMBERS = ROW.findall(PAGE)


def test_titles_are_unique() -> None:
    titles = HEADING.findall(PAGE)
    assert len(titles) == len(set(titles))


def test_code_names_sections_that_exist() -> None:
    here, titles = Path(__file__).resolve(), set(sections())
    named = {path: references(path.read_text(encoding="utf-8")) for path in CODE if path != here}
    assert sum(map(len, named.values())) >= 15
    unknown = {str(path.relative_to(ROOT)): set(found) - titles for path, found in named.items() if set(found) - titles}
    assert not unknown


def test_links_inside_the_page_lead_to_sections() -> None:
    anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in sections()}
    linked = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert linked and linked <= anchors


def test_no_file_names_the_list_of_decisions() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*"), *(ROOT / "benchmarks").glob("*.md")]
    files = [path for path in [*CODE, *pages] if path.is_file() and path.suffix != ".png"]
    assert [path for path in files if DROPPED in path.read_text(encoding="utf-8")] == []


def test_every_row_of_the_table_is_read() -> None:
    table = PAGE.split("\n## Numbers\n")[1].split("\n## ")[0]
    assert len(NUMBERS) == table.count("\n| `") >= 40


@pytest.mark.parametrize(("name", "value", "section", "words"), NUMBERS, ids=[row[0] for row in NUMBERS])
def test_numbers_are_those_of_the_code(name: str, value: str, section: str, words: str) -> None:
    module, constant = name.rsplit(".", 1)
    assert getattr(importlib.import_module(module), constant) == float(Fraction(value))
    assert words in sections()[section]
    assert Fraction(value) in numbers(words)


def test_helpers_see_what_is_wrong() -> None:
    text = 'as in docs/methods.md,\n    # "No such\n    # title" and docs/methods.md'
    assert references(text) == ["No such title", ""]
    assert numbers("top 0.1 % of 10,000 at p < .05, 1e-6 or 1/3") == {
        Fraction(1, 1000),
        Fraction(10_000),
        Fraction(1, 20),
        Fraction(1, 10**6),
        Fraction(1, 3),
    }
