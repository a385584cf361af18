"""The card in Markdown: at most 25 lines, for a pull request or a wiki."""

from __future__ import annotations

from abcx import formatting
from abcx.report import card as cards
from abcx.report import forest, fragments
from abcx.report.card import Card, Line
from abcx.report.markup import cell, code, escape, prose, table
from abcx.results.readout import Results

LINES = 25
MOST_CONCERNS = 4
BAR = 24


def render(results: Results) -> str:
    """The summary: verdict, sentence, next steps, trust, all metrics, what it is worth, dates."""
    card = cards.card(results)
    verdict = f"**{card.word}**: {escape(card.arm)}" + (f" · **{cards.SIMULATED}**" if card.simulated else "")
    blocks = [f"# {escape(card.title)}", verdict, f"**{prose(card.sentence)}**"]
    blocks.append(f"**What to do next:** {prose(' '.join(card.steps))}")
    blocks.append(f"**Can this be trusted?** {prose(_trust(card))}")
    after = [prose(" ".join(card.others))] if card.others else []
    after += [prose(cards.INVALID)] if card.word == "INVALID" else []
    after += [escape(f"Not tested: {'; '.join(card.described)}.")] if card.described else []
    after += [escape(" ".join(card.worth))] if card.worth else []
    after.append(escape(" · ".join(card.facts)))
    free = LINES - 2 * (len(blocks) + len(after))
    return "\n\n".join([*blocks, *_table(results, card, free), *after]) + "\n"


def _trust(card: Card) -> str:
    texts = [concern.text for concern in card.concerns[:MOST_CONCERNS]]
    left = list(dict.fromkeys(concern.subject for concern in card.concerns[MOST_CONCERNS:]))
    return " ".join([card.trust, *texts, *([f"And: {', '.join(left)}."] if left else [])])


def _table(results: Results, card: Card, free: int) -> list[str]:
    """The judged comparisons in as many rows as there are lines left, the others named."""
    lines = card.lines
    if not lines:
        return []
    legend = 2  # the line below the table and the empty one before it
    rows = cards.most_important(card, max(1, free - 3 - legend))
    drawn = forest.of_lines(results, [(line.metric, line.comparison) for line in rows], BAR)
    heading = {id(line): group.heading for group in card.groups for line in group.lines}
    body = [_row(line, heading[id(line)], row.bar) for line, row in zip(rows, drawn.rows, strict=True)]
    heads = ("metric", "role", escape(card.control), escape(card.variant), "effect", card.interval, "", "result")
    below = " ".join(filter(None, [*drawn.legend, card.levels]))
    is_shown = set(map(id, rows))
    if left := [line for line in lines if id(line) not in is_shown]:
        names = list(dict.fromkeys(fragments.titled(line.metric) for line in left))
        more = f"And {formatting.plural(len(left), 'more comparisons')}: {', '.join(names[:6])}"
        below = f"{more}{', ...' if len(names) > 6 else ''}. {below}"
    return [table(heads, body, "llrrrlll"), *([escape(below)] if below else [])]


def _row(line: Line, heading: str, bar: str) -> tuple[str, ...]:
    result = f"**{line.result}**" if line.tone in ("good", "bad") else line.result
    texts = (line.label, heading, line.control, line.variant, line.effect, line.interval)
    return (*map(cell, texts), code(bar) if bar.strip() else "", result)
