"""Turns files or frames into `Observed`: all steps of reading and summarizing data, in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from abcx.data import notes
from abcx.data.clock import clock as data_clock
from abcx.data.plan import Plan, plan
from abcx.data.reading import resolution, stray_times, unmatched_conditions
from abcx.data.reading.load import Loading
from abcx.data.reading.read_parts import read_parts, refuse_windows_without_times
from abcx.data.records import WITHOUT_FIRST_DAY, Inputs, MetricData, Observed, Shift
from abcx.data.summaries import covariates, groups, lifetimes, local_days, moments, samples, summarize
from abcx.data.units import assignment, attribution, near_misses, row_balance
from abcx.data.units.timing import Timing
from abcx.data.workspace import Workspace
from abcx.engines.local import Engine
from abcx.errors import CapAtZero
from abcx.results.readout import Balance
from abcx.spec.model import CountsFile, Experiment

_DAY = 86_400_000_000
_LABELS = 20
"""Maximum number of labels of no arm that are shown: more, or e-mail addresses, may be personal data."""


def observe(engine: Engine, experiment: Experiment, base: Path, inputs: Inputs) -> Observed:
    """Read the data of the experiment (paths are relative to `base`) and summarize them by arm. Raises DataError with
    the problems of the data."""
    data = experiment.data
    if data is not None and data.counts is not None:
        from abcx.data import counts, counts_file

        if isinstance(data.counts, CountsFile):
            return counts_file.from_file(engine, experiment, data.counts, base)
        return counts.typed(experiment, data.counts)
    return observed(read_parts(engine, plan(experiment), base, inputs))


def observed(loading: Loading) -> Observed:
    """Summarize the loaded data by arm."""
    engine, plan, part = loading.engine, loading.plan, loading.arm_part
    engine.set_phase("finding who saw what, and when")
    stray_times.leave_out(loading)
    resolutions = resolution.whole_times(loading, part)
    refuse_windows_without_times(loading, part)
    work = Workspace(engine, plan, loading, data_clock(loading, resolutions.reach))
    assigned = assignment.assign(work, part)
    resolution.exposures_at_start(loading, resolutions, part)
    coarse = tuple(resolution.notes(loading, resolutions))
    by_day = resolutions.metrics_by_day(plan, part)
    other_windows = _other_windows(work, assigned, by_day)
    attributed = attribution.build(work, other_windows.values(), assigned)
    engine.set_phase("summing up by arm")
    timing = Timing(assigned.has_time, work.clock) if loading.has_time("events") else None
    shifted = _summarized_by_window(work, other_windows)
    metrics = _summarized(work, assigned.has_time, timing, attributed)
    of_tickets = (
        lifetimes.rows_left_out(work, timing) if timing and row_balance.by_ticket(work) else row_balance.Ended()
    )
    per_arm, first_exposure, last_exposure = _exposed(work)
    sequenced = "events" in loading.parts and first_exposure is not None
    return Observed(
        kind="+".join(loading.parts),
        units=per_arm,
        metrics=metrics,
        files=tuple(loading.files),
        balance=_balances(work, assigned, attributed, of_tickets),
        exclusions=(
            *(*loading.exclusions, *assigned.exclusions, *attributed.exclusions),
            *lifetimes.left_out(plan, metrics),
        ),
        notes=notes.of_data(work, coarse, attributed),
        daily=None if first_exposure is None or last_exposure is None else _daily(work, first_exposure, last_exposure),
        segments=_segments(work),
        crossover=assigned.crossover,
        unknown_arm=assigned.unknown_arm,
        no_arm=assigned.no_arm,
        arm_rows=assigned.arm_rows,
        busiest=assigned.busiest,
        **_misspelled(work, assigned, attributed),
        nothing_found=tuple(unmatched_conditions.unfound(loading, attributed.named.terms)),
        before_exposure=_by_name(plan, attributed.before) if sequenced else None,
        units_before=_by_name(plan, attributed.units_before) if sequenced else None,
        repeated_ids=attributed.repeated_ids,
        changed_ids=attributed.changed_ids,
        repeated_rows=attributed.repeated_rows,
        removed_rows=attributed.removed_rows,
        duplicate_units=attributed.duplicate_units,
        shifted=shifted,
        first_exposure=first_exposure,
        last_exposure=last_exposure,
        as_of=work.clock.as_of,
        by_day=by_day,
    )


def _misspelled(work: Workspace, assigned: assignment.Assignment, attributed: attribution.Attributed) -> dict[str, Any]:
    """The fields of `Observed` about labels, events and ids that are ignored because of their spelling."""
    parts, part = work.loading.parts, assigned.part
    strange = near_misses.strange_labels(work, parts[part]) if assigned.unknown_arm else []
    unnamed = attributed.named.unnamed
    return {
        "misspelled_events": near_misses.misspelled_events(work, parts["events"]) if unnamed else (),
        "values_as_events": near_misses.values_as_events(work, parts["events"]) if unnamed else 0,
        "misspelled_ids": attributed.misspelled_ids,
        "spelled_twice": near_misses.spelled_twice(work, part),
        "unknown_labels": _shown_labels([label for label, _ in strange]),
        "misspelled_labels": near_misses.misspelled_labels(work.plan, strange),
    }


def _by_name(plan: Plan, counts: Mapping[int, int]) -> dict[str, int]:
    """Counts by the name of the arm, from counts by its index."""
    return {plan.arms[arm]: n for arm, n in counts.items()}


def _exposed(work: Workspace) -> tuple[dict[str, int], int | None, int | None]:
    """Units by arm, and the first and last exposure in microseconds since 1970; None where exposures have no times."""
    by_arm = {
        row[0]: row[1:] for row in work.run("SELECT arm, count(*), min(t0), max(t0) FROM unit_table GROUP BY arm")
    }
    times = [time for _, *ends in by_arm.values() for time in ends if time is not None]
    counts = {name: int(by_arm[arm][0]) if arm in by_arm else 0 for arm, name in enumerate(work.plan.arms)}
    return counts, min(times, default=None), max(times, default=None)


def _summarized(
    work: Workspace,
    has_time: bool,
    timing: Timing | None,
    attributed: attribution.Attributed,
) -> dict[str, MetricData]:
    """Every metric by arm, with the data for its comparison, its checks and its segments. `has_time`: exposures have
    times; `timing` is None where events have none."""
    metrics = summarize.summarize(work, timing, _absent(work.plan, attributed.named.terms))
    if has_time and any(attributed.before.values()):
        before = moments.before_exposure(work)
        metrics = {name: replace(data, before=before.get(name)) for name, data in metrics.items()}
    metrics = covariates.with_adjustments(work, metrics, has_time)
    metrics = samples.with_samples(work, metrics)
    if timing is not None and has_time:
        metrics = summarize.with_outcomes_at_exposure(work, metrics)
    metrics = groups.with_segments(work, timing, metrics)
    if has_time:
        metrics = groups.with_cohorts(work, metrics)
        if timing is not None:
            metrics = groups.with_days(work, timing, metrics)
    return metrics


def _absent(plan: Plan, occurring: frozenset[int]) -> dict[str, tuple[str, ...]]:
    """The events of each metric that occur nowhere in the data, as a misspelled one does."""
    fed: dict[str, list[int]] = {name: [] for name in plan.metrics}
    for value in plan.values:
        fed[value.metric] += [value.source_index] if value.need.term.column is None else []
    for pairs in plan.tickets:
        fed[pairs.metric] += [pairs.start, pairs.end]
    return {
        name: tuple(
            dict.fromkeys(
                plan.terms[source_index].event or "" for source_index in sorted(feeds) if source_index not in occurring
            )
        )
        for name, feeds in fed.items()
    }


def _balances(
    work: Workspace,
    assigned: assignment.Assignment,
    attributed: attribution.Attributed,
    of_tickets: row_balance.Ended,
) -> tuple[Balance, ...]:
    """The balance of rows of every source; `of_tickets` are rows of tickets that no metric uses. Empty for a remote
    engine."""
    if work.engine.is_remote:
        return ()
    return tuple(
        balance
        for part in work.loading.parts
        for balance in row_balance.balances(
            work.loading,
            part,
            row_balance.moved(attributed.ended, of_tickets)
            if part == "events"
            else row_balance.of_others(work, part, assigned),
        )
    )


def _shown_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels of no arm that may be shown, the most frequent first; none where they may be personal data."""
    personal = len(labels) > _LABELS or any("@" in label for label in labels)
    return () if personal else tuple(label[:60] for label in labels)


def _other_windows(work: Workspace, assigned: assignment.Assignment, by_day: Collection[str]) -> dict[Shift, Plan]:
    """Plans with other windows, by the change: windows half as long; for metrics without a window the time that half of
    the units had; and for metrics of dates (`by_day`) without the day of exposure, part of which is before the
    exposure."""
    if not assigned.has_time:
        return {}
    plans = {Shift("half_windows"): work.plan.halved()}
    ends = [end for end in (work.clock.end, work.clock.as_of) if end is not None]
    if ends and work.plan.unwindowed():
        half = work.run(f"SELECT quantile_cont({min(ends)} - t0, 0.5) FROM assigned WHERE t0 <= {min(ends)}")[0][0]
        if (window := _whole(int(half)) if half else None) is not None:
            length = f"{window // _DAY}d" if window % _DAY == 0 else f"{window * 24 // _DAY}h"
            plans[Shift("typical_window", length)] = work.plan.limited(window)
    plans[WITHOUT_FIRST_DAY] = work.plan.delayed(by_day, _DAY)
    numbered: dict[Shift, Plan] = {}
    for shift, shifted_plan in plans.items():
        if shifted_plan.values:
            numbered[shift] = shifted_plan.numbered(sum(len(earlier.values) for earlier in numbered.values()))
    return numbered


def _whole(microseconds: int) -> int | None:
    """A duration rounded down to days, below two days to hours, in microseconds; None for less than an hour."""
    unit = _DAY if microseconds >= 2 * _DAY else _DAY // 24
    return microseconds // unit * unit or None


def _summarized_by_window(work: Workspace, plans: Mapping[Shift, Plan]) -> dict[Shift, dict[str, MetricData]]:
    """The metrics by other windows, to see whether the verdict depends on the window; without caps at zero."""
    summaries = {}
    for shift, shifted_plan in plans.items():
        columns = ", ".join(f"other_{value.position} AS value_{value.position}" for value in shifted_plan.values)
        table = f"(SELECT uid, arm, t0, {columns} FROM unit_table)"
        try:
            summaries[shift] = summarize.summarize(
                replace(work, plan=shifted_plan), Timing(True, work.clock), {}, table
            )
        except CapAtZero:  # in a shorter window most values may be 0
            continue
    return summaries


def _daily(work: Workspace, first: int, last: int) -> tuple[tuple[str, dict[str, int]], ...]:
    """Units first exposed on each day of the period's timezone, by arm; exposures lie between `first` and `last`."""
    day = local_days.local_day("t0", work.plan.experiment.timezone, first, last)
    rows = work.run(
        f"SELECT {day} AS day, arm, count(*) FROM unit_table WHERE t0 IS NOT NULL GROUP BY ALL ORDER BY ALL"
    )
    days: dict[str, dict[str, int]] = {}
    for number, arm, count in rows:
        of_day = days.setdefault(local_days.day(int(number)).isoformat(), dict.fromkeys(work.plan.arms, 0))
        of_day[work.plan.arms[arm]] = int(count)
    return tuple(days.items())


def _segments(work: Workspace) -> dict[str, dict[str, dict[str, int]]]:
    """Units of each value of each segment, by arm; the value is "" for units without one."""
    units_by_segment: dict[str, dict[str, dict[str, int]]] = {}
    for name in dict.fromkeys(work.plan.experiment.segments):
        position = work.plan.segments.index(name)
        rows = work.run(
            f"SELECT coalesce(segment_{position}, ''), arm, count(*) FROM unit_table GROUP BY ALL ORDER BY ALL"
        )
        for value, arm, count in rows:
            units_by_segment.setdefault(name, {}).setdefault(str(value), dict.fromkeys(work.plan.arms, 0))[
                work.plan.arms[arm]
            ] = int(count)
    return units_by_segment
