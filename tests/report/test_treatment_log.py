"""The treatment log: what was left out by arm, and whether arms lose units alike (against scipy's chi-square test)."""

from __future__ import annotations

import pandas as pd
import pytest
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

import abcx
from abcx import formatting
from abcx.report.markdown import render
from abcx.results.readout import Exclusion, Results

SPEC = {
    "schema_version": 1,
    "name": "log",
    "arms": {"control": {}, "variant": {}},
    "period": {"start": "2024-03-04", "end": "2024-03-17"},
    "exposure": {"event": "seen"},
    "data": {"exposures": "x.csv", "events": "e.csv"},
    "metrics": {"orders": {"type": "conversion", "event": "order", "role": "primary", "goal": "increase"}},
}


def analyzed(never_seen: dict[str, int]) -> Results:
    """500 assigned units an arm, of which some never met the exposure event."""
    assigned, events = [], []
    for arm, lost in never_seen.items():
        for i in range(500):
            unit, day = f"{arm}{i}", f"2024-03-{4 + i % 14:02d}"
            assigned.append((unit, arm, f"{day} 08:00:00"))
            if i >= lost:
                events.append((unit, f"{day} 09:00:00", "seen"))
                if i % 5 == 0:
                    events.append((unit, f"{day} 10:00:00", "order"))
    return abcx.analyze(
        SPEC,
        exposures=pd.DataFrame(assigned, columns=["unit", "arm", "time"]),
        events=pd.DataFrame(events, columns=["unit", "time", "event"]),
    )


def lost(results: Results) -> Exclusion:
    return next(one for one in results.data.exclusions if one.reason == "not_exposed")


@pytest.mark.parametrize("never_seen", [{"control": 40, "variant": 44}, {"control": 40, "variant": 95}])
def test_equal_loss_is_tested_by_arm(never_seen: dict[str, int]) -> None:
    found = lost(analyzed(never_seen))
    assert dict(found.by_arm) == never_seen and found.units == sum(never_seen.values())
    table = [list(never_seen.values()), [500 - n for n in never_seen.values()]]
    assert found.p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue, rel=1e-9)


def test_an_uneven_loss_is_pointed_out() -> None:
    results = analyzed({"control": 40, "variant": 95})
    document = render(results)
    p = stats.chi2_contingency([[40, 95], [460, 405]], correction=False).pvalue
    (row,) = [line for line in document.splitlines() if line.startswith("| not_exposed ")]
    assert "p of equal loss" in document and row.endswith(f"| control 40, variant 95 | {formatting.p_value(p)} |")
    assert results.to_dict()["data"]["exclusions"][0]["p_value"] == pytest.approx(lost(results).p_value, rel=1e-11)


def test_a_loss_without_arms_or_of_few_units_is_not_tested() -> None:
    assert lost(analyzed({"control": 2, "variant": 1})).p_value is None
