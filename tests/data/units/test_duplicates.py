"""`duplicates: drop` of events: rows that repeat another are left out before anything is counted. The oracle is pandas'
drop_duplicates, and a plain loop."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import abcx
from abcx.errors import DataError, SpecError
from abcx.spec.load import load_spec
from tests.support.logs import HOUR, REVENUE, Look, iso, look, micro, spec, to_csv

T0 = micro("2024-03-04T10:00:00Z")
HEADER = ["unit", "time", "arm", "event", "value", "page"]
METRICS = {
    **REVENUE,
    "count": {"type": "mean", "event": "purchase", "role": "secondary", "goal": "increase"},
    "value_each": {
        "type": "ratio",
        "role": "secondary",
        "goal": "increase",
        "numerator": {"event": "purchase", "value": "value"},
        "denominator": {"event": "purchase"},
    },
}
DROP = {"events": {"file": "e.csv", "duplicates": "drop"}}


def messy(seed: int) -> list[list[str]]:
    """Units of two arms, of both, and of none; purchases in few moments and of few values, so that many are equal."""
    dice = random.Random(seed)
    rows = []
    for n in range(60):
        arms = dice.choice(["a", "b", "ab", "a", "b", ""])
        rows += [[f"u{n}", iso(T0), arm, "seen", "", "x"] for arm in arms]
        for _ in range(dice.randrange(8)):
            t = iso(T0 + dice.choice([-HOUR, 0, HOUR, HOUR, 50 * HOUR]))
            event = dice.choice(["purchase", "purchase", "other"])
            rows.append([f"u{n}", t, "", event, dice.choice(["5", "5.0", "7"]), dice.choice("xyz")])
    dice.shuffle(rows)
    return rows


def summed(found: Look) -> dict[str, object]:
    """All that the metrics became, up to the last digit of sums."""
    return {
        name: {arm: pytest.approx(vars_of(summary)) for arm, summary in data.summaries.items()}
        for name, data in found.observed.metrics.items()
    }


def vars_of(summary: object) -> dict[str, float]:
    names = [name for name in type(summary).__slots__ if isinstance(getattr(summary, name), (int, float))]  # type: ignore[attr-defined]
    return {name: float(getattr(summary, name)) for name in names}


def repeats(frame: pd.DataFrame, found: Look) -> tuple[pd.DataFrame, Counter[str], dict[str, set[str]]]:
    """What a loop over the rows removes: the rest, and the removed rows and their units by arm."""
    arms = {row["unit"]: "ab"[row["arm"]] for row in found.units}
    seen: set[tuple[str, str, float]] = set()
    rows: Counter[str] = Counter()
    units: dict[str, set[str]] = {"a": set(), "b": set()}
    kept: list[int] = []
    row: Any
    for row in frame.itertuples():
        key = (row.unit, row.time, float(row.value or 0))
        if row.event == "purchase" and key in seen:
            if row.unit in arms:
                rows[arms[row.unit]] += 1
                units[arms[row.unit]].add(row.unit)
            continue
        seen |= {key} if row.event == "purchase" else set()
        kept.append(row.Index)
    return frame.loc[kept], rows, units


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.slow
def test_repeats_are_removed_before_anything_is_counted(tmp_path: Path, seed: int) -> None:
    rows = messy(seed)
    text = to_csv(HEADER, rows)
    found = look(tmp_path, {"e.csv": text}, spec(DROP, METRICS, window="48h"))
    frame = pd.DataFrame(rows, columns=HEADER)
    rest, removed, units = repeats(frame, found)
    bought = frame[frame.event == "purchase"].assign(value=lambda f: f.value.astype(float))
    assert len(bought.drop_duplicates(["unit", "time", "value"])) == (rest.event == "purchase").sum()
    clean = look(tmp_path, {"e.csv": to_csv(HEADER, rest.values.tolist())}, spec(None, METRICS, window="48h"))
    assert vars_of_all(found) == summed(clean)
    assert [one for one in clean.observed.exclusions if one.reason == "repeated_row"] == []
    (told,) = [one for one in found.observed.exclusions if one.reason == "repeated_row"]
    assert told.rows == sum(removed.values()) == found.observed.removed_rows
    assert dict(told.by_arm) == {arm: len(those) for arm, those in units.items()}
    assert told.units == sum(map(len, units.values()))
    assert found.observed.repeated_rows == 0
    assert outside_windows(found) == outside_windows(clean)


def outside_windows(found: Look) -> list[tuple[int | None, dict[str, int]]]:
    reasons = ("before_exposure", "after_window")
    return [(one.rows, dict(one.by_arm)) for one in found.observed.exclusions if one.reason in reasons]


def vars_of_all(found: Look) -> dict[str, object]:
    return {
        name: {arm: vars_of(summary) for arm, summary in data.summaries.items()}
        for name, data in found.observed.metrics.items()
    }


def test_by_default_repeats_are_counted_and_kept(tmp_path: Path) -> None:
    text = to_csv(HEADER, [*SMALL, SMALL[2]])
    found = look(tmp_path, {"e.csv": text}, spec(None, REVENUE))
    assert found.sums() == {"a": (10, 1), "b": (0, 1)}
    assert (found.observed.repeated_rows, found.observed.removed_rows) == (1, None)
    found = look(tmp_path, {"e.csv": text}, spec(DROP, REVENUE))
    assert found.sums() == {"a": (5, 1), "b": (0, 1)}
    assert found.lost() == {"repeated_row": (1, 1)}
    assert (found.observed.repeated_rows, found.observed.removed_rows) == (0, 1)


SMALL = [
    ["u1", iso(T0), "a", "seen", "", "x"],
    ["u2", iso(T0), "b", "seen", "", "x"],
    ["u1", iso(T0 + HOUR), "", "purchase", "5", "x"],
]


@pytest.mark.parametrize(
    ("row", "removed"),
    [
        (["u1", iso(T0 + HOUR), "", "purchase", "5.00", "y"], 1),  # the same number; no metric reads `page`
        (["u1", iso(T0 + HOUR), "a", "purchase", "5", "x"], 1),
        ([" u1 ", "2024-03-04T12:00:00+01:00", "", "purchase", "5", "x"], 1),  # the same unit, the same moment
        (["u1", iso(T0 + HOUR + 1), "", "purchase", "5", "x"], 0),
        (["u1", iso(T0 + HOUR), "", "purchase", "6", "x"], 0),
        (["u2", iso(T0 + HOUR), "", "purchase", "5", "x"], 0),
        (["u1", iso(T0 + HOUR), "", "refund", "5", "x"], 0),
    ],
)
@pytest.mark.slow
def test_what_repeats(tmp_path: Path, row: list[str], removed: int) -> None:
    found = look(tmp_path, {"e.csv": to_csv(HEADER, [*SMALL, row])}, spec(DROP, REVENUE))
    assert found.observed.removed_rows == removed
    assert found.sums()["a"] == (5 if removed or row[0] == "u2" or row[3] != "purchase" else 5 + float(row[4]), 1)


def test_what_a_condition_reads_is_told_apart(tmp_path: Path) -> None:
    metrics = {"revenue": {**REVENUE["revenue"], "where": {"page": "x"}}}
    text = to_csv(HEADER, [*SMALL, SMALL[2], [*SMALL[2][:5], "y"]])
    found = look(tmp_path, {"e.csv": text}, spec(DROP, metrics))
    assert found.sums() == {"a": (5, 1), "b": (0, 1)} and found.observed.removed_rows == 1


def test_ids_of_their_own_tell_events_apart(tmp_path: Path) -> None:
    rows = [[*SMALL[2], id] for id in ("1", "2", "2", "", "")]
    text = to_csv([*HEADER, "id"], [*([*row, ""] for row in SMALL[:2]), *rows])
    found = look(tmp_path, {"e.csv": text}, spec(DROP, REVENUE))
    assert found.sums() == {"a": (15, 1), "b": (0, 1)}
    assert found.lost() == {"duplicate_event": (None, 1), "repeated_row": (1, 1)}


@pytest.mark.slow
def test_only_the_sources_that_say_so(tmp_path: Path) -> None:
    calls = to_csv(["unit", "time", "event", "value"], [["u2", iso(T0 + HOUR), "purchase", 3]] * 2)
    files = {"e.csv": to_csv(HEADER, [*SMALL, SMALL[2]]), "c.csv": calls}
    for first, second, sums, counts in (
        ("drop", None, (5, 6), (1, 1)),
        (None, "drop", (10, 3), (1, 1)),
        ("drop", "drop", (5, 3), (0, 2)),
    ):
        sources = [
            {"file": name} | ({"duplicates": rule} if rule else {})
            for name, rule in zip(files, (first, second), strict=True)
        ]
        found = look(tmp_path, files, spec({"events": sources}, REVENUE))
        assert (found.sums()["a"][0], found.sums()["b"][0]) == sums
        assert (found.observed.repeated_rows, found.observed.removed_rows) == counts


def test_a_file_that_was_exported_twice(tmp_path: Path) -> None:
    """Repeats are found across the files of a source."""
    text = to_csv(HEADER, SMALL)
    source = {"file": ["e.csv", "f.csv"], "duplicates": "drop"}
    found = look(tmp_path, {"e.csv": text, "f.csv": text}, spec({"events": source}, REVENUE))
    assert found.sums() == {"a": (5, 1), "b": (0, 1)} and found.observed.removed_rows == 1


def test_events_without_times_cannot_be_told_apart(tmp_path: Path) -> None:
    text = "unit,arm,event,value\nu1,a,purchase,5\nu2,b,purchase,5\n"
    with pytest.raises(DataError, match=r"e\.csv has no time column, and `duplicates: drop` needs times"):
        look(tmp_path, {"e.csv": text}, spec(DROP, REVENUE))


@pytest.mark.parametrize("rule", ["first", "keep", True])
def test_other_rules_are_refused(rule: object) -> None:
    with pytest.raises(SpecError, match="drop"):
        load_spec(spec({"events": {"file": "e.csv", "duplicates": rule}}, REVENUE))


def test_the_log_tests_whether_arms_lose_alike(tmp_path: Path) -> None:
    """What was exported twice in one arm only is told, as a test over units."""
    from scipy import stats

    rows = [[f"u{n}", iso(T0), "ab"[n % 2], "seen", "", "x"] for n in range(400)]
    rows += [[f"u{n}", iso(T0 + HOUR), "", "purchase", "5", "x"] for n in range(400)]
    rows += [row for row in rows[400:] if int(row[0][1:]) % 2 and int(row[0][1:]) < 100] * 2
    rows += [row for row in rows[400:800] if row[0] in ("u0", "u2", "u4", "u6", "u8", "u10")]
    (tmp_path / "e.csv").write_text(to_csv(HEADER, rows))
    written = spec({"events": {"file": str(tmp_path / "e.csv"), "duplicates": "drop"}}, REVENUE)
    results = abcx.analyze(written, allow_outside=True)
    (one,) = [one for one in results.data.exclusions if one.reason == "repeated_row"]
    assert (one.units, one.rows, dict(one.by_arm)) == (56, 106, {"a": 6, "b": 50})
    assert one.p_value == pytest.approx(stats.chi2_contingency([[6, 50], [194, 150]], correction=False).pvalue)
    (check,) = [check for check in results.checks if check.code == "duplicates"]
    assert check.status == "warn"
    assert (
        check.message == "106 events look like copies of another (same unit, time, event and value) and were left out."
    )
    assert check.details == {"ids": None, "rows": 0, "removed": 106, "units": None, "changed": None}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_repeats_of_busy_units(tmp_path: Path, seed: int) -> None:
    """Units with more events than a set of 64 bits can tell apart, with and without repeats."""
    rng = random.Random(seed)
    rows = [[f"u{i}", iso(T0), "ab"[i % 2], "seen", "", ""] for i in range(40)]
    for unit in range(40):
        for _ in range(rng.randrange(200)):
            value = str(rng.randrange(1, 9)) if unit % 2 else str(len(rows))  # those of even units are all different
            rows.append([f"u{unit}", iso(T0 + HOUR + rng.randrange(40)), "", "purchase", value, ""])
    bought = [tuple(row) for row in rows if row[3] == "purchase"]
    found = look(tmp_path, {"e.csv": to_csv(HEADER, rows)}, spec(None, REVENUE))
    assert found.observed.repeated_rows == len(bought) - len(set(bought)) > 0
