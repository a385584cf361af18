"""Loads files into one table each for exposures, events and units; arms, terms and conditions are computed in the scan.

A row that no metric needs is stored, because rows are counted, but without its unit, so that it costs no memory.
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
from abcx.data.reading.currency import foreign_amounts
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
    """What was loaded for `plan` into the tables `exposures`, `events` and `units` of `engine`: files, notes, rejected
    rows (None: not collected), exclusions, the tables by part, and readings by part and source number. `lost` counts
    removed rows by part, source number and reason."""

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
        """The number of rows in the table of a part."""
        return sum(read.rows for (name, _), read in self.reads.items() if name == part)

    def of_source(self, part: str, number: int, alias: str = "") -> str:
        """The SQL condition of the rows of one source in the table of its part, which may have an alias (`e.`)."""
        later = [read.first_row for (name, index), read in self.reads.items() if name == part and index > number]
        upper = f" AND {alias}rowid < {min(later)}" if later else ""
        return f"{alias}rowid >= {self.reads[part, number].first_row}{upper}"

    def source_of(self, part: str, alias: str = "") -> str:
        """The SQL of the source number of a row in the table of its part, which may have an alias (`e.`)."""
        firsts = sorted((read.first_row, number) for (name, number), read in self.reads.items() if name == part)
        cases = "".join(f"WHEN {alias}rowid >= {first} THEN {number} " for first, number in reversed(firsts[1:]))
        return f"CASE {cases}ELSE 0 END" if cases else "0"

    @property
    def arm_part(self) -> str:
        """The part that assigns units to arms."""
        return next(part for part, table in self.parts.items() if table.has_arm)

    def has_time(self, part: str) -> bool:
        """Whether a part is loaded and has times."""
        return part in self.parts and self.parts[part].has_time

    def count_lost(self, part: str, reason: str, inside: str) -> int:
        """Count, by source, the rows of a part that are about to be removed (SQL condition `inside`); returns their
        sum."""
        sources = "0" if self.engine.is_remote else self.source_of(part)
        counts = self.engine.run(f"SELECT {sources} AS number, count(*) FROM {part} WHERE {inside} GROUP BY number")
        self.lost.update({(part, int(number), reason): int(count) for number, count in counts})
        return sum(int(count) for _, count in counts)


@dataclass(frozen=True, slots=True)
class SourceRead:
    """One source as it was read: its rows, its tolerated bad rows, and its log. `last` is the latest time of its rows
    (microseconds since 1970, UTC; None without times), `last_week` the number of rows in the seven days up to it, and
    `first_row` the row id of the first."""

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
_MAX_FILES_REPORTED = 3
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
    """Open every file and frame of one part of `data`; small files are read in one statement, unless `apart`.
    Raises DataError with the problems of all files that cannot be opened."""
    shared = _column_names(experiment.data.columns) if experiment.data else {}
    sources: list[Source] = []
    problems: list[Problem] = []
    for option in () if frames else options:
        columns = shared | _column_names(option.columns)
        if not option.file:
            cure = f"name it in the spec (data.{part}: {{file: ...}}), or give it: --{part} FILE, or {part}= in Python"
            problems.append(Problem("error", "no-file", f"the spec names no file of {part}", help=cure))
            continue
        try:
            if engine.is_remote:
                from abcx.files.remote_tables import open_tables

                tables = open_tables(engine, option, experiment.timezone, base)
                sources += [Source(table, option, arm, columns) for table, arm in tables]
                continue
            files = resolve(option, base, engine.scratch)
            opened = opening.open_files(engine, files, option, experiment.timezone, apart)
            sources += [Source(table, option, table.files[0].arm, columns) for table in opened]
        except DataError as error:
            problems += error.problems
    defaults = [(_KINDS[part].model_validate({"file": "frame"}),)] * len(frames)
    replaced = by_file(options, len(frames)) if options and frames else defaults
    for number, frame in enumerate(frames):
        for option in replaced[number]:
            table = opening.open_frame(engine, frame, f"{part}_{number}", option, experiment.timezone)
            sources.append(Source(table, option, None, shared | _column_names(option.columns)))
    problems += _repeated_files(sources)
    if problems:
        raise DataError(problems)
    return tuple(sources)


def _repeated_files(sources: Sequence[Source]) -> Iterator[Problem]:
    """A problem for every file that is named twice with the same options: its rows would count twice."""
    uses: dict[tuple[str, str | None], list[tuple[str, FileOptions]]] = {}
    for source, file in ((item, file) for item in sources for file in item.table.files):
        earlier = uses.setdefault((os.path.realpath(file.original), file.arm), [])
        if any(options.model_copy(update={"file": source.options.file}) == source.options for _, options in earlier):
            message = f"{file.shown} is named twice" + "".join(
                f" (as {shown}, too)" for shown, _ in earlier[:1] if shown != file.shown
            )
            yield Problem("error", "file-twice", message, Span(file.shown), "name it once: its rows would count twice")
        earlier.append((file.shown, source.options))


def _column_names(columns: Mapping[Canonical, str]) -> dict[str, str]:
    return {str(canonical): written for canonical, written in columns.items()}


def load(loading: Loading, part: str, sources: tuple[Source, ...], arm_needed: bool) -> None:
    """Read the sources of one part into the table of that name."""
    select = Select(loading.engine, part, loading.plan, arm_needed, sources)
    problems = [problem for source in select.sources for problem in select.problems(source)]
    if problems:
        raise DataError(_of_first_files(problems))
    has = {name: any(source.name(name) for source in sources) for name in ("time", "id")}
    segments = tuple(name for name in loading.plan.segments if any(source.resolve(name) for source in sources))
    loading.parts[part] = PartTable(select, has["time"], arm_needed, has["id"], segments)
    ordered = part == "units" or (bool(segments) and not has["time"])  # the first of several rows of a unit counts
    ordered = ordered or any(getattr(source.options, "ties", None) is not None for source in sources)
    loading.engine.run(f"SET preserve_insertion_order = {'true' if ordered else 'false'}")
    read_problems: list[Problem] = []
    number = 0
    while number < len(select.sources):
        first_row = next_row(loading.engine, number, part)
        if not select.sources[number].table.more:
            read_problems += _load_one(loading, number, select, segments)
        elif not _load_together(loading, number, select, segments):
            read_problems += _take_apart(number, select)
            continue
        if not read_problems:
            loading.reads[part, number] = replace(loading.reads[part, number], first_row=first_row)
        if has["time"] and not read_problems:
            loading.reads[part, number] = _with_last(loading, loading.reads[part, number], part, first_row)
        number += 1
    if not read_problems:
        read_problems += [*unlike(select), *inconsistent_ids(select), *foreign_amounts(select)]
    if not read_problems and not loading.count(part):
        shown = select.sources[0].table.shown
        read_problems.append(
            Problem("error", "no-rows", f"no file of {part} has a row", Span(shown), "export them again")
        )
    if read_problems:
        raise DataError(_of_first_files(read_problems))


def _with_last(loading: Loading, read: SourceRead, part: str, first_row: int) -> SourceRead:
    """The reading with the latest time of its rows, those from row id `first_row` on."""
    last, week = last_times(loading, part, f"rowid >= {first_row}")
    return replace(read, last=last, last_week=week)


def last_times(loading: Loading, part: str, inside: str) -> tuple[int | None, int]:
    """The latest time of the rows of a part that satisfy a SQL condition, and how many of them lie in the seven days up
    to it."""
    last = loading.engine.run(f"SELECT max(t) FROM {part} WHERE {inside}")[0][0]
    if last is None:
        return None, 0
    week = loading.engine.run(f"SELECT count(*) FROM {part} WHERE {inside} AND t > {int(last) - _WEEK}")[0][0]
    return int(last), int(week)


def _of_first_files(problems: Sequence[Problem]) -> list[Problem]:
    """The problems, those of one code and column for the first files only, with the number of further files."""
    files: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        names = files.setdefault(_kind(problem), [])
        names += [problem.span.file] if problem.span and problem.span.file not in names else []
    shown = []
    for problem in problems:
        affected = files[_kind(problem)]
        if problem.span is None or problem.span.file in affected[:_MAX_FILES_REPORTED]:
            suffix = (
                f" (and so in {len(affected) - _MAX_FILES_REPORTED:,} more files)"
                if problem.span and len(affected) > _MAX_FILES_REPORTED
                else ""
            )
            is_last = problem.span is not None and problem.span.file == affected[:_MAX_FILES_REPORTED][-1]
            shown.append(replace(problem, message=problem.message + suffix) if is_last else problem)
    return shown


def _kind(problem: Problem) -> tuple[str, str]:
    return problem.code, problem.span.path if problem.span else ""


def _load_together(loading: Loading, number: int, select: Select, segments: tuple[str, ...]) -> bool:
    """Read the files of a source in one statement; returns False, with nothing read, where they must be read singly."""
    source, part = select.sources[number], select.part
    table = source.table
    loading.engine.run(f"SET TimeZone = {literal(table.timezone)}")
    batch_read = batch.read(number, source, select, segments)
    if batch_read is None:
        return False
    source = select.sources[number]
    for file, count, sha256 in zip(table.files, batch_read.rows, batch_read.sha256, strict=True):
        loading.files.append(FileRecord(file.shown, part, sha256, count))
        loading.notes += file.notes if count else (*file.notes, Note("no_rows", {"file": file.shown}))
    loading.notes += (
        *batch_read.notes,
        *(timezones.notes(source, part, batch_read.before) if batch_read.unsaid else ()),
    )
    loading.exclusions += excluded(source)
    loading.reads[part, number] = SourceRead(sum(batch_read.rows), 0, Log(part, select.constant_event(source)))
    return True


def _take_apart(number: int, select: Select) -> list[Problem]:
    """Replace a source by one source per file; returns the problems of files that cannot be opened."""
    source, sources, problems = select.sources[number], list[Source](), list[Problem]()
    try:
        sources += [replace(source, table=table) for table in opening.open_apart(source.table)]
    except DataError as error:
        problems += error.problems
    select.sources = (*select.sources[:number], *sources, *select.sources[number + 1 :])
    return problems


def _load_one(loading: Loading, number: int, select: Select, segments: tuple[str, ...]) -> list[Problem]:
    part, source = select.part, select.sources[number]
    table, event = source.table, select.constant_event(source)
    past, notes_before, excluded_before = (
        pack_log.of(table.history, part, event),
        len(loading.notes),
        len(loading.exclusions),
    )
    loading.notes += past.notes
    loading.exclusions += past.exclusions
    loading.engine.run(f"SET TimeZone = {literal(table.timezone)}")
    loading.engine.set_phase(f"reading {table.shown}", table.file.path.stat().st_size if table.file else 0)
    (source, before, format_notes), sha256 = with_checksums(
        loading.engine, table.files, lambda: read(number, source, select, segments)
    )
    loading.notes += format_notes
    table = source.table
    bad = [*rejected(table, f"{part}_{number}"), *bad_cells(before, source, select)]
    bad += [*no_ids(before, source, select), *no_answers(source, select)]
    if part == "units" and select.hashed:
        bad += total_rows(before, source, len(select.plan.columns))
    if bad and loading.rejects is not None:
        loading.rejects += every_reject(table, f"{part}_{number}", [(group.problem, group.where) for group in bad])
    problems = _leave_out_bad_rows(loading, before, source, select, bad)
    count = int(loading.engine.run(f"SELECT count(*) FROM {part} WHERE rowid >= {before}")[0][0])
    left_out = 0 if problems else sum(group.rows for group in bad)
    loading.lost[part, number, "bad_row"] += left_out + past.left_out
    loading.files.append(FileRecord(table.shown, part, sha256[0] if sha256 else None, count + left_out + past.left_out))
    loading.notes += table.file.notes if table.file else ()
    if table.glued and not problems:
        message = f"rows of {table.shown} that are its header again (exports glued together)"
        loading.exclusions.append(Exclusion("repeated_header", message, rows=header_rows(table)))
    own_exclusions = tuple(loading.exclusions[excluded_before:])
    if not problems:
        loading.exclusions += excluded(source)
    if not count and not problems and _is_part(source, select):
        loading.notes.append(Note("no_rows", {"file": table.shown}))
    elif not count and not problems:
        message = f"{table.shown} has a header and no rows"
        problems.append(Problem("error", "no-rows", message, Span(table.shown), "export it again"))
    by_header = table.options.timezone != source.options.timezone
    if source.name("time") and not problems and timezones.are_unsaid(source, part, before) and not by_header:
        loading.notes += timezones.notes(source, part, before)
    log = Log(part, event, tuple(loading.notes[notes_before:]), own_exclusions, left_out + past.left_out)
    loading.reads[part, number] = SourceRead(count, left_out, log)
    return problems


def _is_part(source: Source, select: Select) -> bool:
    """Whether a file is one of several of one export, such as one per day; it may then have no rows."""
    return source.arm is None and sum(sibling.options == source.options for sibling in select.sources) > 1


def _leave_out_bad_rows(loading: Loading, before: int, source: Source, select: Select, bad: list[Bad]) -> list[Problem]:
    """The problems of bad rows; empty where `max_bad_rows` tolerates them: they are then deleted and counted."""
    try:
        exclusions = tolerated(source.table.shown, bad, source.options.max_bad_rows)
    except DataError as error:
        return list(error.problems)
    flagged = [check.flag for check, count in flags(before, source, select) if count]
    if flagged:
        loading.engine.run(f"DELETE FROM {select.part} WHERE rowid >= {before} AND ({' OR '.join(flagged)})")
    loading.exclusions += exclusions
    return []
