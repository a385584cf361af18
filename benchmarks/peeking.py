"""False alarms and power when an experiment is looked at every day, for each kind of monitoring.

    python benchmarks/peeking.py [--quick] [--seed N]

Conversion (the score test) and order value (Welch's test on exponential values), two equal arms, 20 daily looks up to
the planned size. That size gives a fixed test at 5 % a power of 80 % for the true effect. Always-valid monitoring goes
on to three times the planned size, to find out what its freedom costs. Every p-value is the ordinary one of abcx.stats;
monitoring only changes the level that it is compared with. Prints a Markdown table; the full run takes a minute
or two, --quick some seconds.
"""

from __future__ import annotations

import argparse
import datetime
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr  # type: ignore[import-untyped,unused-ignore]

import abcx
from abcx.stats import means, miettinen_nurminen, power, shares
from abcx.stats.always_valid import AlwaysValid
from abcx.stats.distributions import normal_quantile
from abcx.stats.records import Moments, Proportion
from abcx.stats.sequential import Fixed, GroupSequential, Monitoring, NoDecisionYet
from abcx.stats.spending import boundaries, crossings

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
ALPHA, POWER, DAYS, LONGEST = 0.05, 0.8, 20, 60
BASELINE, LIFT = 0.10, 0.10
VALUE_DIFFERENCE = 0.10
"""Order values are exponential with mean (and standard deviation) 1 in the control arm."""


@dataclass(frozen=True)
class Data:
    """One kind of data: `looks(effect, reps, days, rng)` gives p and the estimate's sign by run and day."""

    name: str
    daily: int
    looks: Callable[[bool, int, int, np.random.Generator], tuple[Array, Array]]


# ---------------------------------------------------------------------------------------- data


def conversion() -> Data:
    daily = math.ceil(power.size_shares(BASELINE, BASELINE * LIFT, ALPHA, POWER) / DAYS)

    def looks(effect: bool, reps: int, days: int, rng: np.random.Generator) -> tuple[Array, Array]:
        rates = BASELINE, BASELINE * (1 + LIFT if effect else 1)
        control, variant = (rng.binomial(daily, rate, size=(reps, days)).cumsum(axis=1) for rate in rates)
        p, sign = np.empty((reps, days)), np.sign(variant - control).astype(float)
        for day in range(days):
            n = daily * (day + 1)
            z = miettinen_nurminen.score_difference(control[:, day], n, variant[:, day], n, 0.0)
            p[:, day] = 2 * ndtr(-np.abs(z))
            same = shares.contrast(Proportion(int(control[0, day]), n), Proportion(int(variant[0, day]), n))
            assert same.method == shares.BINOMIAL or math.isclose(p[0, day], same.p_value or 0.0, rel_tol=1e-9)
        return p, sign

    return Data(f"conversion {BASELINE:.0%}, {LIFT:+.0%}", daily, looks)


def order_value() -> Data:
    daily = math.ceil(power.size_means(1 + VALUE_DIFFERENCE / 2, VALUE_DIFFERENCE, ALPHA, POWER) / DAYS)

    def looks(effect: bool, reps: int, days: int, rng: np.random.Generator) -> tuple[Array, Array]:
        p, sign = np.empty((reps, days)), np.empty((reps, days))
        for run in range(reps):
            arms = [
                list(running(rng.exponential(1 + (VALUE_DIFFERENCE if effect and arm else 0), size=(days, daily))))
                for arm in (0, 1)
            ]
            for day, (control, variant) in enumerate(zip(*arms, strict=True)):
                contrast = means.contrast(control, variant)
                p[run, day] = contrast.p_value
                sign[run, day] = math.copysign(1.0, contrast.difference or 0.0)
        return p, sign

    return Data(f"order value, {VALUE_DIFFERENCE:+.0%}", daily, looks)


def running(values: Array) -> Iterator[Moments]:
    """Moments of all units up to each day, from one row of values a day (near 1, so plain sums lose nothing)."""
    days, daily = values.shape
    sums, squares = values.sum(axis=1).cumsum(), np.square(values - 1.0).sum(axis=1).cumsum()
    for day in range(days):
        n = daily * (day + 1)
        mean = float(sums[day]) / n
        variance = (float(squares[day]) - n * (mean - 1.0) ** 2) / (n - 1)
        yield Moments(n, mean, variance, nonzero=n, minimum=0.0)


# ---------------------------------------------------------------------------------------- monitoring


def fractions(looks: int) -> tuple[float, ...]:
    return tuple((k + 1) / looks for k in range(looks))


def rules() -> dict[str, tuple[list[Monitoring], list[Monitoring]]]:
    """Name -> the rule for a win and the rule for harm on each of the planned days."""
    days, planned = fractions(DAYS), float(DAYS)
    always: list[Monitoring] = [AlwaysValid(day + 1, planned) for day in range(DAYS)]
    at_end: list[Monitoring] = [*[NoDecisionYet()] * (DAYS - 1), Fixed()]
    fixed: list[Monitoring] = [Fixed()] * DAYS
    found: dict[str, tuple[list[Monitoring], list[Monitoring]]] = {
        "fixed, one look at the end": (at_end, at_end),
        "fixed, but looked at daily": (fixed, fixed),
    }
    for name, spending in (("O'Brien-Fleming", "obrien_fleming"), ("Pocock", "pocock")):
        daily: list[Monitoring] = [GroupSequential(days[: k + 1], spending) for k in range(DAYS)]  # type: ignore[arg-type]
        found[f"{name}-type, 20 looks"] = daily, daily
    quarters: list[Monitoring] = [
        GroupSequential(fractions(4)[: (day + 1) // 5], "obrien_fleming") if (day + 1) % 5 == 0 else NoDecisionYet()
        for day in range(DAYS)
    ]
    found["O'Brien-Fleming-type, 4 looks"] = quarters, quarters
    found["always valid, daily"] = always, always
    found["harm always valid, win at end"] = at_end, always
    return found


def significant(p: Array, sign: Array, win: list[Monitoring], harm: list[Monitoring]) -> tuple[Flags, Flags]:
    """Whether each run was ever called significant; and by run and day, whether a win had been its first call."""
    wins = (sign > 0) & (p < [rule.level(ALPHA) for rule in win])
    harms = (sign < 0) & (p < [rule.level(ALPHA) for rule in harm])
    harmed = harms.cumsum(axis=1) > 0
    return np.any(wins | harms, axis=1), (wins & ~harmed).cumsum(axis=1) > 0


# ---------------------------------------------------------------------------------------- the table


def with_error(share: float, reps: int) -> str:
    return f"{100 * share:.2f} ± {100 * math.sqrt(max(share * (1 - share), 1e-9) / reps):.2f}"


def rows(data: Data, reps: int, rng: np.random.Generator) -> Iterator[str]:
    null = data.looks(False, reps, DAYS, rng)
    effect = data.looks(True, reps, DAYS, rng)
    for name, (win, harm) in rules().items():
        alarms, _ = significant(*null, win, harm)
        _, won = significant(*effect, win, harm)
        stopped = (1 + (1 - won[:, :-1].mean(axis=0)).sum()) / DAYS
        yield (
            f"| {data.name} | {name} | {with_error(alarms.mean(), reps)} | {with_error(won[:, -1].mean(), reps)} "
            f"| {100 * stopped:.0f} % |"
        )


def cost(data: Data, reps: int, rng: np.random.Generator) -> str:
    """Units, over those planned, at which always-valid monitoring with daily looks has found 80 % of true effects."""
    p, sign = data.looks(True, reps, LONGEST, rng)
    always: list[Monitoring] = [AlwaysValid(day + 1, float(DAYS)) for day in range(LONGEST)]
    found = significant(p, sign, always, always)[1].mean(axis=0)
    day = int(np.argmax(found >= POWER))
    last, this = found[day - 1], found[day]
    needed = (day + (POWER - last) / (this - last)) / DAYS
    error = math.sqrt(POWER * (1 - POWER) / reps) / ((this - last) * DAYS)
    mean = (1 + (1 - found[:-1]).sum()) / DAYS
    shown = f"{needed:.2f} ± {error:.2f} | {100 * found[DAYS - 1]:.1f} % | {100 * found[-1]:.1f} % | {mean:.2f}"
    return f"| {data.name} | {shown} |"


def theory() -> Iterator[str]:
    """Power by integration, of normal data with the same drift."""
    drift = normal_quantile(1 - ALPHA / 2) + normal_quantile(POWER)
    for name, spending, looks in (
        ("O'Brien-Fleming-type, 20 looks", "obrien_fleming", 20),
        ("Pocock-type, 20 looks", "pocock", 20),
        ("O'Brien-Fleming-type, 4 looks", "obrien_fleming", 4),
    ):
        bounds = boundaries(fractions(looks), ALPHA, spending)
        found = sum(above for _, above in crossings(fractions(looks), bounds, drift))
        yield f"{name} {100 * found:.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="2,000 runs instead of 40,000 (conversion) and 20,000")
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    started = time.monotonic()
    plans = [(conversion(), 2_000 if options.quick else 40_000), (order_value(), 2_000 if options.quick else 20_000)]
    print(f"abcx {abcx.__version__}, {datetime.date.today()}, seed {options.seed}, alpha {ALPHA}, {DAYS} daily looks.")
    print("; ".join(f"{data.name}: {reps:,} runs, {data.daily:,} units per arm and day" for data, reps in plans) + ".")
    print("± is one Monte Carlo standard error.")
    print("\n| data | monitoring | false alarms % | power at the planned size % | mean units at the call, of planned |")
    print("|---|---|---:|---:|---:|")
    for index, (data, reps) in enumerate(plans):
        for row in rows(data, reps, np.random.default_rng([options.seed, index])):
            print(row, flush=True)
    print(f"\nPower by integration: {', '.join(theory())}; fixed 80.0 %.")
    print("\nWhat always-valid monitoring costs (daily looks, going on past the planned size):\n")
    print("| data | units for 80 % power, of planned | power at planned | at 3 x planned | mean units, of planned |")
    print("|---|---:|---:|---:|---:|")
    for index, (data, reps) in enumerate(plans):
        print(cost(data, reps // 2, np.random.default_rng([options.seed, 10 + index])), flush=True)
    print(f"\n{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
