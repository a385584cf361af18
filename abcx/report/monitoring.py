"""Text about sequential monitoring and multiple comparisons: the rule, the boundary now, the levels of intervals."""

from __future__ import annotations

import math

from abcx import formatting
from abcx.formatting import clean
from abcx.report.fragments import level, titled
from abcx.results.metric import Comparison, MetricResult, Role
from abcx.results.monitoring import half_open, silent, unjudged
from abcx.results.readout import Monitoring, Results

_CORRECTIONS = {"holm": "Holm", "bh": "Benjamini-Hochberg"}


def alpha_words(alpha: float) -> str:
    """A level as p-values are written: .05."""
    return formatting.significant(alpha).removeprefix("0")


def facts(results: Results) -> list[tuple[str, str]]:
    """Label and text of the rule, the information now and the boundary now; empty without sequential monitoring."""
    monitoring = results.monitoring
    if monitoring.rule == "fixed":
        return []
    entries = [("Looks", _rule(monitoring))]
    if monitoring.information is not None:
        entries.append(("Information now", share_of_plan(monitoring.information)))
    if monitoring.boundaries:
        entries.append(("Boundary now", _boundary(monitoring.boundaries[-1][1], results.setup.alpha)))
    return entries


def _rule(monitoring: Monitoring) -> str:
    """The rule in words; between planned looks, when the next is."""
    if monitoring.rule == "hybrid":
        return "Harm is watched all the time (a confidence sequence), a win counts at the end"
    if monitoring.rule == "always_valid":
        return "Always valid: a confidence sequence tuned to the planned size"
    spending = (monitoring.spending or "").replace("_", "-")
    rule = f"Group sequential, {spending} spending (Lan and DeMets 1983)"
    if not monitoring.between_looks:
        return rule
    following = f": the next is at {share_of_plan(monitoring.next_look)}" if monitoring.next_look else ""
    return f"{rule}; no decision is made between planned looks{following}"


def in_short(results: Results) -> str:
    """The same on one line, for the set-up card; empty without sequential monitoring."""
    joints = {"Looks": "", "Information now": "now ", "Boundary now": "boundary now "}
    return " · ".join(joints[label] + text for label, text in facts(results))


def share_of_plan(information: float) -> str:
    """`40% of the planned size`."""
    return f"{_share(information)} of the planned size"


def _share(information: float) -> str:
    return formatting.percent(information, 0 if information >= 0.0995 else 1)


def boundaries(results: Results) -> list[tuple[str, str, str, str]]:
    """A row for every look so far: its number, information, z and the p-value below which it decides."""
    rows = []
    for number, (information, z) in enumerate(results.monitoring.boundaries, 1):
        reachable = math.isfinite(z)
        p = formatting.p_value(_p(z)) if reachable else "none"
        rows.append((str(number), _share(information), f"{z:.3f}" if reachable else "out of reach", p))
    return rows


def p_words(results: Results, comparison: Comparison) -> str:
    """`p = .041`; with the adjusted value where a correction changed it; the reason where there is none."""
    if unjudged(comparison, results.monitoring.rule):
        return "not judged before the end" if results.monitoring.rule == "hybrid" else "not judged now"
    if comparison.p_value is None:
        return "no p-value"
    text = formatting.p_words(comparison.p_value, comparison.alpha)
    adjusted = comparison.p_value_adjusted
    if adjusted is not None and adjusted != comparison.p_value:
        text += f", adjusted {formatting.p_value(adjusted, results.setup.alpha)}"
    return text


def levels(results: Results, metric: MetricResult) -> list[str]:
    """The level of a metric's intervals and the overall level, where correction or monitoring makes them differ."""
    corrected = _corrected(results, metric.role, [(c, clean(c.arm)) for c in metric.comparisons])
    overall = f"level {alpha_words(results.setup.alpha)} overall"
    if results.monitoring.rule == "fixed" or not metric.comparisons:
        return [f"Intervals of difference and lift: {corrected}; {overall}."] if corrected else []
    if all(silent(c, results.monitoring.rule) for c in metric.comparisons):
        return [f"No p and no interval at this look: {why_silent(results)} ({overall})."]
    at = f"at {corrected or level(results.setup.alpha)}: {overall}"
    if results.monitoring.rule == "hybrid" and any(map(half_open, metric.comparisons)):
        return [f"Harm at this look, corrected for repeated looks; a win at the end. Intervals {at}."]
    text = f"p at this look, corrected for repeated looks. Intervals likewise, {at}"
    if not corrected and results.monitoring.boundaries:
        text += f", {_limit(_p(results.monitoring.boundaries[-1][1]))} at this look"
    return [f"{text}."]


def why_silent(results: Results) -> str:
    """Why nothing is judged at this look."""
    between = results.monitoring.rule == "group_sequential" and not results.monitoring.boundaries
    return "this run is between the planned looks" if between else "there are too few units or events so far"


def levels_of_role(results: Results, role: Role) -> list[str]:
    """The same for all metrics of a role together, where a correction set levels of their own."""
    several = len(results.arms) > 2
    pairs = [
        (c, titled(metric) + (f" {clean(c.arm)}" if several else ""))
        for metric in results.metrics
        if metric.role == role
        for c in metric.comparisons
    ]
    corrected = _corrected(results, role, pairs)
    overall = f"level {alpha_words(results.setup.alpha)} overall"
    return [f"{role.capitalize()} intervals: {corrected}; {overall}."] if corrected else []


def _corrected(results: Results, role: Role, comparisons: list[tuple[Comparison, str]]) -> str:
    """`97.5% after Holm for 2 comparisons`; empty where all intervals hold at the overall level."""
    if all(level(c.alpha) == level(results.setup.alpha) for c, _ in comparisons):
        return ""
    groups: dict[str, list[str]] = {}
    for comparison, name in comparisons:
        groups.setdefault(level(comparison.alpha), []).append(name)
    texts = (
        [f"{text} for {formatting.joined(names)}" for text, names in groups.items()] if len(groups) > 1 else [*groups]
    )
    family = sum(len(metric.comparisons) for metric in results.metrics if metric.role == role)
    by = _CORRECTIONS.get(results.setup.correction, clean(results.setup.correction))
    listed = ", ".join(texts) if any(len(names) > 1 for names in groups.values()) else formatting.joined(texts)
    return f"{listed} after {by} for {formatting.plural(family, 'comparisons')}"


def _boundary(z: float, alpha: float) -> str:
    if not math.isfinite(z):
        return f"out of reach: no result could decide at this look (level {alpha_words(alpha)} overall)"
    return f"z = {z:.3f} (p below {_limit(_p(z))}; level {alpha_words(alpha)} overall)"


def _limit(p: float) -> str:
    """A p-value as a limit: .0021, .0001 where it is smaller."""
    return formatting.p_value(p).removeprefix("< ")


def _p(z: float) -> float:
    """The two-sided p-value of a z-value."""
    return math.erfc(z / math.sqrt(2))
