"""The documented experiments: published figures recounted from the files, clean data, reproducible bytes.

Nothing of abcx is used here, so these tests are an oracle for it.
"""

import csv
import gzip
import math
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"
UK = "uk-tool-centre-filter-menu"
KILT = "buyakilt-product-filter"
EMAIL = "archivesocial-email-field"
PRICING = "archivesocial-pricing-page"
NAV = "archivesocial-resources-nav"
FOLDERS = (UK, KILT, EMAIL, PRICING, NAV)
DESK = "support-desk-faster-replies"
POPUP = "shop-retention-popup"
CHECKOUT = "checkout-address-form"
INVENTED = (DESK, POPUP, CHECKOUT)
WINDOW_DAYS = {UK: 7, KILT: 14, EMAIL: 2, PRICING: 7}  # the fifth has no window
EXPOSURES = {UK: "category_view", KILT: "category_view", EMAIL: "home_view", PRICING: "pricing_view", NAV: "exposed"}
DATA_DAYS = {UK: 28, KILT: 28, EMAIL: 27, PRICING: 49, NAV: 10}


@dataclass(frozen=True)
class Event:
    unit: str
    time: datetime
    arm: str
    event: str
    amount: float
    segments: tuple[str, str]


@dataclass(frozen=True)
class Test:
    """One experiment as read back from its files."""

    __test__ = False
    events: list[Event]
    arms: dict[str, str]
    first: dict[str, Event]

    def units(self, arm: str) -> int:
        return sum(1 for value in self.arms.values() if value == arm)

    def doers(self, event: str, arm: str) -> int:
        return len({row.unit for row in self.events if row.event == event and self.arms[row.unit] == arm})

    def share(self, event: str, arm: str) -> float:
        return self.doers(event, arm) / self.units(arm)

    def lift(self, event: str) -> float:
        """The lift of the share of visitors who did an event, in per cent."""
        return 100 * (self.share(event, "variant") / self.share(event, "control") - 1)

    def revenue(self, arm: str) -> float:
        return math.fsum(row.amount for row in self.events if self.arms[row.unit] == arm)


def read(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return list(csv.DictReader(text.splitlines()))


def data_files(folder: str) -> list[Path]:
    return sorted(path for path in (EXPERIMENTS / folder).iterdir() if path.name.endswith((".csv", ".csv.gz")))


def event(row: dict[str, str], arm: str = "", name: str = "") -> Event:
    time = row.get("timestamp") or row.get("assigned_at") or row["time"]
    return Event(
        unit=row.get("visitor_id") or row["user_id"],
        time=datetime.strptime(time, "%Y-%m-%d %H:%M:%S"),
        arm=arm or row.get("variation", ""),
        event=name or row["event"],
        amount=float(row.get("amount", 0)),
        segments=(row.get("device", ""), row.get("channel", "")),
    )


def read_all(folder: str) -> list[Event]:
    base = EXPERIMENTS / folder
    if folder == KILT:
        return [event(row, arm=arm) for arm in ("control", "variant") for row in read(base / f"{arm}.csv")]
    if folder == NAV:
        exposures = [event(row, name="exposed") for row in read(base / "exposures.csv")]
        return exposures + [event(row) for row in read(base / "events.csv")]
    return [event(row) for row in read(data_files(folder)[0])]


@cache
def load(folder: str) -> Test:
    """All events, the arm and the first exposure of every visitor."""
    events = sorted(read_all(folder), key=lambda row: row.time)
    first: dict[str, Event] = {}
    for row in events:
        if row.event == EXPOSURES[folder]:
            first.setdefault(row.unit, row)
    return Test(events, {unit: row.arm for unit, row in first.items()}, first)


@cache
def spec(folder: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((EXPERIMENTS / folder / "experiment.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize(
    ("folder", "name", "published", "digits"),
    [
        (UK, "product_click", 27, 0),
        (KILT, "purchase", 26, 0),
        (KILT, "cart_view", 19.76, 2),
        (EMAIL, "email_field_click", 101.68, 2),
        (PRICING, "request_sent", 64.76, 2),
        (PRICING, "thank_you_view", 64.76, 2),
        (NAV, "gated_content_view", 73.30, 2),
    ],
)
@pytest.mark.slow
def test_published_lift_of_a_share(folder: str, name: str, published: float, digits: int) -> None:
    assert round(load(folder).lift(name), digits) == published


def test_published_lift_of_revenue_and_the_order_value_that_it_implies() -> None:
    test = load(KILT)
    revenue = test.revenue("variant") / test.units("variant") / (test.revenue("control") / test.units("control"))
    assert round(100 * (revenue - 1), 1) == 76.1
    orders = test.share("purchase", "variant") / test.share("purchase", "control")
    assert round(100 * (orders - 1), 1) == 26.0
    assert round(100 * (revenue / orders - 1), 1) == 39.8


def test_large_orders_carry_part_of_the_revenue() -> None:
    test = load(KILT)
    amounts = {row.unit: row.amount for row in test.events if row.event == "purchase"}
    top = sorted(amounts, key=lambda unit: -amounts[unit])[:5]
    assert {test.arms[unit] for unit in top} == {"variant"}
    left = test.revenue("variant") - math.fsum(amounts[unit] for unit in top)
    ratio = left / (test.units("variant") - 5) / (test.revenue("control") / test.units("control"))
    assert round(100 * (ratio - 1)) == 34


def test_every_buyer_buys_once() -> None:
    buyers = Counter(row.unit for row in load(KILT).events if row.event == "purchase")
    assert set(buyers.values()) == {1}
    assert all(row.amount > 0 for row in load(KILT).events if row.event == "purchase")


def test_the_filter_exists_in_the_control_only() -> None:
    assert load(UK).doers("filter_used", "control") > 0
    assert load(UK).doers("filter_used", "variant") == 0


@pytest.mark.parametrize("folder", FOLDERS)
def test_rows_are_clean(folder: str) -> None:
    for path in data_files(folder):
        rows = read(path)
        assert all(value and value == value.strip() for row in rows for value in row.values())
        assert len({tuple(row.values()) for row in rows}) == len(rows)
    test = load(folder)
    assert {row.unit for row in test.events} == set(test.arms)
    assert set(test.arms.values()) == {"control", "variant"}
    assert all(row.arm in ("", test.arms[row.unit]) for row in test.events)
    segments = {(row.unit, row.segments) for row in test.events if row.segments != ("", "")}
    assert len(segments) == len(test.arms)
    assert all(row.time >= test.first[row.unit].time for row in test.events)
    assert len({(row.unit, row.time) for row in test.events}) == len(test.events)


@pytest.mark.parametrize("folder", FOLDERS)
def test_times_fit_period_and_window(folder: str) -> None:
    test = load(folder)
    start = datetime.combine(spec(folder)["period"]["start"], datetime.min.time())
    end = datetime.combine(spec(folder)["period"]["end"], datetime.min.time()) + timedelta(days=1)
    days = {(row.time - start).days for row in test.first.values()}
    assert days == set(range(DATA_DAYS[folder]))
    assert all(start <= row.time < end for row in test.events if row.event == EXPOSURES[folder])
    last = max(row.time for row in test.events)
    if folder not in WINDOW_DAYS:
        assert "window" not in spec(folder)
        assert last < end
        return
    window = timedelta(days=WINDOW_DAYS[folder])
    assert spec(folder)["window"] == f"{WINDOW_DAYS[folder]}d"
    assert last >= end
    assert last >= max(row.time for row in test.first.values()) + window
    measured = [row for row in test.events if row.event != "site_visit"]
    assert all(row.time < test.first[row.unit].time + window for row in measured)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_split_is_even_overall_by_day_and_by_segment(folder: str) -> None:
    test = load(folder)
    groups: dict[tuple[str, object], list[int]] = defaultdict(lambda: [0, 0])
    for unit, row in test.first.items():
        for key in (("all", ""), ("day", row.time.date()), ("device", row.segments[0]), ("channel", row.segments[1])):
            groups[key][test.arms[unit] == "variant"] += 1
    for (kind, _), (control, variant) in groups.items():
        p = math.erfc(abs(control - variant) / math.sqrt(2 * (control + variant)))
        assert p > (0.02 if kind == "day" else 0.05)


@pytest.mark.parametrize("folder", (*FOLDERS, *INVENTED))
def test_spec_and_readme_say_simulated(folder: str) -> None:
    assert "simulated" in spec(folder)["description"].lower()
    assert spec(folder)["tags"] == ["simulated"]
    readme = (EXPERIMENTS / folder / "README.md").read_text(encoding="utf-8")
    assert "All events in this folder are simulated" in readme
    assert "Published" in readme


def test_the_index_lists_every_experiment() -> None:
    index = (EXPERIMENTS / "README.md").read_text(encoding="utf-8")
    assert "simulated" in index
    folders = {path.parent.name for path in EXPERIMENTS.glob("*/experiment.yaml")}
    assert folders == {*FOLDERS, *INVENTED}
    assert all(f"({folder}/)" in index for folder in folders)


@pytest.mark.parametrize("folder", (*FOLDERS, *INVENTED))
def test_spec_keeps_the_rules_of_roles(folder: str) -> None:
    assert spec(folder)["name"] == folder
    metrics = spec(folder)["metrics"]
    assert [metric["role"] for metric in metrics.values()].count("primary") == 1
    for metric in metrics.values():
        assert ("margin" in metric) == (metric["role"] == "guardrail")
        assert ("goal" in metric) == (metric["role"] != "descriptive")
    start: date = spec(folder)["period"]["start"]
    assert start.weekday() == 0


@pytest.mark.parametrize("folder", FOLDERS)
def test_planned_size_is_reached_except_where_the_test_is_too_short(folder: str) -> None:
    assert (len(load(folder).arms) >= spec(folder)["plan"]["units"]) == (folder != NAV)


def test_the_support_desk_is_what_its_readme_says() -> None:
    arms = {row["customer_id"]: row["variation"] for row in read(EXPERIMENTS / DESK / "help_visits.csv")}
    tickets = read(EXPERIMENTS / DESK / "tickets.csv")
    counts = Counter((arms[row["customer_id"]], bool(row["solved_at"]), bool(row["reopened_at"])) for row in tickets)
    found = {
        arm: (
            sum(n for (one, _, _), n in counts.items() if one == arm),
            sum(n for (one, solved, _), n in counts.items() if one == arm and not solved),
            sum(n for (one, _, again), n in counts.items() if one == arm and again),
        )
        for arm in ("control", "variant")
    }
    assert found == {"control": (2343, 28, 190), "variant": (2303, 19, 175)}
    assert Counter(arms.values()) == {"control": 3010, "variant": 2990}


@pytest.mark.slow
def test_files_regenerate() -> None:
    command = [sys.executable, str(EXPERIMENTS / "generate.py"), "--check"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_gzip_header_carries_no_name_and_no_time() -> None:
    header = (EXPERIMENTS / PRICING / "events.csv.gz").read_bytes()[:8]
    assert header[:3] == b"\x1f\x8b\x08"
    assert header[3:] == bytes(5)


def test_files_are_small() -> None:
    sizes = [path.stat().st_size for folder in (*FOLDERS, *INVENTED) for path in data_files(folder)]
    assert max(sizes) < 1_500_000
    assert sum(sizes) < 6_500_000


def test_the_checkout_is_what_its_readme_says() -> None:
    """Visitors by step, each at or after the one before, within seven days of the first look at the cart."""
    steps = ("cart_view", "address_form", "address_done", "payment", "purchase")
    by_visitor: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    arms: dict[str, str] = {}
    for row in read(EXPERIMENTS / CHECKOUT / "checkout.csv.gz"):
        by_visitor[row["visitor_id"]].append((datetime.fromisoformat(row["time"]), row["page"]))
        arms[row["visitor_id"]] = row["variation"]
    reached: Counter[tuple[str, str]] = Counter()
    for visitor, pages in by_visitor.items():
        last = min(time for time, page in pages if page == steps[0])
        end = last + timedelta(days=7)
        for step in steps:
            times = [time for time, page in pages if page == step and last <= time < end]
            if not times:
                break
            last = min(times)
            reached[arms[visitor], step] += 1
    counts = {arm: [reached[arm, step] for step in steps] for arm in ("control", "variant")}
    assert counts == {"control": [5030, 4343, 3011, 2519, 1946], "variant": [4970, 4288, 3395, 2388, 1892]}
