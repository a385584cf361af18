"""A folder of a run for its temporary files, and the folders of runs that were killed and could not remove theirs."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows removes no folder of another run
    fcntl = None  # type: ignore[assignment,unused-ignore]

_PREFIX = "abcx-"
_LOCK = "running"
"""The file that a run holds locked until it ends. A process number would not do: two containers that share the folder
have the same numbers."""
_NEW = 60.0
"""In seconds: a file that is younger may not be locked yet by the run that made it."""


class Scratch:
    """A temporary folder with the lock of this run."""

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self._folder = tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)
        self._lock = os.open(Path(self.name) / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        if fcntl is not None:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    @property
    def name(self) -> str:
        """The path of the folder."""
        return self._folder.name

    def cleanup(self) -> None:
        """Remove the folder with all that is in it; once more it does nothing."""
        self._folder.cleanup()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _sweep(place: Path) -> None:
    """Remove the folders of this user's runs that are gone: nobody holds their lock."""
    if fcntl is None:
        return
    for lock in place.glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            held = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:  # of another user, or gone by now
            continue
        try:
            found = os.fstat(held)
            if found.st_uid == os.getuid() and time.time() - found.st_mtime > _NEW:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:  # its run lives
            pass
        finally:
            os.close(held)
