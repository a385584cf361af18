"""Opens tables of a remote engine."""

from __future__ import annotations

from pathlib import Path

from abcx.engines.addresses import is_path
from abcx.engines.base import RemoteEngine
from abcx.engines.local import Engine
from abcx.errors import DataError
from abcx.files.column_names import unambiguous
from abcx.files.paths import refuse_outside
from abcx.files.table import Table
from abcx.problems import Problem, Span
from abcx.spec.model import EventSource, FileOptions, GivenFile, UnitSource

_TEXT_ONLY = ("decimal", "thousands", "encoding", "skip", "header_rows", "time_format", "date_order", "max_bad_rows")


def open_tables(engine: Engine, options: FileOptions, timezone: str, base: Path) -> list[tuple[Table, str | None]]:
    """The tables or files of a source in a remote engine, each with the arm of all its rows (None: not declared).
    Raises DataError for options of local text files: remote columns have types, and remote rows no order."""
    assert isinstance(engine, RemoteEngine)
    tables = []
    for ref in options.file:
        refused = [name for name in _TEXT_ONLY if getattr(options, name)]
        if (
            isinstance(options, UnitSource)
            and options.duplicates in ("first", "last")
            and "time" not in options.columns
        ):
            refused.append(f"duplicates: {options.duplicates} without a time column")
        if isinstance(options, EventSource) and options.duplicates:
            refused.append("duplicates: drop")
        if refused:
            message = f"{engine.elsewhere} does not take {', '.join(refused)} ({ref.path})"
            cure = "leave it out and give the columns their types there, or read the file with `engine: duckdb`"
            raise DataError(Problem("error", "engine-option", message, Span(ref.path), cure))
        if is_path(ref.path) and not isinstance(ref, GivenFile):
            refuse_outside(ref.path, base)
        name, columns = engine.view(ref.path, base, options)
        header = unambiguous(tuple(column for column, _ in columns))
        types = tuple(type for _, type in columns)
        tables.append(
            (Table(engine, ref.path, header, options, options.timezone or timezone, None, types, name), ref.arm)
        )
    return tables
