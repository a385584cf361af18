"""Text about survey metrics: response, answers by group, and bounds of the effect."""

from __future__ import annotations

from collections.abc import Iterator

from abcx import formatting
from abcx.formatting import clean
from abcx.report import quantities
from abcx.report.fragments import NOTHING, inline, level, shown, titled
from abcx.report.markup import bullets, escape, table
from abcx.report.quantities import ends
from abcx.results.metric import MetricResult, Response, Survey, SurveyComparison
from abcx.results.readout import Results

_LEVEL = 0.05
"""Below this p-value response `differs`; above it, where the bounds apply all the same, it `may differ`."""


def in_short(results: Results, metric: MetricResult) -> list[str]:
    """A few sentences for the terminal."""
    survey = metric.survey
    if survey is None:
        return []
    responses = _responses(results, survey)
    lines = [text for text in (_groups(results, metric, survey),) if text]
    lines += [f"Answers to {inline(metric)}: {responses}."] if responses else []
    for comparison in metric.comparisons:
        survey_comparison = survey.comparisons.get(comparison.arm)
        if survey_comparison is not None:
            lines += _compared(results, metric, comparison.arm, survey_comparison)
    return lines


def in_brief(results: Results, metrics: list[MetricResult]) -> list[str]:
    """One or two lines for metrics that are not primary; questions with equal responses share a line."""
    asked = [(metric, metric.survey) for metric in metrics if metric.survey is not None]
    lines = [
        text for metric, survey in asked if metric.type != "csat" for text in [_groups(results, metric, survey)] if text
    ]
    lines += _means(results, [(metric, survey) for metric, survey in asked if metric.type == "csat"])
    by_responses: dict[str, list[MetricResult]] = {}
    for metric, survey in asked:
        responses = _responses(results, survey)
        by_responses.setdefault(responses, []).append(metric)
    for responses, group in by_responses.items():
        names = formatting.joined([inline(metric) for metric in group])
        lines += [f"Answers to {names}: {responses}."] if responses else []
        unequal = [m for m in group if m.survey and any(c.binds for c in m.survey.comparisons.values())]
        if unequal:
            held = [m for m in unequal if any(c.held_back for c in m.comparisons)]
            which = "them" if held == group else formatting.joined([inline(m) for m in held])
            consequence = f"; those who answer may show no effect, so no verdict may rest on {which}" if held else ""
            surely = any(_differs(c) == "differs" for m in unequal if m.survey for c in m.survey.comparisons.values())
            lines.append(
                f"Response {'differs' if surely else 'may differ'} by arm{consequence}: read the bounds in the report."
            )
    return lines


def _means(results: Results, asked: list[tuple[MetricResult, Survey]]) -> list[str]:
    """Mean answers of several questions in one line: `Mean answers with control and variant: ...`."""
    arms = [arm.name for arm in results.arms]
    parts = [
        f"{inline(metric)} {formatting.joined([shown(survey.means.get(arm), lambda x: f'{x:.2f}') for arm in arms])}"
        for metric, survey in asked
        if any(mean is not None for mean in survey.means.values())
    ]
    return (
        [f"Mean answers with {formatting.joined([clean(arm) for arm in arms])}: {', '.join(parts)}."] if parts else []
    )


def _groups(results: Results, metric: MetricResult, survey: Survey) -> str:
    """`Promoters 40.0% with control and 55.0% with variant; passives ...; mean answer 4.10 and 4.22.`"""
    arms = [arm.name for arm in results.arms]
    parts = []
    for group in next(iter(survey.groups.values()), {}):
        if group != "top":
            shares = [formatting.percent(survey.groups[arm].get(group, 0.0), 1) for arm in arms]
            parts.append(f"{group} {_each(arms, shares)}")
    if metric.type == "csat" and any(mean is not None for mean in survey.means.values()):
        means = [shown(survey.means.get(arm), lambda x: f"{x:.2f}") for arm in arms]
        parts.append(f"mean answer {_each(arms, means)}")
    return f"{titled(metric)}: {'; '.join(parts)}." if parts else ""


def _each(arms: list[str], texts: list[str]) -> str:
    return formatting.joined([f"{text} with {clean(arm)}" for arm, text in zip(arms, texts, strict=True)])


def _responses(results: Results, survey: Survey) -> str:
    """How many answered by arm, as a clause; empty where that is not known."""
    arms = [arm.name for arm in results.arms if arm.name in survey.responses]
    if not arms:
        return ""
    unit = clean(results.setup.unit)
    texts = [_answered(survey.responses[arm], unit) for arm in arms]
    repeats = sum(survey.responses[arm].repeats for arm in arms)
    unused = f"; {formatting.plural(repeats, 'answers')} beyond one a unit not used" if repeats else ""
    return f"{_each(arms, texts)}{unused}"


def _answered(response: Response, unit: str) -> str:
    share = f" ({formatting.percent(response.answered / response.exposed, 1)})" if response.exposed else ""
    asked = f", {formatting.count(response.invited)} invited" if response.invited is not None else ""
    return f"{formatting.count(response.answered)} of {formatting.count(response.exposed)} {unit}{share}{asked}"


def _compared(results: Results, metric: MetricResult, arm: str, comparison: SurveyComparison) -> Iterator[str]:
    who = f" with {clean(arm)}" if len(metric.comparisons) > 1 else ""
    if comparison.higher is not None:
        interval = (
            f" ({ends(comparison.higher_interval, lambda x: formatting.percent(x, 1))})"
            if comparison.higher_interval
            else ""
        )
        chance = formatting.percent(comparison.higher, 1)
        yield f"Chance that a variant answer is the higher one{who}, ties halved: {chance}{interval}, 50% is no effect."
    p = f" ({formatting.p_words(comparison.response_p_value)})" if comparison.response_p_value is not None else ""
    if comparison.binds and comparison.bounds is None:
        yield f"Response {_differs(comparison)}{who}{p}, and nothing bounds the effect: no verdict may rest on it."
    if comparison.binds and comparison.bounds is not None:
        fits = _bounds(results, metric, comparison)
        held = any(c.held_back for c in metric.comparisons if c.arm == arm)
        verdict = ": the verdict does not rest on it" if held else ""
        yield f"Response {_differs(comparison)}{who}{p}; on those who answer either way the effect is {fits}{verdict}."


def _differs(comparison: SurveyComparison) -> str:
    """`differs` where response differs significantly between the arms, else `may differ`."""
    return (
        "differs" if comparison.response_p_value is not None and comparison.response_p_value < _LEVEL else "may differ"
    )


def _bounds(results: Results, metric: MetricResult, comparison: SurveyComparison) -> str:
    form = quantities.form_of(metric)
    interval = (
        f" ({level(results.setup.alpha)} interval {form.differences(comparison.bounds_interval)})"
        if comparison.bounds_interval
        else ""
    )
    assert comparison.bounds is not None
    low, high = map(form.difference, comparison.bounds)
    return f"between {low} and {high}{interval}"


def section(results: Results) -> Iterator[str]:
    """The same as Markdown, with the table by answer."""
    surveys = [(metric, metric.survey) for metric in results.metrics if metric.survey is not None]
    if not surveys:
        return
    for metric, survey in surveys:
        yield f"### {escape(titled(metric))}"
        yield bullets(map(escape, in_short(results, metric)))
        if survey.answers:
            yield _answers_table(results, survey)
        if any(comparison.bounds is not None for comparison in survey.comparisons.values()):
            yield _bounds_table(results, metric, survey)


def _answers_table(results: Results, survey: Survey) -> str:
    arms = [arm.name for arm in results.arms]
    totals = {arm: sum(survey.answers[arm]) for arm in arms}
    rows = []
    for position in reversed(range(len(survey.answers[arms[0]]))):
        cells = [str(survey.low + position)]
        for arm in arms:
            count = survey.answers[arm][position]
            share = formatting.percent(count / totals[arm], 1) if totals[arm] else NOTHING
            cells += [formatting.count(count), share]
        rows.append(cells)
    heads = ["answer", *(text for arm in arms for text in (escape(arm), "share"))]
    return table(heads, rows, "r" * len(heads))


def _bounds_table(results: Results, metric: MetricResult, survey: Survey) -> str:
    form = quantities.form_of(metric)
    rows = []
    for arm, comparison in survey.comparisons.items():
        rows.append(
            (
                escape(arm),
                shown(comparison.response_p_value, formatting.p_value),
                f"{form.differences(comparison.bounds)} ({form.differences(comparison.bounds_interval)})",
                f"{form.differences(comparison.worst_case)} ({form.differences(comparison.worst_case_interval)})",
                "yes" if comparison.binds else "no",
            )
        )
    interval = f"({level(results.setup.alpha)} interval)"
    heads = ("variant", "p of equal response", f"effect on those who answer either way {interval}")
    return table((*heads, f"worst case over all exposed units {interval}", "bounds bind"), rows, "lrrrl")
