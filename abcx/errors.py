"""Errors that end a command, each with its exit code. Anything else that escapes is a bug (exit code 3)."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from abcx.problems import Problem, render_all

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""What the system says when nothing can be written."""
DONE, BLOCKED, COULD_NOT_RUN, BUG, INTERRUPTED = 0, 1, 2, 3, 130


class AbcxError(Exception):
    """abcx could not run, and says why: one or more problems."""

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(render_all(self.problems))


class SpecError(AbcxError):
    """The spec cannot be read or breaks the contract."""


class DataError(AbcxError):
    """The data cannot be read, or do not hold what the spec asks for."""


class EmptyFile(DataError):
    """A file without a byte, or with nothing but spaces: of several files of a source one may be so."""


class UnreadableFile(DataError):
    """The engine cannot make a table of a file, for a reason that it does not know better."""


class BrokenLines(DataError):
    """The engine loses the lines of a file: its quotes are broken, or its lines end in different ways."""


class UnreadCell(DataError):
    """A cell of a counts file is not what its column holds: the row may be left out by `max_bad_rows`."""


class CapAtZero(DataError):
    """A cap at a quantile falls at zero or below."""


class UsageError(AbcxError):
    """An option of the command line or an argument of the API cannot be used."""

    def __init__(self, message: str, help: str | None = None, code: str = "usage") -> None:
        super().__init__(Problem("error", code, message, help=help))
