"""Does the verdict hold when the same data are analyzed another way? One line, a warning, the rows of a table."""

from __future__ import annotations

from abcx import formatting
from abcx.formatting import clean
from abcx.report import note_texts
from abcx.report.fragments import NOTHING, effect, ends, p_value, primaries, shown
from abcx.results.readout import Alternative, Results


def line(results: Results) -> list[str]:
    """`The verdict holds without the cap and with analytic intervals; not without covariates (KEEP RUNNING).`"""
    if not results.sensitivity:
        return []
    arm = f" on {clean(results.verdict.arm)}" if len(results.verdicts) > 1 else ""
    holds = [_way(one) for one in results.sensitivity if one.holds]
    fails = [f"{_way(one)} ({one.verdict})" for one in results.sensitivity if not one.holds]
    if not holds:
        return [f"The verdict{arm} does not hold {formatting.joined(fails, 'or')}."]
    but = f"; not {formatting.joined(fails, 'or')}" if fails else ""
    return [f"The verdict{arm} holds {formatting.joined(holds)}{but}."]


def care(results: Results) -> list[str]:
    """What the banner says where the headline rests on a choice of the analysis: a sentence per other verdict."""
    others: dict[str, list[str]] = {}
    for one in results.sensitivity:
        if not one.holds:
            others.setdefault(one.verdict, []).append(_way(one))
    return [f"{_first(formatting.joined(ways, 'or'))} the verdict would be {word}." for word, ways in others.items()]


def rows(results: Results) -> list[tuple[str, str, str, str, str]]:
    """What was changed, the verdict, lift with interval, p, whether it holds; the declared analysis first."""
    rule, first = results.monitoring.rule, []
    for metric in primaries(results)[:1]:
        for comparison in metric.comparisons:
            if comparison.arm == results.verdict.arm:
                lift = "{} ({})".format(*effect(metric, comparison, rule=rule))
                first = [("as declared", str(results.verdict.verdict), lift, p_value(comparison, rule), NOTHING)]
    return first + [_row(results, one) for one in results.sensitivity]


def _row(results: Results, one: Alternative) -> tuple[str, str, str, str, str]:
    lift, p = shown(one.lift, formatting.lift), shown(one.p_value, lambda p: formatting.p_value(p, results.setup.alpha))
    if one.lift_interval == (None, None) and results.monitoring.rule != "fixed":
        lift, p = f"{lift} (not judged)", NOTHING
    elif one.lift_interval is not None:
        lift += f" ({ends(one.lift_interval, formatting.lift)})"
    return _way(one), one.verdict, lift, p, "yes" if one.holds else "no"


def _way(one: Alternative) -> str:
    """What was changed, as it stands in a sentence: `without the cap`, `with analytic intervals`."""
    return clean(note_texts.text(one.change))


def _first(text: str) -> str:
    return text[:1].upper() + text[1:]
