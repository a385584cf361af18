"""A sign of life on stderr for work longer than about a second; nothing when stderr is not a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def waiting(what: str, quiet: bool = False, after: float = 1.0) -> Iterator[None]:
    """Show a spinner with `what` once `after` seconds have passed; it leaves no trace."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    status = Console(stderr=True).status(what)
    timer = threading.Timer(after, status.start)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        status.stop()
