"""What must hold between `analysis` and the other sections: looks need a planned size and windows that close."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from abcx.spec.analysis import Analysis, GroupSequential
from abcx.spec.document import Loc
from abcx.spec.findings import Finding, Sections
from abcx.spec.times import instant


def analysis_rules(sections: Sections, analysis: Analysis) -> Iterator[Finding]:
    """Every broken rule."""
    if analysis.monitoring != "fixed":
        yield from _monitoring(sections, analysis)
    yield from _units(sections, analysis)


def _units(sections: Sections, analysis: Analysis) -> Iterator[Finding]:
    """What needs the units themselves, or their columns."""
    given = (("covariates", analysis.covariates is not None), ("stratify", bool(analysis.stratify)))
    permuted = analysis.interval == "permutation"
    for key in [key for key, used in (*given, ("interval", permuted)) if used]:
        loc: Loc = ("analysis", key)
        if sections.data is not None and sections.data.counts is not None:
            yield Finding(
                loc, "counts-key", f"counts have no units: nothing to do for {key}", f"remove `{key}`", key=True
            )
        elif permuted and key != "interval":
            message = f"`{key}` cannot be combined with `interval: permutation`"
            yield Finding(
                loc, "interval-and-covariates", message, "keep one; interval: auto adjusts where it can", key=True
            )
    if sections.data is not None and not sections.data.units and isinstance(analysis.covariates, tuple):
        help = "name the file: data.units; or take the metric before exposure: covariates: {pre_period: 14d}"
        yield Finding(
            ("analysis", "covariates"),
            "no-units",
            "covariates are columns of units, and no file of units is named",
            help,
            key=True,
        )


def _monitoring(sections: Sections, analysis: Analysis) -> Iterator[Finding]:
    loc: Loc = ("analysis", "monitoring")
    plan = sections.plan
    sized = {name for name, metric in sections.metrics.items() if metric.role == "primary" and metric.minimum_effect}
    declared = plan is not None and (plan.units is not None or bool(sized & set(plan.baseline)))
    if plan is not None and not declared:
        yield Finding(
            loc,
            "monitoring-unplanned",
            "monitoring needs a planned size that does not change with the data",
            "write plan: {units: 20000}, or plan: {baseline: {orders: 2%}} beside a minimum_effect",
        )
    for name, metric in sections.metrics.items():
        needs = metric.needs()
        open_ended = any(column.term.event is not None and column.window is None for column in needs.columns)
        open_ended = open_ended or (needs.tickets is not None and needs.tickets.window is None)
        rolling = any(column.since is not None and column.window is None for column in needs.columns)
        if open_ended and (sections.window is None or rolling):
            yield Finding(
                ("metrics", name),
                "open-window",
                f"'{name}' needs a window: with sequential monitoring a unit's value must not change between looks",
                "write a window: window: 14d",
                key=True,
            )
    if isinstance(analysis.monitoring, GroupSequential) and not isinstance(analysis.monitoring.looks, int):
        moments: list[datetime] = [instant(look, "UTC") for look in analysis.monitoring.looks]
        if any(later <= earlier for earlier, later in zip(moments, moments[1:], strict=False)):
            yield Finding(
                (*loc, "looks"), "looks-order", "the dates of the looks do not increase", "write them in order"
            )
