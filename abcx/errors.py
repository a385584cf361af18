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


class UsageError(AbcxError):
    """An option of the command line or an argument of the API cannot be used."""

    def __init__(self, message: str, help: str | None = None, code: str = "usage") -> None:
        super().__init__(Problem("error", code, message, help=help))
