"""Does the verdict hold when the same data are analyzed another way? One line, a warning, the rows of a table."""

from __future__ import annotations

from abcx import formatting
from abcx.formatting import clean
from abcx.report import note_texts, quantities
from abcx.report.fragments import NOTHING, effect, p_value, primaries, shown
from abcx.results.readout import Alternative, Results


def line(results: Results) -> list[str]:
    """`The verdict holds without the cap and with analytic intervals; not without covariates (KEEP RUNNING).`"""
    if not results.sensitivity:
        return []
    arm = f" on {clean(results.verdict.arm)}" if len(results.verdicts) > 1 else ""
    holds = [_change_text(alternative) for alternative in results.sensitivity if alternative.holds]
    fails = [
        f"{_change_text(alternative)} ({alternative.verdict})"
        for alternative in results.sensitivity
        if not alternative.holds
    ]
    if not holds:
        return [f"The verdict{arm} does not hold {formatting.joined(fails, 'or')}."]
    but = f"; not {formatting.joined(fails, 'or')}" if fails else ""
    return [f"The verdict{arm} holds {formatting.joined(holds)}{but}."]


def care(results: Results) -> list[str]:
    """Warnings for the card: a sentence for each different verdict that alternative analyses give."""
    others: dict[str, list[str]] = {}
    for alternative in results.sensitivity:
        if not alternative.holds:
            others.setdefault(alternative.verdict, []).append(_change_text(alternative))
    return [
        f"{_capitalized(formatting.joined(changes, 'or'))} the verdict would be {word}."
        for word, changes in others.items()
    ]


def rows(results: Results) -> list[tuple[str, str, str, str, str]]:
    """What was changed, the verdict, lift with interval, p, whether it holds; the declared analysis first."""
    rule, first = results.monitoring.rule, []
    for metric in primaries(results)[:1]:
        for comparison in metric.comparisons:
            if comparison.arm == results.verdict.arm:
                lift = "{} ({})".format(*effect(metric, comparison, rule=rule))
                first = [("as declared", str(results.verdict.verdict), lift, p_value(comparison, rule), NOTHING)]
    return first + [_row(results, alternative) for alternative in results.sensitivity]


def _row(results: Results, alternative: Alternative) -> tuple[str, str, str, str, str]:
    form = quantities.lifts([alternative.lift, *(alternative.lift_interval or ())])
    lift = form.difference(alternative.lift)
    p = shown(alternative.p_value, lambda p: formatting.p_value(p, results.setup.alpha))
    if alternative.lift_interval == (None, None) and results.monitoring.rule != "fixed":
        lift, p = f"{lift} (not judged)", NOTHING
    elif alternative.lift_interval is not None:
        lift += f" ({form.differences(alternative.lift_interval)})"
    return _change_text(alternative), alternative.verdict, lift, p, "yes" if alternative.holds else "no"


def _change_text(alternative: Alternative) -> str:
    """What was changed, as a phrase: `without the cap`, `with analytic intervals`."""
    return clean(note_texts.text(alternative.change))


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
