"""Every code of a note that is made somewhere has a sentence, and no sentence is left over."""

from __future__ import annotations

import ast

from abcx.notes import Note
from abcx.report import note_texts
from tests.support.house import PACKAGE

BY_NAME = {
    "keys_": ("formula", "quoted", "hidden", "composed"),
    "times_": ("dmy", "mdy", "named"),
}
"""Codes that are put together where they are made, by their start."""


def made() -> set[str]:
    """The constant codes of all notes in the package, and texts that may be one (`without_test("one_unit")`)."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        if "report" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Shift":
                found |= _texts(node.args[0])
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Note", "without_test", "_not_adjusted_note"):
                found |= _texts(node.args[0])
    return found - {"code"}  # of a note that is read from a file


def _texts(node: ast.expr) -> set[str]:
    return {leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant) and isinstance(leaf.value, str)}


def test_every_code_has_a_sentence_and_every_sentence_a_code() -> None:
    by_table = {"unused_events", "unfit_events", "shared_ids", "exploratory_segments", "only_counts", "no_correction"}
    codes = (made() - {*BY_NAME}) | by_table | {start + end for start, ends in BY_NAME.items() for end in ends}
    reasons = {"nothing_varies", "few_units", "few_events", "no_error", "impossible_value", "no_gain", "denominator"}
    assert codes - reasons == set(note_texts.TEXTS)


def test_a_note_of_another_version_is_shown_as_it_is() -> None:
    assert note_texts.text(Note("of_the_future", {"file": "a.csv", "n": 3})) == "of_the_future file=a.csv n=3"
    assert note_texts.text(Note("no_timezone", {"file": "{zone}"})) == "no_timezone file={zone}"
