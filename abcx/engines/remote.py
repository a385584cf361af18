"""An engine elsewhere: rows stay there, one row per unit comes here.

The SQL is that of the default engine (dialects.py translates it). Statements about exposures, events, units and their
assignment run where the data are; tables with a row per unit are brought into the DuckDB of this process, which does
the rest as ever. What travels holds no text that the data hold, but segments and answers: units are numbered there.
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

LOCAL_TABLES = frozenset({"unit_table", "known", "by_day", "quantile_values", "before_table"})
"""Tables that are made there and summarized here: a row per unit (and day), or the values of a quantile."""


class Backend(Protocol):
    """What a database elsewhere has to do. Queries are in its `dialect`; what they raise of its own kind is one of
    `errors`. `query` names tables by `dialects.PREFIX` and their name."""

    name: str
    dialect: str
    errors: tuple[type[Exception], ...]

    def told(self, error: Exception) -> str:
        """An error of its own kind in one line."""

    def view(self, name: str, source: str, base: Path, options: FileOptions) -> list[tuple[str, str]]:
        """Make a table or file readable as `name` with columns c0, c1, ...; its columns with DuckDB's types."""

    def create(self, name: str, query: str) -> None:
        """A table from a query, in place of one of that name; its rows are numbered in `rowid` where it has none."""

    def append(self, name: str, query: str) -> None:
        """More rows for a table, numbered on."""

    def delete(self, name: str, condition: str) -> None:
        """Take rows out of a table."""

    def drop(self, name: str) -> None:
        """Drop a table."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """A few rows."""

    def fetch_many(self, query: str, scratch: Path) -> tuple[str, object | None]:
        """Many rows: a relation that DuckDB can read, and the object that is to be registered as `fetched` for that."""

    def set_time_zone(self, zone: str) -> None:
        """The zone of times without an offset."""

    def interrupt(self) -> None:
        """End what is running."""

    def close(self) -> None:
        """Leave nothing behind."""


class Remote(RemoteEngine):
    """An engine whose rows are with a `Backend`."""

    def __init__(self, backend: Backend, memory: str | None, threads: int | None, verbose: bool) -> None:
        super().__init__(memory, threads, verbose)
        self._backend = backend
        self._there: set[str] = set()
        self._views = 0

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
        self._tell(query)
        if made is None:
            found: list[tuple[Any, ...]] = self._ask(lambda: self._backend.rows(query))
            return found
        kind, name = made
        if kind == "create" and name in LOCAL_TABLES:
            self._bring(name, query)
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

    def arrays(self, sql: str) -> dict[str, Any]:
        tree = dialects.parsed(sql)
        if not dialects.tables(tree) & self._there:
            return super().arrays(sql)
        query = dialects.query(tree, self._backend.dialect)
        self._tell(query)
        self._bring("arrays", query)
        return super().arrays("SELECT * FROM arrays")

    def _tell(self, query: str) -> None:
        """For `-v`: what is asked."""
        if self._verbose:
            print(f"-- {self._backend.name}\n{query}", file=sys.stderr)

    def interrupt(self) -> None:
        self._backend.interrupt()
        super().interrupt()

    def _bring(self, name: str, query: str) -> None:
        relation, holder = self._ask(lambda: self._backend.fetch_many(query, self.scratch))
        if holder is not None:
            self.register("fetched", holder)
        super().run(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM {relation}")

    def _ask(self, what: Callable[[], Any], source: str = "") -> Any:
        try:
            return what()
        except self._backend.errors as error:
            message = self._backend.told(error)[:300]
            about = f"{self._backend.name} cannot read {source}" if source else f"{self._backend.name} stopped"
            cure = "does the table exist, may you read it, and have its columns the types that the spec needs?"
            raise DataError(Problem("error", "engine-failed", f"{about}: {message}", help=cure)) from None
