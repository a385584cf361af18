"""Where every row of a part ended: used, or left out for one reason. What was read is used or left out, to the row.

Each row is judged by the first of the reasons that fits it, in the order of treatment, whatever the exclusions count:
they may name a row twice (an event before exposure of a unit in several arms), the balance never does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from abcx.data import repeats
from abcx.data.assignment import Assignment
from abcx.data.clock import Clock
from abcx.data.engine import Engine, literal
from abcx.data.plan import Plan
from abcx.data.rows import Loaded, Rows
from abcx.data.select import NO_ARM, STRAY
from abcx.results import Balance

USED = "used"
_AT_LOADING = ("bad_row", "stray_time")


def of_events(
    engine: Engine, plan: Plan, rows: Rows, assignment: Assignment, clock: Clock, since: str, counts: str
) -> dict[str, int]:
    """How the rows ended that are in the table `events`, by reason; the tables `assigned` and `seen` must be there.
    `since` and `counts` are the SQL conditions of events `e` that are not before the exposure, and that some metric
    counts."""
    loaded = rows.loaded["events"]
    relevant, dropped = f"({repeats.relevant(plan)})", "e.dropped" if plan.drops_missing else "FALSE"
    asked = [relevant, dropped]
    asked += ["e.exposure"] if plan.experiment.exposure is not None else []
    asked += ["e.arm IS NOT NULL"] if loaded.has_arm else []
    reasons = {
        "by_spec": "NOT e.fits" if loaded.select.filtered else "FALSE",
        "no_metric": f"NOT ({' OR '.join(asked)})",
        **_unusable(loaded, clock),
        "no_value": f"{dropped} AND NOT {relevant}",
        "unknown_arm": f"e.arm = {STRAY}",
        **_fates(assignment.part == "events"),
        "not_in_test": "e.uid IS NULL",
        "before_exposure": f"{relevant} AND NOT ({since})",
        "after_window": f"{relevant} AND NOT ({counts})",
    }
    return _counts(engine, reasons, "events", assignment)


def of_others(engine: Engine, rows: Rows, part: str, assignment: Assignment, clock: Clock) -> dict[str, int]:
    """How the rows of `exposures` or `units` ended, by reason."""
    loaded = rows.loaded[part]
    reasons = {
        "by_spec": "NOT e.kept" if loaded.select.kept == "kept" else "FALSE",
        **_unusable(loaded, clock),
        "outside_period": f"NOT ({clock.inside(loaded.has_time, 'e.')})" if part == assignment.part else "FALSE",
        "unknown_arm": f"e.arm = {STRAY}",
        "no_arm": f"e.arm = {NO_ARM}",
        **_fates(part == assignment.part),
        "not_in_test": "e.uid IS NULL",
    }
    return _counts(engine, reasons, part, assignment, _keeps_one_row(loaded))


def _keeps_one_row(loaded: Loaded) -> bool:
    """Whether of several rows of a unit one is kept, by `duplicates: first` or `last`."""
    return any(getattr(source.options, "duplicates", None) in ("first", "last") for source in loaded.sources)


def balance(rows: Rows, part: str, ended: Mapping[str, int], duplicates: Mapping[str, int]) -> Balance:
    """The balance of a part, by reason: how the rows in its table `ended`, those that were left out when they were
    loaded, and those that were removed as `duplicates`."""
    read = sum(file.rows for file in rows.files if file.role == part)
    lost = {reason: rows.lost[part, reason] for reason in _AT_LOADING}
    left_out = Counter(lost) + Counter(ended) + Counter(duplicates)
    used = left_out.pop(USED, 0)
    return Balance(part, read, used, dict(left_out))


def moved(ended: Mapping[str, int], reasons: Mapping[str, int]) -> dict[str, int]:
    """How rows ended, where some of those that seemed used are left out for `reasons` after all."""
    counts = Counter(ended) + Counter(reasons)
    return {**counts, USED: ended.get(USED, 0) - sum(reasons.values())}


def _unusable(loaded: Loaded, clock: Clock) -> dict[str, str]:
    late = f"e.t >= {clock.cut}" if loaded.has_time and clock.cut is not None else "FALSE"
    return {
        "no_unit": "e.unit IS NULL",
        "no_time": "e.t IS NULL" if loaded.has_time else "FALSE",
        "after_as_of": late,
    }


def _fates(has_arms: bool) -> dict[str, str]:
    """Why the unit of a row is not in the analysis, in the part that has the arms."""
    fates = ("no_arm", "outside_period", "crossover", "not_exposed") if has_arms else ()
    return {f"unit_{fate}": f"e.fate = {literal(fate)}" for fate in fates}


def _counts(
    engine: Engine, reasons: Mapping[str, str], part: str, assignment: Assignment, one_row: bool = False
) -> dict[str, int]:
    """Rows of a part by the first reason that applies; `used` where none does. With `one_row` one row of each unit is
    used, and its other rows are duplicates."""
    fate, seen = (", s.fate", " LEFT JOIN seen s ON s.unit = x.unit") if part == assignment.part else ("", "")
    table = f"(SELECT x.*, a.uid, a.t0{fate} FROM {part} x LEFT JOIN assigned a ON a.unit = x.unit{seen})"
    applied = [(reason, condition) for reason, condition in reasons.items() if condition != "FALSE"]
    cases = " ".join(f"WHEN {condition} THEN {literal(reason)}" for reason, condition in applied)
    units = ", count(DISTINCT e.unit)" if one_row else ""
    sql = f"SELECT CASE {cases} ELSE {literal(USED)} END AS reason, count(*){units} FROM {table} e GROUP BY reason"
    ended = Counter[str]()
    for reason, n, *distinct in sorted(engine.run(sql)):
        ended[str(reason).removeprefix("unit_")] += int(n)
        if reason == USED and distinct:
            ended["duplicate_unit"], ended[USED] = int(n) - int(distinct[0]), int(distinct[0])
    return ended
