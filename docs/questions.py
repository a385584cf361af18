"""Writes the table of a manager's six questions in docs/report.md from the cards of the documented experiments.

python docs/questions.py
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from abcx.commands.options import DataOptions, RunOptions
from abcx.commands.running import run_all
from abcx.report.card import Card, card
from abcx.report.markup import prose

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "report.md"
QUESTIONS = ("What happened?", "How sure?", "What is it worth?", "What do we do?", "Can I trust it?", "How long still?")
_TABLE = re.compile(r"<!-- questions -->\n.*?<!-- end -->", re.DOTALL)


def answers(shown: Card) -> tuple[str, ...]:
    """The six answers, each as the card has it."""
    first = shown.groups[0].lines[0] if shown.groups else None
    sure = "" if first is None else f"{first.label} {first.interval} ({shown.interval}): {first.result}"
    worth = " ".join(shown.worth) or (f"{first.label}: {first.effect}, {first.result}" if first else shown.sentence)
    trust = " ".join([shown.trust, *(concern.text for concern in shown.concerns[:1])])
    return shown.sentence, sure, worth, " ".join(shown.steps), trust, shown.progress


def cards() -> dict[str, Card]:
    """The card of every documented experiment, by its title."""
    with contextlib.chdir(ROOT):
        specs = sorted(map(str, Path("experiments").glob("*/experiment.yaml")))
        results, code = run_all(specs, DataOptions(), RunOptions(quiet=True))
    assert code == 0
    return {shown.title: shown for shown in map(card, results)}


def table(shown: dict[str, Card]) -> str:
    """A section of six answers for each experiment."""
    parts = []
    for title, one in shown.items():
        rows = [f"| {question} | {prose(answer)} |" for question, answer in zip(QUESTIONS, answers(one), strict=True)]
        parts.append(
            "\n".join([f"**{prose(title)}** ({one.word})", "", "| question | the card says |", "|---|---|", *rows])
        )
    return "\n\n".join(parts)


def page(text: str) -> str:
    """The page with the table of today."""
    return _TABLE.sub(lambda _: f"<!-- questions -->\n\n{table(cards())}\n\n<!-- end -->", text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
