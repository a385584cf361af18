"""What the command line says beside the spec, as frozen records, and the checks of single options."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TextIO

from abcx.commands import outputs
from abcx.errors import UsageError

FORMATS = ("terminal", "markdown", "html", "json", "csv", "slack")
FINDING_FORMATS = ("text", "concise", "github", "json", "sarif", "junit")
FAIL_ON = ("invalid", "harm", "no-benefit", "keep-running", "inconclusive", "warning", "none")
COLORS = ("auto", "always", "never")
DIALECTS = ("duckdb", "postgres", "spark", "bigquery", "snowflake", "databricks", "trino", "clickhouse")
"""What `abcx sql` writes."""
GOALS = ("increase", "decrease")
CONTROL, VARIANT = "<control>", "<variant>"


@dataclass(frozen=True, slots=True)
class DataOptions:
    """Files that replace those of the spec. `arms` pairs an arm with its file; `<control>` is the first arm of the
    spec and `<variant>` the second. `-` is standard input."""

    events: tuple[str, ...] = ()
    exposures: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    arms: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a command runs: engine, overrides of the analysis, limits, and what is written beside the result."""

    engine: str | None = None
    as_of: str | None = None
    seed: int | None = None
    memory: str | None = None
    threads: int | None = None
    quiet: bool = False
    verbose: bool = False
    color: str = "auto"
    allow_outside: bool = False
    rejects: str | None = None
    full: bool = False
    summary: bool = False


def data_options(
    events: Sequence[str] | None,
    exposures: Sequence[str] | None,
    units: Sequence[str] | None,
    control: str | None,
    variant: str | None,
    arm: Sequence[str] | None,
) -> DataOptions:
    """The file options of the command line as one record; contradictions are refused."""
    if (control is None) != (variant is None):
        given, missing = ("--control", "--variant") if variant is None else ("--variant", "--control")
        raise UsageError(f"{given} needs {missing}", "name both files, or use --arm NAME=FILE for every arm")
    cure = "name the files in one of the two ways"
    if control is not None and arm:
        raise UsageError("--arm cannot be combined with --control and --variant", cure)
    if (control is not None or arm) and events:
        cure = "name one file for all arms, or one file per arm"
        raise UsageError("--events cannot be combined with a file per arm", cure)
    arms = [(CONTROL, control), (VARIANT, variant)] if control is not None else [_arm_file(text) for text in arm or ()]
    names = [name for name, _ in arms]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the arm '{name}' has two files", "join them, or list them in the spec: data.events")
    pairs = tuple((name, path) for name, path in arms if path is not None)
    options = DataOptions(tuple(events or ()), tuple(exposures or ()), tuple(units or ()), pairs)
    files = [*options.events, *options.exposures, *options.units, *(path for _, path in options.arms)]
    if files.count("-") > 1:
        raise UsageError("standard input (-) is named twice", "it can be read once: save it to a file")
    return options


def one_of(option: str, allowed: Sequence[str]) -> Callable[[str], str]:
    """A check for an option that takes one of a few words."""

    def check(value: str) -> str:
        if value not in allowed:
            raise UsageError(f"{option} cannot be '{value}'", f"one of: {', '.join(allowed)}")
        return value

    return check


def each_of(option: str, allowed: Sequence[str]) -> Callable[[list[str] | None], list[str]]:
    """As `one_of`, for an option that may be repeated."""
    check = one_of(option, allowed)

    def check_all(values: list[str] | None) -> list[str]:
        return [check(value) for value in values or ()]

    return check_all


def engine_name(value: str | None) -> str | None:
    """A check for --engine."""
    if value is None:
        return None
    from abcx.spec.model import ENGINES

    if not re.fullmatch(ENGINES, value):
        raise UsageError(f"--engine cannot be '{value}'", "one of: duckdb, spark, spark://HOST:PORT, postgresql://...")
    return value


def memory_size(value: str | None) -> str | None:
    """A check for --memory: a number with a unit, as in 2GB."""
    if value is not None and not re.fullmatch(r"\d+(\.\d+)?\s*[KMGT]i?B", value, re.IGNORECASE):
        raise UsageError(f"--memory cannot be '{value}'", "write a number with a unit: 500MB, 2GB")
    return value


def wants_color(color: str, stream: TextIO | None = None) -> bool:
    """Whether to write colors to `stream` (standard output by default): `always`, `never`, or `auto`, which is yes on
    a terminal where NO_COLOR is not set."""
    stream = stream or sys.stdout
    if color != "auto":
        return color == "always"
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and outputs.on_screen(stream)


def _arm_file(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise UsageError(f"--arm cannot be '{text}'", "write --arm NAME=FILE: --arm variant=variant.csv")
    return name, path
