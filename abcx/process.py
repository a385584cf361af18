"""A command as a process: the one place that turns errors and signals into exit codes and messages."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from abcx import errors

_ENDS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that ask the process to end, or say that the terminal is closed; Windows has no SIGHUP."""


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and give its exit code: 0 done, 1 something blocks, 2 could not run, 3 a bug, 130
    interrupted."""
    _keep_places()
    _make_printable()
    for number in _ENDS:
        if signal.getsignal(number) is signal.SIG_DFL:  # `nohup` has it ignored
            signal.signal(number, _terminated)
    try:
        code = _run(arguments)
    except KeyboardInterrupt:
        code = errors.INTERRUPTED
    except errors.AbcxError as error:
        code = _fatal(str(error), errors.COULD_NOT_RUN)
    except MemoryError:
        code = _no_memory()
    except OSError as error:
        code = _system(error)
    except ImportError as error:  # a library that did not fit into what `ulimit -v` leaves
        full = any(phrase in str(error) for phrase in ("map segment", "allocate"))
        code = _no_memory() if full else _fatal(_bug(error), errors.BUG)
    except Exception as error:
        asked = _asked_to_end(error)
        code = _fatal(_bug(error), errors.BUG) if asked is None else asked
    return _flushed(code)


def _terminated(number: int, frame: FrameType | None) -> NoReturn:
    """Leaves as an exception, so that half-written files and the temporary folder are removed on the way out."""
    raise SystemExit(128 + number)


def _asked_to_end(error: BaseException | None) -> int | None:
    """The exit code of an error that a signal caused, else None. A signal while a lock is being acquired surfaces as
    the lock's error, with the signal as its context."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return errors.INTERRUPTED
        if isinstance(error, SystemExit) and isinstance(error.code, int):
            return error.code
        error = error.__context__
    return None


def _run(arguments: list[str] | None) -> int:
    from abcx.cli import app

    try:
        app(args=arguments, prog_name="abcx")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else errors.DONE if stop.code is None else errors.COULD_NOT_RUN
    return errors.DONE


def _system(error: OSError) -> int:
    if isinstance(error, BrokenPipeError):
        return errors.DONE
    if error.errno in errors.FULL:
        where = f" {error.filename}" if error.filename else ""
        help = "free disk space, or name another folder for temporary files: TMPDIR=..."
        return _fatal(f"error[disk]: cannot write{where}: {error.strerror}\n  = help: {help}", errors.COULD_NOT_RUN)
    return _fatal(_bug(error), errors.BUG)


def _no_memory() -> int:
    help = "set a limit with --memory 2GB, or use a larger machine"
    return _fatal(f"error[memory]: not enough memory\n  = help: {help}", errors.COULD_NOT_RUN)


def _bug(error: Exception) -> str:
    import platform
    import traceback

    from abcx.version import __version__

    lines = "".join(traceback.format_exception(error)).splitlines()
    shown = "\n".join("  " + line for line in lines[-14:])
    system = f"abcx {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    head = "error[bug]: this is a bug in abcx, not in your files. Please report it with the lines below."
    return f"{head}\n  {system}\n{shown}"


def _fatal(message: str, code: int) -> int:
    with contextlib.suppress(OSError):
        print(message, file=sys.stderr)
    return code


def _flushed(code: int) -> int:
    """Write out what is still buffered; a closed reader is no error."""
    from abcx.commands.outputs import silence

    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError) as error:
            silence(stream)
            if not isinstance(error, BrokenPipeError) and code == errors.DONE:
                code = errors.COULD_NOT_RUN
    return code


def _keep_places() -> None:
    """Open the file descriptors 0 to 2 where they are closed (`>&-`): else the next file that is opened would get one,
    and what a library prints would be written into it."""
    for place in range(3):
        try:
            os.fstat(place)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest place that is free


def _make_printable() -> None:
    """A terminal that cannot show a character shows a replacement; it never ends the run."""
    for stream, instead in ((sys.stdout, "replace"), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=instead)
