"""Rules between data and the rest: files or counts, arms of files, events that metrics need."""

from __future__ import annotations

from collections.abc import Iterator

from abcx.metrics.counts import TypedCount
from abcx.spec.document import Loc
from abcx.spec.findings import Finding, Sections
from abcx.spec.model import ArmSpec, DataSpec


def arm_files(arms: dict[str, ArmSpec], data: DataSpec) -> Iterator[Finding]:
    """Arms that files or counts name, against the arms of the spec."""
    help = f"the arms are: {', '.join(arms)}"
    for part, sources in (("exposures", data.exposures), ("events", data.events), ("units", data.units)):
        for source in sources:
            for ref in source.file:
                if ref.arm is not None and ref.arm not in arms:
                    yield Finding(
                        ("data", part, ref.arm),
                        "unknown-arm",
                        f"'{ref.arm}' is not an arm of this experiment",
                        help,
                        key=True,
                    )
    if isinstance(data.counts, dict):
        for arm in data.counts:
            if arm not in arms:
                yield Finding(
                    ("data", "counts", arm), "unknown-arm", f"'{arm}' is not an arm of this experiment", help, key=True
                )
        for arm in arms:
            if arm not in data.counts:
                yield Finding(
                    ("data", "counts"),
                    "counts-missing",
                    f"the arm '{arm}' has no counts",
                    f"add {arm}: {{units: ...}}",
                    key=True,
                )


def data_rules(sections: Sections, data: DataSpec) -> Iterator[Finding]:
    """Files or counts, and what the metrics need of them."""
    files = bool(data.sources())
    if not files and data.counts is None and not data.columns:  # with columns the files may come at the call
        yield Finding(
            ("data",), "data-empty", "the spec names no data files", "name events, exposures, units or counts", key=True
        )
    for part in ("exposures", "events", "units"):
        if any(not source.file for source in getattr(data, part)):
            message = f"data.{part} names no file: it must be given when the data are read"
            help = f"name it (file: data.csv), or give it each time: --{part} FILE"
            yield Finding(("data", part), "no-file", message, help, "warning", key=True)
    if files and data.counts is not None:
        yield Finding(
            ("data", "counts"),
            "counts-and-files",
            "counts stand alone: they cannot be joined to files",
            "keep the counts or the files",
            key=True,
        )
    if data.counts is not None and not files:
        of_spec = {"window": sections.window, "exposure": sections.exposure, "segments": sections.segments}
        places: list[tuple[Loc, object]] = [((key,), given) for key, given in of_spec.items()]
        for name, metric in sections.metrics.items():
            places += [(("metrics", name, key), getattr(metric, key, None)) for key in ("window", "where", "cap")]
        for loc, given in places:
            if given:
                key = str(loc[-1])
                yield Finding(
                    loc, "counts-key", f"counts have no {key}", f"remove `{key}`: counts are already summed", key=True
                )
        if isinstance(data.counts, dict):
            yield from _inline_counts(sections)
    else:
        yield from _needs(sections, data, files)


def _needs(sections: Sections, data: DataSpec, files: bool) -> Iterator[Finding]:
    names = {ref.path for source in data.events for ref in source.file}
    for name, metric in sections.metrics.items():
        for term in metric.needs().terms:
            loc: Loc = ("metrics", name)
            if files and term.event is None and term.column is None:
                yield Finding(
                    loc,
                    "term-empty",
                    f"'{name}' names neither an event nor a column",
                    "write event: purchase, or column: NAME of the units file",
                    key=True,
                )
            elif files and term.event is not None and not data.events and term.event not in metric.time_columns:
                yield Finding(
                    loc,
                    "no-events",
                    f"'{name}' needs events and no event file is named",
                    "name the file: data.events",
                    key=True,
                )
            elif (term.column is not None or term.event in metric.time_columns) and not data.units:
                yield Finding(
                    loc,
                    "no-units",
                    f"'{name}' needs a column of units and no units file is named",
                    "name the file: data.units",
                    key=True,
                )
            if term.source is not None and not any(term.source in (path, path.rpartition("/")[2]) for path in names):
                yield Finding(
                    (*loc, "source"),
                    "unknown-source",
                    f"no event file is called '{term.source}'",
                    f"the event files are: {', '.join(sorted(names)) or 'none'}",
                )


def _inline_counts(sections: Sections) -> Iterator[Finding]:
    assert sections.data is not None and isinstance(sections.data.counts, dict)
    for arm, row in sections.data.counts.items():
        loc: Loc = ("data", "counts", arm)
        for name in row.metrics:
            if name not in sections.metrics and sections.metrics_complete:
                yield Finding(
                    (*loc, name),
                    "unknown-metric",
                    f"no metric is called '{name}'",
                    f"the metrics are: {', '.join(sections.metrics)}",
                    key=True,
                )
        if sections.arms is not None and arm not in sections.arms:
            continue
        for name, metric in sections.metrics.items():
            value = row.metrics.get(name)
            if value is None:
                yield Finding(
                    loc, "counts-missing", f"the arm '{arm}' has no count of '{name}'", f"add {name}: ...", key=True
                )
                continue
            units = row.units if value.units is None else value.units
            form = metric.counts_form(name, value)
            if form is not None:
                yield Finding((*loc, name), "counts-shape", f"'{name}' is a {metric.type}", form)
            elif value.count is not None and value.count > units:
                yield Finding(
                    (*loc, name),
                    "counts-range",
                    f"{value.count:,} of {units:,} units: a share above 1",
                    "count units, not events",
                )
            elif (answered := _answered(value)) > row.units:
                yield Finding(
                    (*loc, name),
                    "counts-range",
                    f"{answered:,} answers of {row.units:,} units",
                    "one answer a unit counts; `units` of an arm are those exposed, with an answer or without",
                )
            if units > row.units:
                yield Finding(
                    (*loc, name),
                    "counts-range",
                    f"'{name}' has more units than its arm",
                    "units of a metric are a part of the arm's units",
                )


def _answered(value: TypedCount) -> int:
    """Answers typed one by one or by kind."""
    kinds = (value.promoters, value.passives, value.detractors)
    return sum(value.answers.values()) or sum(count or 0 for count in kinds)
