"""The statistical tests that a comparison can be made by; their values are those of the JSON contract."""

from __future__ import annotations

from enum import StrEnum


class Method(StrEnum):
    """A statistical test, whose inversion gives the interval; the readout names its source."""

    SCORE = "score"
    BINOMIAL = "binomial score"
    WELCH = "Welch"
    RATIO = "Welch (ratio)"
    NPS = "Welch (NPS)"
    ADJUSTED_NPS = "Welch (adjusted NPS)"
    WELCH_ADJUSTED = "Welch, adjusted"
    PERMUTATION = "permutation"
    PERMUTATION_TAIL = "permutation+tail"
    PERMUTATION_ADJUSTED = "permutation, adjusted"
    PERMUTATION_TAIL_ADJUSTED = "permutation+tail, adjusted"
    RMST = "RMST"
    CHURN = "skewness-corrected score (effective n)"
    QUANTILE = "quantile"

    @property
    def is_permutation(self) -> bool:
        """Whether its critical values come from relabeled units."""
        return self in (_PERMUTATION | _FITTED_TAIL)

    @property
    def is_approximate(self) -> bool:
        """Whether a fitted tail extrapolates the permutation distribution."""
        return self in _FITTED_TAIL

    @property
    def is_adjusted(self) -> bool:
        """Whether it adjusts for covariates."""
        return self in _ADJUSTED


_PERMUTATION = frozenset({Method.PERMUTATION, Method.PERMUTATION_ADJUSTED})
_FITTED_TAIL = frozenset({Method.PERMUTATION_TAIL, Method.PERMUTATION_TAIL_ADJUSTED})
_ADJUSTED = frozenset({Method.WELCH_ADJUSTED, Method.PERMUTATION_ADJUSTED, Method.PERMUTATION_TAIL_ADJUSTED})
