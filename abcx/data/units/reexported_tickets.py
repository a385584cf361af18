"""Tickets that were exported again with another end: the spec must say which end counts."""

from __future__ import annotations

from abcx.data.plan import Plan, TicketJoin
from abcx.data.workspace import Workspace
from abcx.errors import DataError
from abcx.problems import Problem


def problem(pairs: TicketJoin, what: str) -> Problem:
    """The problem of tickets with two ends, as described by `what`."""
    cure = f"say which end counts: metrics: {{{pairs.metric}: {{reexported: last}}}} (or first)"
    return Problem("error", "reexported", f"{what}: did later exports change the end?", None, cure)


def refuse_moved_ends(work: Workspace, joined: str) -> None:
    """Raise DataError where several ends of a ticket have one event id, and no rule says which counts, or metrics that
    read this end have different rules. `joined` is the SQL of usable events `e` with ids, joined to their units `a`."""
    for pairs in work.plan.tickets:
        ends = f"SELECT e.id FROM {joined} AND e.term_{pairs.end} IS NOT NULL GROUP BY e.id, a.uid"
        moved = int(work.run(f"SELECT count(*) FROM ({ends} HAVING count(DISTINCT e.t) > 1)")[0][0])
        if not moved:
            continue
        end = pairs.need.end.event
        what = f"{moved:,} ids of '{end}' stand" if moved > 1 else f"an id of '{end}' stands"
        if pairs.need.reexported is None:
            raise DataError(problem(pairs, f"{what} at several times"))
        other_metrics = [
            value.metric for value in work.plan.values if value.source_index == pairs.end and value.need.term.event
        ]
        other_metrics += [
            other.metric
            for other in work.plan.tickets
            if other.end == pairs.end and other.need.reexported != pairs.need.reexported
        ]
        if other_metrics:
            message = (
                f"{what} at several times, and '{pairs.metric}' and '{other_metrics[0]}' would take different ones"
            )
            cure = f"give all metrics of '{end}' the same `reexported`, or leave the repeats out of the data"
            raise DataError(Problem("error", "reexported", message, None, cure))


def earliest(plan: Plan) -> str:
    """The SQL of a sort key: of several events `e` with one id the one with the smallest key counts, which is the
    earliest, or the latest for ends of tickets with `reexported: last`."""
    late = [f"e.term_{pairs.end} IS NOT NULL" for pairs in plan.tickets if pairs.need.reexported == "last"]
    return f"CASE WHEN {' OR '.join(late)} THEN -e.t ELSE e.t END" if late else "e.t"
