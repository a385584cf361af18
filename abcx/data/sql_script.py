"""The SQL script of an analysis: the statements that it would send to an engine, recorded without data.

The statements run here, on tables with the columns of the spec and one row per arm, so that each is the one that an
analysis would send. Steps that depend on the data (bad cells, empty arms) are not among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from abcx.data.clock import microseconds
from abcx.data.plan import Plan
from abcx.engines import dialects
from abcx.engines.base import RemoteEngine
from abcx.engines.quoting import identifier, literal
from abcx.engines.remote import UNIT_TABLES
from abcx.errors import DataError
from abcx.problems import Problem
from abcx.spec.model import EventSource, Experiment, ExposureSource, FileOptions, UnitSource
from abcx.spec_types import as_text

_TIME = 1_704_067_200_000_000
"""The time of example rows where the experiment has no end: 2024-01-01, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement in a dialect, and a note on its purpose."""

    sql: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class _View:
    """A source table, its columns, and the positions of those that are read."""

    name: str
    source: str
    columns: tuple[str, ...]
    read: set[int] = field(default_factory=set)


class SqlRecorder(RemoteEngine):
    """An engine that records the statements it is sent, translated to `dialect`."""

    def __init__(self, dialect: str, plan: Plan) -> None:
        super().__init__()
        self._dialect, self._plan = dialect, plan
        self._views: dict[str, _View] = {}
        self._there: set[str] = set()
        self._told: list[str] = []
        self._statements: list[Statement] = []

    @property
    def elsewhere(self) -> str:
        return self._dialect

    def statements(self) -> list[Statement]:
        """The recorded statements: views of the source tables with the columns that are read, then all others in
        order."""
        return [*map(self._view, self._views.values()), *self._statements]

    def view(self, source: str, base: Path, options: FileOptions) -> tuple[str, list[tuple[str, str]]]:
        name = f"source_{len(self._views)}"
        columns = _columns(self._plan, options)
        select_list = ", ".join(f"{sql} AS c{i}" for i, (_, _, sql) in enumerate(columns))
        super().run(f"CREATE TABLE {name} AS SELECT {select_list} FROM range({len(self._plan.arms)}) t(arm)")
        self._views[name] = _View(name, source, tuple(column for column, _, _ in columns))
        return name, [(column, type) for column, type, _ in columns]

    def _view(self, view: _View) -> Statement:
        table = ".".join(identifier(part) for part in _table(view.source).split("."))
        read = [f"{identifier(view.columns[i])} AS c{i}" for i in sorted(view.read)]
        name = dialects.PREFIX + view.name
        tree = dialects.parsed(f"CREATE TEMPORARY VIEW {name} AS SELECT {', '.join(read) or '1'} FROM {table}")
        if self._dialect == "bigquery":  # it has no temporary views
            tree.set("kind", "TABLE")
        return Statement(tree.sql(self._dialect, pretty=True), f"what is read of {view.source}")

    def run(self, sql: str, on_error: Callable[[str], Problem | DataError] | None = None) -> list[tuple[Any, ...]]:
        if not sql.startswith(("SET ", "DESCRIBE ")):
            self._write(sql)
        return super().run(sql, on_error)

    def arrays(self, sql: str) -> dict[str, Any]:
        self._write(sql)
        return super().arrays(sql)

    def _write(self, sql: str) -> None:
        tree = dialects.parsed(sql)
        names = dialects.tables(tree)
        if not names & {*self._there, *self._views}:
            return
        made = dialects.made(tree)
        if made is None and "rowid" in sql or any(sql == earlier for earlier in self._told):
            return  # a search for bad cells, or a repetition
        self._told.append(sql)
        for name in names & set(self._views):
            self._views[name].read.update(dialects.positions(tree))
        query = dialects.query(tree, self._dialect, pretty=True)
        if made is None:
            self._statements.append(Statement(query))
            return
        kind, name = made
        if kind == "create" and name in UNIT_TABLES:
            self._statements.append(Statement(query, f"{name}: abcx sums it up"))
            return
        self._there.add(name)
        temporary = "TEMP TABLE" if self._dialect == "bigquery" else "TEMPORARY TABLE"
        head = {
            "create": f"CREATE {temporary} {dialects.PREFIX}{name} AS",
            "insert": f"INSERT INTO {dialects.PREFIX}{name}",
        }
        if kind in head:
            self._statements.append(Statement(f"{head[kind]}\n{query}"))


def _table(source: str) -> str:
    """The table name of a source; for a file, its name without the ending."""
    return (
        Path(source).name.partition(".")[0] if "/" in source or source.endswith((".csv", ".parquet", ".gz")) else source
    )


def _columns(plan: Plan, options: FileOptions) -> list[tuple[str, str, str]]:
    """(name, type, SQL of an example value) of the columns that the spec names for a source."""
    shared = plan.experiment.data.columns if plan.experiment.data else {}
    named = {str(role): name for role, name in {**shared, **options.columns}.items()}
    unit, time, arm = (named.get(role, role) for role in ("unit", "time", "arm"))
    moment = f"make_timestamptz({_last(plan.experiment)})"
    example_columns = [(unit, "VARCHAR", "CAST(arm AS VARCHAR)"), (time, "TIMESTAMP WITH TIME ZONE", moment)]
    if isinstance(options, UnitSource):
        example_columns += [(name, "TIMESTAMP WITH TIME ZONE", moment) for name in plan.time_columns if name != time]
    numbers = {named.get(name, name) for name in _numbers(plan)}
    for name in dict.fromkeys(named.get(name, name) for name in _names(plan, options)):
        if name not in (unit, time):
            number = name in numbers
            example_columns.append((name, "DOUBLE", "1e0") if number else (name, "VARCHAR", _example(plan, name, arm)))
    return example_columns


def _names(plan: Plan, options: FileOptions) -> Iterator[str]:
    """The columns that the spec names for a source, other than the unit and the time."""
    data, exposure = plan.experiment.data, plan.experiment.exposure
    carries = isinstance(options, ExposureSource) or data is None or not (data.exposures or data.units)
    if isinstance(options, EventSource):
        if plan.terms and options.event is None:
            yield "event"
        yield from (name for term in plan.terms for name in (*term.where, term.value) if name)
        yield from (*plan.keys, *(exposure.where if exposure is not None else ()))
    if isinstance(options, UnitSource):
        carries = data is None or not (data.exposures or data.events)
        yield from (*options.attributes, *(need.term.column for need in plan.columns if need.term.column))
    if carries:
        rules = [arm.where for arm in plan.experiment.arms.values() if arm.where is not None]
        yield from [name for rule in rules for name in rule] if rules else ["arm"]
    if isinstance(options, UnitSource) or (carries and not (data is not None and data.units)):
        yield from plan.segments
    yield from (role for role in options.columns if role == "id")
    yield from (name for where in (options.where, *options.exclude.values()) for name in where)


def _numbers(plan: Plan) -> Iterator[str]:
    yield from (term.value for term in plan.terms if term.value)
    yield from (need.term.column for need in plan.columns if need.term.column and need.kind != "flag")


def _example(plan: Plan, name: str, arm: str) -> str:
    """The SQL of an example text that passes the checks: the label of an arm, a ticket key, else NULL."""
    if name in plan.keys:
        return "'1'"
    if name != arm:
        return "CAST(NULL AS VARCHAR)"
    labels = [as_text((spec.labels or (label,))[0]) for label, spec in plan.experiment.arms.items()]
    return f"[{', '.join(map(literal, labels))}][arm + 1]"


def _last(experiment: Experiment) -> int:
    """The time of example rows: the end of the period, in microseconds since 1970."""
    end = experiment.period.end_instant() if experiment.period else None
    return microseconds(end) - 1 if end else _TIME
