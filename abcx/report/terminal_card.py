"""The card for a terminal: at most 40 lines at 100 columns, 60 below; readable without color, piped and in ASCII."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich import box
from rich.cells import cell_len
from rich.console import Group as Stack
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from abcx import formatting
from abcx.formatting import clean
from abcx.report import card as cards
from abcx.report import forest, fragments
from abcx.report.card import Card, Line
from abcx.report.console import STYLES, draw, grid
from abcx.results.readout import Results

LINES = 22
"""Lines of a card beside one for each judged metric and variant."""
MOST_LINES, MOST_LINES_NARROW, NARROW = 40, 60, 100
MOST_CONCERNS = 3
_LEAST = {0: 14, 4: 12, 1: 8, 2: 8, 5: 9, 3: 7}
"""The least widths of columns (label, interval, control, variant, result, effect), as they shrink."""
_TONES = {"good": "green", "bad": "red", "open": "yellow", "quiet": "dim"}


def render(results: Results, width: int = 100, color: bool = False, ascii: bool = False, alone: bool = True) -> str:
    """The card as text; comparisons and concerns for which there is no room are counted and named in a line. A card
    that stands `alone` says how to see everything else."""
    card = cards.card(results)
    total = len(card.lines)
    limit = min(LINES + total, MOST_LINES) if width >= NARROW else MOST_LINES_NARROW
    most = min(total, limit)

    def drawn(room: Room) -> str:
        return draw(_parts(results, card, width, ascii, room, alone), width, color, ascii)

    for room in [Room(most, n, described) for n in range(MOST_CONCERNS, 0, -1) for described in (True, False)]:
        text = drawn(room)
        if text.count("\n") <= limit:
            return text
    while room.rows > 1 and (over := text.count("\n") - limit) > 0:
        room = room._replace(rows=max(room.rows - over, 1))
        text = drawn(room)
    while text.count("\n") < limit:  # headings have gone with their rows, so that more may fit
        more = drawn(room._replace(rows=room.rows + 1))
        if more.count("\n") > limit:
            break
        room, text = room._replace(rows=room.rows + 1), more
    return text if text.count("\n") <= limit else drawn(Room(1, 0, False))


class Room(NamedTuple):
    """How much of a card is shown: rows of comparisons, concerns in full, and the values of what is not tested."""

    rows: int
    concerns: int
    described: bool


def _parts(results: Results, card: Card, width: int, ascii: bool, room: Room, alone: bool) -> Iterator[RenderableType]:
    yield _panel(card, ascii, room.concerns)
    if card.word == "INVALID":
        yield _line(cards.INVALID)
    elif card.groups:
        yield from _table(results, card, width, ascii, room.rows)
    if card.described and room.described:
        yield _line(f"Not tested: {'; '.join(card.described)}.")
    for worth in card.worth:
        yield _line(worth, "bold")
    if alone:
        yield _line(f"abcx {clean(results.abcx_version)} · --full shows everything else", "dim")


def _panel(card: Card, ascii: bool, listed: int) -> Panel:
    title = Text.assemble((card.word, STYLES[card.word]), f" {card.arm} · ", (card.title, "bold"), overflow="fold")
    if card.simulated:
        title.append(" · ").append(cards.SIMULATED, "bold yellow")
    body = grid("ll")
    body.add_row(Text("Next", "dim"), _line("\n".join(card.steps)))
    body.add_row(Text("Trust", "dim"), _concerns(card, listed))
    if card.others:
        body.add_row(Text("Also", "dim"), _line("\n".join(card.others)))
    style = STYLES[card.word].removesuffix(" reverse")
    parts = (title, _line(card.sentence, "bold"), body, _line(" · ".join(card.facts), "dim"))
    return Panel(Stack(*parts), box=box.ASCII if ascii else box.ROUNDED, border_style=style)


def _concerns(card: Card, listed: int) -> Text:
    text = _line(card.trust)
    for concern in card.concerns[:listed]:
        text.append(f"\n{'!' if concern.fails else '-'} {concern.text}", "red" if concern.fails else "yellow")
    left = [concern.subject for concern in card.concerns[listed:]]
    if left:
        text.append(f"\n- {'More' if listed else 'Look'}: {', '.join(dict.fromkeys(left))} (--full)", "yellow")
    return text


def _few(texts: Sequence[str], most: int, noun: str) -> list[str]:
    """The texts, or the first of them and how many there are beside."""
    return [*texts] if len(texts) <= most else [*texts[: most - 1], f"and {len(texts) - most + 1} more {noun}"]


def _table(results: Results, card: Card, width: int, ascii: bool, rows: int) -> Iterator[RenderableType]:
    """The judged comparisons with bars, those for which there is no room in a line, and what the signs mean."""
    lines = card.lines
    kept = cards.most_important(card, rows)
    is_kept = set(map(id, kept))
    control, variant = _heads(card)
    widths = _widths(kept, width, control, variant)
    headings = max(
        (cell_len(group.heading) for group in card.groups if any(id(line) in is_kept for line in group.lines)),
        default=0,
    )
    widths[0] = max(widths[0], min(headings, 30 * width // 100))
    pairs = [(line.metric, line.comparison) for line in kept]
    gap, bar = _layout(widths, width)
    drawn = forest.of_lines(results, pairs, bar, ascii)
    bars = {id(row.comparison): row.bar for row in drawn.rows}
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, gap, 0, 0))
    for side, column in zip("lrrrl", widths[:5], strict=True):
        table.add_column(justify="right" if side == "r" else "left", overflow="fold", width=column)
    if bar:
        table.add_column(no_wrap=True, width=bar)
    table.add_column(overflow="fold", width=widths[5])
    heads = (card.groups[0].heading, control, variant, "effect", card.interval, *([drawn.heading] if bar else []), "")
    table.add_row(*(Text(head, "dim") for head in heads))
    for group in card.groups:
        shown = [line for line in group.lines if id(line) in is_kept]
        if shown and group is not card.groups[0]:
            table.add_row(Text(group.heading, "dim"))
        for line in shown:
            sign = "" if ascii or not line.sign else f"{line.sign} "
            cells = [f"  {line.label}", line.control, line.variant, line.effect, line.interval]
            cells += [bars[id(line.comparison)]] if bar else []
            table.add_row(*map(Text, cells), Text(f"{sign}{line.result}", _TONES[line.tone]))
    yield table
    if left := [line for line in lines if id(line) not in is_kept]:
        names = list(dict.fromkeys(fragments.titled(line.metric) for line in left))
        yield _line(f"And {formatting.plural(len(left), 'more comparisons')} (--full): {_named(names)}.")
    if below := " ".join(filter(None, [*drawn.legend, card.levels])):
        yield _line(below, "dim")


def _heads(card: Card) -> tuple[str, str]:
    """The heads of the columns of values: the names of two arms, unless they are long."""
    fit = max(cell_len(card.control), cell_len(card.variant)) <= 14
    return (card.control, card.variant) if fit else ("control", "variant")


def _named(names: Sequence[str]) -> str:
    return ", ".join(_few(names, 6, "metrics"))


def _widths(lines: Sequence[Line], width: int, control: str, variant: str) -> list[int]:
    """Widths of the columns of texts, with a gap of at least one within `width`; the bar takes what is left."""
    most = {"label": 30 * width // 100, "control": 16, "variant": 16, "effect": 14, "interval": 26 * width // 100}
    heads = {"control": cell_len(control), "variant": cell_len(variant), "interval": cell_len("95% interval")}
    widths = [
        min(
            max([heads.get(name, 6), *(cell_len(getattr(line, name)) for line in lines)]) + 2 * (name == "label"), limit
        )
        for name, limit in most.items()
    ]
    widths.append(max([8, *(cell_len(line.result) + 2 * bool(line.sign) for line in lines)]))
    over = sum(widths) + 5 - width
    for place, least in _LEAST.items():  # a text that is longer than its column folds
        taken = min(max(over, 0), max(widths[place] - least, 0))
        widths[place], over = widths[place] - taken, over - taken
    return widths


def _layout(widths: Sequence[int], width: int) -> tuple[int, int]:
    """The gap between columns and the cells of a bar; 0 where there is no room for one."""
    rooms = [(gap, width - sum(widths) - 6 * gap) for gap in (2, 1)]
    gap, room = next(((gap, room) for gap, room in rooms if room >= 12), rooms[-1])
    return gap, min(room, 40) if room >= 8 else 0


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, overflow="fold")
