"""`abcx sql`: the SQL that an analysis asks of a warehouse, in its dialect, without reading data."""

from __future__ import annotations

from pathlib import Path

from abcx.commands import outputs
from abcx.errors import DONE, UsageError

RUNS = ("duckdb", "postgres", "spark")
"""Dialects of engines that abcx itself runs on."""


def run(spec: str, *, dialect: str, output: str | None) -> int:
    """Print the statements of a spec's analysis and return the exit code."""
    outputs.refuse_inputs(output, [Path(spec)], "the statements", "name another file with -o")
    try:
        import sqlglot  # noqa: F401
    except ImportError:
        raise UsageError("sqlglot is not installed", "pip install 'abcx[sql]'") from None
    from abcx.analysis.companions import with_companions
    from abcx.data.observe import observe
    from abcx.data.plan import plan
    from abcx.data.records import Inputs
    from abcx.data.sql_script import SqlRecorder
    from abcx.spec.load import load

    loaded = load(spec)
    experiment, _ = with_companions(loaded.experiment)
    if experiment.data is None or not experiment.data.sources():
        raise UsageError(f"{spec} names no tables", "name them: data: {events: shop.events}")
    with SqlRecorder(dialect, plan(experiment)) as paper:
        observe(paper, experiment, loaded.base, Inputs())
    text = _head(experiment.name, dialect)
    for statement in paper.statements():
        note = f"-- {statement.note}\n" if statement.note else ""
        text += f"\n{note}{statement.sql};\n"
    outputs.write(text, output)
    return DONE


def _head(name: str, dialect: str) -> str:
    words = [f"What abcx asks of a {dialect} engine for {name}.".replace("\n", " ")]
    if dialect not in RUNS:
        words.append("Compiled and parsed, never run there: abcx runs on DuckDB, PostgreSQL and Spark.")
    words.append("Times are taken for timestamps, values for numbers, and all else for text.")
    words.append("The end of the period stands for the moment up to which the data are known.")
    return "".join(f"-- {word}\n" for word in words)
