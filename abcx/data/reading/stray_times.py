"""Leaves out rows that are dated long after all others, because of a mistyped year or a wrong clock. They would move
the data cut into the future, and every unit would look followed."""

from __future__ import annotations

from dataclasses import replace

from abcx.data.reading.load import Loading, last_times
from abcx.results.readout import Exclusion

_DAY = 86_400_000_000
_TIERS = ((30 * _DAY, 1000), (365 * _DAY, 20))
"""(gap, n): rows later than all others by more than the gap (microseconds) are strays, if they are fewer than 1 in n of
the rows with a time."""
_PARTS = ("exposures", "events", "units")


def leave_out(loading: Loading) -> None:
    """Remove the stray rows of all parts and count them as `stray_time`. Does nothing where the spec declares `as_of`,
    which leaves later rows out."""
    timed = [part for part in _PARTS if part in loading.parts and loading.parts[part].has_time]
    since = _strays_since(loading, timed) if timed and loading.plan.experiment.analysis.as_of is None else None
    if since is None:
        return
    for part in timed:
        count = loading.count_lost(part, "stray_time", f"t >= {since}")
        if not count:
            continue
        loading.engine.run(f"DELETE FROM {part} WHERE t >= {since}")
        message = f"rows of {part} dated more than 30 days after all others"
        loading.exclusions.append(Exclusion("stray_time", message, rows=count))
        for key, read in loading.reads.items():
            if key[0] == part and read.last is not None and read.last >= since:
                last, week = last_times(loading, part, loading.of_source(*key))
                loading.reads[key] = replace(read, last=last, last_week=week)


def _strays_since(loading: Loading, parts: list[str]) -> int | None:
    """The earliest time of a stray row, in microseconds since 1970; None where there is none."""
    union = " UNION ALL ".join(f"SELECT t FROM {part} WHERE t IS NOT NULL" for part in parts)
    total, latest = loading.engine.run(f"SELECT count(*), max(t) FROM ({union}) u")[0]
    if not total:
        return None
    tiers = [_of_tier(loading, union, int(latest) - gap, (int(total) - 1) // one_in, gap) for gap, one_in in _TIERS]
    return min((since for since in tiers if since is not None), default=None)


def _of_tier(loading: Loading, union: str, since: int, most: int, gap: int) -> int | None:
    """As `_strays_since`, for one tier: at most `most` rows of `union`, with a `gap` before them; `since` is the latest
    time less the gap.

    Most data end with many rows in their last days; then no row can be a stray, and the times are not sorted.
    """
    if most < 1 or int(loading.engine.run(f"SELECT count(*) FROM ({union}) u WHERE t >= {since}")[0][0]) > most:
        return None
    latest = [int(t) for (t,) in loading.engine.run(f"SELECT t FROM ({union}) u ORDER BY t DESC LIMIT {most + 1}")]
    ends = [later for later, earlier in zip(latest, latest[1:], strict=False) if later - earlier > gap]
    return min(ends, default=None)
