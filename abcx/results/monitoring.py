"""What a comparison under sequential monitoring does not judge now."""

from __future__ import annotations

from typing import Literal

from abcx.results.metric import Comparison

Rule = Literal["fixed", "group_sequential", "always_valid", "hybrid"]


def silent(comparison: Comparison, rule: Rule) -> bool:
    """Whether nothing is judged now, because this run is between planned looks or events are too few."""
    return rule != "fixed" and comparison.difference_interval == (None, None) and unjudged(comparison, rule)


def half_open(comparison: Comparison) -> bool:
    """Whether one end of the difference is open, as it is where only harm is judged so far."""
    return comparison.difference_interval is not None and comparison.difference_interval.count(None) == 1


def unjudged(comparison: Comparison, rule: Rule) -> bool:
    """Whether this look does not judge the side on which the estimate lies, so that p is 1 by definition."""
    if rule == "fixed" or comparison.difference_interval is None or comparison.p_value != 1.0:
        return False
    low, high = comparison.difference_interval
    return (high if (comparison.difference or 0.0) < 0 else low) is None
