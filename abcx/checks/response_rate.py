"""**Response rate**: did the change alter who answers?

Looks at: for every survey metric, the share of exposed units that answered, by arm, with a test of equal shares; and
bounds on the effect among those who would answer in either arm (Lee 2009). Warns where response may differ (p < .2): a
claim about the metric must then hold for the bounds with their error, too, else no verdict rests on it
(`response_bias`). Warns where the data do not say who was asked, so that the verdict rests on the answers alone.

Why it matters: randomization makes the arms alike, not those of them who answer. If the change makes unhappy customers
speak up, the score falls although nobody is less happy. With 20.0 and 20.8 % answering, such a difference alone can
make a score "significant" in most experiments without any effect.

What to do now: ask in the same way in all arms, at a moment that the change does not move; invite again those who did
not answer; judge by something that every exposed unit has. The report shows the bounds and the worst case.
"""

from __future__ import annotations

from collections.abc import Iterator

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import sentences
from abcx.planning.planned_end import JUDGED
from abcx.results.metric import MetricResult, Survey, SurveyComparison
from abcx.results.readout import CheckResult


def check(context: CheckContext) -> CheckResult:
    """Response shares of all survey metrics."""
    surveys = [(metric, metric.survey) for metric in context.metrics.values() if metric.survey is not None]
    asked = [(metric, survey) for metric, survey in surveys if len(survey.responses) == len(context.experiment.arms)]
    if not asked:
        help = "needs a survey metric (nps, csat, ces)"
        return CheckResult("response_rate", "skipped", "Nobody was asked a question.", help=help)
    details = {
        metric.name: {
            "shares": {arm: _share(survey, arm) for arm in survey.responses},
            "p_values": {arm: comparison.response_p_value for arm, comparison in survey.comparisons.items()},
            "binds": [arm for arm, comparison in survey.comparisons.items() if comparison.binds],
            "held_back": [comparison.arm for comparison in metric.comparisons if comparison.held_back],
        }
        for metric, survey in asked
    }
    clauses = list(_clauses(context, asked))
    tested = [c.response_p_value for _, survey in asked for c in survey.comparisons.values()]
    p = min((p_value for p_value in tested if p_value is not None), default=None)
    if not clauses and (alone := _answers_alone(asked)):
        message = sentences(
            f"the data hold only those who answered {context.titles(alone)}, not everybody who could",
            "if the change affects who answers, the result misleads",
        )
        unit = context.experiment.unit
        help = f"Give all exposed {unit}, or name who was asked (`invited:`), so that response can be compared"
        if context.observed.kind == "counts":
            help = f"Write all exposed {unit} of each arm as `units`, not only those who answered"
        return CheckResult("response_rate", "warn", message, p, {"metrics": details}, help)
    if not clauses:
        shares = [_share(asked[0][1], arm) for arm in context.experiment.arms]
        percentages = formatting.joined([formatting.percent(share, 1) for share in shares])
        message = f"{percentages} answer {context.title(asked[0][0].name)}, about as many in every arm."
        return CheckResult("response_rate", "pass", message, p, {"metrics": details})
    help = f"Ask in the same way in all arms; read the bounds of the effect; judge by what every {context.one_unit} has"
    return CheckResult("response_rate", "warn", sentences(*clauses), p, {"metrics": details}, help)


def _answers_alone(asked: list[tuple[MetricResult, Survey]]) -> list[str]:
    """Judged metrics of which the data hold answers only: everybody in them answered."""
    return [
        metric.name
        for metric, survey in asked
        if metric.role in JUDGED
        and all(response.exposed == response.answered for response in survey.responses.values())
    ]


def _share(survey: Survey, arm: str) -> float:
    response = survey.responses[arm]
    return response.answered / response.exposed if response.exposed else 0.0


def _clauses(context: CheckContext, asked: list[tuple[MetricResult, Survey]]) -> Iterator[str]:
    """Unequal responses; questions of one survey, with the same answers in number, share a clause."""
    groups: dict[tuple[str, int, int], list[tuple[str, SurveyComparison]]] = {}
    control = context.experiment.control
    for metric, survey in asked:
        for arm in context.experiment.variants:
            if survey.comparisons[arm].binds:
                key = arm, survey.responses[control].answered, survey.responses[arm].answered
                groups.setdefault(key, []).append((metric.name, survey.comparisons[arm]))
    surveys = {metric.name: survey for metric, survey in asked}
    for (arm, _, _), questions in groups.items():
        first = surveys[questions[0][0]]
        shares = [formatting.percent(_share(first, side), 1) for side in (control, arm)]
        names = [name for name, _ in questions]
        what = f" {context.titles(names)}" if len(groups) > 1 else ""
        yield (
            f"{shares[0]} answer{what} with {control} and {shares[1]} with {arm}, so those who answer may differ "
            "between the arms"
        )
        held = {m.name for m, _ in asked for c in m.comparisons if c.arm == arm and c.held_back}
        if biased := [name for name in names if name in held]:
            yield f"what the answers show for {context.titles(biased)} may come from who answers"
        else:
            yield f"{context.titles(names)} may be judged only where that cannot explain the effect"
