"""Conditions of the spec that no row meets: an `exclude` or a `where` that matches nothing, a label that no row has, a
segment or a covariate without a value.

Almost always every condition is met, which the counts of reading show at next to no cost. A column is read only where a
condition was not met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from abcx.data.plan import Plan
from abcx.data.reading.conditions import FALSE, TRUE
from abcx.data.reading.excluded import told
from abcx.data.reading.load import Loading, PartTable
from abcx.data.reading.row_sql import Select
from abcx.data.reading.source import Source, arms_by_rule
from abcx.data.records import Unfound
from abcx.files import cell_text
from abcx.files.cell_text import skeleton
from abcx.spec import presets
from abcx.spec.analysis import PrePeriod
from abcx.spec_types import Not, Range, Scalar, Where, WhereValue

_LOOK = 1_000
"""Maximum values of a column, the most frequent ones, whose spelling is compared."""
_SHOWN = 5

Rule = tuple[str, Where, list[tuple[Source, str]]]
"""A condition: its place in the spec, its content, and its sources, each with the SQL condition of the rows in
scope."""


def unfound(loading: Loading, occurring: Collection[int]) -> Iterator[Unfound]:
    """All conditions of the spec that no row meets. `occurring` are the positions of the terms that occur. Needs the
    tables `unit_table` and, where there are covariates, `units_one`."""
    for part, loaded in loading.parts.items():
        for rule in _excludes(loading, part, loaded):
            yield from _unmatched(loading, rule, leaves_out=True)
        for rule in _source_conditions(part, loaded):
            yield from _unmatched(loading, rule)
        if loaded.has_arm:
            yield from _labels(loading, loaded)
    if "events" in loading.parts:
        select = loading.parts["events"].select
        for rule in (*_of_terms(loading.plan, select, occurring), *_of_exposure(loading, select)):
            yield from _unmatched(loading, rule)
    yield from _without_values(loading)


def _excludes(loading: Loading, part: str, loaded: PartTable) -> Iterator[Rule]:
    """The `exclude` reasons of the spec, without those of presets, for which no row of any source was left out."""
    by_rule: dict[tuple[str, str], list[Source]] = {}
    for source in loaded.sources:
        for reason, where in source.options.exclude.items():
            if not _of_preset(source, part, reason, where):
                by_rule.setdefault((reason, repr(where)), []).append(source)
    for (reason, _), sources in by_rule.items():
        messages = {told(source, reason) for source in sources}
        past = any(source.table.history for source in sources)
        if not any(
            exclusion.reason == reason and (past or exclusion.message in messages) for exclusion in loading.exclusions
        ):
            where = sources[0].options.exclude[reason]
            scoped = [(source, source.where(source.options.where)) for source in sources]
            yield f"data.{part}.exclude.{reason}", where, scoped


def _of_preset(source: Source, part: str, reason: str, where: Where) -> bool:
    name = source.options.preset
    if name is None or name not in presets.names():
        return False
    return any(entry.exclude.get(reason) == where for entry in presets.named(name).entries(part))


def _source_conditions(part: str, loaded: PartTable) -> Iterator[Rule]:
    """Each `where` of a source."""
    by_rule: dict[str, list[Source]] = {}
    for source in loaded.sources:
        if source.options.where:
            by_rule.setdefault(repr(source.options.where), []).append(source)
    for sources in by_rule.values():
        yield f"data.{part}.where", sources[0].options.where, [(source, "TRUE") for source in sources]


def _of_terms(plan: Plan, select: Select, occurring: Collection[int]) -> Iterator[Rule]:
    """The `where` of every metric whose events do not occur."""
    for position, term in enumerate(plan.terms):
        if term.where and position not in occurring:
            served = [source for source in select.sources if term in select.terms(source)]
            able = [source for source in served if not select.lacking(source, term)]
            scoped = [(s, f"{s.kept} AND {select.event_is(s, term.event)}") for s in able]
            metric_names = [
                value.metric
                for value in plan.values
                if value.need.term.column is None and value.source_index == position
            ]
            metric_names += [pairs.metric for pairs in plan.tickets if position in (pairs.start, pairs.end)]
            yield f"metrics.{metric_names[0]}.where", term.where, scoped


def _of_exposure(loading: Loading, select: Select) -> Iterator[Rule]:
    """The `where` of the exposure, if no unit met it."""
    exposure = loading.plan.experiment.exposure
    if exposure is None or not exposure.where or loading.engine.run("SELECT 1 FROM assigned LIMIT 1"):
        return
    sources = [source for source in select.sources if not select.lacks_exposure(source)]
    exposing = [source for source in sources if select.constant_event(source) in (None, exposure.event)]
    yield (
        "exposure.where",
        exposure.where,
        [(s, f"{s.kept} AND {select.event_is(s, exposure.event)}") for s in exposing],
    )


def _unmatched(loading: Loading, rule: Rule, leaves_out: bool = False) -> Iterator[Unfound]:
    """Each column of a condition that no row meets, or all columns together where each one is met by itself.

    With `leaves_out` the condition excludes rows: ranges, empty cells and combinations of columns are then not
    reported, as it is no mistake that, say, no value is too large."""
    place, where, scoped = rule
    fitting = (f"SELECT 1 FROM {s.table.scan()} WHERE {scope} AND {s.where(where)} LIMIT 1" for s, scope in scoped)
    if any(loading.engine.run(query) for query in fitting):  # one row suffices, and is nearly always among the first
        return
    parts = {name: {name: value} for name, value in where.items()}
    counts: Counter[str] = Counter()
    for source, scope in scoped:
        fits = ", ".join(f"count(*) FILTER ({source.where(condition)})" for condition in parts.values())
        row_counts = loading.engine.run(f"SELECT count(*), {fits} FROM {source.table.scan()} WHERE {scope}")[0]
        counts.update(dict(zip(("", *parts), (int(n) for n in row_counts), strict=True)))
    if not counts[""]:
        return
    alone = [name for name in where if not counts[name]]
    if leaves_out:
        alone = [name for name in alone if _by_value(where[name])]
    for name in alone:
        values = _values(loading, [(s, scope) for s, scope in scoped if s.resolve(name) is not None], name)
        shown = () if _of_people(scoped, name) else tuple(value for value, _ in values.most_common(_SHOWN))
        yield Unfound(place, f"{name} {_condition_text(where[name])}", shown, _cure(name, where[name], values))
    if not leaves_out and not any(not counts[name] for name in where):
        yield Unfound(place, " and ".join(f"{name} {_condition_text(value)}" for name, value in where.items()))


def _by_value(value: WhereValue) -> bool:
    return not isinstance(value, (Range, Not)) and value is not None


def _of_people(scoped: Sequence[tuple[Source, str]], name: str) -> bool:
    """Whether a column holds ids, which are personal data and are not shown."""
    return any(source.resolve(name) in (source.name("unit"), source.name("id")) for source, _ in scoped)


def _values(loading: Loading, scoped: Sequence[tuple[Source, str]], name: str) -> Counter[str]:
    """The most frequent values of a column with their numbers of rows; an empty cell is an empty text."""
    counts: Counter[str] = Counter()
    for source, scope in scoped:
        text = f"coalesce(trim({source.sql(name, 'text')}), '')"
        listed = f"SELECT {text} AS v, count(*) FROM {source.table.scan()} WHERE {scope} GROUP BY 1"
        counts.update({str(v): int(n) for v, n in loading.engine.run(f"{listed} ORDER BY 2 DESC, 1 LIMIT {_LOOK}")})
    return counts


def _condition_text(value: WhereValue) -> str:
    """A condition in words: `is 'true'`, `is at least 500`."""
    if isinstance(value, Range):
        least = f"at least {value.min:g}" if value.min is not None else ""
        most = f"at most {value.max:g}" if value.max is not None else ""
        return f"is {' and '.join(filter(None, (least, most)))}"
    if isinstance(value, Not):
        return f"is not {_listed(value.values)}"
    return f"is {_listed(value)}"


def _listed(value: Scalar | tuple[Scalar, ...]) -> str:
    listed = value if isinstance(value, tuple) else (value,)
    return " or ".join("empty" if scalar is None else _written(scalar) for scalar in listed[:_SHOWN])


def _written(value: Scalar) -> str:
    """A value as it is written in YAML."""
    return str(value).lower() if isinstance(value, bool) else f"'{value}'" if isinstance(value, str) else str(value)


def _cure(name: str, value: WhereValue, values: Counter[str]) -> str | None:
    """How to write the value that is likely meant (a boolean, a number, or another spelling); None if there is none."""
    if isinstance(value, (Range, Not)):
        return None
    for asked in value if isinstance(value, tuple) else (value,):
        for cell in values:
            if asked is not None and cell and (meant := _meant(asked, cell)) is not None:
                return f"the cells say {cell}; write {{{name}: {meant}}}"
    return None


def _meant(asked: Scalar, cell: str) -> str | None:
    """How the spec would name `cell`, if `asked` likely means it; None where the two are not alike."""
    word, text = str(asked).strip().lower(), cell.lower()
    for words, flag in ((TRUE, "true"), (FALSE, "false")):
        if word in words and text in words:
            return flag
    try:
        if float(word) == float(text):
            return f"{float(text):g}"
    except ValueError:
        pass
    if skeleton(word) and skeleton(word) == skeleton(cell):
        return f"'{cell}'"
    return None


def _labels(loading: Loading, loaded: PartTable) -> Iterator[Unfound]:
    """Labels that no row has, of arms with another label that occurs."""
    texts = {
        name: [label for label in arm.labels if isinstance(label, str)]
        for name, arm in loading.plan.experiment.arms.items()
    }
    arms = {name: labels for name, labels in texts.items() if len(labels) > 1}
    sources = [s for s in loaded.sources if s.arm is None and s.name("arm") is not None]
    if not arms or not sources or arms_by_rule(loading.plan.experiment):
        return
    values = _values(loading, [(source, source.kept) for source in sources], "arm")
    shown = tuple(value for value, _ in values.most_common() if value)[:_SHOWN]
    for name, labels in arms.items():
        missing = [label for label in labels if cell_text.canonical_text(label) not in values]
        if len(values) < _LOOK and missing and len(missing) < len(labels):
            yield Unfound(f"arms.{name}.labels", f"the arm is {_listed(tuple(missing))}", shown)


def _without_values(loading: Loading) -> Iterator[Unfound]:
    """Segments and covariates without a single value."""
    declared = loading.plan.experiment.analysis
    if not loading.engine.run("SELECT 1 FROM assigned LIMIT 1"):
        return
    for position, name in enumerate(loading.plan.segments):
        if not loading.engine.run(f"SELECT count(nullif(trim(segment_{position}), '')) FROM unit_table")[0][0]:
            place = "segments" if name in loading.plan.experiment.segments else "analysis.stratify"
            yield Unfound(f"{place}.{name}", "a value", ())
    covariates = () if isinstance(declared.covariates, PrePeriod) else declared.covariates or ()
    for name in covariates:
        column = f"ready_{loading.plan.covariate(name)}"
        query = f"SELECT count({column}) FROM assigned a JOIN units_one u ON u.unit = a.unit"
        if not loading.engine.run(query)[0][0]:
            yield Unfound(f"analysis.covariates.{name}", "a value", ())
