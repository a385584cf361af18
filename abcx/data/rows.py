"""Files -> rows: one table each for exposures, events and units, with arms, terms and conditions worked out in the scan.

A row that nothing needs keeps its place (rows are counted) but loses its unit, so that it costs no memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from abcx.data import tables
from abcx.data.engine import Engine, literal
from abcx.data.files import resolve, sha256
from abcx.data.plan import Plan
from abcx.data.select import Select, Source, told_by_rule
from abcx.data.tables import Kind
from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.results import FileRecord
from abcx.spec.model import Canonical, EventSource, Experiment, ExposureSource, FileOptions, UnitSource


@dataclass
class Rows:
    """What was loaded into the tables `exposures`, `events` and `units`, and what was seen on the way."""

    files: list[FileRecord] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    loaded: dict[str, Loaded] = field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """One of the three tables: whether its rows have times, arms, an id, and which segments it carries."""

    sources: tuple[Source, ...]
    has_time: bool
    has_arm: bool
    has_id: bool
    segments: tuple[str, ...]


_KINDS: dict[str, type[FileOptions]] = {"exposures": ExposureSource, "events": EventSource, "units": UnitSource}


def open_sources(
    engine: Engine,
    part: str,
    options: Sequence[FileOptions],
    frames: Sequence[object],
    experiment: Experiment,
    base: Path,
) -> tuple[Source, ...]:
    """Open every file and frame of one part of `data`. All that cannot be opened is told at once."""
    shared = _named(experiment.data.columns) if experiment.data else {}
    sources: list[Source] = []
    problems: list[Problem] = []
    for option in () if frames else options:
        columns = shared | _named(option.columns)
        try:
            for file in resolve(option, base, engine.scratch):
                table = tables.open_file(engine, file, option, experiment.timezone)
                sources.append(Source(table, option, file.arm, columns))
        except DataError as error:
            problems += error.problems
    for number, frame in enumerate(frames):
        option = options[0] if options else _KINDS[part].model_validate({"file": "frame"})
        table = tables.open_frame(engine, frame, f"{part}_{number}", option, experiment.timezone)
        sources.append(Source(table, option, None, shared | _named(option.columns)))
    if problems:
        raise DataError(problems)
    return tuple(sources)


def _named(columns: Mapping[Canonical, str]) -> dict[str, str]:
    return {str(canonical): written for canonical, written in columns.items()}


def load(engine: Engine, part: str, sources: tuple[Source, ...], plan: Plan, rows: Rows, arm_needed: bool) -> None:
    """Read the sources of one part into the table of that name."""
    builder = Select(part, plan, arm_needed, sources)
    problems = [problem for source in sources for problem in builder.problems(source)]
    if problems:
        raise DataError(problems)
    has = {name: any(source.name(name) for source in sources) for name in ("time", "id")}
    segments = tuple(name for name in plan.segments if any(name in source.table.header for source in sources))
    rows.loaded[part] = Loaded(sources, has["time"], arm_needed, has["id"], segments)
    engine.run(f"SET preserve_insertion_order = {'true' if part == 'units' else 'false'}")
    found: list[Problem] = []
    for number, source in enumerate(sources):
        found += _load_one(engine, part, number, source, builder, segments, rows)
    if found:
        raise DataError(found)


def _load_one(
    engine: Engine, part: str, number: int, source: Source, builder: Select, segments: tuple[str, ...], rows: Rows
) -> list[Problem]:
    tag, kinds = f"{part}_{number}", builder.kinds(source)
    engine.run(f"SET TimeZone = {literal(source.table.timezone)}")
    select = ", ".join(f"{sql} AS {name}" for name, sql in builder.select(source, segments))
    target = f"CREATE TABLE {part} AS" if number == 0 else f"INSERT INTO {part}"
    before = 0 if number == 0 else engine.run(f"SELECT count(*) FROM {part}")[0][0]
    engine.run(
        f"{target} SELECT {select} FROM {source.table.scan(kinds, tag)}",
        lambda message: tables.unreadable(source.table.shown, message),
    )
    count = engine.run(f"SELECT count(*) FROM {part}")[0][0] - before
    problems = tables.rejected(engine, source.table, tag, kinds) or list(
        _bad_values(engine, part, before, source, builder, kinds)
    )
    file = source.table.file
    rows.files.append(FileRecord(source.table.shown, part, sha256(file.path) if file else None, int(count)))
    if not count and not problems:
        problems.append(
            Problem(
                "error",
                "no-rows",
                f"{source.table.shown} has a header and no rows",
                Span(source.table.shown),
                "export it again",
            )
        )
    return problems


def _bad_values(
    engine: Engine, part: str, before: int, source: Source, builder: Select, kinds: Mapping[str, Kind]
) -> Iterator[Problem]:
    """Values that were read but cannot be used: not finite, missing where one is needed, neither yes nor no."""
    checks = builder.checks(source)
    if not checks:
        return
    aggregate = ", ".join(f"count(*) FILTER ({flag})" for flag, *_ in checks)
    counts = engine.run(f"SELECT {aggregate} FROM {part} WHERE rowid >= {before}")[0]
    for (_, name, predicate, code, message, cure), count in zip(checks, counts, strict=True):
        if count:
            _, row, value = tables.locate(engine, source.table, kinds, predicate, source.table.sql(name, "text"))
            line = row + 1 + (source.table.options.skip or 0) if source.table.types is None else row
            more = f" ({count:,} such rows)" if count > 1 else ""
            yield Problem(
                "error",
                code,
                message.format(value=value) + more,
                Span(source.table.shown, line if row else 0, path=name),
                cure,
            )


def tells_arm(source: Source, experiment: Experiment) -> bool:
    """Whether a source says which arm its units are in."""
    if source.arm is not None:
        return True
    if told_by_rule(experiment):
        rules = [arm.where or {} for arm in experiment.arms.values()]
        return all(source.table.resolve(name, source.columns) is not None for rule in rules for name in rule)
    return source.name("arm") is not None
