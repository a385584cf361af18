"""The limits of time: the period of the experiment, and the data cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from abcx.data.plan import Plan
from abcx.data.reading.load import Loading, SourceRead
from abcx.data.reading.row_sql import NO_ARM, STRAY
from abcx.notes import Note
from abcx.spec.times import instant, is_date

_DAY = 86_400_000_000
_ROWS_A_DAY = 20
"""Minimum rows a day, in its last week, of a source that may move the data cut."""


@dataclass(frozen=True)
class Clock:
    """The limits of time, in microseconds since 1970 (UTC); None where there is none.

    `start` and `end` are those of the period. `as_of` is the moment up to which the data are complete, `cut` the first
    moment that is left out: after a declared `as_of`, or after the last row of a file of outcomes that ends before the
    exposures do, with a `note` on that.
    """

    start: int | None
    end: int | None
    as_of: int | None
    cut: int | None
    note: Note | None = None

    def usable(self, has_time: bool, prefix: str = "") -> str:
        """The SQL condition of rows with a unit and a time (if `has_time`), not after the data cut, whose arm is an arm
        of the experiment or NULL; `prefix` is an alias (`e.`)."""
        return f"{self.known(has_time, prefix)} AND coalesce({prefix}arm, 0) NOT IN ({STRAY}, {NO_ARM})"

    def known(self, has_time: bool, prefix: str = "") -> str:
        """As `usable`, with the rows that match no arm."""
        parts = [f"{prefix}unit IS NOT NULL"]
        if has_time:
            parts.append(f"{prefix}t IS NOT NULL")
            if self.cut is not None:
                parts.append(f"{prefix}t < {self.cut}")
        return " AND ".join(parts)

    def inside(self, has_time: bool, prefix: str = "") -> str:
        """The SQL condition of rows inside the period."""
        parts = [f"{prefix}t >= {self.start}"] if has_time and self.start is not None else []
        parts += [f"{prefix}t < {self.end}"] if has_time and self.end is not None else []
        return " AND ".join(parts) or "TRUE"


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 in UTC."""
    return round(moment.timestamp() * 1_000_000)


def clock(loading: Loading, reach: Mapping[str, int]) -> Clock:
    """The period and the data cut: `as_of` where it is declared, else the latest time in exposures and events, or the
    end of a file of outcomes that is older than the exposures.

    A date as `as_of` includes that day; a time includes that moment. `reach` is, by part, the microseconds that the
    data reach beyond the time of the last row, because times cover a whole day, for example (resolution.py).
    """
    period, written = loading.plan.experiment.period, loading.plan.experiment.analysis.as_of
    start, end = (period.start_instant(), period.end_instant()) if period else (None, None)
    limits = Clock(
        microseconds(start) if start else None, microseconds(end) if end else None, _latest(loading, reach), None
    )
    if written is not None:
        whole_day = is_date(written)
        as_of = microseconds(instant(written, loading.plan.experiment.timezone, end=whole_day))
        return replace(limits, as_of=as_of, cut=as_of if whole_day else as_of + 1)
    return _cut_at_old_outcomes(loading, limits)


def _latest(loading: Loading, reach: Mapping[str, int]) -> int | None:
    timed = [part for part in ("exposures", "events") if loading.has_time(part)]
    union = " UNION ALL ".join(f"SELECT max(t) + {reach.get(part, 0)} AS t FROM {part}" for part in timed)
    latest = loading.engine.run(f"SELECT max(t) FROM ({union})")[0][0] if timed else None
    return None if latest is None else int(latest)


def _cut_at_old_outcomes(loading: Loading, clock: Clock) -> Clock:
    """The clock with its end at that of a source of outcomes, if that is more than a day before the last exposure.

    With an orders export three days older than the exposures, late units would count as units that bought nothing. A
    source is one entry of `data` with all its files. The end of a source with few rows a day is too uncertain to count.
    """
    ends = _outcome_ends(loading, clock) if clock.as_of is not None else {}
    if not ends:
        return clock
    name, last = min(ends.items(), key=lambda item: item[1])
    exposed = _last_exposure(loading, clock)
    if exposed is None or last >= exposed - _DAY:
        return clock
    days = (exposed - last) // _DAY
    moment = datetime.fromtimestamp(last / 1e6, ZoneInfo(loading.plan.experiment.timezone))
    note = Note("outcomes_end", {"file": name, "day": moment.date().isoformat(), "days": days})
    return replace(clock, as_of=last, cut=last + 1, note=note)


def _outcome_ends(loading: Loading, clock: Clock) -> dict[str, int]:
    """The latest time, by name, of every source with events of a primary or guardrail metric that ends more than a day
    before the data, if it has enough rows a day."""
    if "events" not in loading.parts:
        return {}
    select = loading.parts["events"].select
    terms = _judged_terms(select.plan)
    ends: dict[str, list[tuple[str, SourceRead, int]]] = {}
    for number, source in enumerate(select.sources):
        read = loading.reads["events", number]
        if read.last is not None:
            key = repr(source.options) if source.table.files else source.table.shown
            ends.setdefault(key, []).append((source.table.shown, read, number))
    old_ends = {}
    for parts in ends.values():
        name, last = max(((name, read.last or 0) for name, read, _ in parts), key=lambda part: part[1])
        week = sum(read.last_week for _, read, _ in parts if (read.last or 0) > last - 7 * _DAY)
        old = last < (clock.as_of or 0) - _DAY and week >= 7 * _ROWS_A_DAY
        if old and any(_has_event(loading, number, terms) for *_, number in parts):
            old_ends[name] = last
    return old_ends


def _judged_terms(plan: Plan) -> list[int]:
    """Positions, among the plan's terms, of the events of primary and guardrail metrics."""
    judged = {name for name, metric in plan.metrics.items() if metric.role in ("primary", "guardrail")}
    values = {
        value.source_index for value in plan.values if value.metric in judged and value.need.term.event is not None
    }
    return sorted(
        values | {term for pairs in plan.tickets if pairs.metric in judged for term in (pairs.start, pairs.end)}
    )


def _has_event(loading: Loading, number: int, terms: list[int]) -> bool:
    """Whether a source of events has an event of these terms."""
    inside = loading.of_source("events", number)
    any_term = " OR ".join(f"term_{position} IS NOT NULL" for position in terms)
    return bool(terms) and bool(loading.engine.run(f"SELECT 1 FROM events WHERE {inside} AND ({any_term}) LIMIT 1"))


def _last_exposure(loading: Loading, clock: Clock) -> int | None:
    """The latest first exposure of a unit inside the period."""
    part = loading.arm_part
    if loading.plan.experiment.exposure is not None and "events" in loading.parts:
        part, exposed = "events", "exposure"
    else:
        exposed = "arm IS NOT NULL"
    if not loading.parts[part].has_time:
        return None
    usable = f"{clock.usable(True)} AND {clock.inside(True)} AND {exposed}"
    latest = loading.engine.run(f"SELECT max(t) FROM (SELECT min(t) AS t FROM {part} WHERE {usable} GROUP BY unit)")[0][
        0
    ]
    return None if latest is None else int(latest)
