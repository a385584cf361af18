"""Counts typed by hand, or read from a small file: one row per arm (or per arm and day) -> the same summaries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from abcx.data import tables
from abcx.data.engine import Engine
from abcx.data.files import resolve, sha256
from abcx.data.records import MetricData, Observed
from abcx.errors import DataError
from abcx.metrics import MetricSpec
from abcx.problems import Problem, Span
from abcx.results import FileRecord
from abcx.spec.model import ArmCounts, CountsFile, Experiment, Spread, TypedCount
from abcx.stats.records import Moments, Proportion, RatioMoments, Summary


def typed(
    experiment: Experiment, counts: Mapping[str, ArmCounts], files: tuple[FileRecord, ...] = (), daily: Any = None
) -> Observed:
    """Counts by arm as observations. The spec's rules have checked that every arm and metric is there."""
    metrics = {}
    for name, metric in experiment.metrics.items():
        summaries = {arm: _summary(metric, counts[arm].metrics[name], counts[arm].units) for arm in experiment.arms}
        missing = {arm: counts[arm].units - summary.n for arm, summary in summaries.items()}
        metrics[name] = MetricData(summaries, missing=missing)
    return Observed("counts", {arm: counts[arm].units for arm in experiment.arms}, metrics, files, daily=daily)


def from_file(engine: Engine, experiment: Experiment, options: CountsFile, base: Path) -> Observed:
    """A counts file: columns arm, units, one per metric (or metric_mean and metric_sd), optional date."""
    rows: list[tuple[str, dict[str, str]]] = []
    files = []
    for file in resolve(options, base, engine.scratch):
        table = tables.open_file(engine, file, options, experiment.timezone)
        rows += [(table.shown, row) for row in _rows(engine, table, experiment, options)]
        files.append(FileRecord(table.shown, "counts", sha256(file.path), len(rows)))
    reader = _Reader(experiment, files[0].path if files else "counts")
    for number, (_, row) in enumerate(rows):
        reader.add(row, number + 2)
    return reader.observed(tuple(files))


def _rows(engine: Engine, table: tables.Table, experiment: Experiment, options: CountsFile) -> list[dict[str, str]]:
    shared = dict(experiment.data.columns) if experiment.data else {}
    columns = {**shared, **options.columns}
    needed = {"arm": columns.get("arm", "arm"), "units": "units"}
    for name, metric in experiment.metrics.items():
        needed.update(
            {column: column for column in ([name] if metric.unit == "share" else [f"{name}_mean", f"{name}_sd"])}
        )
        if metric.unit == "ratio":
            raise DataError(
                Problem(
                    "error",
                    "counts-ratio",
                    f"'{name}' is a ratio: a counts file cannot hold one",
                    Span(table.shown),
                    "type the counts in the spec, or give one row per unit",
                )
            )
    problems = [
        table.unknown_column(column, f"counts of {key}") for key, column in needed.items() if column not in table.header
    ]
    if problems:
        raise DataError(problems)
    if "date" in table.header:
        needed["date"] = "date"
    select = ", ".join(f"CAST({table.sql(column, 'text')} AS VARCHAR)" for column in needed.values())
    tag = "counts"
    found = engine.run(f"SELECT {select} FROM {table.scan({}, tag)}")
    problems = tables.rejected(engine, table, tag, {})
    if problems or not found:
        raise DataError(
            problems or [Problem("error", "no-rows", f"{table.shown} has a header and no rows", Span(table.shown))]
        )
    return [dict(zip(needed, (cell or "" for cell in row), strict=True)) for row in found]


class _Reader:
    """Adds up the rows of a counts file by arm; moments are pooled exactly."""

    def __init__(self, experiment: Experiment, shown: str) -> None:
        self.experiment, self.shown = experiment, shown
        self.labels = {label: name for name, arm in experiment.arms.items() for label in arm.labels or (name,)}
        self.units: dict[str, int] = {}
        self.summaries: dict[tuple[str, str], Summary] = {}
        self.days: dict[str, dict[str, int]] = {}

    def add(self, row: dict[str, str], line: int) -> None:
        arm = self.labels.get(row["arm"].strip())
        if arm is None:
            raise self._problem(
                "unknown-arm", f"'{row['arm']}' is not an arm", line, "arm", f"the labels are: {', '.join(self.labels)}"
            )
        units = self._whole(row, "units", line)
        self.units[arm] = self.units.get(arm, 0) + units
        if "date" in row:
            day = self._day(row["date"], line)
            counts = self.days.setdefault(day, {})
            counts[arm] = counts.get(arm, 0) + units
        elif self.units[arm] != units:
            raise self._problem(
                "duplicate-arm",
                f"the arm '{arm}' stands on two rows",
                line,
                "arm",
                "add a column `date` where rows are days",
            )
        for name, metric in self.experiment.metrics.items():
            new: Summary
            if metric.unit == "share":
                new = Proportion(self._whole(row, name, line), units)
                if new.successes > units:
                    raise self._problem(
                        "counts-range",
                        f"{new.successes:,} of {units:,} units: a share above 1",
                        line,
                        name,
                        "count units, not events",
                    )
            else:
                sd = self._number(row, f"{name}_sd", line)
                new = Moments(units, self._number(row, f"{name}_mean", line), sd * sd if units > 1 else 0.0)
            old = self.summaries.get((arm, name))
            self.summaries[arm, name] = new if old is None else _added(old, new)

    def observed(self, files: tuple[FileRecord, ...]) -> Observed:
        missing = [arm for arm in self.experiment.arms if arm not in self.units]
        if missing:
            raise self._problem(
                "counts-missing", f"the arm '{missing[0]}' has no row", 0, "arm", "every arm needs a row"
            )
        metrics = {
            name: MetricData({arm: self.summaries[arm, name] for arm in self.experiment.arms})
            for name in self.experiment.metrics
        }
        daily = tuple(
            (day, {arm: counts.get(arm, 0) for arm in self.experiment.arms})
            for day, counts in sorted(self.days.items())
        )
        return Observed(
            "counts", {arm: self.units[arm] for arm in self.experiment.arms}, metrics, files, daily=daily or None
        )

    def _whole(self, row: dict[str, str], name: str, line: int) -> int:
        text = row[name].strip()
        if not text.isascii() or not text.isdigit():
            raise self._problem("bad-number", f"'{row[name]}' is not a count", line, name, "write a whole number")
        return int(text)

    def _number(self, row: dict[str, str], name: str, line: int) -> float:
        try:
            number = float(row[name])
        except ValueError:
            number = float("nan")
        if not -1e300 < number < 1e300 or (name.endswith("_sd") and number < 0):
            raise self._problem(
                "bad-number",
                f"'{row[name]}' cannot be a {name.rpartition('_')[2]}",
                line,
                name,
                "write a finite number",
            )
        return number

    def _day(self, text: str, line: int) -> str:
        try:
            return date.fromisoformat(text.strip()).isoformat()
        except ValueError:
            raise self._problem("bad-time", f"'{text}' is not a date", line, "date", "write 2024-03-04") from None

    def _problem(self, code: str, message: str, line: int, column: str, help: str) -> DataError:
        return DataError(Problem("error", code, message, Span(self.shown, line, path=column), help))


def _added(a: Summary, b: Summary) -> Summary:
    """Two disjoint groups of units as one (Chan, Golub, LeVeque 1983, eq. 2.1)."""
    if isinstance(a, Proportion) and isinstance(b, Proportion):
        return Proportion(a.successes + b.successes, a.n + b.n)
    assert isinstance(a, Moments) and isinstance(b, Moments)
    n = a.n + b.n
    if n == 0:
        return a
    gap = b.mean - a.mean
    squares = a.variance * max(a.n - 1, 0) + b.variance * max(b.n - 1, 0) + gap * gap * a.n * b.n / n
    return Moments(n, a.mean + gap * b.n / n, squares / (n - 1) if n > 1 else 0.0)


def _summary(metric: MetricSpec, value: TypedCount, units: int) -> Summary:
    n = units if value.units is None else value.units
    if metric.unit == "share":
        return Proportion(value.count or 0, n)
    if metric.unit == "value":
        return _spread(Spread(mean=value.mean or 0.0, sd=value.sd or 0.0), n)
    assert value.numerator is not None and value.denominator is not None
    covariance = (value.correlation or 0.0) * value.numerator.sd * value.denominator.sd
    return RatioMoments(_spread(value.numerator, n), _spread(value.denominator, n), covariance)


def _spread(spread: Spread, n: int) -> Moments:
    return Moments(n, spread.mean, spread.sd**2 if n > 1 else 0.0)
