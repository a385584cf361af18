"""PostgreSQL, by psycopg: rows stay there, in temporary tables of the session."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from abcx.engines.addresses import is_path
from abcx.engines.dialects import PREFIX
from abcx.engines.quoting import identifier, literal
from abcx.engines.remote import Backend
from abcx.errors import DataError, UsageError
from abcx.problems import Problem
from abcx.spec.model import FileOptions

_TYPES = {
    "bool": "BOOLEAN",
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "text": "VARCHAR",
    "varchar": "VARCHAR",
}
"""DuckDB's names of PostgreSQL's types; numeric is read as DOUBLE, other types as text."""
_ROWS = ("exposures", "events", "units")


class Postgres(Backend):
    """A session of a PostgreSQL server, 12 or newer. `address` is a libpq URL: postgresql://user@host/database."""

    dialect = "postgres"

    def __init__(self, address: str) -> None:
        try:
            import psycopg
        except ImportError:
            raise UsageError("psycopg is not installed", "pip install 'abcx[postgres]'") from None
        self.errors = (psycopg.Error,)
        self.name = f"PostgreSQL at {urlsplit(address).hostname or 'this machine'}"
        try:
            self._connection = psycopg.connect(address, autocommit=True, connect_timeout=10, application_name="abcx")
        except psycopg.Error as error:
            message = f"{self.name} cannot be reached: {str(error).strip().partition(chr(10))[0]}"
            cure = "check host, database and user; a password comes from PGPASSWORD or ~/.pgpass"
            raise DataError(Problem("error", "engine-unreachable", message, help=cure)) from None

    def told(self, error: Exception) -> str:
        return str(error).strip().partition("\n")[0]

    def view(self, name: str, source: str, base: Path, options: FileOptions) -> list[tuple[str, str]]:
        if is_path(source):
            cure = "name the table: events: shop.events; files are read by `engine: duckdb` or spark"
            raise DataError(
                Problem("error", "engine-option", f"PostgreSQL reads tables, and {source} is a file", help=cure)
            )
        table = ".".join(identifier(part) for part in source.split("."))
        described = self._described(f"SELECT * FROM {table}")
        columns = [f"{_read(column, type)} AS c{i}" for i, (column, type) in enumerate(described)]
        self._connection.execute(f"CREATE TEMP VIEW {PREFIX}{name} AS SELECT {', '.join(columns)} FROM {table}")
        return [(column, _duckdb(type)) for column, type in described]

    def create(self, name: str, query: str) -> None:
        number = "row_number() OVER () - 1 AS rowid, " if name in _ROWS and not self._has_rowid(query) else ""
        self._connection.execute(f"CREATE TEMP TABLE {PREFIX}new AS SELECT {number}q.* FROM ({query}) q")
        self._connection.execute(f"DROP TABLE IF EXISTS {PREFIX}{name}")
        self._connection.execute(f"ALTER TABLE {PREFIX}new RENAME TO {PREFIX}{name}")
        self._connection.execute(f"ANALYZE {PREFIX}{name}")

    def append(self, name: str, query: str) -> None:
        first_row = f"SELECT coalesce(max(rowid) + 1, 0) FROM {PREFIX}{name}"
        self._connection.execute(
            f"INSERT INTO {PREFIX}{name} SELECT row_number() OVER () - 1 + ({first_row}), q.* FROM ({query}) q"
        )

    def delete(self, name: str, condition: str) -> None:
        self._connection.execute(f"DELETE FROM {PREFIX}{name} WHERE {condition}")

    def drop(self, name: str) -> None:
        self._connection.execute(f"DROP TABLE {PREFIX}{name}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(map(_as_python, row)) for row in self._connection.execute(query).fetchall()]

    def fetch_many(self, query: str, scratch: Path) -> tuple[str, object | None]:
        types = ", ".join(f"{literal(name)}: '{_duckdb(type)}'" for name, type in self._described(query))
        path = scratch / "fetched.csv"
        with (
            path.open("wb") as file,
            self._connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copied,
        ):
            for block in copied:
                file.write(block)
        dialect = "header=false, auto_detect=false, delim=',', quote='\"', escape='\"', allow_quoted_nulls=false"
        return f"read_csv({literal(str(path))}, {dialect}, columns={{{types}}})", None

    def set_time_zone(self, zone: str) -> None:
        self._connection.execute(f"SET TIME ZONE {literal(zone)}")

    def interrupt(self) -> None:
        self._connection.cancel_safe()

    def close(self) -> None:
        self._connection.close()

    def _described(self, query: str) -> list[tuple[str, str]]:
        """The columns of a query with PostgreSQL's names of their types."""
        described = self._connection.execute(f"SELECT * FROM ({query}) q LIMIT 0").description or ()
        type_names = {type.oid: type.name for type in self._connection.adapters.types}
        return [(column.name, type_names.get(column.type_code, "")) for column in described]

    def _has_rowid(self, query: str) -> bool:
        return any(column == "rowid" for column, _ in self._described(query))


def _duckdb(type: str) -> str:
    return "DOUBLE" if type == "numeric" else _TYPES.get(type, "VARCHAR")


def _read(column: str, type: str) -> str:
    """The SQL of a column in a type that DuckDB has."""
    name = identifier(column)
    if type == "numeric":
        return f"CAST({name} AS DOUBLE PRECISION)"
    return name if type in _TYPES else f"CAST({name} AS TEXT)"


def _as_python(value: Any) -> Any:
    """A value with Decimal converted to int or float: PostgreSQL returns sums of integers as decimals."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
