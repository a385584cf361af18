"""`abcx counts`: the same analysis from counts typed by hand, control first."""

from __future__ import annotations

import re

from abcx.commands import outputs
from abcx.commands.analyze import by_ending, refuse_unfit, render
from abcx.commands.options import RunOptions
from abcx.commands.running import exit_code
from abcx.errors import UsageError

_NUMBER = r"\d{1,3}(?:,\d{3})+|\d[\d_]*"
_COUNT = re.compile(rf"({_NUMBER})\s*/\s*({_NUMBER})")


def run(
    arms: list[str],
    *,
    share: str | None,
    goal: str,
    alpha: float,
    format: str,
    output: str | None,
    run: RunOptions,
    fail_on: list[str],
) -> int:
    """Analyze `successes/units` of two or more arms and print the readout."""
    from abcx.analysis.pipeline import refuse_little_memory
    from abcx.analysis.typed_counts import analyzed

    refuse_little_memory()
    refuse_unfit(by_ending(format, output), run, output=output)
    if not 1e-6 <= alpha <= 0.5:
        raise UsageError(f"--alpha {alpha:g} is not a level", "write a number between 0 and 0.5: --alpha 0.05")
    if len(arms) < 2:
        raise UsageError("counts needs at least two arms, control first", "abcx counts 288/2400 90/600")
    pairs = [_pair(text) for text in arms]
    names = ["control", "variant"] if len(pairs) == 2 else ["control", *(f"variant_{i}" for i in range(1, len(pairs)))]
    by_arm = dict(zip(names, pairs, strict=True))
    results = analyzed(by_arm, " v ".join(arms), _shares(share, len(pairs)), goal, alpha)
    outputs.write(render([results], by_ending(format, output), run, output), output)
    return exit_code([results], 0, fail_on)


def _pair(text: str) -> tuple[int, int]:
    match = _COUNT.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"'{text}' is not successes/units", "write 288/2400")
    try:
        successes, units = (int(re.sub("[_,]", "", part)) for part in match.groups())
    except ValueError:
        raise UsageError(f"'{text}' is not successes/units", "write 288/2400") from None
    if successes > units:
        raise UsageError(f"'{text}': more successes than units", "successes come first: 288/2400")
    return successes, units


def _shares(text: str | None, arms: int) -> list[float] | None:
    """`80:20` as shares that sum to 1."""
    if text is None:
        return None
    parts = text.split(":")
    try:
        weights = [float(part) for part in parts]
    except ValueError:
        weights = []
    if len(weights) != arms or any(not 0 < weight < 1e9 for weight in weights):
        raise UsageError(f"--share {text} does not fit {arms} arms", "write one weight per arm: --share 80:20")
    return [weight / sum(weights) for weight in weights]
