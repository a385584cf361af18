"""Different answers of one unit at one time: the order of the rows decides which is the first or the last, where the
spec allows that; else they are refused."""

from __future__ import annotations

from abcx import formatting
from abcx.data.plan import Value
from abcx.data.reading.source import Source
from abcx.data.workspace import Workspace
from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.spec.model import EventSource


def in_file_order(source: Source) -> bool:
    """Whether the spec declares that a source's rows are in the order in which they happened."""
    return isinstance(source.options, EventSource) and source.options.ties == "file_order"


def with_places(work: Workspace) -> bool:
    """Add the column `place`, the row id, to the events where some source declares that its rows are in order; returns
    whether it did.

    Raises DataError for a remote engine, whose tables have no order.
    """
    sources = work.loading.parts["events"].sources if "events" in work.loading.parts else ()
    ordered = [source for source in sources if in_file_order(source)]
    if not ordered:
        return False
    if work.engine.is_remote:
        message = "the rows of a table in another engine have no order: `ties: file_order` cannot hold"
        help = "give every answer a time of its own, or choose one by `where`"
        raise DataError(Problem("error", "no-order", message, Span(ordered[0].table.shown), help))
    work.run("ALTER TABLE events ADD COLUMN place BIGINT")
    work.run("UPDATE events SET place = rowid")
    return True


def refuse(work: Workspace, value: Value, inside: str) -> None:
    """Raise DataError where the first or last answer of some unit is ambiguous: different answers at the same time."""
    select = work.loading.parts["events"].select
    term = work.plan.terms[value.source_index]
    serving = [source for source in select.sources if term in select.terms(source)]
    if all(map(in_file_order, serving)):
        return
    answers = f"FROM outcome e WHERE e.term_{value.source_index} IS NOT NULL AND {inside}"
    pick = "min" if value.need.kind == "first" else "max"
    moments = f"SELECT e.uid, e.t, count(DISTINCT e.term_{value.source_index}) AS n {answers} GROUP BY e.uid, e.t"
    units = work.run(
        f"SELECT count(*) FROM ({moments}) g "
        f"JOIN (SELECT e.uid, {pick}(e.t) AS t {answers} GROUP BY e.uid) p ON p.uid = g.uid AND p.t = g.t WHERE g.n > 1"
    )[0][0]
    if units:
        units_text = formatting.plural(int(units), work.plan.experiment.unit)
        message = (
            f"{units_text} gave different answers of '{value.metric}' at one moment: nothing tells which is the "
            f"{value.need.kind} one"
        )
        help = (
            "if these are several questions, choose one by `where`; if the rows are in order, write ties: file_order "
            "on the source of the events; else export times with seconds, or one answer a unit"
        )
        raise DataError(Problem("error", "tied-answers", message, Span(serving[0].table.shown), help))
