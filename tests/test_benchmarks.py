"""benchmarks/calibration: its shortcuts agree with the long way round, and every family runs from end to end."""

from __future__ import annotations

import dataclasses
import math
import warnings
from pathlib import Path

import numpy as np
import pytest

from abcx.stats import permutation, relabelling, shares
from abcx.stats.inversion import effect
from abcx.stats.records import CrossMoments, Moments, Proportion
from benchmarks.calibration import __main__ as command
from benchmarks.calibration import judge, measure, own, page, peers, samples
from benchmarks.calibration.cells import Cell, Family, grid
from benchmarks.calibration.measure import Coverage, Row, Size, Tally

CELLS: dict[Family, Cell] = {
    "shares": Cell("shares", 100, "90:10", 0.3, share=0.1),
    "revenue": Cell("revenue", 100, "90:10", 0.3, share=0.3, sigma=1.5, by="value"),
    "clicks": Cell("clicks", 100, "50:50", 0.0, rate=0.1, shape=0.3),
    "adjusted": Cell("adjusted", 100, "50:50", 0.3, correlation=0.9, missing=0.2),
}
TINY = Size(samples=4, draws=99, seed=1)


def test_the_grid_is_that_of_the_issue() -> None:
    cells = grid(quick=False)
    assert len(set(cells)) == len({(cell.family, cell.name) for cell in cells}) == len(cells)
    assert sum(cell.family == "revenue" and cell.by == "value" for cell in cells) == 3 * 3 * 3 * 2 * 3
    assert {(c.share, c.lift) for c in cells if c.family == "shares"} >= {(0.5, 0.3), (0.002, 1.0)}
    assert all(cell.share * cell.ratio < 1 for cell in cells)
    assert set(grid(quick=True)) < set(cells)


@pytest.mark.parametrize("family", list(CELLS))
def test_every_family_runs_and_repeats_itself(family: Family) -> None:
    """Peers take part where they are installed."""
    row, again = (measure.measure(CELLS[family], TINY) for _ in range(2))
    assert row.tallies == again.tallies
    assert "abcx" in row.tallies and "x" not in row.tallies
    for tally in row.tallies.values():
        for found in (tally.lift, tally.difference):
            assert all(0 <= share <= 1 for share in (found.below, found.above, found.refused, found.covered))
    assert f"| {row.cell.name} |" in page.render([row], 1)


def test_shares_by_enumeration_are_those_of_the_intervals() -> None:
    """The outcomes hold all mass; the sides are those of the lift's and the difference's own intervals."""
    cell = CELLS["shares"]
    found = own.outcomes(cell)
    assert found.mass.sum() == pytest.approx(1.0, abs=2e-9)
    picked = np.random.default_rng(1).choice(len(found.mass), 12, replace=False)
    some = own.Outcomes(found.control[picked], found.variant[picked], found.mass[picked])
    for i, (lift, difference, rejected) in enumerate(zip(*own.enumerate_shares(cell, some), strict=True)):
        pair = (Proportion(int(x[i]), n) for x, n in zip((some.control, some.variant), cell.sizes, strict=True))
        whole = effect(shares.contrast(*pair), 0.05)
        assert rejected == (whole.p_value is not None and whole.p_value < 0.05)
        assert difference == side(whole.difference_interval, samples.truth(cell))
        assert lift == side(whole.lift_interval, cell.lift)


@pytest.mark.parametrize(("n", "share"), [(100, 0.5), (1_000, 0.1)])
def test_many_shares_at_once_are_those_of_one_contrast(n: int, share: float) -> None:
    """Where events are not few the statistic is taken of all outcomes at once."""
    cell = Cell("shares", n, "50:50", 0.3, share=share)
    found = own.outcomes(cell)
    sides = own.enumerate_shares(cell, own.Outcomes(found.control[:50], found.variant[:50], found.mass[:50]))
    for i in range(50):
        counts = Proportion(int(found.control[i]), n), Proportion(int(found.variant[i]), n)
        one = own.judged(shares.contrast(*counts), cell.ratio, samples.truth(cell))
        assert (one.lift, one.difference, one.rejected) == tuple(side[i] for side in sides)


def side(interval: tuple[float | None, float | None] | None, at: float) -> int:
    assert interval is not None
    low, high = interval
    return -1 if high is not None and high < at else 1 if low is not None and low > at else 0


def test_expected_buyers_are_known_without_counting() -> None:
    cell = Cell("revenue", 100, "50:50", 1.0, share=0.3, sigma=0.5, by="buyers")
    assert measure.measure(cell, TINY).expected == 30.0
    assert measure.measure(dataclasses.replace(cell, split="90:10"), TINY).expected == 12.0


def test_true_lifts_and_differences_are_those_of_the_populations() -> None:
    for cell in CELLS.values():
        if cell.family == "shares":
            continue
        large, sums = dataclasses.replace(cell, n=200_000, split="50:50", lift=0.5), []
        for arm in next(samples.arms(large, 1, np.random.default_rng(2))):
            found = relabelling.moments(arm.sample)
            sums.append(found.mean if isinstance(found, Moments) else found.numerator.mean / found.denominator.mean)
        assert sums[1] / sums[0] == pytest.approx(1.5, rel=0.05)
        assert sums[1] - sums[0] == pytest.approx(samples.truth(large), rel=0.15)


def test_the_choice_is_that_of_a_readout() -> None:
    """Permutation on skewed data at 90:10, with the warning where non-zero units are few; Welch at 50:50."""
    skewed = dataclasses.replace(CELLS["revenue"], share=0.05)
    control, variant = next(samples.arms(skewed, 1, np.random.default_rng(3)))
    assert permutation.needed(own.described(control.sample), own.described(variant.sample))
    assert own.compare(skewed, control, variant, 99, 0).warned
    even = dataclasses.replace(skewed, split="50:50")
    assert not own.compare(even, *next(samples.arms(even, 1, np.random.default_rng(3))), 99, 0).warned


def test_judging_allows_two_standard_errors() -> None:
    def word(below: float, above: float, count: int = 0, expected: float = 99.0, refused: float = 0.0) -> str:
        tally = Tally(Coverage(below, above, refused), Coverage(0, 0, 0), None, count)
        return judge.judge(Row(CELLS["revenue"], expected, {"abcx": tally}, 1.0, TINY), tally).word

    assert word(0.025, 0.025) == "kept"
    assert word(0.041, 0.015) == "broken" and word(0.041, 0.015, 1000) == "kept"
    assert word(0.0535, 0.015, 1000) == "broken"
    assert word(0.005, 0.03) == "broken" and word(0.005, 0.03, expected=29.0) == "conservative"
    assert word(0.0, 0.05, expected=29.0) == "broken"
    assert word(0.3, 0.3, refused=0.5) == "refused"


def test_the_command_prints_and_takes_up_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ["--quick", "--family", "adjusted", "--samples", "3", "--draws", "99", "--no-peers", "--processes", "1"]
    rows = tmp_path / "rows.jsonl"
    command.main([*run, "--rows", str(rows)])
    first, kept = capsys.readouterr().out, rows.read_text()
    assert "All samples are simulated" in first and "| correlation 0.9, 60 % missing | 1,000 | 90:10 |" in first
    command.main([*run, "--rows", str(rows), "--only-kept"])
    assert capsys.readouterr().out == first and rows.read_text() == kept


# ---------------------------------------------------------------------------------------- peers


def of_counts(n: int, events: int) -> CrossMoments:
    return samples.cross(n, np.ones((events, 1)))


@pytest.mark.parametrize("name", list(peers.PEERS))
def test_peers_find_the_textbook_interval_of_a_difference(name: str) -> None:
    """Revenue: Welch's interval of the difference is the same number in all of them."""
    if name not in peers.installed():
        pytest.skip(f"{name} is not installed")
    rng = np.random.default_rng(4)
    arms = [samples.cross(n, rng.lognormal(size=(n, 1))) for n in (90, 40)]
    found = peers.quietly(peers.PEERS[name], "revenue", [(arms[0], arms[1])])[0]
    moments = [Moments(arm.n, arm.means[0], arm.covariance[0][0], minimum=0.0) for arm in arms]
    from abcx.stats import means

    ours = effect(means.contrast(*moments), 0.05)
    assert found.difference == pytest.approx(ours.difference_interval, rel=1e-9)
    assert found.lift is not None and found.lift[0] < (ours.lift or math.nan) < found.lift[1]


@pytest.mark.parametrize("name", list(peers.PEERS))
def test_peers_without_events_in_control_give_no_lift(name: str) -> None:
    if name not in peers.installed():
        pytest.skip(f"{name} is not installed")
    found = peers.quietly(peers.PEERS[name], "shares", [(of_counts(50, 0), of_counts(50, 3)), (of_counts(9, 0),) * 2])
    assert [answer.lift for answer in found] == [None, None]


@pytest.mark.parametrize("kind", ["shares", "revenue", "adjusted"])
def test_spotify_by_the_frame_is_its_class(kind: peers.Kind) -> None:
    sc = pytest.importorskip("spotify_confidence")
    cell = dataclasses.replace(CELLS[kind], n=1_000, split="50:50")
    if kind == "shares":
        pair = of_counts(1_000, 100), of_counts(900, 120)
    else:
        one, other = next(samples.arms(cell, 1, np.random.default_rng(5)))
        pair = samples.plain(one), samples.plain(other)
    found = peers.quietly(peers.spotify_confidence, kind, [pair, pair])[1]
    columns = {"numerator_column": "y", "numerator_sum_squares_column": "yy", "denominator_column": "n"}
    if kind == "adjusted":
        columns |= {"feature_column": "x", "feature_sum_squares_column": "xx", "feature_cross_sum_column": "xy"}
    frame = peers._spotify_frame(kind, pair).assign(arm=["c", "t"])
    test = {"shares": sc.ZTest, "revenue": sc.StudentsTTest, "adjusted": sc.ZTestLinreg}[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for absolute, bounds in ((True, found.difference), (False, found.lift)):
            whole = test(frame, categorical_group_columns="arm", **columns).difference("c", "t", absolute=absolute)
            assert bounds == pytest.approx((whole["ci_lower"][0], whole["ci_upper"][0]), rel=1e-9)
            assert found.p_value == pytest.approx(whole["p-value"][0], rel=1e-9)
