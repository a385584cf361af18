"""The verdict table against its own sentences, over every combination of states: total, and first match wins."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest

from abcx.analysis.decision import Effect, Guardrail, Minimum, Primary, Run, decide
from abcx.results.metric import MarginState

EFFECTS: tuple[Effect, ...] = ("better", "worse", "held_back", "unclear")
MINIMA: tuple[Minimum | None, ...] = (None, "open", "excluded")
MARGINS: tuple[MarginState | None, ...] = (None, "inside", "open", "beyond")
PRIMARIES = [
    Primary(effect, minimum, margin, biased=effect == "held_back")
    for effect, minimum, margin in product(EFFECTS, MINIMA, MARGINS)
]
GUARDRAILS = [
    (),
    *((Guardrail(state),) for state in ("safe", "harmed", "unresolved")),
    (Guardrail("unresolved", True),),
]
RUNS = [Run(*flags) for flags in product((True, False), repeat=3)]


def rows(primaries: tuple[Primary, ...], guardrails: tuple[Guardrail, ...], run: Run) -> Iterator[tuple[bool, str]]:
    """The rows 2 to 6 as the table states them, each by itself."""
    due = run.ended or run.corrected
    cleared = [one.margin == "inside" for one in primaries]
    harmed = any(one.effect == "worse" and not clear for one, clear in zip(primaries, cleared, strict=True))
    yield harmed or any(one.state == "harmed" for one in guardrails), "DO NOT SHIP"
    better = any(one.effect == "better" and one.minimum != "excluded" for one in primaries)
    held = any(one.effect == "held_back" and not clear for one, clear in zip(primaries, cleared, strict=True))
    declared = all(clear for one, clear in zip(primaries, cleared, strict=True) if one.margin is not None)
    safe = all(one.state == "safe" for one in guardrails)
    yield due and (better or all(cleared)) and not harmed and not held and declared and safe, "SHIP"
    unmargined = [one for one in primaries if one.margin is None]
    yield due and bool(unmargined) and all(one.minimum == "excluded" for one in unmargined), "DO NOT SHIP"
    yield not run.ended or run.window_ahead, "KEEP RUNNING"
    yield True, "INCONCLUSIVE"


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.slow
def test_every_combination_has_the_verdict_of_its_first_match(count: int) -> None:
    seen = set()
    for primaries, guardrails, run in product(product(PRIMARIES, repeat=count), GUARDRAILS, RUNS):
        expected = next(word for holds, word in rows(primaries, guardrails, run) if holds)
        word, because = decide(primaries, guardrails, run)
        assert word == expected, (primaries, guardrails, run)
        assert because, (primaries, guardrails, run)
        for one in because:
            states = guardrails if one.guardrail else primaries
            assert one.position is None or one.position < len(states)
        seen.add(word)
    assert seen == {"SHIP", "DO NOT SHIP", "KEEP RUNNING", "INCONCLUSIVE"}


def test_before_an_uncorrected_end_nothing_but_harm_is_concluded() -> None:
    early = Run(ended=False, corrected=False, window_ahead=True)
    words = {decide([one], [], early)[0] for one in PRIMARIES if one.effect != "worse"}
    assert words == {"KEEP RUNNING"}


def test_an_end_without_a_conclusion_never_asks_to_run_on() -> None:
    for one in PRIMARIES:
        assert decide([one], [], Run(ended=True, corrected=False, window_ahead=False))[0] != "KEEP RUNNING"
