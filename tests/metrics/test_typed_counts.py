"""Counts that are typed: what contradicts itself is refused, and the results are plain data."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import yaml

import abcx
from abcx.errors import AbcxError
from abcx.metrics import METRIC_TYPES
from abcx.report import markdown
from tests.support.results import conclude, spec

CSAT: dict[str, Any] = {"type": "csat", "scale": [1, 5], "goal": "increase", "role": "primary"}
NPS: dict[str, Any] = {"type": "nps", "scale": [0, 10], "goal": "increase", "role": "primary"}


@pytest.mark.parametrize(
    ("metric", "written", "cure"),
    [
        (CSAT, {"answers": {4: 10, 5: 20}, "units": 31}, "30"),
        (CSAT, {"answers": {4: 10, 5: 20}, "mean": 4.7}, "alone"),
        (CSAT, {"answers": {4: 10, 6: 20}}, "from 1 to 5"),
        (NPS, {"promoters": 40, "passives": 30, "detractors": 30, "units": 90}, "100"),
        (NPS, {"answers": {10: 40}, "promoters": 40}, "alone"),
        (NPS, {"promoters": 40, "passives": 30}, "detractors"),
    ],
)
def test_typed_answers_that_contradict_themselves_are_refused(metric: Any, written: Any, cure: str) -> None:
    arm = {"units": 200, "asked": written}
    with pytest.raises(AbcxError) as error:
        abcx.analyze(spec({"control": arm, "variant": arm}, {"asked": metric}))
    assert cure in " ".join(f"{problem.message} {problem.help}" for problem in error.value.problems)


def test_results_are_plain_data() -> None:
    """What `to_dict` gives can be written as YAML by anybody: texts are str, not enumerations."""
    arms = {arm: {"units": 200, "orders": n} for arm, n in (("control", 20), ("variant", 40))}
    results = conclude(arms, {"orders": {"type": "conversion", "goal": "increase", "role": "primary"}})
    written = results.to_dict()
    assert yaml.safe_load(yaml.safe_dump(written)) == written
    assert type(written["metrics"][0]["comparisons"][0]["method"]) is str


@pytest.mark.parametrize("name", METRIC_TYPES)
def test_a_type_is_registered_by_its_name(name: str) -> None:
    assert get_args(METRIC_TYPES[name].model_fields["type"].annotation) == (name,)


def test_the_bounds_of_a_survey_have_the_level_of_the_experiment() -> None:
    answers = {"control": {1: 100, 5: 300}, "variant": {1: 60, 5: 420}}
    arms = {arm: {"units": 1000, "asked": {"answers": found}} for arm, found in answers.items()}
    results = conclude(arms, {"asked": CSAT}, analysis={"alpha": 0.1})
    page = markdown.render(results).partition("**Interval**: ")[0]  # the glossary explains by an example
    assert "90% interval" in page and "95% interval" not in page
