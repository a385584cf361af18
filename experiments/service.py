"""Two invented tests of customer service, with tickets, surveys and cancellations: nothing in them was published.

`desk_files` is a support desk that answers faster, `popup_files` a shop that asks departing visitors to sign up.
Both are drawn with the one stream of `simulate.Draw`, so the files come out the same everywhere.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from simulate import DAY, Draw

HOUR = 3600
MINUTE = 60
CHANNELS = {"web": 55, "phone": 30, "chat": 15}
QUESTIONS = ("satisfaction", "future_purchase", "recommendation", "promise_kept", "fair_help")
Table = tuple[list[str], list[list[str]]]

DESK = "support-desk-faster-replies"
DESK_START = datetime(2024, 10, 7)
DESK_DAYS, DESK_CUT = 28, 36
DESK_UNITS = {"control": 3010, "variant": 2990}

POPUP = "shop-retention-popup"
POPUP_START = datetime(2024, 2, 5)
POPUP_DAYS, POPUP_CUT = 28, 105
POPUP_UNITS = {"control": 6020, "variant": 5980}


def files() -> Iterator[tuple[Path, Table]]:
    """Every table of both tests, by its path below this folder."""
    for name, table in desk_files().items():
        yield Path(DESK, name), table
    for name, table in popup_files().items():
        yield Path(POPUP, name), table


def stamp(start: datetime, second: int) -> str:
    """A second of the log as text."""
    return (start + timedelta(seconds=second)).isoformat(sep=" ")


def arms(draw: Draw, units: dict[str, int]) -> list[str]:
    """The arm of every unit, in random order."""
    listed = [arm for arm, size in units.items() for _ in range(size)]
    return draw.sample(listed, len(listed))


def ordered(rows: Iterable[list[str]], by: int = 1) -> list[list[str]]:
    """Rows in the order of time, then of all else."""
    return sorted(rows, key=lambda row: (row[by], row))


# ---------------------------------------------------------------------------------------- support desk


def desk_files() -> dict[str, Table]:
    """Customers with a problem: half of them get a triage that sends tickets to the right team at once."""
    draw = Draw(77)
    visits, tickets, answers = [], [], []
    number = 0
    for index, arm in enumerate(arms(draw, DESK_UNITS), start=1):
        customer, faster = f"c{index:05d}", arm == "variant"
        channel = list(CHANNELS)[draw.weighted(list(CHANNELS.values()))]
        seen = draw.below(DESK_DAYS) * DAY + draw.second_of_day()
        visits.append([customer, stamp(DESK_START, seen), arm, channel])
        last = seen
        for _ in range(contacts(draw, faster)):
            number += 1
            opened = last + draw.below(5 * DAY) + MINUTE
            if opened >= DESK_CUT * DAY:
                break
            solved = opened + handling(draw, faster, channel)
            open_still = solved >= DESK_CUT * DAY
            again = not open_still and draw.uniform() < (0.085 if faster else 0.08)
            reopened = solved + draw.below(2 * DAY) if again else DESK_CUT * DAY
            tickets.append(
                [
                    f"t{number:05d}",
                    stamp(DESK_START, opened),
                    customer,
                    "" if open_still else stamp(DESK_START, solved),
                    stamp(DESK_START, reopened) if reopened < DESK_CUT * DAY else "",
                ]
            )
            last = opened
            if not open_still:
                answers += survey(draw, customer, faster, solved)
    return {
        "help_visits.csv": (["customer_id", "visited_at", "variation", "channel"], ordered(visits)),
        "tickets.csv": (["ticket_id", "created_at", "customer_id", "solved_at", "reopened_at"], ordered(tickets)),
        "survey.csv": (["customer_id", "answered_at", "question", "answer"], ordered(answers)),
    }


def contacts(draw: Draw, faster: bool) -> int:
    """Tickets of one customer: a few more where replies are fast, because asking is worth it."""
    u = draw.uniform()
    return 0 if u < (0.40 if faster else 0.42) else 1 if u < 0.85 else 2 if u < 0.96 else 3


def handling(draw: Draw, faster: bool, channel: str) -> int:
    """Seconds from opening to solution, with a long tail; the phone is faster anyway."""
    median = (15 if faster else 19) * HOUR * (0.6 if channel == "phone" else 1.0)
    u = draw.uniform()
    return int(median * (u / (1 - u)) ** 0.62) + 10 * MINUTE


def survey(draw: Draw, customer: str, faster: bool, solved: int) -> Iterator[list[str]]:
    """Five answers from 1 to 5, by customers who answer; those who got a fast reply answer more often."""
    if draw.uniform() >= (0.345 if faster else 0.30):
        return
    mood = draw.uniform() + draw.uniform()
    when = stamp(DESK_START, min(solved + draw.below(6 * HOUR), DESK_CUT * DAY - 1))
    for position, question in enumerate(QUESTIONS):
        lean = (
            mood + 0.5 * draw.uniform() - 0.06 * position + (0.10 if faster and question != "recommendation" else 0.0)
        )
        answer = 1 + sum(lean > cut for cut in (0.45, 0.75, 1.05, 1.55))
        yield [customer, when, question, str(answer)]


# ---------------------------------------------------------------------------------------- retention pop-up


def popup_files() -> dict[str, Table]:
    """Visitors about to leave see an offer to sign up: more do, and some of those leave the list again."""
    draw = Draw(11)
    rows, answers = [], []
    for index, arm in enumerate(arms(draw, POPUP_UNITS), start=1):
        customer, asked = f"u{index:05d}", arm == "variant"
        device = ("desktop", "mobile")[draw.weighted([45, 55])]
        seen = draw.below(POPUP_DAYS) * DAY + draw.second_of_day()
        log = [(seen, "leaving_page")]
        joined = draw.uniform() < (0.118 if asked else 0.092)
        if joined:
            signed = seen + draw.delay(3 * MINUTE, 2 * DAY)
            log.append((signed, "sign_up"))
            if draw.uniform() < (0.16 if asked else 0.15):
                log.append((signed + draw.delay(12 * DAY, 80 * DAY), "unsubscribe"))
        if draw.uniform() < (0.40 if joined else 0.32):
            log.append((seen + draw.delay(9 * DAY, 100 * DAY), "return_visit"))
        if draw.uniform() < (0.098 if asked else 0.104):
            log.append((seen + draw.delay(40 * DAY, 95 * DAY), "account_closed"))
        known = [(second, event) for second, event in log if second < POPUP_CUT * DAY]
        rows += [[customer, stamp(POPUP_START, second), arm, event, device] for second, event in known]
        if draw.uniform() < 0.12:
            lean = draw.uniform() + draw.uniform() - (0.02 if asked else 0.0)
            when = stamp(POPUP_START, seen + DAY + draw.below(6 * DAY))
            answers.append([customer, when, str(min(10, max(0, int(11 * (0.15 + 0.48 * lean)))))])
    return {
        "events.csv": (["customer_id", "time", "variation", "event", "device"], ordered(rows)),
        "survey.csv": (["customer_id", "answered_at", "score"], ordered(answers)),
    }
