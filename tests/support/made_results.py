"""Results made by hand, with numbers that are made up and fit together: what the reports are tested on."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Any

from abcx.notes import Note, Value
from abcx.results.metric import Adjustment, ArmValue, Bayes, Cap, Comparison, MetricResult, Size
from abcx.results.readout import (
    Alternative,
    Arm,
    CheckResult,
    DataLog,
    Decomposition,
    Exclusion,
    Factor,
    FileRecord,
    LaterEffect,
    Monitoring,
    Reason,
    Replay,
    Results,
    Setup,
    Verdict,
)
from abcx.stats.methods import Method

SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
UNITS = {"control": 44_700, "variant": 44_720}


def share(name, hits, status, p, role="primary", goal="increase", units=UNITS, alpha=0.05, adjusted=None, **rest):
    """A conversion from successes per arm; intervals by the plain normal formula, which is near enough here."""
    control = next(iter(units))
    values = {arm: hits[arm] / n for arm, n in units.items()}
    arms = tuple(
        ArmValue(
            arm, n, values[arm], around(values[arm], sqrt(values[arm] * (1 - values[arm]) / n)), successes=hits[arm]
        )
        for arm, n in units.items()
    )
    several = isinstance(status, dict)
    comparisons = []
    for arm in list(units)[1:]:
        d = values[arm] - values[control]
        se = sqrt(sum(values[a] * (1 - values[a]) / units[a] for a in (control, arm)))
        own_p = p[arm] if several else p
        comparisons.append(
            Comparison(
                arm=arm,
                control=control,
                method=Method.SCORE,
                difference=d,
                difference_interval=around(d, se),
                lift=d / values[control],
                lift_interval=around(d / values[control], se / values[control]),
                p_value=own_p,
                p_value_adjusted=(adjusted or {}).get(arm, own_p),
                alpha=alpha,
                status=status[arm] if several else status,
                p_value_margin=0.001 if role == "guardrail" else None,
            )
        )
    definition = rest.pop("definition", f"share of visitors with at least one {name.removesuffix('s')} within 14d")
    return MetricResult(name, "conversion", role, goal, "share", definition, arms, tuple(comparisons), **rest)


def number(name, values, errors, status, p, role="secondary", goal="increase", unit="value", units=UNITS, **rest):
    """A mean or ratio from values and their standard errors per arm."""
    arms = tuple(
        ArmValue(arm, n, values[arm], around(values[arm], errors[arm]), capped=45 if rest.get("cap") else 0)
        for arm, n in units.items()
    )
    d = values["variant"] - values["control"]
    se = sqrt(errors["control"] ** 2 + errors["variant"] ** 2)
    comparison = Comparison(
        arm="variant",
        control="control",
        method=Method.WELCH,
        difference=d,
        difference_interval=around(d, se),
        lift=d / values["control"],
        lift_interval=around(d / values["control"], se / values["control"]),
        p_value=p,
        p_value_adjusted=p,
        alpha=0.05,
        status=status,
    )
    kind = "ratio" if unit == "ratio" else "mean"
    definition = rest.pop("definition", f"{name.replace('_', ' ')} over all purchases within 14d")
    cap = rest.pop("cap", None)
    if cap:
        looser = replace(comparison, lift=0.151, lift_interval=(-0.004, 0.306), p_value=0.056, status="inconclusive")
        cap = replace(cap, uncapped=(looser,))
    return MetricResult(name, kind, role, goal, unit, definition, arms, (comparison,), cap=cap, **rest)


def around(x, se):
    return (x - 1.96 * se, x + 1.96 * se)


def checks():
    """16 checks: 9 pass, 3 warn, 4 are skipped."""
    return (
        CheckResult("srm", "pass", "The split of 44,700 to 44,720 fits the declared 50% to 50%.", 0.9467),
        CheckResult("crossover", "pass", "12 of 89,432 visitors (0.01%) are in both arms."),
        CheckResult("duplicates", "pass", "No row is repeated."),
        CheckResult("missing", "pass", "No value is missing.", 0.71),
        CheckResult("unknown_arm", "pass", "No row names an unknown arm."),
        CheckResult("missing_arm", "pass", "Every arm has exposures."),
        CheckResult("metric_missing", "pass", "Every metric has data in every arm."),
        CheckResult("sample_size", "pass", "89,420 of 88,000 planned visitors are in."),
        CheckResult("peeking", "pass", "The period is over."),
        CheckResult(
            "whole_weeks",
            "warn",
            "the period of 27 days is not whole weeks: three Sundays, four of every other day",
            help="run to 2024-03-31, so that every weekday counts alike",
        ),
        CheckResult(
            "outliers",
            "warn",
            "without the 5 largest buyers the lift of Revenue per visitor falls from +13% to +9%",
            help="quote the capped figure",
        ),
        CheckResult(
            "follow_up",
            "warn",
            "410 visitors (0.46%) were not followed for the whole window of 14d",
            help="analyze again after 2024-04-14",
        ),
        CheckResult("pre_period", "skipped", "no events before exposure", help="needs events from before the exposure"),
        CheckResult("segments", "skipped", "no segments", help="needs segments in the spec"),
        CheckResult("response_rate", "skipped", "no survey metric", help="needs a survey metric"),
        CheckResult("novelty", "skipped", "too short", help="needs four weeks of exposures"),
    )


def metrics():
    return (
        share("orders", {"control": 849, "variant": 963}, "better", 0.0068, minimum_effect=Size("5%", 0.05, True)),
        number(
            "revenue_per_visitor",
            {"control": 1.0642, "variant": 1.1987},
            {"control": 0.0371, "variant": 0.0392},
            "better",
            0.0127,
            cap=Cap("99.9%", 212.5, ()),
            definition="sum of amount over purchases within 14d, per visitor, zeros kept",
        ),
        share("cart_visits", {"control": 4021, "variant": 4103}, "inconclusive", 0.36, role="secondary"),
        share(
            "complaints",
            {"control": 1802, "variant": 1795},
            "safe",
            0.89,
            role="guardrail",
            goal="decrease",
            margin=Size("10%", 0.1, True),
        ),
        number(
            "order_value",
            {"control": 56.03, "variant": 55.67},
            {"control": 1.31, "variant": 1.27},
            "descriptive",
            None,
            role="descriptive",
            goal=None,
            unit="ratio",
        ),
    )


def setup(**changes):
    base = Setup(
        title="Kilt filter",
        hypothesis="A filter by type and pattern helps shoppers find a kilt, so more of them buy.",
        description="Category pages only.",
        owner="cx-team",
        tags=("navigation",),
        links=("https://example.org/tests/17",),
        unit="visitors",
        period="2024-03-04 to 2024-03-30 (Europe/London)",
        exposure="first category_view",
        window="14d",
        alpha=0.05,
        correction="holm",
        power=0.8,
        planned_units=88_000,
        planned_from=Note("size_of_baseline", {"margin_of": None}),
        units_per_day=1800.0,
        spec="experiments/kilt-filter/experiment.yaml",
        spec_sha256=SHA,
        seed=1,
        segments=("device",),
        command="abcx report experiments/kilt-filter/experiment.yaml -o report.md",
    )
    return replace(base, **changes)


def data_log():
    return DataLog(
        files=(FileRecord("events.csv", "events", SHA, 412_345), FileRecord("calls.csv", "events", SHA[::-1], 8_011)),
        exclusions=(
            Exclusion(
                "outside_period",
                "first seen before the start or after the end",
                310,
                1_204,
                {"control": 150, "variant": 160},
            ),
            Exclusion("crossover", "seen in both arms", 12, 60, {"control": 6, "variant": 6}),
        ),
        first_exposure="2024-03-04T00:03:11+00:00",
        last_exposure="2024-03-30T23:58:40+00:00",
        as_of="2024-04-13T23:59:02+01:00",
        notes=(Note("no_timezone", {"file": "events.csv", "zone": "Europe/London"}),),
    )


def clean() -> Results:
    """(a) A SHIP on conversion, with a capped mean, a described ratio and a safe guardrail."""
    found = metrics()
    won = Verdict(
        "SHIP",
        "variant",
        (Reason("win", "orders"),),
        warnings=tuple(Reason(check.code, None, {"check": check.code}) for check in checks() if check.status == "warn"),
    )
    value = {"control": 56.03, "variant": 55.67}
    rate = {arm.name: arm.value for arm in found[0].arms}
    total = {arm: rate[arm] * value[arm] for arm in value}
    return Results(
        abcx_version="0.1.0",
        experiment="kilt-filter",
        verdict=won,
        verdicts=(won,),
        setup=setup(),
        arms=(Arm("control", 44_700, 0.5), Arm("variant", 44_720, 0.5)),
        checks=checks(),
        metrics=found,
        decompositions=(
            Decomposition(
                Factor("revenue_per_visitor", "value", total, {"variant": total["variant"] / total["control"] - 1}),
                Factor("orders", "share", rate, {"variant": rate["variant"] / rate["control"] - 1}),
                Factor("order_value", "value", value, {"variant": value["variant"] / value["control"] - 1}),
            ),
        ),
        data=data_log(),
        methods=(
            Note("method", {"method": "score"}),
            Note("method", {"method": "Welch"}),
            Note("correction", {"rule": "holm", "families": ("secondary",), "by_variant": False}),
        ),
        limits=(Note("exploratory_segments"),),
    )


def three_arms() -> Results:
    """(b) Two variants: one wins after Holm, the other is open."""
    units = {"control": 20_000, "filter_left": 20_040, "filter_top": 19_960}
    orders = share(
        "orders",
        {"control": 400, "filter_left": 480, "filter_top": 421},
        {"filter_left": "better", "filter_top": "inconclusive"},
        {"filter_left": 0.0071, "filter_top": 0.44},
        units=units,
        alpha=0.025,
        adjusted={"filter_left": 0.0142, "filter_top": 0.44},
        minimum_effect=Size("0.2pp", 0.002, False),
    )
    complaints = share(
        "complaints",
        {"control": 810, "filter_left": 799, "filter_top": 871},
        {"filter_left": "safe", "filter_top": "unresolved"},
        {"filter_left": 0.75, "filter_top": 0.11},
        units=units,
        role="guardrail",
        goal="decrease",
        margin=Size("10%", 0.1, True),
    )
    won = Verdict("SHIP", "filter_left", (Reason("win", "orders"),))
    still = Verdict(
        "KEEP RUNNING",
        "filter_top",
        (Reason("underpowered", "orders"),),
        missing_units=21_600,
        missing_days=12,
        units_per_day=1800.0,
    )
    return replace(
        clean(),
        verdict=won,
        verdicts=(won, still),
        arms=tuple(Arm(name, n, 1 / 3) for name, n in units.items()),
        metrics=(orders, complaints),
        decompositions=(),
    )


def broken_split() -> Results:
    """(c) INVALID: the split is off."""
    message = "the split of 44,700 to 46,120 does not fit the declared 50% to 50%"
    bad = Verdict("INVALID", "variant", (Reason("srm", None, {"check": "srm"}),))
    failed = CheckResult("srm", "fail", message, 2.5e-6, help="look for redirects, bots or a filter that hits one arm")
    units = {"control": 44_700, "variant": 46_120}
    return replace(
        clean(),
        verdict=bad,
        verdicts=(bad,),
        checks=(failed, *checks()[1:]),
        arms=tuple(Arm(name, n, 0.5) for name, n in units.items()),
        metrics=(share("orders", {"control": 849, "variant": 990}, "better", 0.009, units=units),),
        decompositions=(),
    )


def unbounded() -> Results:
    """(d) KEEP RUNNING: twelve days are missing, and the lift of the primary cannot be bounded."""
    note = Note("lift_unbounded")
    primary = number(
        "margin_per_visitor",
        {"control": 0.02, "variant": 0.31},
        {"control": 0.11, "variant": 0.12},
        "inconclusive",
        0.075,
        role="primary",
    )
    comparison = replace(primary.comparisons[0], lift=None, lift_interval=None, lift_note=note)
    half = share("orders", {"control": 3, "variant": 9}, "inconclusive", 0.09, role="secondary")
    open_ended = replace(
        half.comparisons[0], lift=2.0, lift_interval=(-0.12, None), difference_interval=(-0.00002, 0.0003)
    )
    still = Verdict(
        "KEEP RUNNING",
        "variant",
        (Reason("underpowered", "margin_per_visitor"),),
        missing_units=21_600,
        missing_days=12,
        units_per_day=1800.0,
    )
    return replace(
        clean(),
        verdict=still,
        verdicts=(still,),
        metrics=(replace(primary, comparisons=(comparison,)), replace(half, comparisons=(open_ended,))),
        decompositions=(),
    )


def decrease() -> Results:
    """(e) The goal of the primary is a decrease, and it fell."""
    calls = share(
        "complaints",
        {"control": 1802, "variant": 1591},
        "better",
        0.0001,
        goal="decrease",
        minimum_effect=Size("5%", 0.05, True),
    )
    orders = share(
        "orders", {"control": 849, "variant": 799}, "unresolved", 0.22, role="guardrail", margin=Size("5%", 0.05, True)
    )
    longer = number(
        "handling_minutes",
        {"control": 4.1, "variant": 4.4},
        {"control": 0.05, "variant": 0.05},
        "worse",
        0.00002,
        goal="decrease",
    )
    won = Verdict(
        "KEEP RUNNING",
        "variant",
        (Reason("guardrail_unresolved", "orders"),),
    )
    return replace(clean(), verdict=won, verdicts=(won,), metrics=(calls, longer, orders), decompositions=())


BAYES = Bayes(0.05, 0.031, (-0.004, 0.067), 0.96, 0.0002)
RULE = "group sequential, obrien-fleming spending (Lan and DeMets 1983)"
SKEWED = (
    "Interval by permutation. The skewness of the values is 41 and the arms differ in size (9,020 and 1,002 units), "
    "which pushes the t-test to one side."
)

TOO_EARLY: dict[str, Value] = {
    "declared": "size",
    "day": None,
    "followed": 89_420,
    "planned": 223_550,
    "expected": None,
    "out_of_reach": False,
}


def skewed(skewness: float) -> Note:
    """Why an interval is by permutation; `SKEWED` has it in words, for 41."""
    return Note("permuted_skewed", {"skewness": skewness, "control": 9020, "variant": 1002})


def running(metrics, monitoring, **changes) -> Results:
    """KEEP RUNNING at 40 % of the planned size."""
    still = Verdict(
        "KEEP RUNNING",
        "variant",
        (Reason("too_early", None, TOO_EARLY),),
        missing_units=134_130,
        missing_days=75,
        units_per_day=1800.0,
    )
    base = replace(clean(), verdict=still, verdicts=(still,), metrics=metrics, decompositions=(), monitoring=monitoring)
    return replace(base, setup=setup(planned_units=223_550), **changes)


def widened(metric, by):
    """The metric with wider intervals of its effects, as looks make them."""

    def wide(x, interval):
        return tuple(x + by * (end - x) for end in interval)

    found = tuple(
        replace(
            c,
            difference_interval=wide(c.difference, c.difference_interval),
            lift_interval=wide(c.lift, c.lift_interval),
        )
        for c in metric.comparisons
    )
    return replace(metric, comparisons=found)


def early_look() -> Results:
    """(i) The second of five planned looks; two secondaries share alpha."""
    found = (
        share("orders", {"control": 849, "variant": 963}, "inconclusive", 0.12, minimum_effect=Size("5%", 0.05, True)),
        share("cart_visits", {"control": 4021, "variant": 4103}, "inconclusive", 0.8, "secondary", alpha=0.025),
        share("calls", {"control": 821, "variant": 803}, "inconclusive", 0.9, "secondary", "decrease", alpha=0.025),
    )
    monitoring = Monitoring("group_sequential", 0.4, ((0.2, 4.877), (0.4, 3.357)), "obrien_fleming")
    return running(tuple(widened(metric, 3.357 / 1.96) for metric in found), monitoring)


def between_looks() -> Results:
    """(j) A run between planned looks: nothing is judged."""

    def quiet(metric):
        silent = {"difference_interval": (None, None), "lift_interval": (None, None), "p_value": 1.0}
        silent |= {"p_value_adjusted": 1.0, "p_value_margin": None}
        return replace(metric, comparisons=tuple(replace(c, **silent) for c in metric.comparisons))

    orders = share(
        "orders", {"control": 849, "variant": 963}, "inconclusive", 1.0, minimum_effect=Size("5%", 0.05, True)
    )
    calls = share(
        "calls",
        {"control": 821, "variant": 803},
        "unresolved",
        1.0,
        "guardrail",
        "decrease",
        margin=Size("5%", 0.05, True),
    )
    return running((quiet(orders), quiet(calls)), Monitoring("group_sequential", 0.44, (), "obrien_fleming", True, 0.6))


def hybrid() -> Results:
    """(k) Harm is watched, a win waits: the ends that would show a win or safety are open."""
    orders = share(
        "orders", {"control": 849, "variant": 963}, "inconclusive", 1.0, minimum_effect=Size("5%", 0.05, True)
    )
    calls = share(
        "calls",
        {"control": 821, "variant": 803},
        "unresolved",
        1.0,
        "guardrail",
        "decrease",
        margin=Size("5%", 0.05, True),
    )
    half = replace(orders.comparisons[0], difference_interval=(None, 0.0047), lift_interval=(None, 0.247))
    watched = replace(
        calls.comparisons[0], difference_interval=(-0.0023, None), lift_interval=(-0.123, None), p_value_margin=0.5
    )
    return running(
        (replace(orders, comparisons=(half,)), replace(calls, comparisons=(watched,))),
        Monitoring("hybrid", 0.4),
    )


def stopped() -> Results:
    """(l) SHIP at 40 % of the planned size."""
    monitoring = Monitoring("always_valid", 0.4)
    return replace(clean(), monitoring=monitoring, setup=setup(planned_units=223_550))


def adjusted() -> Results:
    """(m) Adjusted for the pre-period, where that was possible; and a prior."""

    def told(metric, saved, **changes):
        found = replace(metric.comparisons[0], **changes)
        plain = replace(
            found, method=Method.WELCH, lift=0.051, lift_interval=(-0.002, 0.106), status="inconclusive", notes=()
        )
        return replace(metric, comparisons=(found,), adjustment=Adjustment((), "14d", (), {"variant": saved}, (plain,)))

    base = clean()
    orders, revenue, carts, calls, value = base.metrics
    refused = Note("not_adjusted", {"reason": "few_events", "covariates": 0})
    found = (
        told(orders, 0.34, method=Method.WELCH_ADJUSTED, bayes=BAYES),
        told(
            revenue, 0.21, method=Method.WELCH_ADJUSTED, bayes=replace(BAYES, chance_to_beat=0.9997, expected_loss=1e-7)
        ),
        told(carts, None, notes=(refused,)),
        told(
            calls,
            0.1,
            method=Method.PERMUTATION,
            notes=(skewed(41), Note("too_many_to_relabel")),
        ),
        replace(value, comparisons=(replace(value.comparisons[0], bayes=BAYES),)),
    )
    return replace(base, metrics=found)


def sensitive() -> Results:
    """(n) A SHIP that does not survive one of four other analyses; three metrics are permuted, two files lack zones."""
    lift: dict[str, Any] = {
        "arm": "variant",
        "lift": 0.11,
        "lift_interval": (0.02, 0.2),
        "p_value": 0.02,
        "verdict": "SHIP",
        "holds": True,
    }
    base = clean()
    permuted: dict[str, dict[str, Any]] = {
        "revenue_per_visitor": {"method": Method.PERMUTATION, "notes": (skewed(41),)},
        "order_value": {"method": Method.PERMUTATION_TAIL, "notes": (skewed(44),)},
        "cart_visits": {"method": Method.PERMUTATION, "notes": (Note("permuted_as_declared"),)},
    }
    found = tuple(
        replace(m, comparisons=tuple(replace(c, **permuted.get(m.name, {})) for c in m.comparisons))
        for m in base.metrics
    )
    zone = {"zone": "Europe/London"}
    notes = [Note("no_timezone", {"file": name, **zone}) for name in ("a.csv", "b, c.csv")]
    other = {**lift, "verdict": "KEEP RUNNING", "lift_interval": (-0.03, 0.21), "p_value": 0.14, "holds": False}
    return replace(
        base,
        metrics=found,
        data=replace(base.data, notes=(*notes, Note("json_lines", {"file": "b.txt"}))),
        sensitivity=(
            Alternative(change=Note("without_cap"), **lift),
            Alternative(change=Note("without_covariates"), **other),
            Alternative(change=Note("without_top_units", {"removed": 9, "units": 9_000, "metric": None}), **lift),
            Alternative(change=Note("interval", {"by": "analytic"}), **lift),
        ),
    )


def simulated() -> Results:
    """(f) As (a), on simulated data."""
    return replace(clean(), setup=setup(tags=("simulated",)))


HOSTILE = (
    "[csat]",
    "<script>alert(1)</script>",
    "a|b",
    "a\\|b`",
    "**bold** _it_ ![x](http://x)",
    "``` fence",
    "😀 👩‍👩‍👧",
    "معدل التحويل",
    "revenue_" * 20,
    "\x1b[31mred\x1b[0m\nline two",
    "=1+1",
    "<!-- &lt; -->",
    "$x$ ~~gone~~",
)


def hostile() -> Results:
    """(g) Names that try to break the report; they come from YAML keys and may hold anything."""
    base = clean()
    arms = ("[a](x)<b>", "variant|*")
    rename = dict(zip(UNITS, arms, strict=True))

    def renamed(metric, name, role):
        return replace(
            metric,
            name=name,
            role=role,
            definition=f"{name}: | <i>",
            arms=tuple(replace(arm, name=rename[arm.name]) for arm in metric.arms),
            comparisons=tuple(replace(c, arm=rename[c.arm], control=rename[c.control]) for c in metric.comparisons),
        )

    plain = replace(metrics()[2], minimum_effect=None)
    found = [renamed(metrics()[0], HOSTILE[0], "primary")]
    found += [renamed(plain, name, "secondary") for name in HOSTILE[1:]]
    unadjusted = found[0].comparisons
    told = replace(
        unadjusted[0], method=Method.WELCH_ADJUSTED, bayes=BAYES, notes=(Note("no_values", {"arm": "<p> | `n`"}),)
    )
    found[0] = replace(
        found[0], comparisons=(told,), adjustment=Adjustment(("<x> | [y](z)",), None, (), {arms[1]: 0.3}, unadjusted)
    )
    verdict = Verdict("SHIP", arms[1], (Reason("win", found[0].name),))
    return replace(
        base,
        experiment="x",
        verdict=verdict,
        verdicts=(verdict,),
        setup=setup(
            title="# <h1>Title</h1> | [csat]",
            hypothesis="1. one\n\n- two\n<details>",
            owner="@<b>",
            spec="a `b` |c.yaml",
        ),
        arms=(Arm(arms[0], 44_700, 0.5), Arm(arms[1], 44_720, 0.5)),
        metrics=tuple(found),
        decompositions=(),
        checks=(
            CheckResult("srm", "warn", "<b>|</b> `code`", 0.02, help="<style>"),
            CheckResult("x", "skipped", "|", help="|<u>"),
        ),
        data=DataLog(
            files=(FileRecord("<a>|`.csv", "events", SHA, 3),),
            exclusions=(Exclusion("<em>", "a|b", 1, 1, {"<b>": 1}),),
            notes=(Note("json_lines", {"file": "<hr>"}),),
        ),
        methods=(Note("method", {"method": "Welch"}),),
        limits=(Note("only_counts"),),
        monitoring=Monitoring("group_sequential", 0.4, ((0.4, 3.357),), "pocock"),
        sensitivity=(
            Alternative(
                Note("without_top_units", {"removed": 1, "units": 2, "metric": "<u>cap</u> | [x](y)"}),
                "KEEP RUNNING",
                arms[1],
                0.1,
                (None, 0.2),
                0.2,
                False,
            ),
        ),
    )


def nothing() -> Results:
    """(h) Everything that may be None or empty is."""
    comparison = Comparison(
        "variant", "control", Method.WELCH, None, None, None, None, None, None, 0.05, "inconclusive"
    )
    empty = MetricResult(
        "orders",
        "mean",
        "primary",
        "increase",
        "value",
        "",
        (ArmValue("control", 0, None, None), ArmValue("variant", 0, None, None)),
        (comparison,),
    )
    one_arm = MetricResult(
        "filter_used", "conversion", "descriptive", None, "share", "", (ArmValue("control", 0, None, None),), ()
    )
    verdict = Verdict("INVALID", "variant", ())
    card = Setup(
        "", None, None, None, (), (), "units", None, "", None, 0.05, "none", 0.8, None, None, None, None, None, 0
    )
    return Results(
        "0.1.0",
        "nothing",
        verdict,
        (verdict,),
        card,
        (Arm("control", 0, 0.5), Arm("variant", 0, 0.5)),
        (),
        (
            empty,
            replace(
                empty, name="complaints", role="guardrail", comparisons=(replace(comparison, status="unresolved"),)
            ),
            one_arm,
        ),
        (),
        DataLog((), ()),
        (),
        (),
    )


def replayed() -> Results:
    """(o) The planned size was passed unnoticed: the verdict is that of the planned day."""
    later = (
        LaterEffect("orders", "variant", 0.0012, (-0.0004, 0.0028), 0.063, (-0.02, 0.151), 0.141),
        LaterEffect("complaints", "variant", None, None, None, None, None),
    )
    told = Reason("replay")
    verdict = replace(clean().verdict, warnings=(told,))
    shown = Replay("2024-03-20", 80_000, 131_000, later)
    return replace(clean(), verdict=verdict, verdicts=(verdict,), replay=shown)


LONG = "metric_with_a_name_of_forty_characters_{:02}"
CJK = "お問い合わせの解決までにかかった時間と満足度{:02}"
ARABIC = "معدل التحويل من صفحة الدفع الجديدة {:02}"


def crowded(names: str = LONG, arms: int = 12, metrics: int = 30) -> Results:
    """(p) As many arms and metrics as fit nowhere, their names made from a pattern; variant k of metric i wins, loses
    or is open by turns."""
    units = {"control": 5_000} | {f"variant_{names.format(k)}": 5_000 for k in range(1, arms)}
    found, base = [], clean()
    for i in range(metrics):
        role = "primary" if i == 0 else "guardrail" if i % 3 == 2 else "secondary"
        words = ("safe", "harmed", "unresolved") if role == "guardrail" else ("better", "worse", "inconclusive")
        hits = {arm: 500 + (0, 60, -60, 5)[k % 4] for k, arm in enumerate(units)}
        goal = "decrease" if role == "guardrail" else "increase"
        metric = share(
            names.format(i),
            hits,
            {arm: words[k % 3] for k, arm in enumerate(units)},
            dict.fromkeys(units, 0.03),
            role,
            goal,
            units,
            margin=Size("10%", 0.1, True) if role == "guardrail" else None,
        )
        found.append(replace(metric, family=f"family {i % 4}", title=names.format(i)))
    verdicts = tuple(Verdict("KEEP RUNNING" if k % 2 else "SHIP", arm, ()) for k, arm in enumerate([*units][1:]))
    return replace(
        base,
        verdict=verdicts[0],
        verdicts=verdicts,
        setup=setup(title=names.format(0) * 4),
        arms=tuple(Arm(arm, n, 1 / arms) for arm, n in units.items()),
        metrics=tuple(found),
        decompositions=(),
    )


ALL = {
    "clean": clean,
    "three_arms": three_arms,
    "broken_split": broken_split,
    "unbounded": unbounded,
    "decrease": decrease,
    "simulated": simulated,
    "hostile": hostile,
    "nothing": nothing,
    "early_look": early_look,
    "between_looks": between_looks,
    "hybrid": hybrid,
    "stopped": stopped,
    "adjusted": adjusted,
    "sensitive": sensitive,
    "replayed": replayed,
}
