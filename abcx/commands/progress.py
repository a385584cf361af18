"""Progress on stderr for work longer than about a second: phase, share and time left; nothing when stderr is not a
terminal."""

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
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(16), TaskProgressColumn())
    progress = Progress(*columns, TimeRemainingColumn(compact=True), console=Console(stderr=True), transient=True)
    over = threading.Event()

    def watch() -> None:
        if over.wait(after):
            return
        progress.start()
        phase, task = "", progress.add_task(escape(name), total=None)
        while not over.wait(EVERY):
            work = engine.work
            shown = escape(f"{name}: {described(work)}")
            if work.phase != phase:  # the time left is that of a phase
                phase = work.phase
                progress.remove_task(task)
                task = progress.add_task(shown, total=1.0 if work.size else None)
            progress.update(task, description=shown, completed=work.fraction)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        progress.stop()


def described(work: Work) -> str:
    """`reading events.csv, 280 of 648 MB`; the phase alone where no file is read."""
    if not work.size or work.fraction is None:
        return work.phase
    megabytes = work.size / 1e6
    return f"{work.phase}, {work.fraction * megabytes:,.0f} of {megabytes:,.0f} MB"
