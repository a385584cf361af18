"""The base class of engines whose rows are not in this process."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from abcx.engines.local import Engine
from abcx.spec.model import FileOptions


class RemoteEngine(Engine):
    """An engine that reads tables and files in place; used like the default engine."""

    is_remote = True

    @property
    @abstractmethod
    def elsewhere(self) -> str:
        """The name of the engine in messages."""

    @abstractmethod
    def view(self, source: str, base: Path, options: FileOptions) -> tuple[str, list[tuple[str, str]]]:
        """Make a table or file readable: returns its name in SQL, and its columns with DuckDB's types."""
