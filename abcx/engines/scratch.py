"""The folder for a run's temporary files; removes the folders of runs that were killed."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # on Windows folders of other runs are not removed
    fcntl = None  # type: ignore[assignment,unused-ignore]

_PREFIX = "abcx-"
_LOCK = "running"
"""The file that a run keeps locked until it ends. A process id would not do: containers that share the folder may have
equal ids."""
_NEW = 60.0
"""Seconds: a younger file may not be locked yet by the run that created it."""


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
        """Remove the folder with its contents; repeated calls do nothing."""
        self._folder.cleanup()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _sweep(place: Path) -> None:
    """Remove the folders of this user's ended runs, which nobody keeps locked."""
    if fcntl is None:
        return
    for lock in place.glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:  # another user's, or removed meanwhile
            continue
        try:
            status = os.fstat(descriptor)
            if status.st_uid == os.getuid() and time.time() - status.st_mtime > _NEW:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:  # its run is alive
            pass
        finally:
            os.close(descriptor)
