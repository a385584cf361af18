"""When events count for a unit: from its first exposure to the end of a window or of the period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from abcx.data.clock import Clock
from abcx.data.plan import Plan, TicketJoin, Value


@dataclass(frozen=True)
class Timing:
    """When events count: from the unit's first exposure, or from the period's start where exposure has no time."""

    exposure_has_time: bool
    clock: Clock

    def since(self) -> str:
        """The SQL condition of events `e` of `outcome` that are not before the exposure."""
        if self.exposure_has_time:
            return "e.t >= e.t0"
        return f"e.t >= {self.clock.start}" if self.clock.start is not None else "TRUE"

    def followed(self, value: Value, prefix: str = "") -> str:
        """The SQL condition of units that were followed for as long as a value needs; `prefix` is an alias (`a.`)."""
        as_of, needed = self.clock.as_of, value.follow_up
        if needed is None or as_of is None or not self.exposure_has_time:
            return "TRUE"
        return f"{prefix}t0 + {needed} <= {as_of}"

    def inside(self, value: Value | TicketJoin) -> str:
        """The SQL condition of events inside the window of a value, or inside the window in which tickets are
        opened."""
        later = value.since if isinstance(value, Value) else None
        since = self.since() if later is None else f"e.t >= e.t0 + {later}"
        if value.window is not None:
            return f"{since} AND e.t < e.t0 + {value.window}"
        declared = isinstance(value, Value) and value.need.since is not None
        open_end = declared or self.clock.end is None
        return since if open_end else f"{since} AND e.t < {self.clock.end}"

    def any_counts(self, values: Iterable[Value]) -> str:
        """The SQL condition of events that count for one of these values; FALSE where none is computed from events."""
        fed = [value for value in values if value.need.term.column is None]
        return (
            " OR ".join(f"(e.term_{value.source_index} IS NOT NULL AND {self.inside(value)})" for value in fed)
            or "FALSE"
        )


def any_counts(plan: Plan, span: Timing) -> str:
    """The SQL condition of events that count for some value or ticket of the plan."""
    if not plan.tickets and all(value.need.term.column is not None for value in plan.values):
        return "TRUE"
    counted = [span.any_counts(plan.values)]
    counted += [f"(e.term_{pairs.start} IS NOT NULL AND {span.inside(pairs)})" for pairs in plan.tickets]
    counted += [f"(e.term_{pairs.end} IS NOT NULL AND {span.since()})" for pairs in plan.tickets]
    return " OR ".join(counted)


def last_moment(plan: Plan) -> str:
    """The end of the time in which events count, in words."""
    of_events = [value.window for value in plan.values if value.need.term.column is None]
    windows = [*of_events, *(pairs.window for pairs in plan.tickets)]
    if all(window is None for window in windows):
        return "the period's end"
    return "the unit's window" if None not in windows else "the unit's window or the period's end"
