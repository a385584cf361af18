"""The command line: signatures and help texts, nothing else. Each command imports its module and exits with its int."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, get_type_hints

import typer

from abcx.commands import options

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Specs = Annotated[list[str], typer.Argument(metavar="SPEC", help="Experiment specs (YAML files), or folders of them.")]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="|".join(options.FORMATS),
        help="Output format.",
        callback=options.one_of("--format", options.FORMATS),
    ),
]
Output = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Write to FILE (atomically). Default: standard output."),
]
FailOn = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-on",
        metavar="|".join(options.FAIL_ON),
        help="What ends with exit code 1; repeatable. Default: invalid.",
        callback=options.each_of("--fail-on", options.FAIL_ON),
    ),
]
Events = Annotated[
    list[str] | None, typer.Option("--events", metavar="FILE", help="Events, in place of the spec's; repeatable.")
]
Exposures = Annotated[
    list[str] | None, typer.Option("--exposures", metavar="FILE", help="Exposures, in place of the spec's; repeatable.")
]
Units = Annotated[
    list[str] | None, typer.Option("--units", metavar="FILE", help="Units, in place of the spec's; repeatable.")
]
Control = Annotated[
    str | None, typer.Option("--control", metavar="FILE", help="Events of the first arm; with --variant.")
]
Variant = Annotated[
    str | None, typer.Option("--variant", metavar="FILE", help="Events of the second arm; with --control.")
]
Arm = Annotated[
    list[str] | None, typer.Option("--arm", metavar="NAME=FILE", help="Events of the arm NAME; repeatable.")
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="What reads the data: duckdb (default), spark, spark://HOST:PORT, postgresql://HOST/DATABASE.",
        callback=options.engine_name,
    ),
]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="TIME", help="Ignore rows after TIME: 2024-03-31 or 2024-03-31T18:00.")
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Random seed.")]
Memory = Annotated[
    str | None,
    typer.Option("--memory", metavar="SIZE", help="Memory limit of the engine: 2GB.", callback=options.memory_size),
]
Threads = Annotated[int | None, typer.Option("--threads", metavar="N", min=1, help="Threads of the engine.")]
AllowOutside = Annotated[bool, typer.Option("--allow-outside", help="Let the spec name files outside its own folder.")]
Rejects = Annotated[
    str | None, typer.Option("--rejects", metavar="FILE", help="Write the rows that cannot be read here, as CSV.")
]
Full = Annotated[bool, typer.Option("--full", help="Print the whole readout, not the card alone.")]
Summary = Annotated[bool, typer.Option("--summary", help="Write the summary alone (Markdown), at most 25 lines.")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Print only the result.")]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Print more on standard error: SQL and timings, skipped files.")
]
Color = Annotated[
    str,
    typer.Option(
        "--color",
        metavar="|".join(options.COLORS),
        help="Colors in the output.",
        callback=options.one_of("--color", options.COLORS),
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        from abcx.version import __version__

        typer.echo(f"abcx {__version__}")
        raise typer.Exit()


_DATA: dict[str, Any] = {
    "events": Events,
    "exposures": Exposures,
    "units": Units,
    "control": Control,
    "variant": Variant,
    "arm": Arm,
}
_RUN: dict[str, Any] = {
    "engine": Engine,
    "as_of": AsOf,
    "seed": Seed,
    "memory": Memory,
    "threads": Threads,
    "quiet": Quiet,
    "verbose": Verbose,
    "color": Color,
    "allow_outside": AllowOutside,
    "rejects": Rejects,
    "full": Full,
    "summary": Summary,
}


def _with_records(*run: str, data: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator that adds options to a command, which gets them as records: those of `RunOptions` that are named here
    as `run`, and with `data` the files that replace those of the spec as `data`."""
    shared = {**(_DATA if data else {}), **{name: _RUN[name] for name in run}}
    defaults = {one.name: one.default for one in fields(options.RunOptions)}
    extra = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=kind)
        for name, kind in shared.items()
    ]

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_records(**given: Any) -> None:
            files = {"data": options.data_options(**{name: given.pop(name) for name in _DATA})} if data else {}
            command(run=options.RunOptions(**{name: given.pop(name) for name in run}), **files, **given)

        hints = get_type_hints(command, include_extras=True)
        own = [one.replace(annotation=hints[one.name]) for one in signature(command).parameters.values()]
        parameters = [*(one for one in own if one.name not in ("data", "run")), *extra]
        with_records.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        with_records.__annotations__ = {one.name: one.annotation for one in parameters}
        return with_records

    return decorated


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """A/B test readouts: from an experiment spec and exported event files to a verdict.

    Exit codes: 0 done; 1 done, and something blocks; 2 could not run; 3 a bug in abcx; 130 interrupted.
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
@_with_records(*_RUN, data=True)
def analyze(
    specs: Specs,
    data: options.DataOptions,
    run: options.RunOptions,
    format: Format = "terminal",
    output: Output = None,
    fail_on: FailOn = None,
) -> None:
    """Analyze experiments and print the readout."""
    from abcx.commands import analyze

    fail_on = fail_on or ["invalid"]
    raise typer.Exit(analyze.run(specs, format=format, output=output, data=data, run=run, fail_on=fail_on))


@app.command()
@_with_records(*(name for name in _RUN if name != "full"), data=True)
def report(
    specs: Specs,
    data: options.DataOptions,
    run: options.RunOptions,
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE|FOLDER",
            help="Where to write: lift.html, lift.md, card.png, lift.json, lift.csv, or a folder.",
        ),
    ],
    fail_on: FailOn = None,
) -> None:
    """Write the readout for people: a page, Markdown, a picture, data; of several an index with a page each."""
    from abcx.commands import report

    raise typer.Exit(report.run(specs, output=output, data=data, run=run, fail_on=fail_on or ["invalid"]))


@app.command()
@_with_records("quiet", "verbose", "color")
def validate(
    paths: Annotated[list[str], typer.Argument(metavar="PATH", help="Specs, or folders that hold specs.")],
    run: options.RunOptions,
    format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="|".join(options.FINDING_FORMATS),
            help="How to list findings.",
            callback=options.one_of("--format", options.FINDING_FORMATS),
        ),
    ] = "text",
    output: Output = None,
) -> None:
    """Check specs (files or folders) without reading any data."""
    from abcx.commands import validate

    raise typer.Exit(validate.run(paths, format=format, output=output, run=run))


@app.command()
@_with_records("quiet", "verbose", "color", "full", "summary")
def counts(
    arms: Annotated[
        list[str], typer.Argument(metavar="SUCCESSES/UNITS", help="Counts of each arm, control first: 288/2400 90/600.")
    ],
    run: options.RunOptions,
    share: Annotated[
        str | None, typer.Option("--share", metavar="A:B", help="Planned split: 80:20. Default: equal.")
    ] = None,
    goal: Annotated[
        str,
        typer.Option(
            "--goal",
            metavar="|".join(options.GOALS),
            help="Whether an increase or a decrease is good.",
            callback=options.one_of("--goal", options.GOALS),
        ),
    ] = "increase",
    alpha: Annotated[float, typer.Option("--alpha", metavar="LEVEL", help="Two-sided level of the test.")] = 0.05,
    format: Format = "terminal",
    output: Output = None,
    fail_on: FailOn = None,
) -> None:
    """Analyze counts typed by hand, control first."""
    from abcx.commands import counts

    raise typer.Exit(
        counts.run(
            arms,
            share=share,
            goal=goal,
            alpha=alpha,
            format=format,
            output=output,
            run=run,
            fail_on=fail_on or ["invalid"],
        )
    )


@app.command()
@_with_records("memory", "threads", "quiet", "verbose", "allow_outside")
def pack(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="An experiment spec (YAML file).")],
    run: options.RunOptions,
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", metavar="FOLDER", help="Write here, all files or none. Default: packed, beside the spec."
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
) -> None:
    """Write the files of a spec as typed Parquet, and a copy of the spec that reads them."""
    from abcx.commands import pack

    raise typer.Exit(pack.run(spec, output=output, overwrite=overwrite, run=run))


@app.command()
def init(
    data: Annotated[str, typer.Argument(metavar="DATA", help="An exported file: events, or one row per unit.")],
    output: Output = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Name of the experiment. Default: from the file.")
    ] = None,
) -> None:
    """Write a first spec from what an exported file shows."""
    from abcx.commands import init

    raise typer.Exit(init.run(data, output=output, name=name))


@app.command()
def sql(
    spec: Annotated[str, typer.Argument(metavar="SPEC", help="The experiment spec.")],
    dialect: Annotated[
        str,
        typer.Option(
            "--dialect",
            metavar="NAME",
            help=f"One of: {', '.join(options.DIALECTS)}.",
            callback=options.one_of("--dialect", options.DIALECTS),
        ),
    ] = "duckdb",
    output: Output = None,
) -> None:
    """Print the SQL that an analysis asks of a database, in its dialect. No data are read."""
    from abcx.commands import sql

    raise typer.Exit(sql.run(spec, dialect=dialect, output=output))


@app.command()
def schema(
    results: Annotated[bool, typer.Option("--results", help="That of the results, as --format json has them.")] = False,
    output: Output = None,
) -> None:
    """Print the JSON Schema of the spec, for editors and CI."""
    from abcx.commands import schema

    raise typer.Exit(schema.run(output, results))
