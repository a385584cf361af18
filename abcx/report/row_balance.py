"""Text about the rows of the data: how many were used, and why the others were left out."""

from __future__ import annotations

from collections import Counter

from abcx import formatting
from abcx.results.readout import Balance

_WORDS = {
    "by_spec": "left out by the spec",
    "bad_row": "that could not be read",
    "stray_time": "dated long after all others",
    "no_unit": "without a unit",
    "no_time": "without a time",
    "after_as_of": "after the data cut",
    "outside_period": "outside the period",
    "unknown_arm": "that match no arm",
    "no_arm": "that name no arm",
    "crossover": "of units in several arms",
    "not_exposed": "of units that were not exposed",
    "not_in_test": "of units that are not in the analysis",
    "no_metric": "of events that no metric uses",
    "no_value": "without a value",
    "before_exposure": "before exposure",
    "after_window": "after the window",
    "end_before_start": "of tickets that end before they start",
    "end_without_start": "that end a ticket without a start",
    "outside_ticket": "that end a ticket opened outside its unit's window",
    "other_end": "that end a ticket of which another end counts",
    "duplicate_event": "that repeat an id",
    "repeated_row": "that repeat another",
    "duplicate_unit": "of units that have another row",
}


def used(parts: tuple[Balance, ...]) -> list[str]:
    """`3 of 13 rows of exposures and 3 of 14 rows of events are used.`, for the parts of which not all are used."""
    read, taken = Counter[str](), Counter[str]()
    for balance in parts:
        read[balance.part] += balance.read
        taken[balance.part] += balance.used
    clauses = [
        f"{formatting.count(taken[part])} of {formatting.plural(rows, 'rows')} of {part}"
        for part, rows in read.items()
        if taken[part] < rows
    ]
    return [f"{formatting.joined(clauses)} are used."] if clauses else []


def left_out(one: Balance) -> str:
    """`2 of units in several arms; 1 without a unit`, most first."""
    most_first = sorted(one.left_out.items(), key=lambda item: -item[1])
    return "; ".join(f"{formatting.count(rows)} {_WORDS.get(reason, reason)}" for reason, rows in most_first)
