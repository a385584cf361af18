"""Times to an event: of units (churn) and of tickets (resolution time), with those still open censored at `as_of`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from abcx.data.plan import Plan, TicketJoin
from abcx.data.records import MetricData, TicketTimes
from abcx.data.summaries.working_time import worked
from abcx.data.units import reexported_tickets, row_balance
from abcx.data.units.timing import Timing
from abcx.data.workspace import Workspace
from abcx.errors import DataError
from abcx.results.readout import Exclusion
from abcx.stats.records import Lifetimes, Summary

_HOUR = 3_600_000_000


def read(work: Workspace, name: str, span: Timing, table: str, by: str) -> dict[str, dict[str, Summary]]:
    """The lifetimes of a metric in hours, by a SQL expression `by` on units and by arm."""
    pairs = next((pairs for pairs in work.plan.tickets if pairs.metric == name), None)
    sizes: dict[str, dict[int, int]] = {}
    if pairs is None:
        table = f"(SELECT * FROM {table} WHERE coalesce(value_{work.plan.of(name)[0].position}, 0) >= 0)"
    for group, arm, count in work.run(f"SELECT {by} AS grp, arm, count(*) FROM {table} u GROUP BY ALL ORDER BY ALL"):
        sizes.setdefault(str(group), {})[arm] = int(count)
    if pairs is None:
        rows = _of_units(work, name, span, table, by)
    else:
        rows = _of_tickets(work, pairs, span, by)
    by_group: dict[str, dict[str, Summary]] = {}
    for group, by_arm in sizes.items():
        in_group = rows["grp"] == group
        for position, units in by_arm.items():
            in_arm = in_group & (rows["arm"] == position)
            lifetimes = Lifetimes(units, rows["hours"][in_arm], rows["observed"][in_arm], rows["uid"][in_arm])
            by_group.setdefault(group, {})[work.plan.arms[position]] = lifetimes
    return by_group


def _of_units(work: Workspace, name: str, span: Timing, table: str, by: str) -> dict[str, Any]:
    """One lifetime per unit: hours from exposure to the event, or to the data cut (`observed` is false)."""
    import numpy as np

    column = f"value_{work.plan.of(name)[0].position}"
    rows = work.engine.arrays(
        f"SELECT {by} AS grp, arm, uid, coalesce({column}, {span.clock.as_of} - t0) / {_HOUR} AS hours, "
        f"{column} IS NOT NULL AS observed FROM {table} u WHERE t0 <= {span.clock.as_of}"
    )
    return {**rows, "hours": np.asarray(rows["hours"], float), "grp": rows["grp"].astype(str)}


def churned_before(work: Workspace) -> dict[str, dict[str, int]]:
    """The number of units that churned before their exposure, by metric and arm."""
    churned = {}
    for name in (value.metric for value in work.plan.values if value.need.kind == "until"):
        lost = f"FROM unit_table WHERE value_{work.plan.of(name)[0].position} < 0"
        rows = work.run(f"SELECT arm, count(*) {lost} GROUP BY arm ORDER BY arm")
        churned[name] = {work.plan.arms[arm]: int(units) for arm, units in rows}
    return churned


def _of_tickets(work: Workspace, pairs: TicketJoin, span: Timing, by: str) -> dict[str, Any]:
    """One lifetime per ticket, in hours to the first end at or after its start; tickets that end before they start are
    left out."""
    import numpy as np

    units = f"(SELECT uid, {by} AS grp FROM assigned)"
    rows = work.engine.arrays(
        f"SELECT a.grp, p.arm, p.uid, p.opened, coalesce(p.ended, {span.clock.as_of}::BIGINT) AS ended, "
        "p.ended IS NOT NULL AS observed "
        f"FROM ({_paired(pairs, span)}) p JOIN {units} a ON a.uid = p.uid WHERE NOT p.reversed"
    )
    calendar = pairs.need.calendar
    since, until = (np.asarray(rows[column], np.int64) for column in ("opened", "ended"))
    micros = until - since if calendar is None else worked(since, until, calendar, work.plan.experiment.timezone)
    return {**rows, "hours": micros / _HOUR, "grp": rows["grp"].astype(str)}


def _paired(pairs: TicketJoin, span: Timing) -> str:
    """The SQL of every ticket opened in its unit's window: arm, uid, key, when it was `opened` and `ended` (NULL: still
    open), and whether it is `reversed`: all its ends are before its first start, in the window or not. A ticket that
    was solved, and opened again after the exposure, is open. `again`: it has the same start twice and several ends, as
    it was exported again with another end."""
    key, inside = f"e.ticket_key_{pairs.key}", span.inside(pairs)
    started = (
        f"SELECT e.arm, e.uid, {key} AS key, min(e.t) AS first_start, min(e.t) FILTER ({inside}) AS opened, "
        f"count(*) > count(DISTINCT e.t) AS twice FROM outcome e WHERE e.term_{pairs.start} IS NOT NULL GROUP BY ALL"
    )
    ended = f"SELECT e.uid, {key} AS key, e.t FROM outcome e WHERE e.term_{pairs.end} IS NOT NULL"
    after = "CASE WHEN c.t >= s.opened THEN c.t END"
    later, early = f"min({after})", "count(CASE WHEN c.t < s.first_start THEN 1 END)"
    again = f"s.twice AND count(DISTINCT {after}) > 1"
    ended_at = f"CASE WHEN {again} THEN max({after}) ELSE {later} END" if pairs.need.reexported == "last" else later
    return (
        f"SELECT s.arm, s.uid, s.key, s.opened, {ended_at} AS ended, {later} IS NULL AND {early} > 0 AS reversed, "
        f"{again} AS again "
        f"FROM ({started}) s LEFT JOIN ({ended}) c ON c.uid = s.uid AND c.key = s.key "
        "WHERE s.opened IS NOT NULL GROUP BY s.arm, s.uid, s.key, s.opened, s.twice"
    )


def ticket_times(work: Workspace, span: Timing) -> dict[str, dict[str, TicketTimes]]:
    """Counts of tickets and their ends, by metric and arm. Raises DataError for tickets that were exported again with
    another end, where no rule says which counts."""
    times_by_metric: dict[str, dict[str, TicketTimes]] = {}
    for pairs in work.plan.tickets:
        opened = work.run(
            "SELECT arm, count(*), count(CASE WHEN reversed THEN 1 END), count(CASE WHEN again THEN 1 END) "
            f"FROM ({_paired(pairs, span)}) p GROUP BY arm"
        )
        again = sum(int(row[3]) for row in opened)
        if again and pairs.need.reexported is None:
            start, end = pairs.need.start.event, pairs.need.end.event
            subject = f"{again:,} tickets have" if again > 1 else "a ticket has"
            raise DataError(
                reexported_tickets.problem(pairs, f"{subject} the same '{start}' twice, and several '{end}'")
            )
        ended = work.run(
            "SELECT arm, count(*), count(CASE WHEN reason = 'end_without_start' THEN 1 END), "
            "count(CASE WHEN reason = 'outside_ticket' THEN 1 END), count(CASE WHEN reason = 'other_end' THEN 1 END) "
            f"FROM ({_fates(pairs, span, 'e.arm')}) f WHERE is_end GROUP BY arm"
        )
        tickets = {arm: (int(n), int(odd)) for arm, n, odd, _ in opened}
        ends = {int(arm): tuple(map(int, counts)) for arm, *counts in ended}
        times_by_metric[pairs.metric] = {
            name: TicketTimes(*tickets.get(arm, (0, 0)), *ends.get(arm, (0, 0, 0, 0)))
            for arm, name in enumerate(work.plan.arms)
        }
    return times_by_metric


def _fates(pairs: TicketJoin, span: Timing, columns: str) -> str:
    """The SQL of every ticket start in its unit's window and every ticket end since the exposure: `columns` of
    `outcome` (alias `e`), whether it `is_end`, and the `reason` why this metric does not use it (NULL: it does)."""
    start, end, key = (
        f"e.term_{pairs.start} IS NOT NULL",
        f"e.term_{pairs.end} IS NOT NULL",
        f"e.ticket_key_{pairs.key}",
    )
    starts = f"SELECT DISTINCT e.uid, {key} AS key FROM outcome e WHERE {start}"
    return (
        f"SELECT {columns}, {end} AND NOT ({start}) AS is_end, "
        f"CASE WHEN s.uid IS NULL AND {end} THEN 'end_without_start' WHEN p.reversed THEN 'end_before_start' "
        f"WHEN {start} AND p.uid IS NOT NULL THEN NULL "
        "WHEN p.uid IS NULL OR p.ended IS NULL THEN 'outside_ticket' "
        "WHEN e.t <> p.ended THEN 'other_end' END AS reason "
        f"FROM outcome e LEFT JOIN ({starts}) s ON s.uid = e.uid AND s.key = {key} "
        f"LEFT JOIN ({_paired(pairs, span)}) p ON p.uid = e.uid AND p.key = {key} "
        f"WHERE ({start} AND {span.inside(pairs)}) OR ({end} AND {span.since()})"
    )


def rows_left_out(work: Workspace, span: Timing) -> row_balance.Ended:
    """The number of ticket rows (of `outcome`, inside their window) that no metric uses, by source and reason."""
    read = [f"SELECT place, reason FROM ({_fates(pairs, span, 'e.rowid AS place')}) f" for pairs in work.plan.tickets]
    counted = span.any_counts(work.plan.values)
    rows = work.run(
        "SELECT e.source_number, reason, count(*) FROM (SELECT place, min(reason) AS reason FROM "
        f"({' UNION ALL '.join(read)}) GROUP BY place HAVING bool_and(reason IS NOT NULL)) r "
        f"JOIN outcome e ON e.rowid = r.place WHERE NOT ({counted}) GROUP BY ALL"
    )
    return row_balance.Ended({(int(source), str(reason)): int(count) for source, reason, count in rows})


def left_out(plan: Plan, metrics: Mapping[str, MetricData]) -> Iterator[Exclusion]:
    """Exclusions of units that churned before their exposure, of tickets that end before they start, and of ends that
    are not used; once for metrics of the same tickets."""
    for value in plan.values:
        if value.need.kind == "until" and (units := metrics[value.metric].missing):
            message = f"units with '{value.need.term.event}' before their exposure, left out of {value.metric}"
            yield Exclusion("churned_before", message, units=sum(units.values()), by_arm=units)
    reported = set()
    for pairs in plan.tickets:
        identity = (pairs.start, pairs.end, pairs.key, pairs.window)
        if identity in reported:
            continue
        reported.add(identity)
        times = metrics[pairs.metric].tickets
        start, end = pairs.need.start.event, pairs.need.end.event
        reasons = (
            ("end_before_start", f"tickets whose '{end}' is before their '{start}'", "ends_before_start"),
            ("end_without_start", f"'{end}' events whose ticket has no '{start}'", "ends_without_start"),
            ("outside_ticket", f"'{end}' events of tickets with no '{start}' in the unit's window", "ends_outside"),
            ("other_end", f"'{end}' events of tickets of which another one counts", "other_ends"),
        )
        for reason, message, field in reasons:
            by_arm = {arm: getattr(arm_times, field) for arm, arm_times in times.items() if getattr(arm_times, field)}
            if by_arm:
                yield Exclusion(reason, message, rows=sum(by_arm.values()), by_arm=by_arm)


def nothing() -> Lifetimes:
    """The lifetimes of an arm without units."""
    import numpy as np

    return Lifetimes(0, np.zeros(0), np.zeros(0, bool), np.zeros(0, np.int64))
