"""A remote engine: rows and units stay there, and what travels is summed up.

The SQL is that of the default engine, translated by dialects.py. All tables are made where the data are. Of up to
`MOST_FETCHED` units the tables with a row per unit are then fetched into the DuckDB of this process, which sums them up
in less time than the other engine needs to plan its statements. Of more units only counts and sums by arm, day and
segment are fetched, values with their counts where a method needs a distribution, the largest units, and lifetimes.
Nothing that is fetched holds a text of the data except segments and answers: units are numbered remotely.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from abcx.engines import dialects
from abcx.engines.base import RemoteEngine
from abcx.errors import DataError
from abcx.problems import Problem
from abcx.spec.model import FileOptions

UNIT_TABLES = frozenset({"unit_table", "known", "by_day", "quantile_values", "before_table"})
"""Tables with a row per unit (and day), or with the values of a quantile."""
MOST_FETCHED = 200_000
"""Maximum number of units whose rows are fetched."""


class Backend(Protocol):
    """The interface of a remote database. Queries are in its `dialect`, and name tables by `dialects.PREFIX` and their
    name; its exceptions are of the types `errors`."""

    name: str
    dialect: str
    errors: tuple[type[Exception], ...]

    def told(self, error: Exception) -> str:
        """The message of one of its exceptions, in one line."""

    def view(self, name: str, source: str, base: Path, options: FileOptions) -> list[tuple[str, str]]:
        """Make a table or file readable as `name` with columns c0, c1, ...; returns its column names with DuckDB's
        types."""

    def create(self, name: str, query: str) -> None:
        """Create or replace a table from a query; tables of rows get row numbers in `rowid` if they have none."""

    def append(self, name: str, query: str) -> None:
        """Append the rows of a query to a table, with further row numbers."""

    def delete(self, name: str, condition: str) -> None:
        """Delete the rows of a table that satisfy a condition."""

    def drop(self, name: str) -> None:
        """Drop a table."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query with a small result."""

    def fetch_many(self, query: str, scratch: Path) -> tuple[str, object | None]:
        """The rows of a query with a large result: a FROM item for DuckDB, and the object to register as `fetched` for
        it (None: none)."""

    def set_time_zone(self, zone: str) -> None:
        """Set the zone of times without an offset."""

    def interrupt(self) -> None:
        """End the running query."""

    def close(self) -> None:
        """Drop all tables and close the session."""


class Remote(RemoteEngine):
    """An engine whose rows are in a `Backend`. `rows_fetched` and `cells_fetched` count what came from there."""

    def __init__(self, backend: Backend, memory: str | None, threads: int | None, verbose: bool) -> None:
        super().__init__(memory, threads, verbose)
        self._backend = backend
        self._there: set[str] = set()
        self._views = 0
        self._fetches: bool | None = None
        self.rows_fetched = self.cells_fetched = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._backend.close()
        super().__exit__(kind, error, trace)

    def view(self, source: str, base: Path, options: FileOptions) -> tuple[str, list[tuple[str, str]]]:
        name = f"source_{self._views}"
        self._views += 1
        described = self._ask(lambda: self._backend.view(name, source, base, options), source)
        self._there.add(name)
        return name, described

    @property
    def elsewhere(self) -> str:
        return self._backend.name

    def run(self, sql: str, on_error: Callable[[str], Problem | DataError] | None = None) -> list[tuple[Any, ...]]:
        if sql.startswith("SET TimeZone = "):
            self._backend.set_time_zone(sql.partition("= ")[2].strip("'").replace("''", "'"))
        if sql.startswith(("SET ", "DESCRIBE ")):
            return super().run(sql, on_error)
        tree = dialects.parsed(sql)
        made = dialects.made(tree)
        if not dialects.tables(tree) & self._there:
            return super().run(sql, on_error)
        query = dialects.query(tree, self._backend.dialect)
        self._print_query(query)
        if made is None:
            rows: list[tuple[Any, ...]] = self._ask(lambda: self._backend.rows(query))
            self._count(len(rows), len(rows[0]) if rows else 0)
            return rows
        kind, name = made
        if kind == "create" and name in UNIT_TABLES and self._few_units():
            self._fetch(name, query)
        elif kind == "create":
            self._ask(lambda: self._backend.create(name, query))
            self._there.add(name)
        elif kind == "insert":
            self._ask(lambda: self._backend.append(name, query))
        elif kind == "delete":
            self._ask(lambda: self._backend.delete(name, query))
        else:
            self._ask(lambda: self._backend.drop(name))
            self._there.discard(name)
        return []

    def records(self, sql: str) -> list[dict[str, Any]]:
        tree = dialects.parsed(sql)
        if not dialects.tables(tree) & self._there:
            return super().records(sql)
        names = dialects.columns(tree)
        return [dict(zip(names, row, strict=True)) for row in self.run(sql)]

    def arrays(self, sql: str) -> dict[str, Any]:
        tree = dialects.parsed(sql)
        if not dialects.tables(tree) & self._there:
            return super().arrays(sql)
        query = dialects.query(tree, self._backend.dialect)
        self._print_query(query)
        self._fetch("arrays", query)
        return super().arrays("SELECT * FROM arrays")

    def _print_query(self, query: str) -> None:
        """Write a query to stderr, if verbose."""
        if self._verbose:
            print(f"-- {self._backend.name}\n{query}", file=sys.stderr)

    def interrupt(self) -> None:
        self._backend.interrupt()
        super().interrupt()

    def _few_units(self) -> bool:
        """Whether the rows of units are fetched; the same for all tables, which are joined to each other."""
        if self._fetches is None:
            self._fetches = int(self.run("SELECT count(*) FROM assigned")[0][0]) <= MOST_FETCHED
        return self._fetches

    def _fetch(self, name: str, query: str) -> None:
        relation, holder = self._ask(lambda: self._backend.fetch_many(query, self.scratch))
        if holder is not None:
            self.register("fetched", holder)
        super().run(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM {relation}")
        self._count(int(super().run(f"SELECT count(*) FROM {name}")[0][0]), len(super().run(f"DESCRIBE {name}")))

    def _count(self, rows: int, columns: int) -> None:
        self.rows_fetched += rows
        self.cells_fetched += rows * columns

    def _ask(self, call: Callable[[], Any], source: str = "") -> Any:
        try:
            return call()
        except self._backend.errors as error:
            message = self._backend.told(error)[:300]
            about = f"{self._backend.name} cannot read {source}" if source else f"{self._backend.name} stopped"
            cure = "does the table exist, may you read it, and have its columns the types that the spec needs?"
            raise DataError(Problem("error", "engine-failed", f"{about}: {message}", help=cure)) from None
