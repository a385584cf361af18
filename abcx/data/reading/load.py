"""Files -> rows: a table each for exposures, events and units, with arms, terms and conditions worked out in the scan.

A row that nothing needs keeps its place (rows are counted) but loses its unit, so that it costs no memory.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from abcx.data.plan import Plan
from abcx.data.reading import batch, timezones
from abcx.data.reading.cell_checks import bad_cells, flags, no_answers, no_ids
from abcx.data.reading.consistency import inconsistent_ids, unlike
from abcx.data.reading.excluded import excluded
from abcx.data.reading.infer_formats import header_rows
from abcx.data.reading.overrides import by_file
from abcx.data.reading.row_sql import Select
from abcx.data.reading.scan import next_row, read, with_checksums
from abcx.data.reading.source import Source
from abcx.data.reading.total_rows import total_rows
from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.errors import DataError
from abcx.files import opening, pack_log
from abcx.files.bad_rows import every_reject, rejected
from abcx.files.csv_errors import Bad, Reject, tolerated
from abcx.files.pack_log import Log
from abcx.files.paths import resolve
from abcx.notes import Note
from abcx.problems import Problem, Span
from abcx.results.readout import Exclusion, FileRecord
from abcx.spec.model import Canonical, EventSource, Experiment, ExposureSource, FileOptions, UnitSource


@dataclass
class Loading:
    """What was loaded for `plan` into the tables `exposures`, `events` and `units` of `engine`, and what was seen on
    the way."""

    engine: Engine
    plan: Plan
    files: list[FileRecord] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    rejects: list[Reject] | None = None
    exclusions: list[Exclusion] = field(default_factory=list)
    parts: dict[str, PartTable] = field(default_factory=dict)
    reads: dict[tuple[str, int], SourceRead] = field(default_factory=dict)
    lost: Counter[tuple[str, int, str]] = field(default_factory=Counter)

    def count(self, part: str) -> int:
        """How many rows the table of a part has."""
        return sum(read.rows for (name, _), read in self.reads.items() if name == part)

    def of_source(self, part: str, number: int, alias: str = "") -> str:
        """The SQL condition of the rows of one source in the table of its part, which may have an alias (`e.`)."""
        later = [read.first_row for (name, other), read in self.reads.items() if name == part and other > number]
        upper = f" AND {alias}rowid < {min(later)}" if later else ""
        return f"{alias}rowid >= {self.reads[part, number].first_row}{upper}"

    def source_of(self, part: str, alias: str = "") -> str:
        """The SQL of the number of the source of a row in the table of its part."""
        firsts = sorted((read.first_row, number) for (name, number), read in self.reads.items() if name == part)
        cases = "".join(f"WHEN {alias}rowid >= {first} THEN {number} " for first, number in reversed(firsts[1:]))
        return f"CASE {cases}ELSE 0 END" if cases else "0"

    @property
    def arm_part(self) -> str:
        """The part that says which arm a unit is in."""
        return next(part for part, table in self.parts.items() if table.has_arm)

    def has_time(self, part: str) -> bool:
        """Whether a part is there and has times."""
        return part in self.parts and self.parts[part].has_time

    def count_lost(self, part: str, reason: str, inside: str) -> int:
        """Count the rows of a part that are about to be removed, by source; how many there are."""
        sources = "0" if self.engine.is_remote else self.source_of(part)
        found = self.engine.run(f"SELECT {sources} AS number, count(*) FROM {part} WHERE {inside} GROUP BY number")
        self.lost.update({(part, int(number), reason): int(count) for number, count in found})
        return sum(int(count) for _, count in found)


@dataclass(frozen=True, slots=True)
class SourceRead:
    """One source as it was read: the rows of its table, the bad rows that it tolerates, and what is to be said. `last`
    is the latest time of its rows (microseconds since 1970, UTC), where they have times, `last_week` counts the rows of
    the seven days up to it, and `first_row` is the row id of the first."""

    rows: int
    bad: int
    log: Log
    last: int | None = None
    last_week: int = 0
    first_row: int = 0


@dataclass(frozen=True)
class PartTable:
    """One of the three tables: whether its rows have times, arms, an id, and which segments it carries."""

    select: Select
    has_time: bool
    has_arm: bool
    has_id: bool
    segments: tuple[str, ...]

    @property
    def sources(self) -> tuple[Source, ...]:
        return self.select.sources


_WEEK = 7 * 86_400_000_000
_FEW = 3
"""Each of at most this many files is reported."""
_KINDS: dict[str, type[FileOptions]] = {"exposures": ExposureSource, "events": EventSource, "units": UnitSource}


def open_sources(
    engine: Engine,
    part: str,
    options: Sequence[FileOptions],
    frames: Sequence[object],
    experiment: Experiment,
    base: Path,
    apart: bool,
) -> tuple[Source, ...]:
    """Open every file and frame of one part of `data`; small files are read together unless they are to stay `apart`.
    Raises DataError with all files that cannot be opened."""
    shared = _column_names(experiment.data.columns) if experiment.data else {}
    sources: list[Source] = []
    problems: list[Problem] = []
    for option in () if frames else options:
        columns = shared | _column_names(option.columns)
        try:
            if engine.is_remote:
                from abcx.files.remote_tables import open_tables

                found = open_tables(engine, option, experiment.timezone, base)
                sources += [Source(table, option, arm, columns) for table, arm in found]
                continue
            files = resolve(option, base, engine.scratch)
            opened = opening.open_files(engine, files, option, experiment.timezone, apart)
            sources += [Source(table, option, table.files[0].arm, columns) for table in opened]
        except DataError as error:
            problems += error.problems
    alone = [(_KINDS[part].model_validate({"file": "frame"}),)] * len(frames)
    replaced = by_file(options, len(frames)) if options and frames else alone
    for number, frame in enumerate(frames):
        for option in replaced[number]:
            table = opening.open_frame(engine, frame, f"{part}_{number}", option, experiment.timezone)
            sources.append(Source(table, option, None, shared | _column_names(option.columns)))
    problems += _twice(sources)
    if problems:
        raise DataError(problems)
    return tuple(sources)


def _twice(sources: Sequence[Source]) -> Iterator[Problem]:
    """Files that are named more than once to be read in the same way: their rows would count twice."""
    known: dict[tuple[str, str | None], list[tuple[str, FileOptions]]] = {}
    for source, file in ((one, file) for one in sources for file in one.table.files):
        before = known.setdefault((os.path.realpath(file.original), file.arm), [])
        if any(other.model_copy(update={"file": source.options.file}) == source.options for _, other in before):
            message = f"{file.shown} is named twice" + "".join(
                f" (as {shown}, too)" for shown, _ in before[:1] if shown != file.shown
            )
            yield Problem("error", "file-twice", message, Span(file.shown), "name it once: its rows would count twice")
        before.append((file.shown, source.options))


def _column_names(columns: Mapping[Canonical, str]) -> dict[str, str]:
    return {str(canonical): written for canonical, written in columns.items()}


def load(loading: Loading, part: str, sources: tuple[Source, ...], arm_needed: bool) -> None:
    """Read the sources of one part into the table of that name."""
    select = Select(loading.engine, part, loading.plan, arm_needed, sources)
    problems = [problem for source in select.sources for problem in select.problems(source)]
    if problems:
        raise DataError(_of_few_files(problems))
    has = {name: any(source.name(name) for source in sources) for name in ("time", "id")}
    segments = tuple(name for name in loading.plan.segments if any(source.resolve(name) for source in sources))
    loading.parts[part] = PartTable(select, has["time"], arm_needed, has["id"], segments)
    ordered = part == "units" or (bool(segments) and not has["time"])  # of several rows of a unit the first counts
    ordered = ordered or any(getattr(source.options, "ties", None) is not None for source in sources)
    loading.engine.run(f"SET preserve_insertion_order = {'true' if ordered else 'false'}")
    found: list[Problem] = []
    number = 0
    while number < len(select.sources):
        before = next_row(loading.engine, number, part)
        if not select.sources[number].table.more:
            found += _load_one(loading, number, select, segments)
        elif not _load_together(loading, number, select, segments):
            found += _take_apart(number, select)
            continue
        if not found:
            loading.reads[part, number] = replace(loading.reads[part, number], first_row=before)
        if has["time"] and not found:
            loading.reads[part, number] = _with_last(loading, loading.reads[part, number], part, before)
        number += 1
    if not found:
        found += [*unlike(select), *inconsistent_ids(select)]
    if not found and not loading.count(part):
        shown = select.sources[0].table.shown
        found.append(Problem("error", "no-rows", f"no file of {part} has a row", Span(shown), "export them again"))
    if found:
        raise DataError(_of_few_files(found))


def _with_last(loading: Loading, read: SourceRead, part: str, before: int) -> SourceRead:
    """The reading with the latest time of its rows, those from row id `before` on."""
    last, week = last_times(loading, part, f"rowid >= {before}")
    return replace(read, last=last, last_week=week)


def last_times(loading: Loading, part: str, inside: str) -> tuple[int | None, int]:
    """The latest time of the rows of a part that satisfy a SQL condition, and how many of them lie in the seven days up
    to it."""
    last = loading.engine.run(f"SELECT max(t) FROM {part} WHERE {inside}")[0][0]
    if last is None:
        return None, 0
    week = loading.engine.run(f"SELECT count(*) FROM {part} WHERE {inside} AND t > {int(last) - _WEEK}")[0][0]
    return int(last), int(week)


def _of_few_files(problems: Sequence[Problem]) -> list[Problem]:
    """What is wrong, of the first files only where it is wrong alike in many: one code, one column."""
    files: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        seen = files.setdefault(_kind(problem), [])
        seen += [problem.span.file] if problem.span and problem.span.file not in seen else []
    found = []
    for problem in problems:
        told = files[_kind(problem)]
        if problem.span is None or problem.span.file in told[:_FEW]:
            more = f" (and so in {len(told) - _FEW:,} more files)" if problem.span and len(told) > _FEW else ""
            last = problem.span is not None and problem.span.file == told[:_FEW][-1]
            found.append(replace(problem, message=problem.message + more) if last else problem)
    return found


def _kind(problem: Problem) -> tuple[str, str]:
    return problem.code, problem.span.path if problem.span else ""


def _load_together(loading: Loading, number: int, select: Select, segments: tuple[str, ...]) -> bool:
    """Read files in one statement; False, and nothing is read, where they must be read one by one."""
    source, part = select.sources[number], select.part
    table = source.table
    loading.engine.run(f"SET TimeZone = {literal(table.timezone)}")
    found = batch.read(number, source, select, segments)
    if found is None:
        return False
    source = select.sources[number]
    for file, count, sha256 in zip(table.files, found.rows, found.sha256, strict=True):
        loading.files.append(FileRecord(file.shown, part, sha256, count))
        loading.notes += file.notes if count else (*file.notes, Note("no_rows", {"file": file.shown}))
    loading.notes += (
        *found.notes,
        *(timezones.notes(source, part, found.before) if found.unsaid else ()),
    )
    loading.exclusions += excluded(source)
    loading.reads[part, number] = SourceRead(sum(found.rows), 0, Log(part, select.constant_event(source)))
    return True


def _take_apart(number: int, select: Select) -> list[Problem]:
    """Put the files of a source, one by one, in its place."""
    source, apart, problems = select.sources[number], list[Source](), list[Problem]()
    try:
        apart += [replace(source, table=table) for table in opening.open_apart(source.table)]
    except DataError as error:
        problems += error.problems
    select.sources = (*select.sources[:number], *apart, *select.sources[number + 1 :])
    return problems


def _load_one(loading: Loading, number: int, select: Select, segments: tuple[str, ...]) -> list[Problem]:
    part, source = select.part, select.sources[number]
    table, event = source.table, select.constant_event(source)
    past, noted, excluded_before = pack_log.of(table.history, part, event), len(loading.notes), len(loading.exclusions)
    loading.notes += past.notes
    loading.exclusions += past.exclusions
    loading.engine.run(f"SET TimeZone = {literal(table.timezone)}")
    loading.engine.set_phase(f"reading {table.shown}", table.file.path.stat().st_size if table.file else 0)
    (source, before, found), sha256 = with_checksums(
        loading.engine, table.files, lambda: read(number, source, select, segments)
    )
    loading.notes += found
    table = source.table
    bad = [*rejected(table, f"{part}_{number}"), *bad_cells(before, source, select)]
    bad += [*no_ids(before, source, select), *no_answers(source, select)]
    if part == "units" and select.hashed:
        bad += total_rows(before, source, len(select.plan.columns))
    if bad and loading.rejects is not None:
        loading.rejects += every_reject(table, f"{part}_{number}", [(one.problem, one.where) for one in bad])
    problems = _left_out(loading, before, source, select, bad)
    count = int(loading.engine.run(f"SELECT count(*) FROM {part} WHERE rowid >= {before}")[0][0])
    left_out = 0 if problems else sum(one.rows for one in bad)
    loading.lost[part, number, "bad_row"] += left_out + past.left_out
    loading.files.append(FileRecord(table.shown, part, sha256[0] if sha256 else None, count + left_out + past.left_out))
    loading.notes += table.file.notes if table.file else ()
    if table.glued and not problems:
        message = f"rows of {table.shown} that are its header again (exports glued together)"
        loading.exclusions.append(Exclusion("repeated_header", message, rows=header_rows(table)))
    told = tuple(loading.exclusions[excluded_before:])
    if not problems:
        loading.exclusions += excluded(source)
    if not count and not problems and _is_part(source, select):
        loading.notes.append(Note("no_rows", {"file": table.shown}))
    elif not count and not problems:
        message = f"{table.shown} has a header and no rows"
        problems.append(Problem("error", "no-rows", message, Span(table.shown), "export it again"))
    by_header = table.options.timezone != source.options.timezone
    if source.name("time") and not problems and timezones.are_unsaid(source) and not by_header:
        loading.notes += timezones.notes(source, part, before)
    log = Log(part, event, tuple(loading.notes[noted:]), told, left_out + past.left_out)
    loading.reads[part, number] = SourceRead(count, left_out, log)
    return problems


def _is_part(source: Source, select: Select) -> bool:
    """Whether a file is one of several that are one export, such as one for each day: then it may be without rows."""
    return source.arm is None and sum(other.options == source.options for other in select.sources) > 1


def _left_out(loading: Loading, before: int, source: Source, select: Select, bad: list[Bad]) -> list[Problem]:
    """The problems of bad rows; none where `max_bad_rows` tolerates them: then they are left out and counted."""
    try:
        lost = tolerated(source.table.shown, bad, source.options.max_bad_rows)
    except DataError as error:
        return list(error.problems)
    flagged = [check.flag for check, found in flags(before, source, select) if found]
    if flagged:
        loading.engine.run(f"DELETE FROM {select.part} WHERE rowid >= {before} AND ({' OR '.join(flagged)})")
    loading.exclusions += lost
    return []
