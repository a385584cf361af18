"""What must hold between the sections of a spec. Each rule sees only sections that are well formed by themselves, so a
misspelled key in one place does not hide a contradiction in another."""

from __future__ import annotations

from collections.abc import Iterator

from abcx.metrics import MetricSpec
from abcx.spec.analysis_rules import analysis_rules
from abcx.spec.data_rules import arm_files, data_rules
from abcx.spec.document import Loc
from abcx.spec.findings import Finding, Sections
from abcx.spec.metric_rules import metric_rules
from abcx.spec.model import ArmSpec, Baseline, Impact
from abcx.spec_types import as_text


def check(sections: Sections) -> Iterator[Finding]:
    """Every broken rule."""
    if sections.arms is not None:
        yield from _arms(sections.arms)
        if sections.data is not None:
            yield from arm_files(sections.arms, sections.data)
    yield from _metrics(sections)
    for name, metric in sections.metrics.items():
        yield from metric_rules(name, metric)
    if sections.data is not None:
        yield from data_rules(sections, sections.data)
    if sections.analysis is not None:
        yield from analysis_rules(sections, sections.analysis)
    yield from _plan(sections)
    if sections.impact is not None and sections.metrics_complete:
        yield from _impact(sections.impact, sections.metrics)


def _arms(arms: dict[str, ArmSpec]) -> Iterator[Finding]:
    declared = [name for name, arm in arms.items() if arm.share is not None]
    if declared and len(declared) < len(arms):
        missing = next(name for name, arm in arms.items() if arm.share is None)
        yield Finding(
            ("arms", missing),
            "share-missing",
            "some arms have a share and this one has none",
            "give every arm a share, or none (equal shares)",
            key=True,
        )
    total = sum(arm.share or 0 for arm in arms.values())
    if len(declared) == len(arms) and abs(total - 1) > 1e-6:
        yield Finding(
            ("arms",),
            "share-sum",
            f"the shares sum to {total:g}, not to 1",
            "shares are fractions of all units: 0.5 and 0.5, or 80% and 20%",
            key=True,
        )
    ruled = [name for name, arm in arms.items() if arm.where is not None]
    if ruled and len(ruled) < len(arms):
        missing = next(name for name in arms if name not in ruled)
        yield Finding(
            ("arms", missing),
            "arm-rule-missing",
            "some arms are told by `where` and this one is not",
            "give every arm a `where`, or none",
            key=True,
        )
    owners: dict[str, str] = {}
    for name, arm in arms.items():
        for position, label in enumerate(map(as_text, arm.labels or (name,))):
            if owners.setdefault(label, name) != name:
                loc: Loc = ("arms", name, "labels", position) if arm.labels else ("arms", name)
                yield Finding(
                    loc, "label-twice", f"the label '{label}' belongs to '{owners[label]}' too", "a label tells one arm"
                )


def _metrics(sections: Sections) -> Iterator[Finding]:
    if (
        sections.metrics_complete
        and sections.metrics
        and not any(m.role == "primary" for m in sections.metrics.values())
    ):
        yield Finding(
            ("metrics",),
            "no-primary",
            "no metric has the role primary",
            "say which metric decides: role: primary",
            key=True,
        )


def _baseline(loc: Loc, name: str, metric: MetricSpec, baseline: Baseline) -> Iterator[Finding]:
    """Whether a baseline has the form that its metric needs, and whether the minimum effect is possible."""
    survey = metric.answer_scale is not None
    given = {key for key in Baseline.model_fields if getattr(baseline, key) is not None}
    needed = {"share"} if metric.value_kind == "share" else {"mean", "sd"}
    needed = {"value", "interval", "units"} if metric.type == "quantile" else needed
    forms = {"share": "2%" if not survey else "{share: 70%, response: 20%}"}
    forms |= {"mean": "{mean: 12.3, sd: 40.1}" if not survey else "{mean: 31, sd: 72, response: 20%}"}
    forms |= {"value": "{value: 40, interval: [37, 44], units: 2000}, as a pilot shows it"}
    if given - {"response"} != needed or ("response" in given and not survey):
        form = next(forms[key] for key in ("value", "share", "mean") if key in needed)
        yield Finding(loc, "baseline-shape", f"the baseline of '{name}' does not fit a {metric.type}", f"write {form}")
        return
    if baseline.interval is not None and not baseline.interval[0] < baseline.interval[1]:
        yield Finding((*loc, "interval"), "baseline-shape", "the interval ends before it starts", "write [low, high]")
    effect = metric.minimum_effect
    if effect is not None and metric.value_kind == "share" and baseline.share is not None:
        change = baseline.share * effect.value if effect.relative else effect.value
        if not 0 <= baseline.share + (change if metric.goal == "increase" else -change) <= 1:
            yield Finding(
                ("metrics", name, "minimum_effect"),
                "effect-impossible",
                f"an effect of {effect.text} on a share of {100 * baseline.share:g}% would leave 0 to 100%",
                "write a smaller effect: minimum_effect: 5%",
            )


def _impact(impact: Impact, metrics: dict[str, MetricSpec]) -> Iterator[Finding]:
    """Whether the metrics of `impact` are judged and have a value per exposed unit."""
    for position, name in enumerate(impact.metric):
        loc: Loc = ("impact", "metric", position)
        metric = metrics.get(name)
        if metric is None:
            help = f"the metrics are: {', '.join(metrics)}"
            yield Finding(loc, "unknown-metric", f"no metric is called '{name}'", help)
        elif metric.role == "descriptive":
            message = f"'{name}' is descriptive: it is not tested, so nothing can be said of what it is worth"
            yield Finding(loc, "impact-metric", message, "name a primary, secondary or guardrail metric")
        elif not metric.is_per_exposed_unit:
            message = f"'{name}' ({metric.type}) is no value per exposed unit: it cannot be added up over the units"
            yield Finding(loc, "impact-metric", message, "name a conversion, a mean or a retention")


def _plan(sections: Sections) -> Iterator[Finding]:
    for name, baseline in (sections.plan.baseline if sections.plan else {}).items():
        loc: Loc = ("plan", "baseline", name)
        metric = sections.metrics.get(name)
        if metric is None:
            if sections.metrics_complete:
                yield Finding(
                    loc,
                    "unknown-metric",
                    f"no metric is called '{name}'",
                    f"the metrics are: {', '.join(sections.metrics)}",
                    key=True,
                )
        else:
            yield from _baseline(loc, name, metric, baseline)
    if sections.metrics_complete:
        for name, metric in sections.metrics.items():
            if metric.role == "primary" and metric.minimum_effect is None:
                yield Finding(
                    ("metrics", name),
                    "no-minimum-effect",
                    f"the primary metric '{name}' has no minimum_effect: 'no benefit' can never be concluded",
                    "write the smallest effect worth having: minimum_effect: 5%",
                    "warning",
                    key=True,
                )
