"""Chooses and opens the engine: DuckDB in this process, or a remote one."""

from __future__ import annotations

from abcx.engines.local import Engine
from abcx.errors import DataError, UsageError
from abcx.problems import Problem
from abcx.spec.model import Experiment


def open_engine(
    name: str = "duckdb", memory: str | None = None, threads: int | None = None, verbose: bool = False
) -> Engine:
    """Open the engine of that name: `duckdb`, `spark`, `spark://HOST:PORT`, or `postgresql://...`. Raises UsageError
    where a package is not installed."""
    if name == "duckdb":
        return Engine(memory, threads, verbose)
    from abcx.engines.remote import Backend, Remote

    try:
        import sqlglot  # noqa: F401
    except ImportError:
        extra = "spark" if name.startswith("spark") else "postgres"
        raise UsageError("sqlglot is not installed", f"pip install 'abcx[{extra}]'") from None
    backend: Backend
    if name.startswith("spark"):
        from abcx.engines.spark import Spark

        backend = Spark(name if "://" in name else None, memory, threads)
    else:
        from abcx.engines.postgres import Postgres

        backend = Postgres(name)
    return Remote(backend, memory, threads, verbose)


def chosen(experiment: Experiment, asked: str | None, allow_outside: bool) -> str:
    """The name of the engine: `asked` by the caller, else that of the spec, else `duckdb`. A spec may come from
    anybody, so that an address in it raises DataError without `allow_outside`."""
    written = experiment.data.engine if experiment.data else None
    if asked is None and written is not None and "://" in written and not allow_outside:
        kind = written.partition("://")[0]
        cure = f"if you trust the spec, allow it: --allow-outside; or name it yourself: --engine {kind}://..."
        message = f"data.engine of {experiment.name} leads to a server"
        raise DataError(Problem("error", "engine-outside", message, help=cure))
    return asked or written or "duckdb"
