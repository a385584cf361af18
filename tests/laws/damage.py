"""What happens to files between a tool and an analyst: each changes the tables of a world, or the bytes of one file.

A damage says in its name what it does. It gets the world, a random source and the name of the file it is to change, and
returns False where the file has nothing that it could change.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps

from tests.laws.worlds import Table, World

Damage = Callable[[World, random.Random, str], bool]

SPELLINGS: dict[str, Callable[[str], str]] = {
    "upper case": str.upper,
    "leading zeros": lambda v: "00" + v,
    "a .0 at the end": lambda v: v + ".0",
    "a hard space": lambda v: v + "\u00a0",
    "a zero-width space": lambda v: v[:2] + "\u200b" + v[2:],
    "a formula": lambda v: f'="{v}"',
    "quotes": lambda v: f'"{v}"',
    "a tab before it": lambda v: "\t" + v,
    "user_": lambda v: "user_" + v,
    "#": lambda v: "#" + v,
    "gid://shop/Customer/": lambda v: "gid://shop/Customer/" + v,
    "mailto:": lambda v: "mailto:" + v,
    "full-width digits": lambda v: v.translate({ord("0") + i: 0xFF10 + i for i in range(10)}),
    "decomposed accents": lambda v: unicodedata.normalize("NFD", v.replace("u", "ü")),
    "braces": lambda v: "{" + v + "}",
}


def _half(rng: random.Random, table: Table, column: int, change: Callable[[str], str]) -> bool:
    """Change a column on the rows of half of its values: all rows of a value, as a system does that writes it."""
    values = sorted({row[column] for row in table.rows})
    some = set(rng.sample(values, max(1, len(values) // 2)))
    for row in table.rows:
        if row[column] in some:
            row[column] = change(row[column])
    return True


def _in_utc(table: Table) -> bool:
    """Whether the times of a file are written with a Z."""
    return table.time is not None and table.rows[0][table.time].endswith("Z")


def respell_ids(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    if table.unit is None:
        return False
    return _half(rng, table, table.unit, SPELLINGS[rng.choice(sorted(SPELLINGS))])


def respell_labels(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    if table.arm is None:
        return False
    change = SPELLINGS[rng.choice(["upper case", "a hard space", "a formula", "quotes", "a tab before it"])]
    for row in table.rows:
        if rng.random() < 0.3:
            row[table.arm] = change(row[table.arm])
    return True


def respell_events(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    if table.event is None:
        return False
    change = SPELLINGS[rng.choice(["upper case", "a hard space", "a formula", "quotes", "a zero-width space"])]
    for row in table.rows:
        if row[table.event] == "order" and rng.random() < 0.4:
            row[table.event] = change(row[table.event])
    return True


def shuffle(world: World, rng: random.Random, name: str) -> bool:
    rng.shuffle(world.files[name].rows)
    return True


def overlap(world: World, rng: random.Random, name: str) -> bool:
    """Two exports of the file, which overlap by a fifth."""
    table = world.files[name]
    part = next((part for part, said in world.spec["data"].items() if said["file"] == name), None)
    if part is None or len(table.rows) < 10:
        return False
    cut, back = len(table.rows) // 2, len(table.rows) // 5
    later = f"later_{name}"
    world.files[later] = Table(table.header, [list(row) for row in table.rows[cut - back :]])
    table.rows = table.rows[:cut]
    world.spec["data"][part]["file"] = [name, later]
    return True


def footer(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    width, numbers = len(table.header), table.number
    total = [""] * width
    total[0] = rng.choice(["Total", "Grand total", "TOTALS", "Summe"])
    if numbers is not None:
        total[numbers] = f"{sum(float(row[numbers] or 0) for row in table.rows):.2f}"
    note = ["Exported 2024-06-30 by a tool", *[""] * (width - 1)]
    table.rows.append(rng.choice([total, note, [""] * width]))
    return True


def drop_labels(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    if table.arm is None:
        return False
    for row in table.rows:
        if rng.random() < 0.2:
            row[table.arm] = ""
    return True


def coarsen_times(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    if table.time is None or "T" not in table.rows[0][table.time]:
        return False
    timed = sum(other.time is not None for other in world.files.values())
    forms = [(10, ""), (13, ":00:00Z"), (16, ":00Z")]
    keep, rest = rng.choice(forms if timed > 1 else forms[:1])  # hours of one log alone look like any others
    for row in table.rows:
        row[table.time] = row[table.time][:keep] + rest
    return True


def repeat_rows(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    table.rows += [list(row) for row in rng.sample(table.rows, max(1, len(table.rows) // 10))]
    return True


def repeat_header(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    table.rows.insert(rng.randrange(1, len(table.rows)), list(table.header))
    return True


def stray_time(world: World, rng: random.Random, name: str) -> bool:
    """One event of a unit of the test is dated years after all others."""
    table = world.files[name]
    if table.event is None or table.time is None:
        return False
    row = list(rng.choice(table.rows))
    row[table.time] = "2042" + row[table.time][4:]
    table.rows.append(row)
    return True


def empty_numbers(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    if table.number is None:
        return False
    for row in table.rows:
        if row[table.number] and rng.random() < 0.25:
            row[table.number] = ""
    return True


def decimal_commas(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    if table.number is None:
        return False
    for row in table.rows:
        row[table.number] = row[table.number].replace(".", ",")
    return True


def placeholder_ids(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    if table.unit is None:
        return False
    word = rng.choice(["NULL", "guest", "undefined", "00000000-0000-0000-0000-000000000000", "N/A"])
    for row in table.rows:
        if rng.random() < 0.1:
            row[table.unit] = word
    return True


def cut_short(world: World, rng: random.Random, name: str) -> bool:
    """The last export of the events failed: nothing after the first twelve days."""
    table = world.files[name]
    if table.event is None or table.time is None:
        return False
    column = table.time
    table.rows = [row for row in table.rows if row[column] < "2024-05-12"]
    return True


def encode(world: World, rng: random.Random, name: str) -> bool:
    world.files[name].format["encoding"] = rng.choice(["utf-8-sig", "utf-16", "crlf", "cr at the end", "gzip"])
    return True


def delimit(world: World, rng: random.Random, name: str) -> bool:
    world.files[name].format["delimiter"] = rng.choice([";", "\t", "|"])
    return True


def reorder_columns(world: World, rng: random.Random, name: str) -> bool:
    world.files[name].format["order"] = rng.sample(range(len(world.files[name].header)), len(world.files[name].header))
    return True


def as_json_lines(world: World, rng: random.Random, name: str) -> bool:
    world.files[name].format["json"] = True
    part = next((part for part, said in world.spec["data"].items() if said["file"] == name), None)
    if part is None or part == "counts":
        return False
    world.spec["data"][part]["format"] = "jsonl"
    return True


def rewriting_times(draw: Callable[[random.Random], Callable[[datetime], str]]) -> Damage:
    """Writes the times of a file in another way, where they are written in UTC."""

    @wraps(draw)
    def rewrite(world: World, rng: random.Random, name: str) -> bool:
        table = world.files[name]
        if table.time is None or not _in_utc(table):
            return False
        write = draw(rng)
        for row in table.rows:
            row[table.time] = write(datetime.fromisoformat(row[table.time]))
        return True

    return rewrite


@rewriting_times
def lose_offsets(rng: random.Random) -> Callable[[datetime], str]:
    """Some times, or all of a file, no longer say that they are UTC."""
    share = rng.choice([0.3, 1.0])
    return lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}{'' if rng.random() < share else 'Z'}"


@rewriting_times
def other_offsets(rng: random.Random) -> Callable[[datetime], str]:
    """The same moments, written with the offset of another place."""
    hours = rng.choice([-7, 2, 5])
    return lambda moment: f"{moment + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}{hours:+03d}:00"


@rewriting_times
def epochs(rng: random.Random) -> Callable[[datetime], str]:
    """Times in seconds or milliseconds since 1970."""
    factor = rng.choice([1, 1000])
    return lambda moment: str(int(moment.timestamp()) * factor)


@rewriting_times
def american_times(rng: random.Random) -> Callable[[datetime], str]:
    return lambda moment: f"{moment:%m/%d/%Y %H:%M:%S}"


def currency(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    if table.number is None:
        return False
    sign, share = rng.choice(["$", "EUR ", "kr "]), rng.choice([0.5, 1.0])
    for row in table.rows:
        if row[table.number] and rng.random() < share:
            row[table.number] = sign + row[table.number]
    return True


def round_ids(world: World, rng: random.Random, name: str) -> bool:
    """A spreadsheet shows long ids as 1.23E+15."""
    table = world.files[name]
    if table.unit is None:
        return False
    for row in table.rows:
        row[table.unit] = f"{1.23e15 + int(row[table.unit][4:]) * 1e12:.2E}"
    return True


def title_above(world: World, rng: random.Random, name: str) -> bool:
    world.files[name].format["title"] = rng.choice(["# exported by a tool", "Experiment export", '"Orders, May 2024"'])
    return True


def cut_off(world: World, rng: random.Random, name: str) -> bool:
    """The copy of the file ended in the middle of a row."""
    world.files[name].format["cut"] = rng.random() * 0.5 + 0.4
    return True


def swap_columns(world: World, rng: random.Random, name: str) -> bool:
    """From some row on two columns stand in each other's place, as where exports with other columns were joined; the
    header of the second part may stand there, too."""
    table = world.files[name]
    known = [i for i in (table.unit, table.time, table.arm, table.event, table.number) if i is not None]
    if len(known) < 2 or len(table.rows) < 12:
        return False
    one, other = rng.sample(known, 2)
    start = int(len(table.rows) * rng.uniform(0.4, 0.8))
    if rng.random() < 0.3:
        table.rows.insert(start, list(table.header))
    for row in table.rows[start:]:
        row[one], row[other] = row[other], row[one]
    return True


def move_ends(world: World, rng: random.Random, name: str) -> bool:
    """A later export has some rows again, with the same ids and a later time."""
    table = world.files[name]
    if not _in_utc(table) or "id" not in table.header or table.time is None:
        return False
    for row in [row for row in table.rows if row[table.time]][:: rng.randrange(5, 9)]:
        again = list(row)
        again[table.time] = f"{row[table.time][:10]}T23:59:58Z"
        table.rows.append(again)
    return True


def quote_all(world: World, rng: random.Random, name: str) -> bool:
    world.files[name].format["quoting"] = True
    return True


def extra_column(world: World, rng: random.Random, name: str) -> bool:
    table = world.files[name]
    table.header = [*table.header, "note"]
    table.rows = [[*row, rng.choice(["", "x, y", 'said "yes"', "two\nlines", "naïve"])] for row in table.rows]
    return True


SAME: tuple[Damage, ...] = (
    *(shuffle, encode, delimit, reorder_columns, as_json_lines),
    *(other_offsets, quote_all, extra_column, title_above),
)
"""What leaves the meaning alone: the same numbers come out, without a word that there was anything."""
TOLD: tuple[Damage, ...] = (
    *(respell_ids, respell_labels, respell_events, overlap, footer, drop_labels, coarsen_times, repeat_rows),
    *(repeat_header, stray_time, empty_numbers, decimal_commas, placeholder_ids, cut_short),
    *(lose_offsets, epochs, american_times, currency, round_ids, cut_off, swap_columns, move_ends),
)
"""What may change numbers: then it is reported."""
