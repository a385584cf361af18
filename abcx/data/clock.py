"""The limits of time: the period, and the moment up to which the data are known."""

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
"""A source with fewer rows a day in its last week never moves the data cut."""


@dataclass(frozen=True)
class Clock:
    """The limits of time, in microseconds since 1970 (UTC); None where there is none.

    `as_of` is the moment up to which the data are known, `cut` the first moment that is left out: after a declared
    `as_of`, or after the last row of a file of outcomes that ends before the exposures do; then `note` says so.
    """

    start: int | None
    end: int | None
    as_of: int | None
    cut: int | None
    note: Note | None = None

    def usable(self, has_time: bool, prefix: str = "") -> str:
        """The SQL condition of rows that have a unit, a time, are not after the declared data cut and fit an arm, or
        are events that say nothing of arms."""
        return f"{self.known(has_time, prefix)} AND coalesce({prefix}arm, 0) NOT IN ({STRAY}, {NO_ARM})"

    def known(self, has_time: bool, prefix: str = "") -> str:
        """As `usable`, with the rows that fit no arm."""
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

    A date as `as_of` includes that day; a time includes that moment. `reach` says by part how much further than its
    last row it reaches, because its times cover a whole day (resolution.py), in microseconds.
    """
    period, written = loading.plan.experiment.period, loading.plan.experiment.analysis.as_of
    start, end = (period.start_instant(), period.end_instant()) if period else (None, None)
    found = Clock(
        microseconds(start) if start else None, microseconds(end) if end else None, _latest(loading, reach), None
    )
    if written is not None:
        whole_day = is_date(written)
        as_of = microseconds(instant(written, loading.plan.experiment.timezone, end=whole_day))
        return replace(found, as_of=as_of, cut=as_of if whole_day else as_of + 1)
    return _cut_at_old_outcomes(loading, found)


def _latest(loading: Loading, reach: Mapping[str, int]) -> int | None:
    timed = [part for part in ("exposures", "events") if loading.has_time(part)]
    union = " UNION ALL ".join(f"SELECT max(t) + {reach.get(part, 0)} AS t FROM {part}" for part in timed)
    found = loading.engine.run(f"SELECT max(t) FROM ({union})")[0][0] if timed else None
    return None if found is None else int(found)


def _cut_at_old_outcomes(loading: Loading, clock: Clock) -> Clock:
    """The clock that ends where a source of outcomes ends, if that is more than a day before the last exposure.

    With an orders export three days older than the exposures the late units would count as units that bought nothing.
    A source is what one entry of `data` names, all its files together. Sources with few rows a day say too little about
    when they end.
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
    """The latest time of every source that has events of a primary or guardrail metric and ends more than a day before
    the data do, by its name, where the source has rows enough to tell."""
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
    found = {}
    for parts in ends.values():
        name, last = max(((name, read.last or 0) for name, read, _ in parts), key=lambda part: part[1])
        week = sum(read.last_week for _, read, _ in parts if (read.last or 0) > last - 7 * _DAY)
        old = last < (clock.as_of or 0) - _DAY and week >= 7 * _ROWS_A_DAY
        if old and any(_holds(loading, number, terms) for *_, number in parts):
            found[name] = last
    return found


def _judged_terms(plan: Plan) -> list[int]:
    """Positions of the events of primary and guardrail metrics among the terms of the plan."""
    judged = {name for name, metric in plan.metrics.items() if metric.role in ("primary", "guardrail")}
    values = {one.feed for one in plan.values if one.metric in judged and one.need.term.event is not None}
    return sorted(values | {term for one in plan.tickets if one.metric in judged for term in (one.start, one.end)})


def _holds(loading: Loading, number: int, terms: list[int]) -> bool:
    """Whether a source has an event of these terms."""
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
    found = loading.engine.run(f"SELECT max(t) FROM (SELECT min(t) AS t FROM {part} WHERE {usable} GROUP BY unit)")[0][
        0
    ]
    return None if found is None else int(found)
