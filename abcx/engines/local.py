"""DuckDB in this process. This is the only file that imports it; its callers use SQL text and plain Python values."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from abcx.engines.quoting import literal
from abcx.engines.scratch import Scratch
from abcx.errors import DataError, UsageError
from abcx.problems import Problem


@dataclass(frozen=True, slots=True)
class Work:
    """What an engine is doing: a phase in words, the bytes that it reads (0: none), the fraction done (None:
    unknown)."""

    phase: str = ""
    size: int = 0
    fraction: float | None = None


_SOON = 0.1
"""Seconds between two checks whether a statement has ended."""
_DISK = ("no space left", "could not write", "disk quota", "file too large", "max_temp_directory_size")
"""Parts of the engine's messages for a full disk, quota or limit of file sizes."""


class Engine:
    """An in-memory database with its own folder for temporary files. Use as a context manager.

    `memory` is a limit such as `2GB`, `threads` a number; `verbose` writes SQL and timings to stderr. Raises UsageError
    where DuckDB cannot start.
    """

    is_remote = False
    """Whether the rows are in a remote engine (remote.py)."""

    def __init__(self, memory: str | None = None, threads: int | None = None, verbose: bool = False) -> None:
        import duckdb

        self._error = duckdb.Error
        # Errors of abcx's own SQL, not of the data.
        self._ours = (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException)
        self._verbose, self._memory = verbose, memory
        self._work = Work()
        self._folders: list[str] = []
        self._thread = ThreadPoolExecutor(1, "statements")
        self._spill = Scratch()
        config: dict[str, Any] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
            "temp_directory": self._spill.name,
        }
        if memory:
            if not re.fullmatch(r"\d+(\.\d+)?\s*([KMGT]i?B)", memory, re.IGNORECASE):
                raise UsageError(f"--memory {memory} is not a size", "write 500MB or 2GB")
            config["memory_limit"] = memory
        if threads:
            config["threads"] = threads
        try:
            # With a memory limit the tables are in a file, which is compressed and need not be spilled.
            place = str(self.scratch / "tables.duckdb") if memory else ":memory:"
            self._connection = self._thread.submit(duckdb.connect, place, config=config).result()
            self._measure_progress()
        except duckdb.Error as error:
            self._spill.cleanup()
            raise UsageError(f"DuckDB cannot start: {_first_line(error)}", "check --memory and --threads") from None

    def _measure_progress(self) -> None:
        """Have the engine know how far a statement is; nothing is printed. In a notebook DuckDB asks for ipywidgets:
        where they are not installed there is no progress."""
        try:
            self._connection.execute("SET enable_progress_bar = true")
        except self._error:
            return
        self._connection.execute("SET enable_progress_bar_print = false")
        self._connection.execute("SET progress_bar_time = 1000")

    @property
    def scratch(self) -> Path:
        """A folder that is removed with the engine."""
        return Path(self._spill.name)

    def set_phase(self, phase: str, size: int = 0) -> None:
        """Set the next phase in words, and the bytes of the file that it reads."""
        self._work = Work(phase, size)

    @property
    def work(self) -> Work:
        """What the engine is doing now; safe to call from another thread."""
        done = self._connection.query_progress() if self._work.size else -1.0
        return replace(self._work, fraction=done / 100 if done >= 0 else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        self._thread.shutdown()
        self._connection.close()
        self._spill.cleanup()

    def run(self, sql: str, on_error: Callable[[str], Problem | DataError] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a statement. An error of the data becomes the DataError or problem that `on_error` makes of its
        message, if given; a full disk or memory becomes a DataError; others are raised as they are."""
        start = time.perf_counter()
        try:
            rows: list[tuple[Any, ...]] = self._in_worker(lambda: self._connection.execute(sql).fetchall())
        except self._error as error:
            self._refuse_limits(_first_line(error))
            if on_error is not None and not isinstance(error, self._ours):
                failure = on_error(str(error).strip())
                raise (failure if isinstance(failure, DataError) else DataError(failure)) from None
            raise
        if self._verbose:
            print(f"-- {time.perf_counter() - start:.3f} s\n{sql.strip()}", file=sys.stderr)
        return rows

    def record(self, sql: str) -> dict[str, Any]:
        """The only row of a statement, by column name."""
        return self.records(sql)[0]

    def records(self, sql: str) -> list[dict[str, Any]]:
        """All rows of a statement, by column name."""
        rows = self.run(sql)
        names = [column[0] for column in self._connection.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def arrays(self, sql: str) -> dict[str, Any]:
        """All rows of a statement as one numpy array per column."""
        try:
            columns: dict[str, Any] = self._in_worker(lambda: self._connection.execute(sql).fetchnumpy())
        except self._error as error:
            self._refuse_limits(_first_line(error))
            raise
        return columns

    def _in_worker(self, statement: Callable[[], Any]) -> Any:
        """Run a statement in a thread of its own and return its result.

        In the main thread the engine handles signals itself, and may then wait for its workers forever (DuckDB 2.0);
        here a signal raises in the waiting thread and ends the statement.
        """
        try:
            future = self._thread.submit(statement)
            while not wait((future,), _SOON).done:
                pass
        except BaseException:
            self._stop()
            raise
        return future.result()

    def _stop(self) -> None:
        """End the running statement, if there is one. An interrupt before it has begun is lost, so it is repeated."""
        idle = self._thread.submit(int)
        while not wait((idle,), _SOON).done:
            self.interrupt()

    def _refuse_limits(self, message: str) -> None:
        """Raise DataError where a statement failed for lack of memory or disk space."""
        low, during = message.lower(), f" while {self._work.phase}" if self._work.phase else ""
        if any(sign in low for sign in _DISK):
            help = f"free disk space, or name another folder for temporary files: TMPDIR=... ({self._spill.name})"
            raise DataError(Problem("error", "disk", f"the disk is full{during}: {message}", help=help))
        if "out of memory" in low:
            limit = f" (the limit is {self._memory})" if self._memory else ""
            help = "raise --memory (2GB reads most files), or lower --threads: each needs its own share"
            raise DataError(
                Problem("error", "out-of-memory", f"not enough memory{limit}{during}: {message}", help=help)
            )

    def allow_output(self, folder: Path) -> None:
        """Allow writing to a folder after `restrict_to`, which must be called later."""
        self._folders.append(str(folder.absolute()))

    def restrict_to(self, paths: Iterable[Path]) -> None:
        """Permanently restrict reading and writing to these files, the scratch folder and the folders of
        `allow_output`."""
        names = sorted({name for path in paths for name in (str(path), str(path.absolute()))})
        self.run(f"SET allowed_paths = [{', '.join(map(literal, names))}]")
        self.run(f"SET allowed_directories = [{', '.join(map(literal, (self._spill.name, *self._folders)))}]")
        self.run("SET enable_external_access = false")

    def interrupt(self) -> None:
        """End the statement that is running, from another thread."""
        self._connection.interrupt()

    def register(self, name: str, frame: object) -> None:
        """Make a frame (pandas, Polars, Arrow) readable as the table `name`. Raises DataError for other objects."""
        try:
            self._connection.register(name, frame)
        except (self._error, TypeError, ImportError) as error:
            kind = type(frame).__name__
            raise DataError(
                Problem(
                    "error",
                    "not-a-frame",
                    f"cannot read a {kind}: {_first_line(error)}",
                    help="pass a pandas, Polars or Arrow table",
                )
            ) from None


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0]
