"""The peers, one function each: pairs of arms' moments -> both intervals and p, by their own lowest-level classes.

Every peer is told the same moments (`CrossMoments`), at its defaults for the kind of data; docs/calibration.md says how
each is called. A peer that is not installed is left out. They answer one pair at a time, except spotify-confidence,
whose computers take a frame of many comparisons.
"""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from abcx.stats.records import CrossMoments

Kind = Literal["shares", "revenue", "clicks", "adjusted"]
Pair = tuple[CrossMoments, CrossMoments]
Bounds = tuple[float, float] | None


@dataclass(frozen=True)
class Answer:
    """What a peer says of one pair; None where it gives no interval (or nan), or no p."""

    difference: Bounds
    lift: Bounds
    p_value: float | None


Peer = Callable[[Kind, Sequence[Pair]], list[Answer]]


def installed() -> dict[str, Peer]:
    """Name of the distribution -> the peer, of those that are here."""
    modules = {"tea-tasting": "tea_tasting", "gbstats": "gbstats", "spotify-confidence": "spotify_confidence"}
    return {name: peer for name, peer in PEERS.items() if importlib.util.find_spec(modules[name])}


def _bounds(low: float, high: float) -> Bounds:
    return None if math.isnan(low) or math.isnan(high) else (float(low), float(high))


def _p(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


# ---------------------------------------------------------------------------------------- tea-tasting


def tea_tasting(kind: Kind, pairs: Sequence[Pair]) -> list[Answer]:
    """`Proportion(method="norm")`, `Mean`, `RatioOfMeans`, `Mean` with covariate, on `Aggregates`."""
    import tea_tasting as tt  # type: ignore[import-not-found,unused-ignore]
    from tea_tasting.aggr import Aggregates  # type: ignore[import-not-found,unused-ignore]

    metric: Any = {
        "shares": lambda: tt.Proportion("y", method="norm"),
        "revenue": lambda: tt.Mean("y"),
        "clicks": lambda: tt.RatioOfMeans("y", "x"),
        "adjusted": lambda: tt.Mean("y", "x"),
    }[kind]()

    def aggregates(arm: CrossMoments) -> Any:
        names = ("y", "x")[: len(arm.means)]
        variances = {name: arm.covariance[i][i] for i, name in enumerate(names)}
        covariances = {("x", "y"): arm.covariance[0][1]} if len(names) == 2 else {}
        return Aggregates(arm.n, dict(zip(names, arm.means, strict=True)), variances, covariances)

    found = []
    for control, variant in pairs:
        try:
            r = metric.analyze_aggregates(aggregates(control), aggregates(variant))
        except (ZeroDivisionError, ValueError):  # no events in both arms
            found.append(Answer(None, None, None))
            continue
        difference = _bounds(r.effect_size_ci_lower, r.effect_size_ci_upper)
        found.append(Answer(difference, _bounds(r.rel_effect_size_ci_lower, r.rel_effect_size_ci_upper), _p(r.pvalue)))
    return found


# ---------------------------------------------------------------------------------------- gbstats


def gbstats(kind: Kind, pairs: Sequence[Pair]) -> list[Answer]:
    """`TwoSidedTTest` on `ProportionStatistic`, `SampleMeanStatistic`, `RatioStatistic`, `RegressionAdjustedStatistic`.

    p is that of the relative test, GrowthBook's default.
    """
    from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest  # type: ignore[import-not-found,unused-ignore]

    relative, absolute = (FrequentistConfig(difference_type=one) for one in ("relative", "absolute"))
    found = []
    for pair in pairs:
        results = []
        for config in (relative, absolute):
            control, variant = (_gb_statistic(kind, arm) for arm in pair)
            results.append(TwoSidedTTest(control, variant, config).compute_result())
        if results[0].error_message:  # no events in control, or no variance in an arm
            found.append(Answer(None, None, None))
        else:
            lift, difference = (_bounds(*result.ci) for result in results)
            found.append(Answer(difference, lift, _p(results[0].p_value)))
    return found


def _gb_statistic(kind: Kind, arm: CrossMoments) -> Any:
    from gbstats.models import statistics  # type: ignore[import-not-found,unused-ignore]

    n = arm.n
    if kind == "shares":
        return statistics.ProportionStatistic(n=n, sum=round(arm.means[0] * n))

    def column(i: int) -> Any:
        mean = arm.means[i]
        return statistics.SampleMeanStatistic(n=n, sum=n * mean, sum_squares=_squares(arm, i, i))

    if kind == "revenue":
        return column(0)
    if kind == "clicks":
        return statistics.RatioStatistic(n, column(0), column(1), _squares(arm, 0, 1))
    return statistics.RegressionAdjustedStatistic(n, column(0), column(1), _squares(arm, 0, 1), 0.0)


def _squares(arm: CrossMoments, i: int, j: int) -> float:
    """Sum of the products of two columns."""
    return (arm.n - 1) * arm.covariance[i][j] + arm.n * arm.means[i] * arm.means[j]


# ---------------------------------------------------------------------------------------- spotify-confidence


def spotify_confidence(kind: Kind, pairs: Sequence[Pair]) -> list[Answer]:
    """What `ZTest` (shares), `StudentsTTest` (revenue) and `ZTestLinreg` (adjusted) compute, many pairs at a time.

    It has no ratios of sums. `difference(absolute=False)` divides the difference and its ends by control's value.
    """
    import pandas as pd
    from spotify_confidence.analysis.frequentist.confidence_computers import (  # type: ignore[import-not-found,unused-ignore]
        confidence_computers,
    )

    if kind == "clicks":
        return []
    method = {"shares": "z-test", "revenue": "t-test", "adjusted": "z-test-linreg"}[kind]
    computer, names = confidence_computers[method], SPOTIFY
    frame = pd.DataFrame({"alpha": [0.05] * len(pairs), "preference_used_in_test": "two-sided", "null_hypothesis": 0.0})
    if kind == "adjusted":
        both = [_spotify_frame(kind, pair) for pair in pairs]
        done = [_spotify_described(computer, one, names) for one in both]
        parts = [pd.concat([one.iloc[[side]] for one in done], ignore_index=True) for side in (0, 1)]
    else:
        parts = [_spotify_described(computer, _spotify_frame(kind, [p[side] for p in pairs]), names) for side in (0, 1)]
    for side, part in enumerate(parts, 1):
        for column in ("n", "point_estimate", "variance"):
            frame[f"{column}_{side}"] = part[column]
    frame["difference"] = frame["point_estimate_2"] - frame["point_estimate_1"]
    frame["std_err"] = computer.std_err(frame, **names)
    low, high = computer.ci(frame, "alpha", **names)
    p_values, base = computer.p_value(frame, **names), frame["point_estimate_1"]
    found = []
    for i in range(len(pairs)):
        difference = _bounds(low[i], high[i])
        lift = _bounds(low[i] / base[i], high[i] / base[i]) if base[i] else None
        found.append(Answer(difference, lift, _p(p_values[i])))
    return found


SPOTIFY = {
    "numerator": "y",
    "numerator_sum_of_squares": "yy",
    "denominator": "n",
    "interval_size": 0.95,
    "feature": "x",
    "feature_sumsq": "xx",
    "feature_cross": "xy",
}
"""The columns, under the names by which the computers ask for them."""


def _spotify_frame(kind: Kind, arms: Sequence[CrossMoments]) -> Any:
    import pandas as pd

    rows = []
    for arm in arms:
        y = arm.n * arm.means[0]
        y = float(round(y)) if kind == "shares" else y
        row = {"n": arm.n, "y": y, "yy": y if kind == "shares" else _squares(arm, 0, 0)}
        if kind == "adjusted":
            row |= {"x": arm.n * arm.means[1], "xx": _squares(arm, 1, 1), "xy": _squares(arm, 0, 1)}
        rows.append(row)
    return pd.DataFrame(rows)


def _spotify_described(computer: Any, frame: Any, names: dict[str, Any]) -> Any:
    frame["point_estimate"] = computer.point_estimate(frame, **names)
    frame["original_point_estimate"] = frame["y"] / frame["n"]
    frame["variance"] = computer.variance(frame, **names).clip(lower=0.0)
    return frame


PEERS: dict[str, Peer] = {"tea-tasting": tea_tasting, "gbstats": gbstats, "spotify-confidence": spotify_confidence}


def quietly(peer: Peer, kind: Kind, pairs: Sequence[Pair]) -> list[Answer]:
    """Without warnings of divisions by zero, which are answered with nan."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return peer(kind, pairs)
