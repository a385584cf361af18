"""`abcx init`: a first spec from what a data file shows, with the open questions as comments."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from abcx.commands import outputs
from abcx.drafting.spec_text import (
    is_counts,
    preset_lines,
    slug,
    spec_lines,
)
from abcx.errors import DataError, UsageError
from abcx.formatting import clean
from abcx.problems import Problem, Span

if TYPE_CHECKING:
    from abcx.drafting.profile import Profile


def run(data: str, *, output: str | None, name: str | None) -> int:
    """Look at `data` and write a spec that passes `validate` at once."""
    from abcx.drafting.profile import profile
    from abcx.drafting.recognize import recognize
    from abcx.engines.local import Engine

    if output is not None and Path(output).exists():
        raise UsageError(f"{output} exists already", "name another file with -o, or remove it first", "file-exists")
    with Engine() as engine:
        known = recognize(engine, data)
        found = profile(engine, data, known.options if known else None)
    if known is None:
        _refuse_unfit(found, data)
    base = Path(output).parent if output else Path()
    path = data if data == "-" or os.path.isabs(data) else os.path.relpath(data, base)
    name = slug(name) if name else _name(data)
    lines = spec_lines(found, path, name) if known is None else preset_lines(found, path, name, known)
    text = "\n".join(lines) + "\n"
    outputs.write(text, output)
    if output is not None:
        print(f"wrote {clean(output)}: {text.count('# ?')} lines marked # ? are for you to answer", file=sys.stderr)
    return 0


def _refuse_unfit(found: Profile, data: str) -> None:
    """A file without arms or without units is no start."""
    if "arm" not in found.roles and not is_counts(found):
        header = ", ".join(column.name for column in found.columns[:20])
        cure = "one column must say which arm a row belongs to (named arm, variant or group)"
        files = "with one file per arm write data: {events: {control: a.csv, variant: b.csv}}"
        files += "; where another file says who saw which arm: data: {exposures: that.csv, events: this.csv}"
        message = f"no column of {data} looks like the arm of a test"
        raise DataError(Problem("error", "no-arm", message, Span(data, 1), f"the header is: {header}; {cure}; {files}"))
    if "unit" not in found.roles and not is_counts(found):
        raise DataError(
            Problem(
                "error",
                "no-unit",
                f"no column of {data} looks like the id of a visitor",
                Span(data, 1),
                "one column must identify the unit that was randomized (named user_id or visitor_id)",
            )
        )


def _name(data: str) -> str:
    """The experiment's name from the file's, or from its folder's where the file is just called events."""
    stem = slug(Path(data).name.split(".")[0])
    generic = stem in ("events", "exposures", "units", "users", "data", "export", "control", "counts")
    return slug(Path(data).absolute().parent.name) if generic else stem
