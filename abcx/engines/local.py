"""DuckDB, embedded: the only file that imports it. Everything above speaks SQL text and plain Python values."""

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
    """What an engine is doing: a phase in words, how many bytes it reads (0: none), the fraction done where known."""

    phase: str = ""
    size: int = 0
    fraction: float | None = None


_SOON = 0.1
"""Seconds between two looks at whether a statement has ended, where nothing else tells."""
_DISK = ("no space left", "could not write", "disk quota", "file too large", "max_temp_directory_size")
"""What the engine says when a disk, a quota or a limit of file sizes is full."""


class Engine:
    """An in-memory database with a folder of its own to spill to. Use as a context manager.

    `memory` is a limit such as `2GB`, `threads` a number; `verbose` writes SQL and timings to stderr.
    """

    is_remote = False
    """Whether the rows stay in another engine (remote.py)."""

    def __init__(self, memory: str | None = None, threads: int | None = None, verbose: bool = False) -> None:
        import duckdb

        self._error = duckdb.Error
        self._ours = (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException)  # not the data's fault
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
            # Under a limit the tables lie in a file: compressed, and what memory does not hold is there already.
            place = str(self.scratch / "tables.duckdb") if memory else ":memory:"
            self._connection = self._thread.submit(duckdb.connect, place, config=config).result()
            self._connection.execute("SET enable_progress_bar = true")  # it is asked for, never printed
            self._connection.execute("SET enable_progress_bar_print = false")
            self._connection.execute("SET progress_bar_time = 1000")
        except duckdb.Error as error:
            self._spill.cleanup()
            raise UsageError(f"DuckDB cannot start: {_first_line(error)}", "check --memory and --threads") from None

    @property
    def scratch(self) -> Path:
        """A folder that lives as long as the engine."""
        return Path(self._spill.name)

    def set_phase(self, phase: str, size: int = 0) -> None:
        """Say what comes next, and how many bytes of a file that reads."""
        self._work = Work(phase, size)

    @property
    def work(self) -> Work:
        """What the engine is doing now; may be asked from another thread."""
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
        """All rows of a statement. A failure of the database becomes a DataError, worded by `on_error` if given."""
        start = time.perf_counter()
        try:
            rows: list[tuple[Any, ...]] = self._aside(lambda: self._connection.execute(sql).fetchall())
        except self._error as error:
            self._refuse_limits(_first_line(error))
            if on_error is not None and not isinstance(error, self._ours):
                found = on_error(str(error).strip())
                raise (found if isinstance(found, DataError) else DataError(found)) from None
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
            found: dict[str, Any] = self._aside(lambda: self._connection.execute(sql).fetchnumpy())
        except self._error as error:
            self._refuse_limits(_first_line(error))
            raise
        return found

    def _aside(self, statement: Callable[[], Any]) -> Any:
        """What a statement gives, which runs in a thread of its own.

        In the main thread the engine looks for signals itself, and then may wait for its workers for ever (DuckDB 2.0);
        here a signal raises where we wait, and ends the statement.
        """
        try:
            found = self._thread.submit(statement)
            while not wait((found,), _SOON).done:
                pass
        except BaseException:
            self._stop()
            raise
        return found.result()

    def _stop(self) -> None:
        """End the statement that is running, if one is. An interrupt before it has begun is lost: say it again."""
        idle = self._thread.submit(int)
        while not wait((idle,), _SOON).done:
            self.interrupt()

    def _refuse_limits(self, message: str) -> None:
        """Raise DataError where a statement failed for want of memory or of disk space."""
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
        """Let results be written to a folder after `restrict_to`."""
        self._folders.append(str(folder.absolute()))

    def restrict_to(self, paths: Iterable[Path]) -> None:
        """From here on nothing but these files, the scratch folder and those of `allow_output` can be read or written;
        there is no way back."""
        names = sorted({name for path in paths for name in (str(path), str(path.absolute()))})
        self.run(f"SET allowed_paths = [{', '.join(map(literal, names))}]")
        self.run(f"SET allowed_directories = [{', '.join(map(literal, (self._spill.name, *self._folders)))}]")
        self.run("SET enable_external_access = false")

    def interrupt(self) -> None:
        """End the statement that is running, from another thread."""
        self._connection.interrupt()

    def register(self, name: str, frame: object) -> None:
        """Make a frame (pandas, Polars, Arrow) readable as a table."""
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
