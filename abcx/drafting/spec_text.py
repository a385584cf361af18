"""The text of a first spec, from what a file shows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from abcx.drafting.preset_spec import data_lines, metric_lines
from abcx.drafting.profile import Column, Profile
from abcx.drafting.recognize import PresetMatch
from abcx.spec.written import quoted

_CONTROL = re.compile(r"control|original|baseline|default|old.*|a|off|false|0|holdout", re.IGNORECASE)
_GOOD = re.compile(r".*(purchase|order|checkout|conver|sign_?up|subscri|paid|thank|lead|book).*", re.IGNORECASE)
_BAD = re.compile(r".*(complain|refund|unsub|churn|cancel|error|bounce|return|ticket|support).*", re.IGNORECASE)
_ALL = 0.95
"""Share of units above which an event is taken for the entry into the test, not for an outcome."""


def is_counts(found: Profile) -> bool:
    return {"arm", "units"} <= {column.name for column in found.columns} and found.rows <= 400


def spec_lines(found: Profile, path: str, name: str) -> Iterator[str]:
    yield "# Written by abcx init from what the file shows. Lines with # ? are questions that only you can answer."
    yield "schema_version: 1"
    yield f"name: {name}"
    yield "hypothesis: Say here what was changed, and why it should help.     # ?"
    yield ""
    yield from _arms(found)
    yield ""
    yield from _period(found)
    yield "data:"
    yield from _data(found, path)
    if path.startswith("..") or os.path.isabs(path):
        yield "  # the file is not below this folder: move it there, or run abcx with --allow-outside"
    yield ""
    entered = _entry_event(found)
    if entered:
        yield f"exposure: {{event: {quoted(entered)}}}     # ? is this the moment when a unit first meets the change?"
        yield ""
    yield "metrics:"
    yield from _metrics(found)
    segments = [column.name for column in found.columns if _is_segment(found, column)]
    if segments:
        yield f"segments: [{', '.join(map(quoted, segments))}]     # ? columns known when a unit was exposed"
    yield "plan: {power: 0.8}     # ? units: the planned size of all arms; units_per_day: your traffic"


def preset_lines(found: Profile, path: str, name: str, known: PresetMatch) -> Iterator[str]:
    """The spec for an export that a preset knows."""
    yield "# Written by abcx init from what the file shows. Lines with # ? are questions that only you can answer."
    yield f"# The header is that of the preset {known.name}: {_first_sentence(known.preset.export)}"
    yield "schema_version: 1"
    yield f"name: {name}"
    yield "hypothesis: Say here what was changed, and why it should help.     # ?"
    yield ""
    arm = found.roles.get("arm")
    if arm is not None and found.column(arm).distinct > 1:
        yield from _arms(found)
    else:
        arm = None
        yield "arms:     # ? the first is the control; labels: how the data spell each arm"
        yield "  control: {labels: [control]}"
        yield "  variant: {labels: [variant]}"
    yield ""
    if known.part != "counts":
        yield from _period(found)
    yield "data:"
    yield from data_lines(known, path, arm)
    if path.startswith("..") or os.path.isabs(path):
        yield "  # the file is not below this folder: move it there, or run abcx with --allow-outside"
    yield ""
    yield "metrics:"
    own = known.part == "events" and found.events and not known.preset.metrics
    header = [column.name for column in found.columns]
    value = "value" if known.options.columns.get("value") in header else found.roles.get("value", "value")
    without = [event for event, _ in known.without]
    yield from _metrics(found, value) if own else metric_lines(known.preset, header, without)
    yield "plan: {power: 0.8}     # ? units: the planned size of all arms; units_per_day: your traffic"


def _first_sentence(text: str) -> str:
    """The first sentence."""
    return re.split(r"(?<=[.:]) ", text)[0].rstrip(".:")


def _arms(profile: Profile) -> Iterator[str]:
    column = profile.column("arm" if is_counts(profile) and "arm" not in profile.roles else profile.roles["arm"])
    labels = sorted(
        (value for value, _ in column.values), key=lambda label: (not _CONTROL.fullmatch(label.strip()), label)
    )
    sure = bool(_CONTROL.fullmatch(labels[0].strip()))
    names = [slug(label) for label in labels]
    if len(set(names)) < len(names):
        names = [f"arm_{i}" for i in range(len(names))]
    yield "arms:" + ("" if sure else "     # ? the first arm is the control: is that right?")
    for arm, label in zip(names, labels, strict=True):
        yield f"  {quoted(arm)}: {{labels: [{quoted(label)}]}}"
    yield "  # ? shares are taken as equal; if they were not: {share: 0.8, labels: [...]}"


def _period(profile: Profile) -> Iterator[str]:
    if "time" not in profile.roles:
        yield "# ? period: {start: 2024-03-04, end: 2024-03-31, timezone: UTC}     # no column of times was found"
    else:
        times = profile.column(profile.roles["time"])
        if times.kind != "time":
            yield "# ? period: {start: 2024-03-04, end: 2024-03-31, timezone: UTC}     # when were units exposed?"
            return
        dates = f"start: {times.low[:10]}, end: {times.high[:10]}"
        yield f"# ? period: {{{dates}, timezone: UTC}}     # when were units exposed?"


def _entry_event(profile: Profile) -> str | None:
    """The event that (nearly) all units have, if another event is left to measure."""
    everyone = [name for name, units in profile.events if units >= _ALL * profile.units]
    return everyone[0] if everyone and len(profile.events) > len(everyone) else None


def _data(profile: Profile, path: str) -> Iterator[str]:
    if is_counts(profile):
        yield f"  counts: {quoted(path)}"
        return
    wanted = ("unit", "time", "arm", "event", "value") if "event" in profile.roles else ("unit", "time", "arm")
    if "event" not in profile.roles and not list(_column_metrics(profile)):
        columns = ", ".join(
            f"{role}: {quoted(profile.roles[role])}" for role in ("unit", "time", "arm") if role in profile.roles
        )
        yield f"  exposures: {{file: {quoted(path)}, columns: {{{columns}}}}}"
        yield "  events: events.csv     # ? the file with what the units did: columns unit, time, event"
        return
    columns = ", ".join(f"{role}: {quoted(profile.roles[role])}" for role in wanted if role in profile.roles)
    repeated = "event" not in profile.roles and profile.units < profile.rows
    rule = ", duplicates: first" if repeated else ""
    part = "events" if "event" in profile.roles else "units"
    yield f"  {part}: {{file: {quoted(path)}, columns: {{{columns}}}{rule}}}"
    if repeated:
        where = "" if profile.complete else f" of the first {profile.rows:,}"
        yield (
            f"  # ? {profile.rows - profile.units:,} rows{where} repeat a unit: keep the first (or write last, or sum)"
        )


def _metrics(profile: Profile, value: str = "value") -> Iterator[str]:
    metrics = _event_metrics(profile, value) if profile.events else _column_metrics(profile)
    lines = {name: (body, good) for name, body, good in metrics}
    lines = lines or {"orders": ("type: conversion, event: purchase", True)}
    for number, (name, (body, good)) in enumerate(lines.items()):
        goal = "increase" if good else "decrease"
        role = f"role: secondary, goal: {goal}" if number else f"role: primary, goal: {goal}, minimum_effect: 5%"
        question = "which direction is good?" if number else "is this what decides? the smallest effect worth having?"
        yield f"  {quoted(name)}: {{{body}, {role}}}     # ? {question}"
    if not profile.events:
        yield from _empty_cells(profile)


def _empty_cells(profile: Profile) -> Iterator[str]:
    """Questions about columns with many empty cells: whether these mean 0 or unknown."""
    from abcx.checks.missing import EMPTY

    names = {body.partition("column: ")[2] for _, body, _ in _column_metrics(profile)}
    for column in profile.columns:
        if quoted(column.name) in names and column.empty > EMPTY * profile.rows:
            asked = f"{column.empty:,} of {profile.rows:,} cells of {quoted(column.name)} are empty"
            yield f"  # ? {asked}: do they mean 0 (missing_value: zero), or that nothing is known (drop)?"


def _event_metrics(profile: Profile, value: str) -> Iterator[tuple[str, str, bool]]:
    """Events as conversions, likely goals (purchase, sign-up) first; events that all units have are left out."""
    events = [name for name, units in profile.events if units < _ALL * profile.units]
    for event in sorted(events or [profile.events[0][0]], key=lambda name: not _GOOD.fullmatch(name))[:8]:
        yield slug(event, "_"), f"type: conversion, event: {quoted(event)}", not _BAD.fullmatch(event)
        if _GOOD.fullmatch(event) and "value" in profile.roles:
            yield (
                f"{slug(event, '_')}_value",
                f"type: mean, event: {quoted(event)}, value: {quoted(value)}, missing_value: zero",
                True,
            )
    if profile.path:
        steps = ", ".join(f"{{event: {quoted(event)}}}" for event in profile.path)
        yield "path", f"type: funnel, steps: [{steps}]", True


def _column_metrics(profile: Profile) -> Iterator[tuple[str, str, bool]]:
    taken = {name for role, name in profile.roles.items() if role != "value"}
    if is_counts(profile):
        for column in profile.columns:
            if (
                column.kind == "number"
                and column.name not in ("arm", "units", "date")
                and not column.name.endswith(("_mean", "_sd"))
            ):
                yield column.name, "type: conversion", True
            elif column.name.endswith("_mean"):
                yield column.name.removesuffix("_mean"), "type: mean", True
        return
    measures = [
        column
        for column in profile.columns
        if column.name not in taken and column.kind in ("flag", "number") and column.distinct > 1
    ]
    for column in sorted(measures, key=lambda c: (c.kind != "flag", not _GOOD.fullmatch(c.name)))[:12]:
        kind = "conversion" if column.kind == "flag" else "mean"
        yield slug(column.name, "_"), f"type: {kind}, column: {quoted(column.name)}", not _BAD.fullmatch(column.name)


def _is_segment(profile: Profile, column: Column) -> bool:
    return (
        column.kind == "text"
        and 2 <= column.distinct <= 12
        and not column.has_arm
        and column.name not in profile.roles.values()
        and not is_counts(profile)
    )


def slug(text: str, joint: str = "-") -> str:
    slug = re.sub(r"[^a-z0-9_-]+", joint, text.strip().lower()).strip("-_")
    return slug or "experiment"
