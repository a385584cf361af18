"""The methods and the limits that a readout names."""

from __future__ import annotations

from collections.abc import Sequence

from abcx.data.records import Observed
from abcx.results.metric import MetricResult
from abcx.spec.model import Experiment
from abcx.stats.methods import Method

_METHODS = {
    Method.SCORE: "shares by the constrained score test (Miettinen and Nurminen 1985; the ratio as Koopman 1984)",
    Method.BINOMIAL: "shares with few events by the binomial distribution of the same score statistic at the shares "
    "most likely under the hypothesis (a plug-in, not the largest p over all shares: Storer and Kim 1990)",
    Method.WELCH: "means by Welch's t over units, the lift by inverting the same statistic (Fieller 1954)",
    Method.PERMUTATION: "skewed or unbalanced metrics by permutation of the studentized statistic (Janssen 1997)",
    Method.PERMUTATION_TAIL: "permutation with a fitted tail where fewer than 20 relabelings are beyond: approximate",
    Method.WELCH_ADJUSTED: "covariates by one slope pooled within the arms (CUPED, Deng et al. 2013), then Welch's t",
    Method.PERMUTATION_ADJUSTED: "adjusted metrics, skewed or unbalanced, by permutation with the slopes refitted",
    Method.PERMUTATION_TAIL_ADJUSTED: "adjusted permutation with a fitted tail likewise: approximate",
    Method.RATIO: "ratios by Welch's t over linearized units (Deng, Knoblich, Lu 2018), the lift likewise",
    Method.NPS: "Net Promoter Scores by Welch's t over answers",
    Method.ADJUSTED_NPS: "Net Promoter Scores of fewer than 500 answers by the adjusted Wald estimate (Rocks 2016)",
    Method.RMST: "times by the restricted mean under the Kaplan-Meier curve, its error summed over units",
    Method.CHURN: "churn by Kaplan-Meier, compared as a share of the effective number of "
    "units (Rothman 1978) by the score test corrected for skewness (Gart and Nam 1988; Laud 2017)",
    Method.QUANTILE: "quantiles by the projected share test on the mid-distribution, events clustered in units",
}


def methods_used(experiment: Experiment, metrics: Sequence[MetricResult]) -> tuple[str, ...]:
    """The methods of all comparisons, and the correction for multiple comparisons where there are
    several, as phrases.
    """
    used = {comparison.method for metric in metrics for comparison in metric.comparisons}
    methods = [text for method, text in _METHODS.items() if method in used]
    families = [
        role for role in ("primary", "secondary") if sum(m.role == role for m in metrics) * len(experiment.variants) > 1
    ]
    name = {"holm": "Holm's correction", "bh": "Benjamini-Hochberg with matching intervals (FCR)"}
    if families and experiment.analysis.correction in name:
        each = " by variant" if len(experiment.variants) > 1 else ""
        over = " and over ".join(f"{role} metrics{each}" for role in families)
        methods.append(f"{name[experiment.analysis.correction]} over {over}")
    return tuple(methods)


def limits_of(experiment: Experiment, observed: Observed) -> tuple[str, ...]:
    """The limits of the analysis that follow from the spec and the data, as phrases."""
    limits = []
    if experiment.segments:
        limits.append("effects by segment are exploratory: nobody planned their size")
    if observed.kind == "counts":
        limits.append("only counts were given: what happened to the data before they were counted is not checked")
    if experiment.analysis.correction == "none":
        limits.append("no correction for several comparisons: more of them are significant by chance")
    return tuple(limits)
