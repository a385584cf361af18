"""**Missing values**: do exposed units lack a value, and does one arm lack more than the other?

Looks at: for every metric, exposed units without a value (an empty cell of a ready-made column, a unit that the file of
units does not know), their share by arm, and a chi-square test of equal shares. A primary metric fails below p = .001;
otherwise a metric warns below .01. A yes/no column that says yes wherever it is filled, and is empty elsewhere, fails
or warns in the same way: an empty cell may mean no. A ready-made column that is empty for more than 20 % of the units
warns even where the arms are alike (not for nps, csat and ces, which have `response_rate`, nor with `missing_value:
drop`). Where an arm expects fewer than 5 missing or present values there is no test. A unit without any event is not
missing: it counts as 0.

Why it matters: units without a value are left out of that metric. If the loss is the same everywhere, only precision
suffers. If one arm loses more, the two groups that are left are no longer alike, and the comparison shows who was lost
as much as what the change did.

What to do now: ask why values are empty in one arm: a tracking call that a script blocks, a form field that only one
version has, a join that failed. Where an empty cell means none or no (did not buy), write `missing_value: zero`; where
such units are to be left out, and the figures are per unit with a value, `missing_value: drop`. Mend the data, or
choose a metric that every exposed unit has (a count of events, a conversion). Do not fill the gaps with averages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.homogeneity import homogeneity_p_value
from abcx.checks.words import SHOWN, sentences, share_text
from abcx.results.readout import CheckResult, CheckStatus
from abcx.stats.records import Proportion

FAIL = 0.001
WARN = 0.01
EMPTY = 0.2
"""A column with more than this share of empty cells warns: its figures describe only some of the units."""


@dataclass(frozen=True)
class _Loss:
    """One metric's exposed units without a value; `p_value` is None where there is nothing to test."""

    name: str
    primary: bool
    missing: dict[str, int]
    exposed: dict[str, int]
    p_value: float | None

    @property
    def status(self) -> CheckStatus:
        if self.p_value is None or self.p_value >= WARN:
            return "pass"
        return "fail" if self.primary and self.p_value < FAIL else "warn"

    @property
    def total(self) -> int:
        return sum(self.missing.values())


def check(context: CheckContext) -> CheckResult:
    """Whether units without a value are equally common in all arms."""
    losses = [_loss(context, name) for name in context.experiment.metrics]
    details: dict[str, Any] = {"metrics": {loss.name: _as_json(loss) for loss in losses if loss.total}}
    if yes := [loss for loss in losses if _is_only_yes(context, loss)]:
        return _only_yes_result(context, yes, details)
    worst: dict[CheckStatus, list[_Loss]] = {"fail": [], "warn": [], "pass": []}
    for loss in losses:
        worst[loss.status].append(loss)
    tested = [loss.p_value for loss in losses if loss.p_value is not None]
    p = min(tested, default=None)
    empty = [loss for loss in worst["pass"] if _is_mostly_empty(context, loss)]
    if not worst["fail"] and not worst["warn"] and not empty:
        return CheckResult("missing", "pass", _harmless(context, losses), p, details)
    status: CheckStatus = "fail" if worst["fail"] else "warn"
    if status == "fail":
        details["reason"] = "data_loss"
    uneven = worst["fail"] + worst["warn"]
    message = _message(context, uneven, empty, status)
    why = "Find out why values are lost more often in one arm: blocked tracking, a failed join, a form field"
    meant = "Say in the metric what an empty cell means: `missing_value: zero` (none, or no) or `drop` (leave out)"
    help = ". ".join(cure for cure, asked in ((why, uneven), (meant, empty)) if asked)
    return CheckResult("missing", status, message, p, details, help)


def _loss(context: CheckContext, name: str) -> _Loss:
    data = context.data(name)
    arms = [arm for arm in context.experiment.arms if arm in data.summaries]
    missing = {arm: max(data.missing.get(arm, 0), 0) for arm in arms}
    present = {arm: data.summaries[arm].n for arm in arms}
    exposed = {arm: missing[arm] + present[arm] for arm in arms}
    p = homogeneity_p_value(list(missing.values()), list(present.values()))
    return _Loss(name, context.experiment.metrics[name].role == "primary", missing, exposed, p)


def _is_only_yes(context: CheckContext, loss: _Loss) -> bool:
    """Whether a yes or no is yes wherever it is filled, and empty elsewhere."""
    proportions = [
        proportion for proportion in context.data(loss.name).summaries.values() if isinstance(proportion, Proportion)
    ]
    if context.experiment.metrics[loss.name].value_kind != "share" or not loss.total:
        return False
    return all(proportion.successes == proportion.n for proportion in proportions) and any(
        proportion.n for proportion in proportions
    )


def _is_mostly_empty(context: CheckContext, loss: _Loss) -> bool:
    """Whether a ready-made column is empty for more than a fifth of the units, and the spec does not say what an empty
    cell means."""
    metric = context.experiment.metrics[loss.name]
    terms = [column.term for column in metric.needs().columns]
    asked = metric.answer_scale is None and any(term.column and term.missing_value != "drop" for term in terms)
    return asked and loss.total > EMPTY * sum(loss.exposed.values())


def _message(context: CheckContext, uneven: list[_Loss], empty: list[_Loss], status: CheckStatus) -> str:
    unit, parts = context.experiment.unit, []
    if uneven:
        parts += [_clause(context, loss) for loss in uneven[:SHOWN]]
        parts += [f"so do {len(uneven) - SHOWN} more metrics"] * (len(uneven) > SHOWN)
        effect = "cannot be compared" if status == "fail" else "may not be comparable"
        parts.append(f"the {unit} that are left {effect} between the arms")
    if empty:
        parts += [_empty(context, loss) for loss in empty[:SHOWN]]
        parts += [f"so are {len(empty) - SHOWN} more metrics"] * (len(empty) > SHOWN)
        parts.append(f"such figures describe only the {unit} with a value")
    return sentences(*parts)


def _empty(context: CheckContext, loss: _Loss) -> str:
    exposed = sum(loss.exposed.values())
    share = share_text(loss.total / exposed, EMPTY)
    return f"{context.title(loss.name)} is empty for {share} of {context.noun(exposed)}"


def _only_yes_result(context: CheckContext, losses: list[_Loss], details: dict[str, Any]) -> CheckResult:
    """The result for yes/no columns without any no, where an empty cell may mean no."""
    status: CheckStatus = "fail" if any(loss.primary for loss in losses) else "warn"
    if status == "fail":
        details["reason"] = "data_loss"
    clauses = [
        f"{context.title(loss.name)} is yes wherever it is filled, and empty for {context.noun(loss.total)}"
        for loss in losses[:SHOWN]
    ]
    clauses += [f"so are {len(losses) - SHOWN} more metrics"] * (len(losses) > SHOWN)
    effect = f"those {context.experiment.unit} are left out, so every arm shows 100%"
    help = "If an empty cell means no, write `missing_value: zero` in the metric"
    return CheckResult("missing", status, sentences(*clauses, effect), None, details, help)


def _as_json(loss: _Loss) -> dict[str, Any]:
    shares = {arm: loss.missing[arm] / n for arm, n in loss.exposed.items() if n}
    return {"missing": loss.missing, "shares": shares, "p_value": loss.p_value}


def _clause(context: CheckContext, loss: _Loss) -> str:
    (first, n), *others = [(arm, n) for arm, n in loss.exposed.items() if n]
    shares = [f"{share_text(loss.missing[first] / n)} of the {context.experiment.unit} in {first}"]
    shares += [f"{share_text(loss.missing[arm] / n)} in {arm}" for arm, n in others]
    return f"{context.title(loss.name)} has no value for {formatting.joined(shares)}"


def _harmless(context: CheckContext, losses: list[_Loss]) -> str:
    most = max(losses, key=lambda loss: loss.total)
    if not most.total:
        return f"No value of a metric is missing ({context.noun(context.total)})."
    exposed = sum(most.exposed.values())
    alike = ", about as many in every arm" if most.p_value is not None else ""
    n = formatting.count(most.total)
    return sentences(f"{context.title(most.name)} has no value for {n} of {context.noun(exposed)}{alike}")
