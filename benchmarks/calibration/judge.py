"""The promise (docs/methods.md, "The promise"), cell by cell: kept, broken, conservative or refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from benchmarks.calibration.cells import LIFTLESS, Cell, Family
from benchmarks.calibration.measure import Coverage, Row, Tally

Word = Literal["kept", "broken", "conservative", "refused"]
LEAST, MOST, TAIL, OTHER = 0.94, 0.97, 0.04, 0.01
"""Coverage at least and at most, each tail at most and at least."""
SLACK = 2.0
"""Standard errors that Monte Carlo is allowed."""
ENOUGH: dict[Family, tuple[int, str]] = {
    "shares": (10, "events and non-events"),
    "revenue": (30, "units that are not zero"),
    "clicks": (30, "units with a click"),
    "adjusted": (30, "units that are not zero"),
    "nps": (10, "promoters and detractors"),
    "csat": (10, "top-box and other answers"),
    "ces": (30, "answers other than the commonest one"),
    "rmst": (30, "units with tickets"),
    "churn": (10, "units that leave and that stay"),
    "retention": (10, "units that return and that do not"),
    "refunds": (30, "units that are not zero"),
    "orders": (30, "units with an order"),
    "heavy": (30, "units with a success"),
    "quantile": (30, "units with a value beyond the quantile on each side"),
}
"""What each arm must expect so many of for the upper limits to hold, too."""


@dataclass(frozen=True)
class Judgment:
    word: Word
    reasons: tuple[str, ...] = ()


def enough(row: Row) -> bool:
    """Whether events suffice for two tails."""
    return row.expected >= ENOUGH[row.cell.family][0]


def promised(cell: Cell, tally: Tally) -> Coverage:
    """What the promise is about: the lift where there is one, else the difference."""
    return tally.difference if cell.family in LIFTLESS else tally.lift


def error(level: float, samples: int) -> float:
    """Monte Carlo standard error of a share of about `level`; 0 for outcomes that were enumerated."""
    return math.sqrt(level * (1.0 - level) / samples) if samples else 0.0


def judge(row: Row, tally: Tally, errors: float = SLACK) -> Judgment:
    """Of the lift, or of the difference (`promised`). A cell that expects enough events must also not be too wide."""
    found = promised(row.cell, tally)
    if found.refused >= 0.5:
        return Judgment("refused")
    answered = round(tally.samples * (1.0 - found.refused))
    tails = {"below": found.below, "above": found.above}
    slack = {level: errors * error(level, answered) + 1e-9 for level in (LEAST, MOST, TAIL, OTHER)}
    reasons = [] if found.covered >= LEAST - slack[LEAST] else [f"covers {100 * found.covered:.1f} %"]
    reasons += [f"{100 * tail:.1f} % {name}" for name, tail in tails.items() if tail > TAIL + slack[TAIL]]
    wide = [] if found.covered <= MOST + slack[MOST] else [f"covers {100 * found.covered:.1f} %"]
    wide += [f"only {100 * tail:.1f} % {name}" for name, tail in tails.items() if tail < OTHER - slack[OTHER]]
    if reasons or (wide and enough(row)):
        return Judgment("broken", tuple(reasons + (wide if enough(row) else [])))
    return Judgment("conservative", tuple(wide)) if wide else Judgment("kept")


def doubtful(row: Row) -> bool:
    """Whether chance may have broken the promise of some tool: broken by two standard errors, but not by four."""
    return any(
        judge(row, tally).word == "broken" != judge(row, tally, 2.0 * SLACK).word for tally in row.tallies.values()
    )


def worst(pairs: list[tuple[Cell, Tally]], of_difference: bool = False) -> tuple[float, float]:
    """Lowest coverage and heaviest tail over cells that are not refused."""
    given = [(promised(cell, one), one.difference) for cell, one in pairs if promised(cell, one).refused < 0.5]
    found = [difference if of_difference else first for first, difference in given]
    if not found:
        return math.nan, math.nan
    return min(one.covered for one in found), max(max(one.below, one.above) for one in found)
