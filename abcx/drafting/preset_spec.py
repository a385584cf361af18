"""The first spec for an export that a preset knows: what `abcx init` writes, and the example in docs/presets.md."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from abcx.spec.written import flow, quoted

if TYPE_CHECKING:
    from abcx.drafting.recognize import PresetMatch
    from abcx.spec.presets import Preset


def data_lines(known: PresetMatch, path: str, arm: str | None) -> Iterator[str]:
    """`data:` with the file by its preset, and what else it takes. `arm` is the file's column of arms."""
    part = known.part
    if part == "events" and known.tells_arms:
        yield f"  exposures: {{file: {quoted(path)}, preset: {known.name}}}     # ? {_one_test(known.preset)}"
    elif part in ("events", "units") and arm is None:
        yield "  exposures: exposures.csv     # ? the file that says who saw which arm: columns unit, time, arm"
    columns = f", columns: {{arm: {quoted(arm)}}}" if arm is not None and "arm" not in known.options.columns else ""
    if known.events:
        yield f"  {part}:"
        for event in known.events:
            yield f"    - {{file: {quoted(path)}, preset: {known.name}, event: {event}{columns}}}"
    else:
        yield f"  {part}: {{file: {quoted(path)}, preset: {known.name}{columns}}}"
    for event, column in known.without:
        yield f"  # ? without {event}, for which the file has no column {quoted(column)}"
    for use, column in known.missing:
        if use == "where":
            yield f"  # ? the file has no column {quoted(column)}, by which the preset leaves rows out"
        else:
            yield f"  # ? the file has no column {quoted(column)}: write columns: {{{use}: the one that it has}}"
    if part == "exposures" and known.preset.experiment:
        yield f"  # ? {_one_test(known.preset)}"
    if part == "exposures":
        yield "  events: events.csv     # ? the file with what the units did: columns unit, time, event"


def _one_test(preset: Preset) -> str:
    """What to write where a file holds the exposures of several tests."""
    return f"of which test? add where: {{{quoted(preset.experiment or '')}: its name}}"


def metric_lines(preset: Preset, header: Collection[str] | None = None, without: Collection[str] = ()) -> Iterator[str]:
    """The first metrics of a preset, or a default one; a question is added where no column of the header holds a
    metric's value. `without` are events that the file does not give."""
    if not preset.metrics:
        yield "  orders: {type: conversion, event: purchase, role: primary, goal: increase, minimum_effect: 5%}     # ?"
    for name, metric in preset.metrics.items():
        if any(isinstance(setting, str) and setting in without for setting in metric.values()):
            continue
        value = metric.get("value", "value")
        unknown = header is not None and value != "value" and value not in header
        question = f"which column has the answers? there is no {value}" if unknown else "is this what you measure?"
        yield f"  {quoted(name)}: {flow(metric)}     # ? {question}"
