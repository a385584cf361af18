"""The five tests as they are simulated: who was exposed, how many did what, and which files tell it.

Published figures are marked; every other number is invented and only meant to be plausible. The seeds were picked so
that the split of visitors looks ordinary overall, on every day and in every segment.
"""

from dataclasses import dataclass
from datetime import datetime

SHOP_WEEK = (10, 9, 9, 9, 9, 12, 14)  # relative traffic, Monday first
OFFICE_WEEK = (12, 13, 13, 12, 10, 3, 3)


@dataclass(frozen=True)
class Action:
    """Something that a fixed number of visitors per arm do after they were exposed."""

    event: str
    control: int
    variant: int
    minutes: float  # median time since the exposure, or since the event named in `after`
    after: str | None = None  # only visitors who did this event may do it
    repeat: float = 0.0  # chance that a visitor does it once more


@dataclass(frozen=True)
class Orders:
    """Amounts for the rows of one event, scaled so that revenue per visitor has the given ratio."""

    event: str
    ratio_permille: int  # revenue per visitor, variant over control, in thousandths
    large: tuple[int, ...]  # a few large orders of the variant, in cents


@dataclass(frozen=True)
class Export:
    """One data file: its columns (header -> field) and, where not all rows belong in it, which do."""

    name: str
    columns: dict[str, str]
    arm: str | None = None
    exposures: bool | None = None  # True: only exposures; False: only what came after; None: both


@dataclass(frozen=True)
class Story:
    """One test: its period, its visitors, what they did, and the files that tell it."""

    folder: str
    seed: int
    start: datetime
    days: int  # days with new visitors
    log_days: int  # days covered by the log, long enough to follow the last visitors for the whole window
    window_days: int
    week: tuple[int, ...]
    units: dict[str, int]
    exposure: str
    revisit: float  # chance of one more exposure event
    actions: tuple[Action, ...]
    exports: tuple[Export, ...]
    orders: Orders | None = None


EVENT_COLUMNS = {
    "visitor_id": "unit",
    "timestamp": "time",
    "variation": "arm",
    "event": "event",
    "device": "device",
    "channel": "channel",
}
ORDER_COLUMNS = {
    "user_id": "unit",
    "time": "time",
    "event": "event",
    "amount": "amount",
    "device": "device",
    "channel": "channel",
}

STORIES = (
    Story(
        folder="uk-tool-centre-filter-menu",
        seed=9,
        start=datetime(2024, 2, 5),
        days=28,
        log_days=36,
        window_days=7,
        week=SHOP_WEEK,
        units={"control": 4044, "variant": 4038},
        exposure="category_view",
        revisit=0.22,
        actions=(
            Action("product_click", 966, 1225, minutes=2, repeat=0.3),  # published: +27 % of visitors who click
            Action("filter_used", 455, 0, minutes=1, repeat=0.2),  # the variant has no filter to use
            Action("purchase", 97, 101, minutes=45, after="product_click"),
        ),
        exports=(Export("events.csv", EVENT_COLUMNS),),
    ),
    Story(
        folder="buyakilt-product-filter",
        seed=19,
        start=datetime(2024, 4, 8),
        days=28,
        log_days=43,
        window_days=14,
        week=SHOP_WEEK,
        units={"control": 9020, "variant": 9058},
        exposure="category_view",
        revisit=0.18,
        actions=(
            Action("cart_view", 755, 908, minutes=25),  # published: +19.76 %
            Action("purchase", 196, 248, minutes=20, after="cart_view"),  # published: +26 %
        ),
        orders=Orders("purchase", 1761, large=(264000, 218000, 184000, 149500, 126000, 98000, 84000)),  # +76.1 %
        exports=(
            Export("control.csv", ORDER_COLUMNS, arm="control"),
            Export("variant.csv", ORDER_COLUMNS, arm="variant"),
        ),
    ),
    Story(
        folder="archivesocial-email-field",
        seed=20,
        start=datetime(2024, 6, 3),
        days=27,
        log_days=30,
        window_days=2,
        week=OFFICE_WEEK,
        units={"control": 2813, "variant": 2822},
        exposure="home_view",
        revisit=0.15,
        actions=(
            Action("email_field_click", 86, 174, minutes=1, repeat=0.15),  # published: +101.68 %
            Action("email_submitted", 38, 47, minutes=1, after="email_field_click"),
            Action("product_page_view", 1069, 1064, minutes=2, repeat=0.2),
        ),
        exports=(Export("events.csv", EVENT_COLUMNS),),
    ),
    Story(
        folder="archivesocial-pricing-page",
        seed=1,
        start=datetime(2024, 7, 8),
        days=49,
        log_days=57,
        window_days=7,
        week=OFFICE_WEEK,
        units={"control": 6654, "variant": 6642},
        exposure="pricing_view",
        revisit=0.2,
        actions=(
            Action("request_sent", 121, 199, minutes=6),  # published: +64.76 %, and so for the thank-you page
            Action("thank_you_view", 121, 199, minutes=0.1, after="request_sent"),
            Action("support_chat", 286, 280, minutes=8),
            Action("product_page_view", 1996, 1985, minutes=3, repeat=0.2),
        ),
        exports=(Export("events.csv.gz", EVENT_COLUMNS),),
    ),
    Story(
        folder="archivesocial-resources-nav",
        seed=4,
        start=datetime(2024, 9, 9),
        days=10,
        log_days=10,
        window_days=10,
        week=OFFICE_WEEK,
        units={"control": 2722, "variant": 2730},
        exposure="assignment",
        revisit=0.1,
        actions=(
            Action("gated_content_view", 42, 73, minutes=5, repeat=0.2),  # published: +73.30 %
            Action("product_page_view", 953, 949, minutes=2, repeat=0.2),
        ),
        exports=(
            Export(
                "exposures.csv",
                {
                    "visitor_id": "unit",
                    "assigned_at": "time",
                    "variation": "arm",
                    "device": "device",
                    "channel": "channel",
                },
                exposures=True,
            ),
            Export("events.csv", {"visitor_id": "unit", "timestamp": "time", "event": "event"}, exposures=False),
        ),
    ),
)
