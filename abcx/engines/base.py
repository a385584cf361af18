"""Engines whose rows are not in this process, and their tables and files as tables that SQL can scan."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from abcx.engines.local import Engine
from abcx.spec.model import FileOptions


class RemoteEngine(Engine):
    """An engine that reads tables and files where they are; used as the default engine is."""

    is_remote = True

    @property
    @abstractmethod
    def elsewhere(self) -> str:
        """What the engine is called in messages."""

    @abstractmethod
    def view(self, source: str, base: Path, options: FileOptions) -> tuple[str, list[tuple[str, str]]]:
        """A table or a file there: the name to read it by, and its columns with DuckDB's names of their types."""
