"""Reads a file of counts with one row per arm, or per arm and day."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

from abcx.data.reading import total_rows
from abcx.data.reading.conditions import FALSE, LARGEST, TRUE
from abcx.data.reading.excluded import excluded
from abcx.data.reading.scan import with_lines
from abcx.data.reading.source import Source
from abcx.data.records import MetricData, Observed
from abcx.engines.local import Engine
from abcx.errors import DataError, UnreadCell
from abcx.files import cell_text, opening
from abcx.files.bad_rows import every_reject, rejected
from abcx.files.csv_errors import Bad, tolerated, unreadable
from abcx.files.lines import fingerprint
from abcx.files.paths import resolve
from abcx.metrics import MetricSpec
from abcx.problems import Problem, Span
from abcx.results.metric import Response
from abcx.results.readout import Exclusion, FileRecord
from abcx.spec.model import CountsFile, Experiment, FileOptions
from abcx.spec_types import as_text
from abcx.stats.pooling import added
from abcx.stats.records import Proportion, Summary

MOST_UNITS = 10**15
"""Maximum units of an arm: more are a typing error, and are not exact as floating-point numbers."""


def from_file(engine: Engine, experiment: Experiment, options: CountsFile, base: Path) -> Observed:
    """Read a counts file with the columns arm, units, those of every metric (`counts_columns`) and optionally date.

    `columns` may rename arm and (as `unit`) units; `column` of a metric names its own. Raises DataError for missing
    columns and for cells that are not counts.
    """
    reader = _Reader(experiment, options.cumulative)
    files = []
    data_files = resolve(options, base, engine.scratch)
    engine.restrict_to(file.path for file in data_files)
    for number, file in enumerate(data_files):
        table = opening.open_file(engine, file, options, experiment.timezone)
        shared = experiment.data.columns if experiment.data else {}
        columns = {str(canonical): name for canonical, name in {**shared, **options.columns}.items()}
        source = Source(table, options, file.arm, columns)
        read = partial(_read_rows, experiment=experiment, tag=f"counts_{number}")
        source, (rows, bad) = with_lines(source, read)
        reader.exclusions += excluded(source)
        _refuse_total(rows, reader.labels, source.columns.get("arm", "arm"))
        unread: list[Problem] = []
        for row in rows:
            try:
                reader.add(row)
            except UnreadCell as error:
                if not options.max_bad_rows:
                    raise
                unread += error.problems
        left_out = [*bad, *(Bad(problem, 1) for problem in unread)]
        reader.exclusions += tolerated(table.shown, left_out, options.max_bad_rows)
        count = len(rows) + sum(group.rows for group in bad)
        files.append(FileRecord(table.shown, "counts", fingerprint(file), count))
    return reader.observed(tuple(files))


@dataclass(frozen=True)
class _Row:
    """A row of a counts file: its file and line, and its cells as text and as numbers. Where the file may have decimal
    `commas`, a dot before three digits is ambiguous."""

    shown: str
    line: int
    arm: str | None
    text: dict[str, str]
    numbers: dict[str, float | None]
    commas: bool
    options: FileOptions

    def problem(self, code: str, message: str, column: str, help: str) -> DataError:
        return DataError(Problem("error", code, message, Span(self.shown, self.line, path=column), help))

    def unread(self, code: str, message: str, column: str, help: str) -> UnreadCell:
        """The error for a cell that cannot be read; `max_bad_rows` may tolerate its row."""
        return UnreadCell(self.problem(code, message, column, help).problems)

    def whole(self, name: str) -> int:
        number = self._clear(name)
        if number is None or not 0 <= number <= MOST_UNITS or number != int(number):
            message = f"'{self.text[name]}' is not a count"
            raise self.unread("bad-number", message, name, f"write a whole number{self._format_help(name)}")
        return int(number)

    def number(self, name: str) -> float:
        number = self._clear(name)
        if number is None or not abs(number) <= LARGEST or (name.endswith("_sd") and number < 0):
            message = f"'{self.text[name]}' cannot be a {name.rpartition('_')[2]}"
            raise self.unread("bad-number", message, name, f"write a finite number{self._format_help(name)}")
        return number

    def _clear(self, name: str) -> float | None:
        """The number of a cell. Raises UnreadCell where it is ambiguous."""
        if self.commas and re.fullmatch(r"\s*[+-]?\d{1,3}(\.\d{3})+\s*", self.text[name]):
            message = f"'{self.text[name]}' is ambiguous: it may be two different numbers"
            help = "say how the file writes numbers: thousands: '.' or decimal: '.'"
            raise self.unread("ambiguous-number", message, name, help)
        return self.numbers[name]

    def _format_help(self, name: str) -> str:
        sign = next((sign for sign in ",." if sign in self.text[name]), None)
        return f", or say how the file writes numbers: thousands: '{sign}' or decimal: '{sign}'" if sign else ""

    def day(self) -> str | None:
        if "date" not in self.text:
            return None
        try:
            return _day(self.text["date"].strip(), self.options)
        except ValueError:
            message = f"'{self.text['date'][:60]}' is not a date"
            written = self.options.time_format or self.options.date_order
            help = (
                f"the spec says {written}" if written else "write 2024-03-04, or say how it is written: date_order: dmy"
            )
            raise self.unread("bad-time", message, "date", help) from None


def _day(text: str, options: FileOptions) -> str:
    """A day as ISO 8601. Raises ValueError where the text is not a day in the spec's format."""
    if options.time_format:
        return datetime.strptime(text, options.time_format).date().isoformat()
    if options.date_order:
        order = {"dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y"}[options.date_order]
        return datetime.strptime(re.sub(r"[.\-]", "/", text), order).date().isoformat()
    return datetime.fromisoformat(text).date().isoformat()


def _read_rows(source: Source, experiment: Experiment, tag: str) -> tuple[list[_Row], list[Bad]]:
    """The rows that can be read, with their lines, and the bad ones. Raises DataError for missing columns, no rows, or
    too many bad rows."""
    table = source.table
    options = source.options
    needed = {"arm": source.columns.get("arm", "arm"), "units": source.columns.get("unit", "units")}
    for name, metric in experiment.metrics.items():
        names = metric.counts_columns(name)
        if not names:
            message = f"'{name}' is a {metric.type}: a counts file cannot hold one"
            ratio = metric.needs().summary == "ratio"
            help = "type the counts in the spec, or give one row per unit" if ratio else "give events"
            raise DataError(Problem("error", "counts-ratio", message, Span(table.shown), help))
        column = metric.needs().columns[0].term.column or name
        needed.update({key: column + key.removeprefix(name) for key in names})
    if source.arm is not None:
        del needed["arm"]
    problems = [table.unknown_column(column, "counts") for column in needed.values() if column not in table.header]
    condition_columns = [name for where in (options.where, *options.exclude.values()) for name in where]
    problems += [table.unknown_column(name, "where") for name in condition_columns if source.resolve(name) is None]
    if problems:
        raise DataError(problems)
    if day := source.name("time") or ("date" if "date" in table.header else None):
        needed["date"] = day
    cells = [table.sql(column, kind) for column in needed.values() for kind in ("text", "number")]
    keep = source.kept
    first = max(0, table.first_line - 1)
    rows = source.table.engine.run(
        f"SELECT n + {first}, * EXCLUDE n FROM (SELECT row_number() OVER () AS n, {', '.join(cells)}, {keep} AS kept "
        f"FROM {table.scan(tag)}) WHERE kept ORDER BY n",
        lambda message: unreadable(table.file, table.shown, message),
    )
    bad = rejected(table, tag)
    tolerated(table.shown, bad, options.max_bad_rows)
    if not rows:
        message = f"{table.shown} has a header and no rows"
        raise DataError(Problem("error", "no-rows", message, Span(table.shown), "export it again"))
    lost_lines = [reject.line for reject in every_reject(table, tag, [])] if bad else []
    counts_rows = []
    commas = table.options.delimiter == ";" and options.decimal is None and options.thousands is None
    for line, *values, _ in rows:
        for lost_line in lost_lines:  # the engine does not count rejected rows
            line += lost_line <= line
        text = {key: str(value or "") for key, value in zip(needed, values[::2], strict=True)}
        numbers = dict(zip(needed, values[1::2], strict=True))
        counts_rows.append(_Row(table.shown, line, source.arm, text, numbers, commas, options))
    return counts_rows, bad


def _refuse_total(rows: list[_Row], labels: Mapping[str, str], column: str) -> None:
    """Raise DataError where the last row sums up the others, or is named like a total instead of an arm."""
    *above, last = rows
    if len(above) < total_rows.FEWEST:
        return
    counts = [key for key in last.numbers if key not in ("arm", "date") and not key.endswith(("_mean", "_sd"))]
    summed = len(counts) > 1 and total_rows.sums_up(
        [last.numbers[key] for key in counts], [[row.numbers[key] for row in above] for key in counts]
    )
    label = last.text.get("arm", last.text.get("date", ""))
    if summed or (total_rows.is_named(label) and cell_text.canonical_text(label) not in labels):
        raise DataError(total_rows.problem(last.shown, last.line, column, label, len(above), summed))


def _read(name: str, metric: MetricSpec, row: _Row, units: int) -> Summary:
    """A metric's summary from one row of an arm with `units` units. Raises DataError for a share above 1."""
    columns = metric.counts_columns(name)
    has_answers = f"{name}_answers" in columns
    n = row.whole(f"{name}_answers") if has_answers else units
    summary = metric.of_counts_row(name, row, n)
    if isinstance(summary, Proportion) and summary.successes > n:
        noun, cure = ("answers", "one answer a unit") if has_answers else ("units", "units, not events")
        message = f"{summary.successes:,} of {n:,} {noun}: a share above 1"
        raise row.problem("counts-range", message, name, f"count {cure}")
    if summary.n > units:
        message = f"{summary.n:,} answers of {units:,} units"
        raise row.problem("counts-range", message, columns[-1], "one answer a unit counts")
    return summary


class _Reader:
    """Adds up the rows of a counts file by arm; moments are pooled exactly. Of running totals (`cumulative`) only the
    last row of each arm counts."""

    def __init__(self, experiment: Experiment, cumulative: bool) -> None:
        self.experiment, self.cumulative = experiment, cumulative
        arms = experiment.arms.items()
        labels = [(label, name) for name, arm in arms for label in arm.labels or (name,)]
        self.labels = {cell_text.canonical_text(as_text(label)): name for label, name in labels}
        self.values = [(label, name) for label, name in labels if not isinstance(label, str)]
        self.exclusions: list[Exclusion] = []
        self.days: dict[str | None, dict[str, _Cell]] = {}

    def add(self, row: _Row) -> None:
        arm = row.arm or self._labeled(cell_text.canonical_text(row.text["arm"]))
        if arm is None:
            help = f"the labels are: {', '.join(self.labels)}"
            raise row.problem("unknown-arm", f"'{row.text['arm']}' is not an arm", "arm", help)
        units, day = row.whole("units"), row.day()
        if arm in self.days.get(day, {}):
            when = f" of {day}" if day else ""
            help = "keep one of them" if day else "keep one of them, or name the column of days: columns: {time: ...}"
            raise row.problem("duplicate-arm", f"the arm '{arm}' stands on two rows{when}", "arm", help)
        metrics = self.experiment.metrics.items()
        cell = _Cell(row, units, {name: _read(name, metric, row, units) for name, metric in metrics})
        self.days.setdefault(day, {})[arm] = cell

    def _labeled(self, text: str) -> str | None:
        """The arm of a label, None if it is no arm's; booleans and numbers compare as in `where`."""
        meant = (name for value, name in self.values if _means(text, value))
        return self.labels.get(text) or next(meant, None)

    def observed(self, files: tuple[FileRecord, ...]) -> Observed:
        arms = self.experiment.arms
        courses = {
            arm: [(day, c[arm]) for day, c in sorted(self.days.items(), key=_by_day) if arm in c] for arm in arms
        }
        for arm, course in courses.items():
            if not course:
                bad = "; ".join(exclusion.message for exclusion in self.exclusions if exclusion.reason == "bad_row")
                span, help = Span(files[0].path, path="arm"), f"every arm needs a row{bad and f' ({bad})'}"
                raise DataError(Problem("error", "counts-missing", f"the arm '{arm}' has no row", span, help))
        if self.cumulative:
            _refuse_no_totals(courses)
        counted = {arm: course[-1:] if self.cumulative else course for arm, course in courses.items()}
        units = {arm: sum(cell.units for _, cell in course) for arm, course in counted.items()}
        metrics = {}
        for name, metric in self.experiment.metrics.items():
            summaries = {arm: _pooled([cell.summaries[name] for _, cell in course]) for arm, course in counted.items()}
            is_answered = metric.answer_scale is not None
            responses = {
                arm: Response(units[arm], None, summary.n) for arm, summary in summaries.items() if is_answered
            }
            metrics[name] = MetricData(summaries, responses=responses)
        never_fall = None if self.cumulative else _never_fall(courses)
        daily = self._daily(courses)
        return Observed(
            "counts", units, metrics, files, tuple(self.exclusions), daily=daily or None, never_fall=never_fall
        )

    def _daily(self, courses: Mapping[str, _Course]) -> tuple[tuple[str, dict[str, int]], ...]:
        """New units of each day by arm."""
        new: dict[str, dict[str, int]] = {}
        for arm, course in courses.items():
            before = 0
            for day, cell in course:
                if day is not None:
                    new.setdefault(day, dict.fromkeys(courses, 0))[arm] = cell.units - before
                before = cell.units if self.cumulative else 0
        return tuple(sorted(new.items()))


@dataclass(frozen=True)
class _Cell:
    """The counts of one arm on one day, and their row."""

    row: _Row
    units: int
    summaries: dict[str, Summary]


_Course = list[tuple[str | None, _Cell]]
"""The days of an arm, in order."""


_DAYS = 7
"""Minimum days of counts that never fall for them to look like running totals."""


def _by_day(item: tuple[str | None, object]) -> str:
    return item[0] or ""


def _pooled(parts: list[Summary]) -> Summary:
    pooled = parts[0]
    for part in parts[1:]:
        pooled = added(pooled, part)
    return pooled


def _refuse_no_totals(courses: Mapping[str, _Course]) -> None:
    """Raise DataError for running totals without days, that fall, or that end on different days."""
    last = {arm: course[-1] for arm, course in courses.items()}
    for arm, course in courses.items():
        row = course[-1][1].row
        if any(day is None for day, _ in course):
            help = "name the column of days: columns: {time: NAME}"
            raise row.problem("no-time", "`cumulative: true` needs a day on every row", "date", help)
        latest = max(str(day) for day, _ in last.values())
        if course[-1][0] != latest:
            message = f"the running totals of '{arm}' end on {course[-1][0]}, others on {latest}"
            raise row.problem("counts-range", message, "date", "export all arms up to the same day")
        for (_, before), (day, cell) in pairwise(course):
            if cell.units < before.units:
                message = f"the units of '{arm}' fall from {before.units:,} to {cell.units:,} on {day}"
                help = "these are no running totals: remove `cumulative: true`, or correct the row"
                raise cell.row.problem("counts-range", message, "units", help)


def _never_fall(courses: Mapping[str, _Course]) -> int | None:
    """The number of days for which no count of any arm falls, while all grow from the first day to the last; None where
    some count falls, or where there are fewer than 7 days."""
    for course in courses.values():
        if len(course) < _DAYS or any(day is None for day, _ in course):
            return None
        series = [[cell.units for _, cell in course]]
        for name in course[0][1].summaries:
            summaries = [cell.summaries[name] for _, cell in course]
            series += [[summary.successes for summary in summaries if isinstance(summary, Proportion)]]
        for counts in filter(None, series):
            if any(later < earlier for earlier, later in pairwise(counts)) or counts[-1] <= counts[0]:
                return None
    return min(len(course) for course in courses.values())


def _means(text: str, value: bool | int | float) -> bool:
    if isinstance(value, bool):
        return text.lower() in (TRUE if value else FALSE)
    try:
        return float(text) == value
    except ValueError:
        return False
