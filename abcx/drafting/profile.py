"""What a file shows at a first look: columns, their kinds and their few values. `abcx init` writes a spec from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from abcx.data.reading.conditions import FALSE, TRUE
from abcx.data.reading.source import Source
from abcx.engines.local import Engine
from abcx.files import number_formats, opening, time_formats
from abcx.files.column_names import ROLES, sounds_like
from abcx.files.paths import resolve
from abcx.files.table import Table
from abcx.spec.model import EventSource, FileOptions, GivenFile

_NEARLY_ALL = 0.95
"""Share of the units of an event that must have had the event before it, for both to be steps of a path."""
ROWS = 200_000
"""Rows that are sampled."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its distinct values and its kind (text, number, time or flag). `values` are the most frequent with
    their rows, `low` and `high` the least and greatest as text. `has_arm`: its value (nearly) determines the arm."""

    name: str
    distinct: int
    empty: int
    kind: str
    values: tuple[tuple[str, int], ...]
    low: str
    high: str
    has_arm: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """A file: `roles` maps canonical columns to header names where the names and values suggest one. `path` are events
    that units have one after the other."""

    shown: str
    rows: int
    complete: bool
    columns: tuple[Column, ...]
    roles: dict[str, str]
    units: int
    events: tuple[tuple[str, int], ...]
    path: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column with this header name."""
        return next(column for column in self.columns if column.name == name)


def profile(engine: Engine, path: str, options: FileOptions | None = None) -> Profile:
    """Look at the first rows of a file; `options` say how it is read and name columns. Raises DataError for what is not
    a table."""
    options = options or EventSource(file=(GivenFile(path=path),))
    file = resolve(options, Path(), engine.scratch)[0]
    table = opening.open_file(engine, file, options, "UTC")
    names = [name for name in table.header if not name.startswith("\0")]
    select = ", ".join(f"nullif(trim({table.sql(name, 'text')}), '') AS v{i}" for i, name in enumerate(names))
    source = Source(table, options, None, {str(role): name for role, name in options.columns.items()})
    known = all(source.resolve(name) for where in (options.where, *options.exclude.values()) for name in where)
    condition = source.kept if known else "TRUE"
    engine.run(f"CREATE TABLE sample AS SELECT {select} FROM {table.scan('sample')} WHERE {condition} LIMIT {ROWS}")
    rows = int(engine.run("SELECT count(*) FROM sample")[0][0])
    columns = tuple(_with_written_kind(table, _column(engine, name, f"v{i}"), f"v{i}") for i, name in enumerate(names))
    given = {str(role): name for role, name in options.columns.items() if name in names}
    roles = {**_roles(columns, rows, given), **given}
    if "arm" in roles:
        arm = f"v{names.index(roles['arm'])}"
        columns = tuple(replace(c, has_arm=_tells_arm(engine, f"v{i}", arm)) for i, c in enumerate(columns))
    units = rows
    events: tuple[tuple[str, int], ...] = ()
    if "unit" in roles:
        unit = f"v{names.index(roles['unit'])}"
        units = int(engine.run(f"SELECT count(DISTINCT {unit}) FROM sample")[0][0])
        if "event" in roles:
            event = f"v{names.index(roles['event'])}"
            events = tuple(
                (str(name), int(n))
                for name, n in engine.run(
                    f"SELECT {event}, count(DISTINCT {unit}) AS n FROM sample WHERE {event} IS NOT NULL "
                    "GROUP BY 1 ORDER BY n DESC, 1 LIMIT 40"
                )
            )
    steps: tuple[str, ...] = ()
    if events and "time" in roles:
        steps = _path(engine, [f"v{names.index(roles[role])}" for role in ("unit", "event", "time")], events)
    return Profile(file.shown, rows, rows < ROWS, columns, roles, units, events, steps)


def _path(engine: Engine, columns: list[str], events: tuple[tuple[str, int], ...]) -> tuple[str, ...]:
    """The events of a path, if there is one: at least three, each had by no more units than the one before, nearly all
    of which had the one before first."""
    unit, event, time = columns
    first = f"SELECT {unit} AS u, {event} AS e, min(try_cast({time} AS TIMESTAMPTZ)) AS t FROM sample GROUP BY ALL"
    pairs = (
        "SELECT a.e, b.e, count(*) FROM first a JOIN first b ON b.u = a.u AND b.t >= a.t WHERE a.e <> b.e GROUP BY ALL"
    )
    both = {(str(a), str(b)): int(n) for a, b, n in engine.run(f"WITH first AS ({first}) {pairs}")}
    path: list[str] = []
    for name, units in events:
        if not path or both.get((path[-1], name), 0) >= _NEARLY_ALL * units:
            path.append(name)
    return tuple(path) if len(path) > 2 else ()


def _tells_arm(engine: Engine, sql: str, arm: str) -> bool:
    """Whether a column of few values (nearly) determines the arm of a row: such a column describes the change and is no
    segment."""
    pairs = f"SELECT {sql} AS v, {arm} AS a, count(*) AS n FROM sample WHERE {sql} IS NOT NULL GROUP BY ALL"
    by_value = f"SELECT max(n) AS most, sum(n) AS n FROM ({pairs}) GROUP BY v"
    explained, rows, values = engine.run(f"SELECT sum(most), sum(n), count(*) FROM ({by_value})")[0]
    guess = engine.run(f"SELECT max(n) FROM (SELECT sum(n) AS n FROM ({pairs}) GROUP BY a)")[0][0]
    return bool(rows) and 2 <= values <= 50 and explained - guess >= 0.8 * (rows - guess)


def _column(engine: Engine, name: str, sql: str) -> Column:
    distinct, empty, numbers, times, filled, low, high = engine.run(
        f"SELECT count(DISTINCT {sql}), count(*) - count({sql}), count(try_cast({sql} AS DOUBLE)), "
        f"count(try_cast({sql} AS TIMESTAMPTZ)), count({sql}), min({sql}), max({sql}) FROM sample"
    )[0]
    values = tuple(
        (str(value), int(n))
        for value, n in engine.run(
            f"SELECT {sql}, count(*) AS n FROM sample WHERE {sql} IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1 LIMIT 12"
        )
    )
    spellings = {value.strip().lower() for value, _ in values}
    kind = "text"
    if filled and distinct <= 2 and spellings <= {*TRUE, *FALSE}:
        kind = "flag"
    elif filled and numbers == filled:
        kind = "number"
    elif filled and times == filled:
        kind = "time"
    return Column(name, int(distinct), int(empty), kind, values, low or "", high or "")


def _with_written_kind(table: Table, column: Column, sql: str) -> Column:
    """The column, its kind set to time or number where its texts are such in another format."""
    named = sounds_like("time", column.name)
    texts = column.kind == "text" and column.values and all(re.search(r"\d", value) for value, _ in column.values)
    if (texts and not column.name.lower().endswith("id")) or (named and column.kind == "number"):
        written = time_formats.find(table.engine, sql, "FROM sample", "UTC").written
        if written is not None:
            at = written.sql(sql, "UTC")
            first, last = table.engine.run(
                f"SELECT min(make_timestamp({at}))::VARCHAR, max(make_timestamp({at}))::VARCHAR FROM sample"
            )[0]
            return replace(column, kind="time", low=str(first), high=str(last))
        commas = table.options.delimiter == ";"
        if texts and number_formats.find(table.engine, sql, "FROM sample", table.options, commas).form is not None:
            return replace(column, kind="number")
    return column


def _roles(columns: tuple[Column, ...], rows: int, given: Mapping[str, str]) -> dict[str, str]:
    """Which column is the unit, the time, the arm, the event, the value: by name, checked against the values. Columns
    that are `given` a role have no other."""
    fits = {
        "unit": lambda c: c.distinct > min(20, rows / 4),
        "arm": lambda c: 2 <= c.distinct <= 12 and c.kind != "time",
        "time": lambda c: c.kind == "time",
        "event": lambda c: c.distinct <= 500 and c.kind == "text",
        "value": lambda c: c.kind == "number" and c.distinct > 2,
    }
    roles: dict[str, str] = {}
    columns = tuple(column for column in columns if column.name not in given.values())
    for role in ROLES:
        named = [c for c in columns if sounds_like(role, c.name) and fits[role](c) and c.name not in roles.values()]
        others = [c for c in columns if role == "time" and c.kind == "time"]
        for column in [*sorted(named, key=lambda c: -len(c.name) if role == "unit" else 0), *others][:1]:
            roles[role] = column.name
    return roles
