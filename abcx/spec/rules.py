"""What must hold between the sections of a spec. Each rule sees only sections that are well formed by themselves, so a
misspelt key in one place does not hide a contradiction in another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from abcx.metrics import MetricSpec
from abcx.metrics.ratio import Ratio
from abcx.problems import Level
from abcx.spec.document import Loc
from abcx.spec.model import Analysis, ArmSpec, DataSpec, Exposure, Period, Plan
from abcx.terms import DurationValue, EffectSizeValue, Term


@dataclass(frozen=True)
class Sections:
    """The sections of a spec that are well formed; None (or missing from `metrics`) where one is not."""

    arms: dict[str, ArmSpec] | None = None
    metrics: dict[str, MetricSpec] = field(default_factory=dict)
    metrics_complete: bool = True
    data: DataSpec | None = None
    period: Period | None = None
    exposure: Exposure | None = None
    window: DurationValue | None = None
    analysis: Analysis | None = None
    plan: Plan | None = None
    segments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken: where, what, and the cure. `key` points at the key instead of its value."""

    loc: Loc
    code: str
    message: str
    help: str
    level: Level = "error"
    key: bool = False


def check(sections: Sections) -> Iterator[Finding]:
    """Every broken rule."""
    if sections.arms is not None:
        yield from _arms(sections.arms)
        if sections.data is not None:
            yield from _arm_files(sections.arms, sections.data)
    yield from _metrics(sections)
    for name, metric in sections.metrics.items():
        yield from _metric(name, metric)
    if sections.data is not None:
        yield from _data(sections, sections.data)
    yield from _plan(sections)


def _arms(arms: dict[str, ArmSpec]) -> Iterator[Finding]:
    declared = [name for name, arm in arms.items() if arm.share is not None]
    if declared and len(declared) < len(arms):
        missing = next(name for name, arm in arms.items() if arm.share is None)
        yield Finding(("arms", missing), "share-missing", "some arms have a share and this one has none", "give every arm a share, or none (equal shares)", key=True)
    total = sum(arm.share or 0 for arm in arms.values())
    if len(declared) == len(arms) and abs(total - 1) > 1e-6:
        yield Finding(("arms",), "share-sum", f"the shares sum to {total:g}, not to 1", "shares are fractions of all units: 0.5 and 0.5, or 80% and 20%", key=True)
    ruled = [name for name, arm in arms.items() if arm.where is not None]
    if ruled and len(ruled) < len(arms):
        missing = next(name for name in arms if name not in ruled)
        yield Finding(("arms", missing), "arm-rule-missing", "some arms are told by `where` and this one is not", "give every arm a `where`, or none", key=True)
    owners: dict[str, str] = {}
    for name, arm in arms.items():
        for position, label in enumerate(arm.labels or (name,)):
            if owners.setdefault(label, name) != name:
                loc: Loc = ("arms", name, "labels", position) if arm.labels else ("arms", name)
                yield Finding(loc, "label-twice", f"the label '{label}' belongs to '{owners[label]}' too", "a label tells one arm")


def _arm_files(arms: dict[str, ArmSpec], data: DataSpec) -> Iterator[Finding]:
    help = f"the arms are: {', '.join(arms)}"
    for part, sources in (("exposures", data.exposures), ("events", data.events), ("units", data.units)):
        for source in sources:
            for ref in source.file:
                if ref.arm is not None and ref.arm not in arms:
                    yield Finding(("data", part, ref.arm), "unknown-arm", f"'{ref.arm}' is not an arm of this experiment", help, key=True)
    if isinstance(data.counts, dict):
        for arm in data.counts:
            if arm not in arms:
                yield Finding(("data", "counts", arm), "unknown-arm", f"'{arm}' is not an arm of this experiment", help, key=True)
        for arm in arms:
            if arm not in data.counts:
                yield Finding(("data", "counts"), "counts-missing", f"the arm '{arm}' has no counts", f"add {arm}: {{units: ...}}", key=True)


def _metrics(sections: Sections) -> Iterator[Finding]:
    if sections.metrics_complete and sections.metrics and not any(m.role == "primary" for m in sections.metrics.values()):
        yield Finding(("metrics",), "no-primary", "no metric has the role primary", "say which metric decides: role: primary", key=True)


def _metric(name: str, metric: MetricSpec) -> Iterator[Finding]:
    loc: Loc = ("metrics", name)
    if metric.role != "descriptive" and metric.goal is None:
        yield Finding(loc, "goal-missing", f"'{name}' has no goal", "say which direction is good: goal: increase or goal: decrease", key=True)
    if metric.role == "guardrail" and metric.margin is None:
        yield Finding(loc, "margin-missing", f"the guardrail '{name}' has no margin", "say how much harm is tolerated: margin: 5%", key=True)
    if metric.role in ("secondary", "descriptive") and metric.margin is not None:
        yield Finding((*loc, "margin"), "margin-unused", f"a {metric.role} metric has no margin", "remove it, or give the metric the role guardrail", key=True)
    for key in ("minimum_effect", "margin"):
        size: EffectSizeValue | None = getattr(metric, key)
        if size is not None:
            yield from _effect_size((*loc, key), size, metric)
    yield from _terms(name, metric)


def _effect_size(loc: Loc, size: EffectSizeValue, metric: MetricSpec) -> Iterator[Finding]:
    if size.relative:
        if loc[-1] == "margin" and size.value >= 1:
            yield Finding(loc, "effect-size-unit", f"a margin of {size.text} tolerates anything", "write a margin below 100%")
    elif metric.unit == "share":
        if size.unit != "pp":
            yield Finding(loc, "effect-size-unit", f"'{size.text}' is ambiguous on a share", f"write {size.text.rstrip('pth ')}% (relative) or {size.text.rstrip('pth ')}pp (percentage points)")
        elif size.value >= 1:
            yield Finding(loc, "effect-size-unit", f"a share cannot move by {size.text}", "write less than 100pp")
    elif size.unit:
        yield Finding(loc, "effect-size-unit", f"'{size.text}' does not fit a {metric.type}", "write 5% (relative) or a number in the metric's unit")


def _terms(name: str, metric: MetricSpec) -> Iterator[Finding]:
    loc: Loc = ("metrics", name)
    if isinstance(metric, Ratio):
        for part, term in (("numerator", metric.numerator), ("denominator", metric.denominator)):
            if term is not None:
                yield from _term((*loc, part), term)
                if term.event is None and term.column is None:
                    yield Finding((*loc, part), "term-empty", f"the {part} names neither an event nor a column", "write {event: purchase} or {column: orders}")
        if (metric.numerator is None) != (metric.denominator is None):
            yield Finding(loc, "term-empty", f"'{name}' has only one part of a ratio", "write numerator and denominator", key=True)
        kinds = {term.column is not None for term in (metric.numerator, metric.denominator) if term is not None}
        if metric.where and True in kinds:
            yield Finding((*loc, "where"), "where-on-column", "`where` cannot filter a ready-made column", "filter the file: data.units.where", key=True)
    else:
        yield from _term(loc, metric.needs().columns[0].term)


def _term(loc: Loc, term: Term) -> Iterator[Finding]:
    if term.event is not None and term.column is not None:
        yield Finding((*loc, "column"), "event-and-column", "both an event and a column are named", "keep one: the event is summed per unit, the column is ready-made", key=True)
    if term.column is not None:
        for key, given in (("where", bool(term.where)), ("value", term.value), ("count", term.count), ("source", term.source)):
            if given:
                yield Finding((*loc, key), "where-on-column" if key == "where" else "event-key", f"`{key}` belongs to events, not to a ready-made column", "filter the file: data.units.where" if key == "where" else f"remove `{key}`", key=True)
    elif term.event is None and (term.value or term.source):
        yield Finding(loc, "event-missing", "a value is named but no event", "name the event whose values are summed", key=True)
    if term.value and term.count:
        yield Finding((*loc, "count"), "value-and-count", "`value` sums and `count: units` counts", "keep one of them", key=True)
    if term.missing_value and not term.value:
        yield Finding((*loc, "missing_value"), "event-key", "`missing_value` needs a `value`", "remove it, or name the value that is summed", key=True)


def _data(sections: Sections, data: DataSpec) -> Iterator[Finding]:
    files = bool(data.sources())
    if not files and data.counts is None:
        yield Finding(("data",), "data-empty", "no data are named", "name events, exposures, units or counts", key=True)
    if files and data.counts is not None:
        yield Finding(("data", "counts"), "counts-and-files", "counts stand alone: they cannot be joined to files", "keep the counts or the files", key=True)
    if data.counts is not None and not files:
        for key, given in (("window", sections.window), ("exposure", sections.exposure), ("segments", sections.segments)):
            if given:
                yield Finding((key,), "counts-key", f"counts have no {key}", f"remove `{key}`: counts are already summed", key=True)
        if isinstance(data.counts, dict):
            yield from _inline_counts(sections)
        return
    names = {ref.path for source in data.events for ref in source.file}
    for name, metric in sections.metrics.items():
        for term in (column.term for column in metric.needs().columns):
            loc: Loc = ("metrics", name)
            if files and term.event is None and term.column is None:
                yield Finding(loc, "term-empty", f"'{name}' names neither an event nor a column", "write event: purchase, or column: NAME of the units file", key=True)
            elif files and term.event is not None and not data.events:
                yield Finding(loc, "no-events", f"'{name}' needs events and no event file is named", "name the file: data.events", key=True)
            elif term.column is not None and not data.units:
                yield Finding(loc, "no-units", f"'{name}' needs a column of units and no units file is named", "name the file: data.units", key=True)
            if term.source is not None and not any(term.source in (path, path.rpartition("/")[2]) for path in names):
                yield Finding((*loc, "source"), "unknown-source", f"no event file is called '{term.source}'", f"the event files are: {', '.join(sorted(names)) or 'none'}")


def _inline_counts(sections: Sections) -> Iterator[Finding]:
    assert sections.data is not None and isinstance(sections.data.counts, dict)
    for arm, row in sections.data.counts.items():
        loc: Loc = ("data", "counts", arm)
        for name in row.metrics:
            if name not in sections.metrics and sections.metrics_complete:
                yield Finding((*loc, name), "unknown-metric", f"no metric is called '{name}'", f"the metrics are: {', '.join(sections.metrics)}", key=True)
        for name, metric in sections.metrics.items():
            value = row.metrics.get(name)
            if value is None:
                yield Finding(loc, "counts-missing", f"the arm '{arm}' has no count of '{name}'", f"add {name}: ...", key=True)
                continue
            units = row.units if value.units is None else value.units
            shape = {"share": value.count is not None, "value": value.mean is not None and value.sd is not None,
                     "ratio": value.numerator is not None and value.denominator is not None and value.correlation is not None}[metric.unit]
            if not shape:
                form = {"share": f"{name}: 1847", "value": f"{name}: {{mean: 12.3, sd: 40.1}}",
                        "ratio": f"{name}: {{numerator: {{mean: 5, sd: 9}}, denominator: {{mean: 2, sd: 3}}, correlation: 0.4}}"}[metric.unit]
                yield Finding((*loc, name), "counts-shape", f"'{name}' is a {metric.type}", f"write {form}")
            elif value.count is not None and value.count > units:
                yield Finding((*loc, name), "counts-range", f"{value.count:,} of {units:,} units: a share above 1", "count units, not events")
            if units > row.units:
                yield Finding((*loc, name), "counts-range", f"'{name}' has more units than its arm", "units of a metric are a part of the arm's units")


def _plan(sections: Sections) -> Iterator[Finding]:
    for name, baseline in (sections.plan.baseline if sections.plan else {}).items():
        loc: Loc = ("plan", "baseline", name)
        metric = sections.metrics.get(name)
        if metric is None:
            if sections.metrics_complete:
                yield Finding(loc, "unknown-metric", f"no metric is called '{name}'", f"the metrics are: {', '.join(sections.metrics)}", key=True)
        elif metric.unit == "share" and baseline.share is None:
            yield Finding(loc, "baseline-shape", f"'{name}' is a share", f"write {name}: 2%")
        elif metric.unit != "share" and (baseline.mean is None or baseline.sd is None):
            yield Finding(loc, "baseline-shape", f"'{name}' is a {metric.type}", f"write {name}: {{mean: 12.3, sd: 40.1}}")
    if sections.metrics_complete:
        for name, metric in sections.metrics.items():
            if metric.role == "primary" and metric.minimum_effect is None:
                yield Finding(("metrics", name), "no-minimum-effect", f"the primary metric '{name}' has no minimum_effect: 'no benefit' can never be concluded", "write the smallest effect worth having: minimum_effect: 5%", "warning", key=True)
