"""Whether the data can be trusted: one line, then what failed and what needs care, in the order of its weight."""

from __future__ import annotations

from dataclasses import dataclass

from abcx import formatting
from abcx.checks import TITLES
from abcx.formatting import clean
from abcx.report import reasons, sensitivity, sentences
from abcx.report.fragments import sentence, titled
from abcx.results.readout import CheckResult, Reason, Results

_NEEDED_OF_SPEC = {"duration": "period", "whole_weeks": "period", "sample_size": "plan"}
"""Checks that could run if the spec said more, with the key that it lacks."""


@dataclass(frozen=True, slots=True)
class Concern:
    """What speaks against a result: the subject in a few words, and a sentence or two."""

    subject: str
    text: str
    fails: bool = False


def in_one_line(results: Results) -> str:
    """`22 checks passed, 2 need care, 1 could not run (the spec has no plan).`"""
    count = {status: sum(check.status == status for check in results.checks) for status in ("pass", "warn", "fail")}
    parts = [f"{formatting.plural(count['pass'], 'checks')} passed"] if count["pass"] else ["No check passed"]
    parts += [f"{count['fail']} failed"] if count["fail"] else []
    parts += [f"{count['warn']} {'needs' if count['warn'] == 1 else 'need'} care"] if count["warn"] else []
    lacking = list(dict.fromkeys(_NEEDED_OF_SPEC[c.code] for c in _unable(results)))
    if lacking:
        parts.append(f"{len(_unable(results))} could not run (the spec has no {formatting.joined(lacking, 'or')})")
    return f"{', '.join(parts)}." if results.checks else "No checks were run."


def concerns(results: Results) -> tuple[Concern, ...]:
    """Failed checks, then the warnings of the headline in its order, then checks that warn beside it."""
    by_code = {check.code: check for check in results.checks}
    listed = [_of_check(check) for check in results.checks if check.status == "fail"]
    for warning in results.verdict.warnings:
        code = warning.values.get("check")
        if isinstance(code, str):
            listed.append(_of_check(by_code[code]))
        else:
            listed.append(_without_check(results, warning))
    listed += [Concern("the verdict itself", sentence(text)) for text in sensitivity.care(results)]
    listed += [_of_check(check) for check in results.checks if check.status == "warn"]
    return tuple({concern.text: concern for concern in listed}.values())


def title(code: str) -> str:
    """A check in a few words: `split of the arms`."""
    return TITLES.get(code, clean(code.replace("_", " ")))


def _unable(results: Results) -> list[CheckResult]:
    return [check for check in results.checks if check.status == "skipped" and check.code in _NEEDED_OF_SPEC]


def _of_check(check: CheckResult) -> Concern:
    return Concern(title(check.code), sentence(check.message), check.status == "fail")


def _without_check(results: Results, warning: Reason) -> Concern:
    """A metric that got worse and does not decide, or that the verdict is the one of the planned day."""
    if warning.metric is None:
        return Concern("the planned day", sentence(reasons.text(results, results.verdict, warning)))
    metric = results[warning.metric]
    comparison = next(c for c in metric.comparisons if c.arm == results.verdict.arm)
    return Concern(titled(metric), sentences.effect(results, metric, comparison))
