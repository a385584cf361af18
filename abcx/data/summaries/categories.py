"""Counts of each answer of a survey's scale by arm, and of invited and answering units."""

from __future__ import annotations

from abcx.data.plan import Plan, Value
from abcx.data.units.timing import Timing
from abcx.data.workspace import Workspace
from abcx.results.metric import Response
from abcx.stats.records import Categories, Summary


def read(work: Workspace, name: str, table: str, by: str) -> dict[str, dict[str, Summary]]:
    """The number of units by answer, by a SQL expression `by` on units and by arm."""
    answer = work.plan.of(name)[0]
    low, high = _scale(answer)
    counts: dict[str, dict[str, list[int]]] = {}
    column = f"value_{answer.position}"
    for group, arm, value, count in work.run(
        f"SELECT {by} AS grp, arm, {column}, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY ALL"
    ):
        cells = counts.setdefault(str(group), {}).setdefault(work.plan.arms[arm], [0] * (high - low + 1))
        cells[int(value) - low] = int(count)
    return {
        group: {arm: Categories(low, tuple(cells)) for arm, cells in by_arm.items()} for group, by_arm in counts.items()
    }


def responses(work: Workspace, span: Timing | None, table: str) -> dict[str, dict[str, Response]]:
    """Exposed (and followed), invited and answering units of every survey metric, and repeated answers of units, by
    arm."""
    by_metric: dict[str, dict[str, Response]] = {}
    for name, metric in work.plan.metrics.items():
        if metric.needs().summary != "categories":
            continue
        answer, *further_values = work.plan.of(name)
        repeats = next((value for value in further_values if value.need.kind == "count"), None)
        invited = next((value for value in further_values if value.need.kind == "happened"), None)
        followed = span.followed(answer) if span else "TRUE"
        fields = [f"count(*) FILTER ({followed})", f"count(value_{answer.position})"]
        fields.append(f"sum(greatest(value_{repeats.position} - 1, 0))" if repeats else "0")
        fields.append(f"sum(value_{invited.position})" if invited else "NULL")
        rows = work.run(f"SELECT arm, {', '.join(fields)} FROM {table} GROUP BY arm")
        by_metric[name] = {
            work.plan.arms[arm]: Response(
                int(n), None if invited_count is None else int(invited_count), int(answered), int(extra or 0)
            )
            for arm, n, answered, extra, invited_count in rows
        }
    return by_metric


def nothing(plan: Plan, name: str) -> Categories:
    """No answers on the metric's scale."""
    low, high = _scale(plan.of(name)[0])
    return Categories(low, (0,) * (high - low + 1))


def _scale(answer: Value) -> tuple[int, int]:
    assert answer.need.scale is not None
    return answer.need.scale
