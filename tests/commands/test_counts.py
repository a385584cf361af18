"""`abcx counts`: typed counts, control first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from abcx.commands import counts
from abcx.commands.options import RunOptions
from abcx.errors import UsageError


def run(*arms: str, share: str | None = None, goal: str = "increase", alpha: float = 0.05, format: str = "json") -> int:
    return counts.run(
        list(arms), share=share, goal=goal, alpha=alpha, format=format, output=None, run=RunOptions(), fail_on=[]
    )


def printed(capsys: pytest.CaptureFixture[str], *arms: str, **options: Any) -> dict[str, Any]:
    run(*arms, **options)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_p_and_interval_do_not_disagree(capsys: pytest.CaptureFixture[str]) -> None:
    # Pooled z says .0476 and Wald's interval contains 0; here p and both intervals are one test.
    found = printed(capsys, "288/2400", "90/600", share="80:20")
    comparison = found["metrics"][0]["comparisons"][0]
    low = comparison["difference_interval"][0]
    assert comparison["p_value"] == pytest.approx(0.0476, abs=2e-4)
    assert (comparison["p_value"] < 0.05) == (low > 0) == (comparison["lift_interval"][0] > 0)
    assert found["checks"][0]["status"] == "pass"  # the split is 80:20 as declared


def test_shares_are_equal_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("288/2400", "90/600") == 1
    assert "INVALID" in capsys.readouterr().out


def test_three_arms_and_a_level(capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "100/1000", "120/1,000", "150/1_000", alpha=0.1, goal="decrease")
    assert [arm["name"] for arm in found["arms"]] == ["control", "variant_1", "variant_2"]
    assert found["verdicts"][1]["verdict"] == "DO NOT SHIP"
    assert found["setup"]["alpha"] == 0.1


@pytest.mark.parametrize(
    "arms",
    [("10/100",), ("10/100", "x"), ("10/100", "11/10"), ("10/100", "-1/10"), ("10/100", "1.5/10"), ("10/100", "_/_")],
)
def test_what_is_not_counts_is_refused(arms: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        run(*arms)


@pytest.mark.parametrize("share", ["80", "80:20:10", "a:b", "0:1", "nan:1", "-1:2"])
def test_shares_must_fit(share: str) -> None:
    with pytest.raises(UsageError, match="share"):
        run("10/100", "11/100", share=share)


def test_nothing_happened_at_all(capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "0/1000", "0/1000")
    comparison = found["metrics"][0]["comparisons"][0]
    assert comparison["p_value"] == 1
    assert comparison["lift"] is None
    assert run("0/0", "0/0", format="terminal") == 1  # arms without units: INVALID


def test_a_decimal_comma_is_no_thousands_comma() -> None:
    from abcx.commands.counts import _pair
    from abcx.errors import UsageError

    assert _pair("12,500/1,000,000") == (12_500, 1_000_000)
    for text in ("12,5/100", "1,23/400", "1,2345/20000"):
        with pytest.raises(UsageError):
            _pair(text)
