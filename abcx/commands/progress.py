"""A sign of life on stderr for work longer than about a second; nothing when stderr is not a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from abcx.commands import outputs

if TYPE_CHECKING:
    from abcx.engines.local import Engine, Work

EVERY = 0.2
"""Seconds between two looks at the engine."""


@contextmanager
def waiting(engine: Engine, name: str, quiet: bool = False, after: float = 1.0) -> Iterator[None]:
    """Show what the engine is doing for an experiment once `after` seconds have passed; it leaves no trace."""
    if quiet or not outputs.on_screen(sys.stderr):
        yield
        return
    from rich.console import Console
    from rich.markup import escape

    status, over = Console(stderr=True).status(escape(name)), threading.Event()

    def watch() -> None:
        if not over.wait(after):
            status.start()
            while not over.wait(EVERY):
                status.update(escape(f"{name}: {told(engine.work)}"))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        status.stop()


def told(work: Work) -> str:
    """`reading events.csv, 280 of 648 MB (43%)`; the phase alone where no file is read."""
    if not work.size or work.fraction is None:
        return work.phase
    megabytes = work.size / 1e6
    return f"{work.phase}, {work.fraction * megabytes:,.0f} of {megabytes:,.0f} MB ({work.fraction:.0%})"
