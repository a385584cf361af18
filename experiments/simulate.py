"""From a story to its rows: arrivals, exposures, actions and amounts, drawn with a fixed seed.

Only `random.Random(seed).random()` is used (Python guarantees its stream) with plain arithmetic and square roots on
top, so that the rows are the same on every machine.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from stories import Action, Orders, Story

T = TypeVar("T")
DAY = 24 * 60 * 60
HOURS = (2, 1, 1, 1, 1, 2, 4, 7, 10, 12, 13, 13, 12, 12, 13, 13, 12, 11, 11, 12, 13, 11, 7, 4)
DEVICES = {"desktop": 52, "mobile": 40, "tablet": 8}
CHANNELS = {"organic": 45, "paid": 25, "direct": 20, "email": 10}


@dataclass(frozen=True)
class Visitor:
    """One randomized visitor; `seen` is the first exposure in seconds after the start of the test."""

    unit: str
    arm: str
    seen: int
    device: str
    channel: str


@dataclass(frozen=True)
class Row:
    """One event of one visitor."""

    second: int
    visitor: Visitor
    event: str
    cents: int = 0

    def fields(self, start: datetime) -> dict[str, str]:
        """The row as text, by field name."""
        return {
            "unit": self.visitor.unit,
            "time": (start + timedelta(seconds=self.second)).isoformat(sep=" "),
            "arm": self.visitor.arm,
            "event": self.event,
            "amount": f"{self.cents // 100}.{self.cents % 100:02d}",
            "device": self.visitor.device,
            "channel": self.visitor.channel,
        }


class Draw:
    """Random choices built on the one stream that Python keeps the same between versions."""

    def __init__(self, seed: int) -> None:
        """Start the stream."""
        self.uniform = random.Random(seed).random

    def below(self, limit: int) -> int:
        """A whole number from 0 to limit - 1."""
        return int(self.uniform() * limit)

    def weighted(self, weights: Sequence[int]) -> int:
        """An index, with chances in proportion to the weights."""
        rest = self.below(sum(weights))
        for index, weight in enumerate(weights):
            rest -= weight
            if rest < 0:
                return index
        raise ValueError("weights must be positive")

    def sample(self, items: Sequence[T], size: int) -> list[T]:
        """`size` different items in random order."""
        pool = list(items)
        for i in range(size):
            j = i + self.below(len(pool) - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:size]

    def delay(self, median: float, limit: int) -> int:
        """Seconds to wait: 1 to `limit`, mostly near the median (seconds), with a long tail."""
        u = self.uniform() * limit / (limit + median)
        return max(1, min(limit, int(median * u / (1 - u))))

    def second_of_day(self) -> int:
        """A second of the day, following the usual hours."""
        return self.weighted(HOURS) * 3600 + self.below(3600)


class Log:
    """The rows of one test. A visitor never has two rows in the same second."""

    def __init__(self) -> None:
        """Start empty."""
        self.rows: list[Row] = []
        self._taken: set[tuple[str, int]] = set()

    def add(self, visitor: Visitor, second: int, event: str) -> int:
        """Append a row, a second or more later if that second is taken; returns its time."""
        while (visitor.unit, second) in self._taken:
            second += 1
        self._taken.add((visitor.unit, second))
        self.rows.append(Row(second, visitor, event))
        return second


def simulate(story: Story) -> list[Row]:
    """All rows of one test in the order of time."""
    draw = Draw(story.seed)
    log = Log()
    visitors = arrive(story, draw)
    for visitor in visitors:
        view(story, visitor, log, draw)
    times: dict[str | None, dict[str, int]] = {None: {visitor.unit: visitor.seen for visitor in visitors}}
    for action in story.actions:
        times[action.event] = act(story, action, visitors, times[action.after], log, draw)
    come_back(story, visitors, log, draw)
    rows = sorted(log.rows, key=lambda row: (row.second, row.visitor.unit))
    return price(rows, story, story.orders, draw) if story.orders else rows


def arrive(story: Story, draw: Draw) -> list[Visitor]:
    """Visitors in the order of their first exposure; arms are a random order of the fixed numbers."""
    week_days = [story.week[day % 7] for day in range(story.days)]
    arms = [arm for arm, size in story.units.items() for _ in range(size)]
    arms = draw.sample(arms, len(arms))
    seconds = sorted(draw.weighted(week_days) * DAY + draw.second_of_day() for _ in arms)
    devices, channels = list(DEVICES), list(CHANNELS)
    return [
        Visitor(
            unit=f"v{number:06d}",
            arm=arm,
            seen=second,
            device=devices[draw.weighted(list(DEVICES.values()))],
            channel=channels[draw.weighted(list(CHANNELS.values()))],
        )
        for number, (arm, second) in enumerate(zip(arms, seconds, strict=True), start=1)
    ]


def deadline(story: Story, visitor: Visitor) -> int:
    """The last second in which what a visitor does still counts (two spare seconds for taken ones)."""
    return min(visitor.seen + story.window_days * DAY, story.log_days * DAY) - 3


def view(story: Story, visitor: Visitor, log: Log, draw: Draw) -> None:
    """The first exposure and, for some, later ones inside the window and the period."""
    second = log.add(visitor, visitor.seen, story.exposure)
    last = min(deadline(story, visitor), story.days * DAY - 3)
    while draw.uniform() < story.revisit and second + 60 < last:
        second = log.add(visitor, second + draw.delay(3 * 3600, last - second), story.exposure)


def act(
    story: Story, action: Action, visitors: Sequence[Visitor], after: dict[str, int], log: Log, draw: Draw
) -> dict[str, int]:
    """Let the planned number of visitors of each arm do an action; returns when each did it first."""
    first: dict[str, int] = {}
    for arm, size in (("control", action.control), ("variant", action.variant)):
        able = [visitor for visitor in visitors if visitor.arm == arm and visitor.unit in after]
        for visitor in draw.sample(able, size):
            last = deadline(story, visitor)
            second = after[visitor.unit]
            second = log.add(visitor, second + draw.delay(action.minutes * 60, last - second), action.event)
            first[visitor.unit] = second
            while draw.uniform() < action.repeat and second + 60 < last:
                second = log.add(visitor, second + draw.delay(300, last - second), action.event)
    return first


def come_back(story: Story, visitors: Sequence[Visitor], log: Log, draw: Draw) -> None:
    """One visitor in ten returns on a later day. No metric uses it, but it shows how long the log goes on."""
    for visitor in visitors:
        next_day = visitor.seen // DAY + 1
        if draw.uniform() < 0.1 and next_day < story.log_days:
            day = next_day + draw.below(story.log_days - next_day)
            log.add(visitor, day * DAY + draw.second_of_day(), "site_visit")


def price(rows: Sequence[Row], story: Story, orders: Orders, draw: Draw) -> list[Row]:
    """Give every order an amount; the variant's ordinary orders share what the ratio leaves for them."""
    buyers = {arm: [i for i, row in enumerate(rows) if is_order(row, orders, arm)] for arm in story.units}
    control = [order_value(draw) for _ in buyers["control"]]
    units = story.units
    total = round_ratio(orders.ratio_permille * sum(control) * units["variant"], 1000 * units["control"])
    ordinary = [order_value(draw) for _ in buyers["variant"][len(orders.large) :]]
    room = total - sum(orders.large)
    scaled = [value * room // sum(ordinary) for value in ordinary]
    scaled[0] += room - sum(scaled)
    variant = draw.sample([*scaled, *orders.large], len(buyers["variant"]))
    amounts = dict(zip(buyers["control"] + buyers["variant"], control + variant, strict=True))
    return [replace(row, cents=amounts.get(i, 0)) for i, row in enumerate(rows)]


def is_order(row: Row, orders: Orders, arm: str) -> bool:
    """Whether a row is an order of the given arm."""
    return row.event == orders.event and row.visitor.arm == arm


def order_value(draw: Draw) -> int:
    """Cents of one ordinary order: 45 to 370 dollars, skewed to the right."""
    tail = 1 / math.sqrt(1 - 0.99 * draw.uniform()) - 1
    return int(4500 + 5000 * (draw.uniform() + draw.uniform()) + 2500 * tail)


def round_ratio(numerator: int, denominator: int) -> int:
    """The whole number nearest to numerator / denominator."""
    return (2 * numerator + denominator) // (2 * denominator)
