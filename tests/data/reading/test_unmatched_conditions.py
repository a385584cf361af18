"""What the spec asks for and no row has, from files to the check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import abcx
from abcx.checks import nothing_found
from abcx.data.records import Unfound
from tests.support.contexts import context
from tests.support.logs import look, spec, table

EVENTS = table("""
unit time arm event staff plan amount
u1 2024-03-04T10:00Z a seen True Pro _
u1 2024-03-04T11:00Z a purchase True Pro 12
u2 2024-03-04T10:00Z b seen False basic _
u3 2024-03-04T10:00Z b seen False basic _
u3 2024-03-04T11:00Z b purchase False basic 30
""")


def lost(folder: Path, options: dict[str, Any], text: str = EVENTS, **rest: Any) -> list[Unfound]:
    data = {"events": {"file": "e.csv", **options}}
    return list(look(folder, {"e.csv": text}, spec(data, **rest)).observed.nothing_found)


@pytest.mark.parametrize(
    ("where", "asked", "seen", "cure"),
    [
        ({"staff": "true"}, "staff is 'true'", ("False", "True"), "the cells say True; write {staff: true}"),
        ({"staff": "yes"}, "staff is 'yes'", ("False", "True"), "the cells say True; write {staff: true}"),
        ({"plan": "pro"}, "plan is 'pro'", ("basic", "Pro"), "the cells say Pro; write {plan: 'Pro'}"),
        ({"amount": "30.0"}, "amount is '30.0'", ("", "12", "30"), "the cells say 30; write {amount: 30}"),
        (
            {"plan": ["gold", "p r o"]},
            "plan is 'gold' or 'p r o'",
            ("basic", "Pro"),
            "the cells say Pro; write {plan: 'Pro'}",
        ),
        ({"plan": "gold"}, "plan is 'gold'", ("basic", "Pro"), None),
        ({"unit": "u9"}, "unit is 'u9'", (), None),
        ({"staff": True, "plan": "gold"}, "plan is 'gold'", ("basic", "Pro"), None),
    ],
)
@pytest.mark.slow
def test_an_exclude_that_fits_no_row(
    tmp_path: Path, where: dict[str, Any], asked: str, seen: tuple[str, ...], cure: str | None
) -> None:
    found = lost(tmp_path, {"exclude": {"some": where}})
    assert found == [Unfound("data.events.exclude.some", asked, seen, cure)]


@pytest.mark.parametrize(
    "where",
    [
        {"staff": True},
        {"amount": {"min": 500}},
        {"plan": None},
        {"staff": {"not": [True, False]}},
        {"staff": True, "plan": "basic"},
        {"plan": ["Pro", "gold"]},
    ],
)
@pytest.mark.slow
def test_an_exclude_that_fits_or_may_well_find_nothing(tmp_path: Path, where: dict[str, Any]) -> None:
    assert lost(tmp_path, {"exclude": {"some": where}}) == []


def test_an_exclude_that_an_earlier_one_covers_is_found(tmp_path: Path) -> None:
    assert lost(tmp_path, {"exclude": {"staff": {"staff": True}, "pro": {"plan": "Pro"}}}) == []


def test_one_of_several_files_is_enough(tmp_path: Path) -> None:
    later = EVENTS.replace("True", "False")
    written = spec({"events": {"file": ["e.csv", "f.csv"], "exclude": {"staff": {"staff": True}}}})
    both = look(
        tmp_path,
        {
            "e.csv": EVENTS,
            "f.csv": later.replace("u", "v")
            .replace("vnit", "unit")
            .replace("pvrchase", "purchase")
            .replace("amovnt", "amount"),
        },
        written,
    )
    assert both.observed.nothing_found == ()


def test_a_where_of_a_source_a_metric_or_the_exposure(tmp_path: Path) -> None:
    big = {
        "type": "conversion",
        "event": "purchase",
        "where": {"amount": {"min": 50}},
        "role": "secondary",
        "goal": "increase",
    }
    pro = {**big, "where": {"plan": "PRO"}}
    metrics = {**spec()["metrics"], "big": big, "pro": pro}
    assert lost(tmp_path, {}, metrics=metrics) == [
        Unfound("metrics.big.where", "amount is at least 50", ("12", "30")),
        Unfound("metrics.pro.where", "plan is 'PRO'", ("Pro", "basic"), "the cells say Pro; write {plan: 'Pro'}"),
    ]
    found = lost(tmp_path, {}, exposure={"event": "seen", "where": {"plan": "gold"}})
    assert found == [Unfound("exposure.where", "plan is 'gold'", ("basic", "Pro"))]
    found = lost(tmp_path, {"where": {"plan": "gold"}})
    assert found == [Unfound("data.events.where", "plan is 'gold'", ("basic", "Pro"))]


def test_a_label_beside_others(tmp_path: Path) -> None:
    arms = {"a": {"labels": ["a", "original"]}, "b": {"labels": ["b"]}}
    assert lost(tmp_path, {}, arms=arms) == [Unfound("arms.a.labels", "the arm is 'original'", ("b", "a"))]


def test_a_label_is_compared_in_the_canonical_form(tmp_path: Path) -> None:
    """A label with a hard space, a full-width digit or a hidden character is the cell without it."""
    text = EVENTS.replace(" a ", " control ").replace(",a,", ",variant 2,")
    arms = {"a": {"labels": ["variant\u00a02", "\u200bvariant \uff12"]}, "b": {"labels": ["b"]}}
    assert lost(tmp_path, {}, text, arms=arms) == []


def test_segments_and_covariates_without_a_value(tmp_path: Path) -> None:
    units = table("unit arm bought country age\nu1 a 1 _ _\nu2 b 0 _ _\nu3 a 0 _ _\nu4 b 1 _ _")
    bought = {"orders": {"type": "mean", "column": "bought", "role": "primary", "goal": "increase"}}
    written = spec({"units": "u.csv"}, bought, segments=["country"], analysis={"covariates": ["age"]})
    found = look(tmp_path, {"u.csv": units}, written).observed.nothing_found
    assert found == (
        Unfound("segments.country", "a value", ()),
        Unfound("analysis.covariates.age", "a value", ()),
    )
    filled = units.replace("u1,a,1,,", "u1,a,1,DE,7")
    assert look(tmp_path, {"u.csv": filled}, written).observed.nothing_found == ()


@pytest.mark.parametrize("own", [{}, {"internal": {"is_holdback": "maybe"}}])
def test_an_exclude_of_a_preset_may_find_nothing(tmp_path: Path, own: dict[str, Any]) -> None:
    exposures = (
        "visitor_id,experiment_id,variation_id,timestamp,is_holdback\n"
        "u1,7,a,1709546400000,false\nu2,7,b,1709546400000,false\n"
    )
    events = "unit,time,event\nu1,2024-03-04T11:00Z,purchase\n"
    data = {"exposures": {"file": "x.csv", "preset": "optimizely", "exclude": own}, "events": "e.csv"}
    found = look(tmp_path, {"x.csv": exposures, "e.csv": events}, spec(data)).observed.nothing_found
    assert [one.where for one in found] == [f"data.exposures.exclude.{reason}" for reason in own]


def test_the_check() -> None:
    assert nothing_found.check(context()).status == "pass"
    assert nothing_found.check(context(kind="counts")).status == "skipped"
    one = Unfound(
        "data.units.exclude.staff", "is_staff is 'true'", ("True", ""), "the cells say True; write {is_staff: true}"
    )
    found = nothing_found.check(context(nothing_found=(one, Unfound("segments.plan", "a value", ()))))
    assert found.status == "warn" and found.help == (
        "Write `{is_staff: true}` in `data.units.exclude.staff`: the cells say True. "
        "Compare `segments.plan` with the columns of the data"
    )
    assert found.message == (
        "No row fits the exclusion 'staff' (is_staff is 'true'), so it leaves nothing out. The data have 'True' and "
        "empty cells instead. 'plan' is empty for every visitor, so it cannot be used."
    )


@pytest.mark.parametrize(("odd", "verdict"), [(1, "warn"), (3, "fail")])
def test_near_spellings_of_a_label_fail_above_a_twentieth(odd: int, verdict: str) -> None:
    import pandas as pd

    arms = ["control"] * 20 + ["variant_b"] * (20 - odd) + ["Variant B"] * odd + ["other test"] * 4
    frame = pd.DataFrame({"unit": [f"u{i}" for i in range(44)], "arm": arms, "bought": [0, 1] * 22})
    written = spec(
        metrics={"orders": {"type": "conversion", "column": "bought", "role": "primary", "goal": "increase"}}
    )
    del written["data"]
    results = abcx.analyze({**written, "arms": {"control": {}, "variant_b": {}}}, units=frame)
    check = next(one for one in results.checks if one.code == "unknown_arm")
    assert check.status == verdict and check.details["near"] == {"Variant B": {"meant": "variant_b", "rows": odd}}
    share = {1: "2.27%", 3: "6.82%"}[odd]
    assert f"{share} of the rows that name an arm spell it differently ('Variant B' for 'variant_b')." in check.message
    assert "labels: [variant_b, Variant B]" in (check.help or "")
    invalid = results.verdict.verdict == "INVALID"
    assert invalid == (verdict == "fail") and (not invalid or results.verdict.reasons[0].code == "unknown_arm")
