"""benchmarks/calibration: its shortcuts agree with the long way round, and every family runs from end to end."""

from __future__ import annotations

import dataclasses
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from abcx.stats import permutation, permutation_draws, shares
from abcx.stats.inversion import effect, two_sided
from abcx.stats.records import CrossMoments, Lifetimes, Moments, Proportion, QuantileSummary
from benchmarks.calibration import __main__ as command
from benchmarks.calibration import cx, judge, measure, own, page, parts, peers, plain, power, samples
from benchmarks.calibration.cells import Cell, Family, grid
from benchmarks.calibration.measure import Coverage, Row, Size, Tally

pytestmark = pytest.mark.slow

CELLS: dict[Family, Cell] = {
    "shares": Cell("shares", 100, "90:10", 0.3, share=0.1),
    "revenue": Cell("revenue", 100, "90:10", 0.3, share=0.3, sigma=1.5, by="value"),
    "clicks": Cell("clicks", 100, "50:50", 0.0, rate=0.1, shape=0.3),
    "adjusted": Cell("adjusted", 100, "50:50", 0.3, correlation=0.9, missing=0.2),
    "nps": Cell("nps", 50, "90:10", 0.0, level=70.0, points=20.0),
    "csat": Cell("csat", 50, "50:50", 0.05, share=0.85),
    "ces": Cell("ces", 50, "90:10", 0.0, level=6.2),
    "rmst": Cell("rmst", 30, "50:50", -0.2, times="lognormal"),
    "quantile": Cell("quantile", 100, "50:50", 0.3, q=0.9, of="events"),
    "churn": Cell("churn", 300, "80:20", 0.3, share=0.1, followed="0 to 1.1"),
    "retention": Cell("retention", 300, "80:20", 0.3, share=0.3),
    "refunds": Cell("refunds", 300, "80:20", 0.3, share=0.3, sigma=0.5),
    "orders": Cell("orders", 300, "80:20", 0.3, share=0.3),
    "heavy": Cell("heavy", 300, "80:20", 0.3, rate=0.1, sigma=1.0),
}
ALONE: list[Family] = ["nps", "ces", "rmst", "quantile", "churn", "retention"]
"""Families whose samples are summaries of abcx's own metric types."""
TINY = Size(samples=4, draws=99, seed=1)


def test_the_grid_is_that_of_the_issue() -> None:
    cells = grid(quick=False)
    assert len(set(cells)) == len({(cell.family, cell.name) for cell in cells}) == len(cells)
    assert sum(cell.family == "revenue" and cell.by == "value" for cell in cells) == 3 * 3 * 3 * 2 * 3
    assert {(c.share, c.lift) for c in cells if c.family == "shares"} >= {(0.5, 0.3), (0.002, 1.0)}
    assert {(c.level, c.points) for c in cells if c.family == "nps"} >= {(-20.0, 20.0), (70.0, 0.0)}
    assert {(c.of, c.q) for c in cells if c.family == "quantile"} >= {("units", 0.9), ("events", 0.5)}
    on_grids = {(c.of, c.grid, c.q, c.n) for c in cells if c.grid}
    assert len(on_grids) == 2 * 3 * 2 * 3
    assert {("events", "minutes", 0.9, 500), ("units", "orders", 0.5, 10_000)} < on_grids
    assert all(cell.null for cell in cells if cell.grid)
    assert all(cell.share * cell.ratio < 1 for cell in cells)
    assert all(cell.null == (cell.name.endswith("| 0")) for cell in cells)
    assert set(grid(quick=True)) < set(cells)


@pytest.mark.parametrize("family", list(CELLS))
def test_every_family_runs_and_repeats_itself(family: Family) -> None:
    """Peers take part where they are installed."""
    row, again = (measure.measure(CELLS[family], TINY) for _ in range(2))
    assert row.tallies == again.tallies
    assert "abcx" in row.tallies and "x" not in row.tallies
    assert list(row.tallies) == ["abcx"] or family in ("shares", "revenue", "clicks", "adjusted")
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
        if cell.family not in ("revenue", "clicks", "adjusted", "refunds", "orders", "heavy"):
            continue
        large, sums = dataclasses.replace(cell, n=200_000, split="50:50", lift=0.5), []
        for arm in next(samples.arms(large, 1, np.random.default_rng(2))):
            found = permutation_draws.moments(arm.sample)
            sums.append(found.mean if isinstance(found, Moments) else found.numerator.mean / found.denominator.mean)
        assert sums[1] / sums[0] == pytest.approx(1.5, rel=0.05)
        assert sums[1] - sums[0] == pytest.approx(samples.truth(large), rel=0.15)


@pytest.mark.parametrize("family", ALONE)
def test_the_truth_of_what_cx_teams_measure_is_found_in_large_samples(family: Family) -> None:
    for cell in grid(quick=False):
        if cell.family == family and cell.n in (1_000, 5_000) and cell.split == "50:50" and not cell.null:
            large = dataclasses.replace(cell, n=30_000)
            found = cx.contrast(large, *next(cx.summaries(large, 1, np.random.default_rng(6))), 99, 0)
            assert found.difference_pivot is not None
            assert two_sided(found.difference_pivot, samples.truth(cell)) > 0.001
            assert two_sided(found.difference_pivot, 0.0) < 0.001
            assert (found.ratio_pivot is None) == (family in ("nps", "ces"))
            assert found.ratio_pivot is None or two_sided(found.ratio_pivot, cell.ratio) > 0.001


def test_answers_and_times_are_those_that_the_page_describes() -> None:
    for score in (-20.0, 30.0, 90.0):
        kinds = cx.kinds(score)
        assert kinds.sum() == pytest.approx(1.0) and kinds.min() > 0
        assert 100 * (kinds[0] - kinds[2]) == pytest.approx(score)
    for mean in (5.2, 6.5):
        answers = cx.answers(mean)
        assert answers @ np.arange(1, 8) == pytest.approx(mean)
        assert answers.sum() == pytest.approx(1.0) and (np.diff(answers[1:]) > 0).all()
    curves = {"lognormal": stats.lognorm(1.2, scale=12.0).sf, "exponential": stats.expon(scale=24.0).sf}
    for times, survival in curves.items():
        mean = integrate.quad(survival, 0, 72.0)[0]
        cell = Cell("rmst", 1_000, "50:50", -0.2, times=times)  # type: ignore[arg-type]
        assert samples.truth(cell) == pytest.approx(-0.2 * mean, rel=1e-6)
    lifetimes, _ = next(cx.summaries(cell, 1, np.random.default_rng(7)))
    assert isinstance(lifetimes, Lifetimes) and lifetimes.n == 1_000
    assert np.bincount(lifetimes.clusters).min() == 1 and np.bincount(lifetimes.clusters).max() == 5
    assert 0.15 < 1.0 - lifetimes.observed.mean() < 0.3


def test_events_enough_are_expected_in_the_smaller_arm() -> None:
    def expected(family: Family, **changes: object) -> float:
        return cx.expected(dataclasses.replace(CELLS[family], **changes))  # type: ignore[arg-type]

    kinds, answers = cx.kinds(90.0), cx.answers(6.2)
    assert expected("nps") == pytest.approx(10 * kinds[2])
    assert expected("ces") == pytest.approx(10 * (1 - answers[6]))
    assert expected("rmst") == 30 and expected("rmst", split="90:10") == 6
    assert expected("quantile", of="units", q=0.5) == 50
    with_event_beyond = 1 - 0.9 * (1 - 0.9**5) / (5 * 0.1)  # of 1 to 5 independent events, each as likely
    assert expected("quantile") == pytest.approx(100 * with_event_beyond)


@pytest.mark.parametrize("family", ALONE)
def test_sides_are_those_of_the_printed_intervals(family: Family) -> None:
    cell = CELLS[family]
    for arms in cx.summaries(cell, 20, np.random.default_rng(8)):
        contrast = cx.contrast(cell, *arms, 99, 0)
        one, whole = own.judged(contrast, cell.ratio, samples.truth(cell)), effect(contrast, 0.05)
        assert one.rejected == (whole.p_value is not None and whole.p_value < 0.05)
        if one.difference is not None:
            assert one.difference == side(whole.difference_interval, samples.truth(cell))
        if one.lift is not None:
            assert one.lift == side(whole.lift_interval, cell.lift)


def test_quantiles_without_values_beyond_have_an_open_end() -> None:
    """20 values hold two beyond their 90th percentile: a true one far above them is never excluded."""
    cell = Cell("quantile", 100, "90:10", 0.0, q=0.9, of="units")
    pair = next(cx.summaries(cell, 1, np.random.default_rng(9)))
    assert isinstance(pair[1], QuantileSummary) and pair[1].n == 20
    assert effect(cx.contrast(cell, *pair, 99, 0), 0.05).difference_interval[1] is None  # type: ignore[index]


@pytest.mark.parametrize("q", [0.5, 0.9])
@pytest.mark.parametrize(("grid_of", "most"), [("seconds", 5), ("minutes", 1), ("orders", None)])
def test_quantiles_on_grids_fall_between_two_values(grid_of: Any, most: int | None, q: float) -> None:
    cell = Cell("quantile", 100_000, "50:50", 0.0, q=q, of="units", grid=grid_of)
    one, _ = next(cx.summaries(cell, 1, np.random.default_rng(10)))
    assert isinstance(one, QuantileSummary)
    up_to = one.below + one.equal
    at = most if most is not None else 1 if q == 0.5 else 2
    assert up_to[one.values.tolist().index(float(at))] / one.total == pytest.approx(q, abs=0.005)
    assert set(np.diff(one.values[:5])) == {1.0}


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


def test_without_a_lift_the_promise_is_about_the_difference() -> None:
    good, none, bad = Coverage(0.025, 0.025, 0.0), Coverage(0.0, 0.0, 1.0), Coverage(0.1, 0.1, 0.0)
    for lift, difference, nps, rmst in ((none, good, "kept", "refused"), (good, bad, "broken", "kept")):
        tally = Tally(lift, difference, None, 0)
        assert judge.judge(Row(CELLS["nps"], 99.0, {"abcx": tally}, 1.0, TINY), tally).word == nps
        assert judge.judge(Row(CELLS["rmst"], 99.0, {"abcx": tally}, 1.0, TINY), tally).word == rmst


def test_the_page_says_what_the_promise_is_about() -> None:
    text = page.render([measure.measure(CELLS[family], TINY) for family in CELLS], 9)
    assert "nps: 10 promoters and detractors" in text and "the families that have no lift (nps, ces)" in text
    assert "nps, csat, ces, rmst, quantile, churn, retention, refunds, orders, heavy show abcx" in " ".join(
        text.split()
    )
    nps = text[text.index("## Net Promoter Score") : text.index("## CSAT")]
    assert "### Difference" in nps and "### Lift" not in nps and "### A/A" in nps
    assert "### Lift" in text[text.index("## CSAT") : text.index("## CES")]


def test_the_command_prints_and_takes_up_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ["--quick", "--family", "adjusted", "--samples", "3", "--draws", "99", "--no-peers", "--processes", "1"]
    rows = tmp_path / "rows.jsonl"
    command.main([*run, "--rows", str(rows)])
    first, kept = capsys.readouterr().out, rows.read_text()
    assert "All samples are simulated" in first and "| correlation 0.9, 60 % missing | 1,000 | 90:10 |" in first
    command.main([*run, "--rows", str(rows), "--only-kept"])
    assert capsys.readouterr().out == first and rows.read_text() == kept
    command.main([*run, "--rows", str(tmp_path / "none.jsonl"), "--rows", str(rows), "--only-kept"])
    assert capsys.readouterr().out == first and not (tmp_path / "none.jsonl").exists()


def test_broken_cells_are_done_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [cell for cell in grid(quick=True) if cell.family == "nps"]
    rows = tmp_path / "rows.jsonl"
    for cell, tail in zip(cells, (0.3, 0.02, 0.02, 0.02), strict=True):
        tally = Tally(Coverage(0.0, 0.0, 1.0), Coverage(tail, 0.02, 0.0), None, 99)
        command.keep(rows, Row(cell, 99.0, {"abcx": tally}, 1.0, Size(3, 9, 3, False)))
    run = ["--quick", "--family", "nps", "--samples", "4", "--processes", "1", "--rows", str(rows), "--broken"]
    command.main(run)
    assert capsys.readouterr().err.count("of 4") == 1
    assert len(rows.read_text().splitlines()) == 5


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


# ---------------------------------------------------------------------------------------- power


def test_power_at_equal_error_is_that_of_the_statistic_whatever_the_stated_p() -> None:
    """A normal statistic moved by 2.5 has a power of Phi(2.5 - 1.96); p-values that are three times too small find more
    of it and raise more false alarms, but find nothing more at the same error rate."""
    rng = np.random.default_rng(11)
    null, effect = stats.norm.sf(rng.standard_normal((1, 40_000))), stats.norm.sf(rng.normal(2.5, 1.0, (1, 40_000)))
    assert power.power_at(null, effect)[0] == pytest.approx(stats.norm.cdf(2.5 - 1.959964), abs=0.015)
    assert power.power_at(null / 3.0, effect / 3.0)[0] == power.power_at(null, effect)[0]
    assert (effect / 3.0 < 0.025).mean() > (effect < 0.025).mean() + 0.1


def test_discrete_tests_are_compared_at_the_same_error_rate() -> None:
    """p of 1 % at 1 %, of 5 % at 4 % of the null: what is left of 2.5 % is 1.5 of these 4 points."""
    null = np.repeat([0.01, 0.05, 0.9], [100, 400, 9_500])[None]
    effect = np.repeat([0.01, 0.05, 0.9], [5_000, 2_000, 3_000])[None]
    assert power.power_at(null, effect)[0] == pytest.approx(0.5 + 0.2 * 1.5 / 4.0, abs=1e-3)
    fresh = np.random.default_rng(13).choice([0.01, 0.05, 0.9], (2, 4_000, 99), p=[0.01, 0.04, 0.95])
    assert power.power_at(fresh[0], fresh[1]).mean() == pytest.approx(0.025, abs=0.001)


def test_plain_tests_are_those_of_scipy() -> None:
    rng = np.random.default_rng(12)
    arms = rng.lognormal(size=90), rng.lognormal(0.3, size=40)
    found = plain.welch(*(plain.mean(samples.cross(len(arm), arm[:, None])) for arm in arms))
    assert found == pytest.approx(stats.ttest_ind(arms[1], arms[0], equal_var=False, alternative="greater").pvalue)
    ones = [samples.cross(len(arm), np.column_stack([arm, np.ones(len(arm))])) for arm in arms]
    assert plain.welch(*(plain.ratio(arm) for arm in ones)) == pytest.approx(found)
    chi = stats.chi2_contingency([[30, 70], [55, 95]], correction=False).pvalue
    assert plain.two_shares(30, 100, 55, 150) == pytest.approx(chi / 2.0)
    assert plain.two_shares(55, 150, 30, 100) == pytest.approx(1.0 - chi / 2.0)


@pytest.mark.parametrize("family", list(CELLS))
def test_every_family_has_a_power(family: Family) -> None:
    """Where peers and plain tests are the same test as abcx's, they have the same power."""
    cells = [cell for cell in power.CELLS if cell.family == family]
    assert len({cell.split for cell in cells}) == 2 and not any(cell.null for cell in cells)
    row = power.measure(dataclasses.replace(cells[0], n=300), 60, 99, 1)
    assert row == dataclasses.replace(
        power.measure(dataclasses.replace(cells[0], n=300), 60, 99, 1), seconds=row.seconds
    )
    assert next(iter(row.tools)) == "abcx" and len(row.tools) > 1
    if family in ("shares", "csat", "nps", "revenue", "refunds", "orders"):
        last = list(row.tools.values())[-1]
        assert (last.raw, last.equal, last.to_own) == pytest.approx(
            (row.tools["abcx"].raw, row.tools["abcx"].equal, 0.0)
        )


def test_later_times_leave_the_share_by_the_horizon_as_it_is() -> None:
    """Half of the window: 10 % by its end are 1 - .9^.5 by its middle if exponential, 1 - .9^(.5^1.6) if late."""
    cell = Cell("churn", 300, "50:50", 0.0, share=0.1, followed="0 to 1.1")
    for shape in (1.0, plain.LATER):
        times, _ = cx.customers(cell, 200_000, 0.1, np.random.default_rng(14), shape)
        assert (times <= cx.HORIZON).mean() == pytest.approx(0.1, abs=0.003)
        assert (times <= cx.HORIZON / 2.0).mean() == pytest.approx(1.0 - 0.9 ** (0.5**shape), abs=0.003)


def test_only_tests_of_the_share_asked_for_keep_quiet_where_it_is_alike() -> None:
    cell = next(cell for cell in power.CELLS if cell.family == "churn" and cell.followed == "0 to 1.1")
    row = power.measure(cell, 100, 99, 1)
    assert max(sum(row.later[tool]) for tool in ("abcx", "complete cases, z")) < 0.12
    assert row.later["left so far, z"][0] > 0.3
    assert "| left so far, z * | " in power.render([row])


def test_the_error_of_a_power_is_that_of_repeated_runs() -> None:
    rng = np.random.default_rng(15)
    null, effect = (stats.norm.sf(rng.normal(move, 1.0, (400, 1_000))) for move in (0.0, 1.96 + stats.norm.isf(0.35)))
    powers = power.power_at(null, effect)
    assert powers.mean() == pytest.approx(0.65, abs=0.006)
    assert powers.std() == pytest.approx(power.own_error(0.65, 1_000), rel=0.12)


def test_losses_are_found_on_their_own_side() -> None:
    """Shorter times: the power of the side below, and the mirror image of longer ones is not asked for."""
    cell = dataclasses.replace(power.CELLS[0], n=2_000, lift=-0.3)
    found = power.measure(cell, 300, 99, 1).tools["abcx"]
    z = 0.3 * 0.1 / math.sqrt((0.1 * 0.9 + 0.07 * 0.93) / 2_000)
    assert found.raw == pytest.approx(stats.norm.cdf(z - 1.96), abs=0.06)
    assert found.below + found.above == pytest.approx(0.05, abs=0.04)


def test_a_kept_promise_allows_two_standard_errors() -> None:
    def keeps(below: float, above: float, count: int) -> bool:
        return power.Found(below, above, 0.5, 0.5, 0.0, 0.0).keeps(count)

    assert keeps(0.03, 0.03, 10**9) and not keeps(0.031, 0.031, 10**9) and keeps(0.034, 0.034, 2_000)
    assert not keeps(0.002, 0.042, 10**9) and keeps(0.002, 0.042, 2_000) and not keeps(0.0, 0.055, 2_000)


def test_the_part_on_power_says_where_abcx_costs_power() -> None:
    own_one, dear = power.Found(0.02, 0.03, 0.6, 0.6, 0.0, 0.0), power.Found(0.02, 0.03, 0.7, 0.7, 0.1, 0.01)
    wild = power.Found(0.2, 0.2, 0.9, 0.8, 0.2, 0.01)
    row = power.Row(power.CELLS[0], {"abcx": own_one, "dear": dear, "wild": wild}, 200, 99, 3, 1.0)
    text = power.render([row])
    assert "All samples are simulated" in text and "seed 3" in text and "Versions: abcx" in text
    costs = text[text.index("### Where abcx costs") : text.index("### Every cell")]
    assert "| 60.0 | dear | 70.0 | +10.0 ± 1.0 |" in costs and "wild" not in costs
    assert "| wild | 40.0 (20.0 / 20.0) | no | 90.0 | 80.0 | +20.0 ± 1.0 |" in text
    level = power.Row(power.CELLS[0], {"abcx": own_one}, 200, 99, 3, 1.0)
    assert "Nowhere in these cells" in power.render([level])


def test_cells_of_power_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ["--family", "retention", "--samples", "50", "--rows", str(tmp_path / "rows.jsonl")]
    power.main(run)
    first = capsys.readouterr()
    power.main(run)
    again = capsys.readouterr()
    assert again.out == first.out and first.err and not again.err


def test_parts_of_other_commands_stay_on_the_page() -> None:
    new = "# Page\n\nText.\n\n## Summary\n\n| a |\n\n## Shares (conversion)\n\n| b |\n"
    assert parts.kept_part(new, "power") is None and parts.carried(new, new) == new
    old = parts.with_part(parts.with_part(new, "power", "## Power\n\nfirst"), "verdicts", "## Wrong\n")
    order = ["Text.", "## Wrong", "<!-- /verdicts -->", "## Summary", "| a |", "first", "<!-- /power -->", "## Shares"]
    assert [old.index(one) for one in order] == sorted(old.index(one) for one in order)
    assert parts.carried(old, new) == old
    again = parts.with_part(old, "power", "second")
    assert "first" not in again and again.replace("second", "## Power\n\nfirst") == old


def test_writing_the_page_keeps_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "calibration.md"
    where.write_text("<!-- power -->\nkept\n<!-- /power -->\n", encoding="utf-8")
    monkeypatch.setattr(command, "PAGE", where)
    command.main(["--quick", "--family", "nps", "--samples", "3", "--no-peers", "--processes", "1", "--write"])
    text = where.read_text(encoding="utf-8")
    assert text.startswith("# Calibration") and "<!-- power -->\nkept\n<!-- /power -->\n\n## Net Promoter Score" in text
