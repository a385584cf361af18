"""Stratification by a column known before exposure, as covariates that indicate each unit's stratum.

There is one 0/1 column per stratum except one. With one slope for both arms (covariates.py) these are fixed effects:
the arms' difference is the mean of the strata's differences, each weighted by n_c n_t / (n_c + n_t) of its stratum, and
the variance is that of the units around the means of their strata. Under randomization the weights are near the
strata's shares of all units, so this is post-stratification (Miratrix, Sekhon, Yu 2013) with weights that a stratum
with hardly any units in an arm cannot dominate; effects that differ between strata are part of the units' variance. So
this module computes only the moments that `covariates.contrast` takes, and strata can be combined with other
covariates.

A rare stratum with values of its own can be almost absent from an arm; then no estimate of that arm's variance includes
it. So strata are merged by the number of units that the smaller arm expects, not only by those that it got.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from abcx.notes import Note
from abcx.stats.covariates import EXPECTED
from abcx.stats.records import CrossMoments, Sample

FEWEST = 2
"""A stratum of which an arm expects fewer than `EXPECTED` units (from both arms pooled) has no comparison of its own,
nor does one with fewer units than this in an arm. Such strata are merged.
"""


@dataclass(frozen=True, slots=True)
class Stratified:
    """Both arms with a 0/1 column for every stratum except one after their own columns; `note` says how many were
    merged.

    `places` maps each stratum's name to the number of its column, from 1; 0 is the stratum without a column.
    """

    control: CrossMoments
    variant: CrossMoments
    note: Note | None
    places: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Group:
    """Strata that are merged (or a single one), in control and in variant."""

    names: tuple[str, ...]
    arms: tuple[CrossMoments, CrossMoments]

    @property
    def n(self) -> int:
        return self.arms[0].n + self.arms[1].n


def as_covariates(control: Mapping[str, CrossMoments], variant: Mapping[str, CrossMoments]) -> Stratified:
    """The moments of each arm with indicator columns of the strata, from the moments of its strata by name.

    Strata too small for a comparison of their own are merged; if the result is still too small, it is merged with the
    smallest other stratum. At least one stratum of one arm must be given; a missing one counts as empty.
    """
    width = len(next(iter([*control.values(), *variant.values()])).means)
    empty = CrossMoments(0, (0.0,) * width, ((0.0,) * width,) * width)
    names = sorted({*control, *variant})
    groups = [_Group((name,), (control.get(name, empty), variant.get(name, empty))) for name in names]
    sizes = [sum(group.arms[arm].n for group in groups) for arm in (0, 1)]
    share = min(sizes) / max(1, sum(sizes))

    def few(group: _Group) -> bool:
        return min(arm.n for arm in group.arms) < FEWEST or group.n * share < EXPECTED

    groups.sort(key=lambda group: (few(group), -group.n))
    small = sum(1 for group in groups if few(group))
    merged = 0
    while len(groups) > 1 and (merged < small or few(groups[-1])):
        groups[-2:] = [_merged(*groups[-2:])]
        merged = merged + 1 if merged else 2
    arms = [joined([_labeled(group.arms[arm], s, len(groups)) for s, group in enumerate(groups)]) for arm in (0, 1)]
    note = Note("strata_merged", {"strata": merged}) if merged else None
    return Stratified(arms[0], arms[1], note, {name: s for s, group in enumerate(groups) for name in group.names})


def with_columns(sample: Sample, names: Sequence[str], places: Mapping[str, int]) -> Sample:
    """The sample with its strata as the indicator columns that `as_covariates` adds to the moments.

    `names` are the strata by the numbers in `sample.strata`, `places` those of `Stratified`. A sample without strata or
    covariates is returned unchanged.
    """
    if sample.strata is None or sample.covariates is None:
        return sample
    place = np.array([places.get(name, 0) for name in names])[sample.strata]
    columns = place[:, None] == np.arange(1, 1 + max(places.values()))
    return replace(sample, covariates=np.hstack([sample.covariates, columns.astype(float)]), strata=None)


def _merged(first: _Group, second: _Group) -> _Group:
    arms = joined([first.arms[0], second.arms[0]]), joined([first.arms[1], second.arms[1]])
    return _Group(first.names + second.names, arms)


def joined(parts: Sequence[CrossMoments]) -> CrossMoments:
    """The moments of all units of `parts` together (Chan, Golub, LeVeque 1983: within the parts, and between their
    means).
    """
    n = sum(part.n for part in parts)
    filled = [part for part in parts if part.n]
    if len(filled) < 2:
        return filled[0] if filled else parts[0]
    sizes = np.array([part.n for part in filled], float)
    means = np.array([part.means for part in filled])
    mean = means[0] + sizes @ (means - means[0]) / n
    away = means - mean
    squares = sum((part.n - 1) * np.array(part.covariance) for part in filled) + (away.T * sizes) @ away
    covariance = squares / (n - 1)
    return CrossMoments(n, tuple(mean.tolist()), tuple(tuple(row) for row in covariance.tolist()))


def _labeled(part: CrossMoments, stratum: int, strata: int) -> CrossMoments:
    """The part with strata - 1 more columns, constant within it: 1 in the column of its own stratum, if it has one."""
    label = tuple(1.0 if s == stratum else 0.0 for s in range(1, strata))
    rows = tuple((*row, *(0.0 for _ in label)) for row in part.covariance)
    width = len(part.means) + len(label)
    return CrossMoments(part.n, (*part.means, *label), rows + ((0.0,) * width,) * len(label))
