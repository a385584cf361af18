"""The part of a readout that describes the setup of the experiment, and what was done to the data."""

from __future__ import annotations

from dataclasses import replace

from abcx.checks.context import CheckContext
from abcx.checks.homogeneity import homogeneity_p_value
from abcx.planning.sample_size import Planned
from abcx.results.readout import DataLog, Exclusion, Setup
from abcx.spec.load import LoadedSpec


def setup_of(loaded: LoadedSpec, plan: Planned, called_for: Planned, command: str | None) -> Setup:
    """The setup card: what the spec declares, with the declared size (`plan`) and the size that the control as observed
    would need (`called_for`).
    """
    experiment, period = loaded.experiment, loaded.experiment.period
    exposure = f"first {experiment.exposure.event}" if experiment.exposure else "first row in an arm"
    if experiment.data is not None and experiment.data.counts is not None:
        exposure = "counts"
    dates = f"{period.start or '...'} to {period.end or '...'} ({period.timezone})" if period else None
    return Setup(
        title=experiment.title or experiment.name,
        hypothesis=experiment.hypothesis,
        description=experiment.description,
        owner=experiment.owner,
        tags=experiment.tags,
        links=experiment.links,
        unit=experiment.unit,
        period=dates,
        exposure=exposure,
        window=experiment.window.text if experiment.window else None,
        alpha=experiment.analysis.alpha,
        correction=experiment.analysis.correction,
        power=experiment.plan.power,
        power_each=plan.power_each,
        power_bounded=plan.bounded,
        planned_units=plan.units,
        planned_from=plan.source,
        looks_inflation=plan.inflation,
        needed_units=called_for.units,
        needed_from=called_for.source,
        start=period.start if period else None,
        end=period.end if period else None,
        units_per_day=experiment.plan.units_per_day,
        spec=loaded.path,
        spec_sha256=loaded.sha256,
        seed=experiment.analysis.seed,
        segments=experiment.segments,
        command=command,
    )


def data_log(context: CheckContext) -> DataLog:
    """The log of the data: files, exclusions with their tests, times in the experiment's time zone, and the balance of
    rows.
    """
    observed = context.observed
    first, last, as_of = (
        None if time is None else context.local(time).isoformat()
        for time in (observed.first_exposure, observed.last_exposure, observed.as_of)
    )
    exclusions = tuple(_tested(context, exclusion) for exclusion in observed.exclusions)
    return DataLog(observed.files, exclusions, first, last, as_of, observed.notes, observed.balance)


def _tested(context: CheckContext, exclusion: Exclusion) -> Exclusion:
    """The exclusion with a test of whether it takes units equally often from all arms."""
    if exclusion.units is None or not exclusion.by_arm:
        return exclusion
    arms = context.experiment.arms
    lost, kept = [exclusion.by_arm.get(arm, 0) for arm in arms], [context.units(arm) for arm in arms]
    if exclusion.reason == "repeated_row":  # these units lose rows and stay in the analysis
        kept = [all_of_arm - hit for all_of_arm, hit in zip(kept, lost, strict=True)]
    return replace(exclusion, p_value=homogeneity_p_value(lost, kept))
