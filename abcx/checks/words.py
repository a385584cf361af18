"""Text of numbers in the messages of checks, in addition to `abcx.formatting`."""

from __future__ import annotations

from abcx import formatting


def p_text(p: float, level: float | None = None) -> str:
    """`p = .0086`; `p < 1e-300` where it is too small for a number."""
    return f"p = {formatting.p_value(p, level)}" if p > 1e-300 else "p < 1e-300"


def share_text(share: float, *limits: float) -> str:
    """A share with two decimals, more where rounding would make it 0 or carry it across a limit."""
    text = formatting.percent(share)
    for digits in range(3, 8):
        shown = float(text.rstrip("%").replace(",", "")) / 100
        if (shown > 0 or share == 0) and all((shown > limit) == (share > limit) for limit in limits):
            break
        text = formatting.percent(share, digits)
    return text
