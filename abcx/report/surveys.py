"""What stands beside a survey metric: who was asked and answered, which answers, how far the effect can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from abcx import formatting
from abcx.formatting import clean
from abcx.report.fragments import NOTHING, ends, level, named, shown, titled
from abcx.report.markup import bullets, escape, table
from abcx.results.metric import MetricResult, Response, Survey, SurveyComparison
from abcx.results.readout import Results

_LEVEL = 0.05
"""Response differs at p below; above it can still differ by too much for a verdict."""


def in_short(results: Results, metric: MetricResult) -> list[str]:
    """A few sentences for the terminal."""
    survey = metric.survey
    if survey is None:
        return []
    responses = _responses(results, survey)
    told = [text for text in (_groups(results, metric, survey),) if text]
    told += [f"Answers to {named(metric)}: {responses}."] if responses else []
    for comparison in metric.comparisons:
        found = survey.comparisons.get(comparison.arm)
        if found is not None:
            told += _compared(results, metric, comparison.arm, found)
    return told


def in_brief(results: Results, metrics: list[MetricResult]) -> list[str]:
    """One or two lines for metrics that are not primary; what several questions share is said once."""
    asked = [(metric, metric.survey) for metric in metrics if metric.survey is not None]
    told = [
        text for metric, survey in asked if metric.type != "csat" for text in [_groups(results, metric, survey)] if text
    ]
    told += _means(results, [(metric, survey) for metric, survey in asked if metric.type == "csat"])
    alike: dict[str, list[MetricResult]] = {}
    for metric, survey in asked:
        responses = _responses(results, survey)
        alike.setdefault(responses, []).append(metric)
    for responses, group in alike.items():
        names = formatting.joined([named(metric) for metric in group])
        told += [f"Answers to {names}: {responses}."] if responses else []
        unequal = [m for m in group if m.survey and any(c.binds for c in m.survey.comparisons.values())]
        if unequal:
            held = [m for m in unequal if any(c.held_back for c in m.comparisons)]
            which = "them" if held == group else formatting.joined([named(m) for m in held])
            rest = f"; those who answer may show no effect, so no verdict may rest on {which}" if held else ""
            surely = any(_differs(c) == "differs" for m in unequal if m.survey for c in m.survey.comparisons.values())
            told.append(
                f"Response {'differs' if surely else 'may differ'} by arm{rest}: read the bounds in the report."
            )
    return told


def _means(results: Results, asked: list[tuple[MetricResult, Survey]]) -> list[str]:
    """Mean answers of several questions in one line: `Mean answers with control and variant: ...`."""
    arms = [arm.name for arm in results.arms]
    parts = [
        f"{named(metric)} {formatting.joined([shown(survey.means.get(arm), lambda x: f'{x:.2f}') for arm in arms])}"
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
    more = f"; {formatting.plural(repeats, 'answers')} beyond one a unit not used" if repeats else ""
    return f"{_each(arms, texts)}{more}"


def _answered(found: Response, unit: str) -> str:
    share = f" ({formatting.percent(found.answered / found.exposed, 1)})" if found.exposed else ""
    asked = f", {formatting.count(found.invited)} invited" if found.invited is not None else ""
    return f"{formatting.count(found.answered)} of {formatting.count(found.exposed)} {unit}{share}{asked}"


def _compared(results: Results, metric: MetricResult, arm: str, found: SurveyComparison) -> Iterator[str]:
    who = f" with {clean(arm)}" if len(metric.comparisons) > 1 else ""
    if found.higher is not None:
        interval = (
            f" ({ends(found.higher_interval, lambda x: formatting.percent(x, 1))})" if found.higher_interval else ""
        )
        chance = formatting.percent(found.higher, 1)
        yield f"Chance that a variant answer is the higher one{who}, ties halved: {chance}{interval}, 50% is no effect."
    p = f" (p = {formatting.p_value(found.response_p_value)})" if found.response_p_value is not None else ""
    if found.binds and found.bounds is None:
        yield f"Response {_differs(found)}{who}{p}, and nothing bounds the effect: no verdict may rest on it."
    if found.binds and found.bounds is not None:
        fits = _bounds(results, metric, found)
        held = any(c.held_back for c in metric.comparisons if c.arm == arm)
        verdict = ": the verdict does not rest on it" if held else ""
        yield f"Response {_differs(found)}{who}{p}; on those who answer either way the effect is {fits}{verdict}."


def _differs(found: SurveyComparison) -> str:
    """Whether response differs, or nobody can exclude that it does."""
    return "differs" if found.response_p_value is not None and found.response_p_value < _LEVEL else "may differ"


def _bounds(results: Results, metric: MetricResult, found: SurveyComparison) -> str:
    def form(x: float) -> str:
        return formatting.difference(x, metric.unit)

    interval = (
        f" ({level(results.setup.alpha)} interval {ends(found.bounds_interval, form)})" if found.bounds_interval else ""
    )
    assert found.bounds is not None
    low, high = (NOTHING if end is None else form(end) for end in found.bounds)
    return f"between {low} and {high}{interval}"


def section(results: Results) -> Iterator[str]:
    """The same as Markdown, with the table by answer."""
    found = [(metric, metric.survey) for metric in results.metrics if metric.survey is not None]
    if not found:
        return
    yield "## Answers"
    for metric, survey in found:
        yield f"### {escape(metric.name)}"
        yield bullets(map(escape, in_short(results, metric)))
        if survey.answers:
            yield _answers(results, survey)
        if any(one.bounds is not None for one in survey.comparisons.values()):
            yield _trust(results, metric, survey)


def _answers(results: Results, survey: Survey) -> str:
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


def _trust(results: Results, metric: MetricResult, survey: Survey) -> str:
    def form(x: float) -> str:
        return formatting.difference(x, metric.unit)

    rows = []
    for arm, found in survey.comparisons.items():
        rows.append(
            (
                escape(arm),
                shown(found.response_p_value, formatting.p_value),
                f"{ends(found.bounds, form)} ({ends(found.bounds_interval, form)})",
                f"{ends(found.worst_case, form)} ({ends(found.worst_case_interval, form)})",
                "yes" if found.binds else "no",
            )
        )
    interval = f"({level(results.setup.alpha)} interval)"
    heads = ("variant", "p of equal response", f"effect on those who answer either way {interval}")
    return table((*heads, f"worst case over all exposed units {interval}", "bounds bind"), rows, "lrrrl")
