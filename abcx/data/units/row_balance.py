"""The balance of rows: every row that was read is used, or left out for exactly one reason.

A row counts for the first reason that applies, in the order of exclusions. Unlike here, exclusions may count a row
twice (such as an event before exposure of a unit in several arms).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from abcx.data.clock import Clock
from abcx.data.reading.load import Loading, PartTable
from abcx.data.reading.row_sql import NO_ARM, STRAY
from abcx.data.units import duplicates
from abcx.data.units.assignment import Assignment, row_order, unit_rule
from abcx.data.workspace import Workspace
from abcx.engines.quoting import literal
from abcx.results.readout import Balance

USED = "used"


@dataclass(frozen=True, slots=True)
class Reached:
    """Events that metrics read, of units of the analysis: all of them, those before the exposure, and those after the
    window."""

    relevant: int = 0
    before: int = 0
    after: int = 0

    def __add__(self, other: Reached) -> Reached:
        return Reached(self.relevant + other.relevant, self.before + other.before, self.after + other.after)


Ended = Counter[tuple[int, str]]
"""Rows by the number of their source and the reason for which they are left out, or `used`."""


def of_events(work: Workspace, assignment: Assignment, attributed: Mapping[int, Reached]) -> Ended:
    """The rows of the table `events` by source and reason; `attributed` counts those in `outcome`, by source. Needs the
    tables `assigned` and `seen`.

    Most reasons can be told from a row alone. Only what is left of the rows is joined to units, where it must be.
    """
    loaded = work.loading.parts["events"]
    relevant, dropped = (
        f"({duplicates.read_by_a_metric(work.plan)})",
        "e.dropped" if work.plan.drops_missing else "FALSE",
    )
    used_if = [relevant, dropped]
    used_if += ["e.exposure"] if work.plan.experiment.exposure is not None else []
    used_if += ["e.arm IS NOT NULL"] if loaded.has_arm else []
    reasons = {
        "by_spec": "NOT e.fits" if loaded.select.filtered else "FALSE",
        "no_metric": f"NOT ({' OR '.join(used_if)})",
        **_unusable(loaded, work.clock),
        "no_value": f"{dropped} AND NOT {relevant}",
        "unknown_arm": f"e.arm = {STRAY}",
    }
    cases, left = (
        _cases(reasons),
        f"NOT coalesce({' OR '.join(f'({condition})' for condition in reasons.values())}, FALSE)",
    )
    number = work.loading.source_of("events", "e.")
    counted = f"SELECT {number} AS number, CASE {cases} END AS reason, {relevant} AS relevant, count(*) FROM events e"
    ended, unplaced = Ended(), Counter[tuple[int, bool]]()
    for source, reason, is_relevant, n in work.run(f"{counted} GROUP BY ALL"):
        if reason == USED:
            unplaced[int(source), bool(is_relevant)] += int(n)
        ended[int(source), str(reason)] += int(n)
    elsewhere = Ended()
    if assignment.part == "events":
        lost = "JOIN (SELECT unit, fate FROM seen WHERE fate <> 'in') s ON s.unit = e.unit"
        elsewhere += _rows(work, f"SELECT {number}, s.fate, count(*) FROM events e {lost} WHERE {left}")
        if assignment.unknown_arm:  # only units with strange labels alone are missing in `seen`
            stray = "ANTI JOIN seen s ON s.unit = e.unit"
            elsewhere += _rows(
                work, f"SELECT {number} AS number, 'not_in_test', count(*) FROM events e {stray} WHERE {left}"
            )
    else:
        for (source, is_relevant), n in unplaced.items():
            elsewhere[source, "not_in_test"] += n - attributed.get(source, Reached()).relevant if is_relevant else 0
        if any(not is_relevant for _, is_relevant in unplaced):
            stray = f"ANTI JOIN assigned a ON a.unit = e.unit WHERE {left} AND NOT {relevant}"
            elsewhere += _rows(work, f"SELECT {number}, 'not_in_test', count(*) FROM events e {stray}")
    for source, reached in attributed.items():
        elsewhere[source, "before_exposure"] += reached.before
        elsewhere[source, "after_window"] += reached.after
    return moved(ended, Ended({key: n for key, n in elsewhere.items() if n}))


def _rows(work: Workspace, counted: str) -> Ended:
    """Rows by source and reason, from a statement that selects source number, reason and count."""
    return Ended({(int(source), str(reason)): int(n) for source, reason, n in work.run(f"{counted} GROUP BY ALL")})


def of_others(work: Workspace, part: str, assignment: Assignment) -> Ended:
    """The rows of `exposures` or `units` by source and reason."""
    loaded = work.loading.parts[part]
    reasons = {
        "by_spec": "NOT e.kept" if loaded.select.kept == "kept" else "FALSE",
        **_unusable(loaded, work.clock),
        "outside_period": f"NOT ({work.clock.inside(loaded.has_time, 'e.')})" if part == assignment.part else "FALSE",
        "unknown_arm": f"e.arm = {STRAY}",
        "no_arm": f"e.arm = {NO_ARM}",
        **_fates(part == assignment.part),
        "not_in_test": "e.uid IS NULL",
    }
    return _counts(work, reasons, part, assignment, _kept_first(loaded) if part == "units" else None)


def _kept_first(loaded: PartTable) -> str | None:
    """The SQL of the order of rows `x` of units in which the first is kept; None where all are used."""
    rule, order = unit_rule(loaded), row_order(loaded, "x.")
    return {"first": order, "last": f"{order} DESC"}.get(rule or "")


def source_in_outcome(work: Workspace) -> bool:
    """Whether the table `outcome` has the number of the source of every event, as `source_number`."""
    several = len(work.loading.parts["events"].sources) > 1
    return by_ticket(work) or (several and not work.engine.is_remote)


def by_ticket(work: Workspace) -> bool:
    """Whether the balance includes rows of tickets (lifetimes.py)."""
    return bool(work.plan.tickets) and not work.engine.is_remote


def balances(loading: Loading, part: str, ended: Ended) -> Iterator[Balance]:
    """The balance of each source of a part, from the rows in its table by reason (`ended`) and those removed before."""
    for number, source in enumerate(loading.parts[part].sources):
        left_out = Counter({reason: n for (where, reason), n in ended.items() if where == number})
        left_out += Counter({key[2]: n for key, n in loading.lost.items() if key[:2] == (part, number)})
        read, used = left_out.total(), left_out.pop(USED, 0)
        yield Balance(part, source.table.shown, read, used, dict(sorted(left_out.items())))


def moved(ended: Ended, reasons: Ended) -> Ended:
    """The rows by reason, with those of `reasons` moved from `used` to their reason."""
    result = Ended(ended)
    result.update(reasons)
    for (number, _), rows in reasons.items():
        result[number, USED] -= rows
    return result


def _unusable(loaded: PartTable, clock: Clock) -> dict[str, str]:
    late = f"e.t >= {clock.cut}" if loaded.has_time and clock.cut is not None else "FALSE"
    return {
        "no_unit": "e.unit IS NULL",
        "no_time": "e.t IS NULL" if loaded.has_time else "FALSE",
        "after_as_of": late,
    }


def _fates(has_arms: bool) -> dict[str, str]:
    """Reasons, with their SQL conditions, why a row's unit is not in the analysis, for the part that assigns the
    arms."""
    fates = ("no_arm", "outside_period", "crossover", "not_exposed") if has_arms else ()
    return {f"unit_{fate}": f"e.fate = {literal(fate)}" for fate in fates}


def _cases(reasons: Mapping[str, str]) -> str:
    """The cases of the first reason that applies, else `used`."""
    applied = [(reason, condition) for reason, condition in reasons.items() if condition != "FALSE"]
    cases = " ".join(f"WHEN {condition} THEN {literal(reason)}" for reason, condition in applied)
    return f"{cases} ELSE {literal(USED)}"


def _counts(
    work: Workspace, reasons: Mapping[str, str], part: str, assignment: Assignment, order: str | None = None
) -> Ended:
    """Rows of a part by source and the first reason that applies; `used` where none does. With `order` (SQL) only the
    first used row of a unit is kept, and the others are duplicates."""
    fate, fates_join = (", s.fate", " LEFT JOIN seen s ON s.unit = x.unit") if part == assignment.part else ("", "")
    number = f"{work.loading.source_of(part, 'x.')} AS number"
    place = f", row_number() OVER (ORDER BY {order}) AS place" if order else ""
    joined = f"{part} x LEFT JOIN assigned a ON a.unit = x.unit{fates_join}"
    table = f"(SELECT x.*, {number}, a.uid, a.t0{fate}{place} FROM {joined})"
    rows_of = f"SELECT e.*, CASE {_cases(reasons)} END AS reason FROM {table} e"
    if order:
        is_duplicate = f"reason = {literal(USED)} AND row_number() OVER (PARTITION BY unit, reason ORDER BY place) > 1"
        rows_of = (
            f"SELECT number, CASE WHEN {is_duplicate} THEN 'duplicate_unit' ELSE reason END AS reason FROM ({rows_of})"
        )
    sql = f"SELECT number, reason, count(*) FROM ({rows_of}) GROUP BY ALL"
    ended = Ended()
    for source, reason, n in sorted(work.run(sql)):
        ended[int(source), str(reason).removeprefix("unit_")] += int(n)
    return ended
