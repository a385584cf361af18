"""The verdict table: the verdict that follows from the states of primaries, guardrails and the run. First match wins.

| # | verdict | when |
|---|---|---|
| 1 | INVALID | a trust check fails for the variant |
| 2 | DO NOT SHIP | a primary is worse and its margin, if any, is not cleared; or a guardrail is harmed |
| 3 | SHIP | a conclusion is due; a primary is better by its minimum effect or more, or all primaries clear margins; no primary is worse beyond a cleared margin; every margin is cleared and every guardrail safe |
| 4 | DO NOT SHIP | a conclusion is due, and every primary without a margin (at least one) has its minimum effect excluded |
| 5 | KEEP RUNNING | the end, or a window, lies ahead |
| 6 | INCONCLUSIVE | none of these |

A conclusion is due at the declared end, or under a rule that corrects for sequential monitoring.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from abcx.results.metric import MarginState
from abcx.results.readout import VerdictWord

Code = Literal[
    "primary_harm",
    "guardrail_harm",
    "win",
    "win_noninferior",
    "no_benefit",
    "below_minimum_effect",
    "too_early",
    "follow_up_incomplete",
    "underpowered",
    "guardrail_unresolved",
    "margin_open",
    "response_bias",
]
"""Stable codes of reasons for a verdict."""

Effect = Literal["better", "worse", "held_back", "unclear"]
Minimum = Literal["open", "excluded"]


@dataclass(frozen=True, slots=True)
class Primary:
    """The state of a primary metric of one variant.

    `effect` is `held_back` where the metric is worse by its answers, and the bounds of the effect do not confirm that.
    `minimum` (whether the minimum effect is excluded) and `margin` are None where none was declared. `biased` says that
    the answers support more than the bounds of the effect.
    """

    effect: Effect
    minimum: Minimum | None
    margin: MarginState | None
    biased: bool = False

    @property
    def harmed(self) -> bool:
        """Whether it is worse, and not shown to be inside a margin."""
        return self.effect == "worse" and self.margin != "inside"

    @property
    def won(self) -> bool:
        """Whether it is better, and its minimum effect is not excluded."""
        return self.effect == "better" and self.minimum != "excluded"


@dataclass(frozen=True, slots=True)
class Guardrail:
    """The state of a guardrail of one variant; `biased` says that its answers support more than the bounds of the
    effect.
    """

    state: Literal["safe", "harmed", "unresolved"]
    biased: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """How far the experiment is: whether the declared end is reached, whether sequential monitoring is corrected for,
    whether a window lies ahead, and whether in some judged metric no unit could be followed yet.
    """

    ended: bool
    corrected: bool
    window_ahead: bool
    unfollowed: bool = False

    @property
    def conclusion_due(self) -> bool:
        """Whether a win or "no benefit" may be concluded now."""
        return self.ended or self.corrected

    @property
    def waiting(self) -> bool:
        """Whether the end or a window lies ahead."""
        return not self.ended or self.window_ahead


@dataclass(frozen=True, slots=True)
class Because:
    """The reason of a verdict: its code and, where it concerns a single metric, that metric's position among the
    primaries or, with `guardrail`, among the guardrails.
    """

    code: Code
    position: int | None = None
    guardrail: bool = False


def decide(
    primaries: Sequence[Primary], guardrails: Sequence[Guardrail], run: Run
) -> tuple[VerdictWord, tuple[Because, ...]]:
    """The verdict on one variant by rows 2 to 6 of the table, with its reasons; there must be at least one primary."""
    harm = [Because("primary_harm", i) for i, primary in enumerate(primaries) if primary.harmed]
    harm += [
        Because("guardrail_harm", i, True) for i, guardrail in enumerate(guardrails) if guardrail.state == "harmed"
    ]
    if harm:
        return "DO NOT SHIP", tuple(harm)
    if run.conclusion_due:
        if wins := _wins(primaries, guardrails):
            return "SHIP", tuple(wins)
        if lost := _no_benefit(primaries):
            return "DO NOT SHIP", tuple(lost)
    reasons = tuple(_open(primaries, guardrails, run))
    return ("KEEP RUNNING" if run.waiting else "INCONCLUSIVE"), reasons


def _wins(primaries: Sequence[Primary], guardrails: Sequence[Guardrail]) -> list[Because]:
    """The reasons to ship; empty where a condition for shipping is not met."""
    cleared = all(primary.margin in (None, "inside") for primary in primaries)
    if not cleared or any(guardrail.state != "safe" for guardrail in guardrails):
        return []
    if any(primary.effect in ("worse", "held_back") and primary.margin is None for primary in primaries):
        return []
    wins = [Because("win", i) for i, primary in enumerate(primaries) if primary.won]
    if not wins and all(primary.margin == "inside" for primary in primaries):
        wins = [Because("win_noninferior", i) for i in range(len(primaries))]
    return wins


def _no_benefit(primaries: Sequence[Primary]) -> list[Because]:
    """The reasons why there is no benefit: every primary without a margin has its minimum effect
    excluded; else empty.
    """
    due = [(i, primary) for i, primary in enumerate(primaries) if primary.margin is None]
    if not due or any(primary.minimum != "excluded" for _, primary in due):
        return []
    return [Because("below_minimum_effect" if primary.effect == "better" else "no_benefit", i) for i, primary in due]


def _open(primaries: Sequence[Primary], guardrails: Sequence[Guardrail], run: Run) -> Iterator[Because]:
    """The reasons why neither SHIP nor DO NOT SHIP can be concluded."""
    if not run.ended:
        yield Because("too_early")
    if run.unfollowed or (run.ended and run.window_ahead):
        yield Because("follow_up_incomplete")
    won = any(primary.won for primary in primaries)
    if not run.ended and not (run.corrected and won):
        return
    yield from (Because("response_bias", i) for i, primary in enumerate(primaries) if primary.biased)
    yield from (Because("response_bias", i, True) for i, guardrail in enumerate(guardrails) if _biased(guardrail))
    yield from (Because("below_minimum_effect", i) for i, primary in enumerate(primaries) if _too_small(primary))
    yield from (
        Because("margin_open", i) for i, primary in enumerate(primaries) if primary.margin in ("open", "beyond")
    )
    yield from (
        Because("guardrail_unresolved", i, True) for i, guardrail in enumerate(guardrails) if _unresolved(guardrail)
    )
    if not won:
        yield from (Because("underpowered", i) for i, primary in enumerate(primaries) if _unclear(primary))


def _too_small(primary: Primary) -> bool:
    return primary.effect == "better" and primary.minimum == "excluded"


def _biased(guardrail: Guardrail) -> bool:
    return guardrail.biased and guardrail.state == "unresolved"


def _unresolved(guardrail: Guardrail) -> bool:
    return guardrail.state == "unresolved" and not guardrail.biased


def _unclear(primary: Primary) -> bool:
    return primary.effect == "unclear" and primary.margin is None and not primary.biased
