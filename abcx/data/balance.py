"""Where every row of a part ended: used, or left out for one reason. What was read is used or left out, to the row.

Each row is judged by the first of the reasons that fits it, in the order of treatment, whatever the exclusions count:
they may name a row twice (an event before exposure of a unit in several arms), the balance never does.
"""

from __future__ import annotations

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
        **_fates("seen" if assignment.part == "events" else ""),
        "not_in_test": "e.uid IS NULL",
        "before_exposure": f"{relevant} AND NOT ({since})",
        "after_window": f"{relevant} AND NOT ({counts})",
    }
    fate = ", s.fate" if assignment.part == "events" else ""
    seen = "LEFT JOIN seen s ON s.unit = x.unit" if fate else ""
    table = f"(SELECT x.*, a.uid, a.t0{fate} FROM events x LEFT JOIN assigned a ON a.unit = x.unit {seen})"
    return _counts(engine, reasons, table)


def of_others(engine: Engine, rows: Rows, part: str, assignment: Assignment, clock: Clock) -> dict[str, int]:
    """How the rows of `exposures` or `units` ended, by reason."""
    loaded = rows.loaded[part]
    reasons = {
        "by_spec": "NOT e.kept" if loaded.select.kept == "kept" else "FALSE",
        **_unusable(loaded, clock),
        "outside_period": f"NOT ({clock.inside(loaded.has_time, 'e.')})" if part == assignment.part else "FALSE",
        "unknown_arm": f"e.arm = {STRAY}",
        "no_arm": f"e.arm = {NO_ARM}",
        **_fates("seen" if part == assignment.part else ""),
        "not_in_test": "e.uid IS NULL",
    }
    fate = ", s.fate" if part == assignment.part else ""
    seen = "LEFT JOIN seen s ON s.unit = x.unit" if fate else ""
    table = f"(SELECT x.*, a.uid{fate} FROM {part} x LEFT JOIN assigned a ON a.unit = x.unit {seen})"
    return _counts(engine, reasons, table)


def balance(rows: Rows, part: str, ended: Mapping[str, int], later: Mapping[str, int]) -> Balance:
    """The balance of a part: how the rows in its table `ended`, with those that were left out at loading, and `later`
    as repeats of others."""
    read = sum(file.rows for file in rows.files if file.role == part)
    lost = {reason: rows.lost[part, reason] for reason in _AT_LOADING}
    left_out = {reason: n for reason, n in {**lost, **ended, **later}.items() if n and reason != USED}
    return Balance(part, read, ended.get(USED, 0), left_out)


def _unusable(loaded: Loaded, clock: Clock) -> dict[str, str]:
    late = f"e.t >= {clock.cut}" if loaded.has_time and clock.cut is not None else "FALSE"
    return {
        "no_unit": "e.unit IS NULL",
        "no_time": "e.t IS NULL" if loaded.has_time else "FALSE",
        "after_as_of": late,
    }


def _fates(seen: str) -> dict[str, str]:
    """What became of the unit of a row of the part that tells the arms."""
    fates = ("no_arm", "outside_period", "crossover", "not_exposed") if seen else ()
    return {f"unit_{fate}": f"e.fate = {literal(fate)}" for fate in fates}


def _counts(engine: Engine, reasons: Mapping[str, str], table: str) -> dict[str, int]:
    cases = " ".join(
        f"WHEN {condition} THEN {literal(reason)}" for reason, condition in reasons.items() if condition != "FALSE"
    )
    sql = f"SELECT CASE {cases} ELSE {literal(USED)} END AS reason, count(*) FROM {table} e GROUP BY reason"
    return {str(reason).removeprefix("unit_"): int(n) for reason, n in sorted(engine.run(sql))}
