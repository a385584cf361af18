"""Tickets that were exported again when they had another end: which end counts is for the spec to say."""

from __future__ import annotations

from abcx.data.plan import Pairs, Plan
from abcx.data.workspace import Workspace
from abcx.errors import DataError
from abcx.problems import Problem


def problem(pairs: Pairs, count: int) -> Problem:
    """Tickets whose end an export tells in two ways."""
    start, end = pairs.need.start.event, pairs.need.end.event
    some = f"{count:,} tickets have" if count > 1 else "a ticket has"
    message = f"{some} the same '{start}' twice, and several times of '{end}': did later exports change the end?"
    cure = f"say which end counts: metrics: {{{pairs.metric}: {{reexported: last}}}} (or first)"
    return Problem("error", "reexported", message, None, cure)


def refuse_moved_ends(work: Workspace, joined: str) -> None:
    """Raise DataError where one id of an event stands at several ends of a ticket and no rule says which counts.
    `joined` is the SQL of usable events `e` with ids, joined to their units `a`."""
    for pairs in work.plan.tickets:
        if pairs.need.reexported is None:
            ends = f"SELECT e.id FROM {joined} AND e.term_{pairs.end} IS NOT NULL GROUP BY e.id, a.uid"
            moved = int(work.run(f"SELECT count(*) FROM ({ends} HAVING count(DISTINCT e.t) > 1)")[0][0])
            if moved:
                raise DataError(problem(pairs, moved))


def earliest(plan: Plan) -> str:
    """The SQL of what is smallest of the event `e` that counts, of several with one id: its time, or that of the last
    end where a metric of tickets says so."""
    late = [f"e.term_{pairs.end} IS NOT NULL" for pairs in plan.tickets if pairs.need.reexported == "last"]
    return f"CASE WHEN {' OR '.join(late)} THEN -e.t ELSE e.t END" if late else "e.t"
