"""Several experiments in one table: name, verdict, primary metric, lift, p, warnings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from abcx import formatting
from abcx.report import fragments
from abcx.report.console import STYLES, draw
from abcx.report.markup import escape
from abcx.report.markup import table as markdown_table
from abcx.results.readout import Results, Verdict

HEADS = ("experiment", "verdict", "primary metric", "effect", "interval", "p", "warnings")


def render(
    results: Iterable[Results],
    format: Literal["terminal", "markdown"] = "terminal",
    width: int = 100,
    color: bool = False,
    ascii: bool = False,
) -> str:
    """One row per experiment; per variant and primary metric where there are several. INVALID ones show no effect."""
    rows = [row for result in results for row in _table_rows(result)]
    if format == "markdown":
        escaped = [[*map(escape, row[:3]), *row[3:]] for row in rows]
        return markdown_table(HEADS, escaped, "lllrrrr") + "\n"
    natural = sum(max(cell_len(row[i]) for row in (HEADS, *rows)) + 2 for i in range(len(HEADS)))
    narrow = natural > width
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1 if narrow else 2, 0, 0))
    shown = [_narrow(row) for row in (HEADS, *rows)] if narrow else [HEADS, *rows]
    fixed = shown[0].index("verdict"), *range(shown[0].index("effect"), len(shown[0]))
    for i, head in enumerate(shown[0]):
        longest = min(max(cell_len(row[i]) for row in shown), width // 4)
        side: Literal["left", "right"] = "right" if head in ("effect", "p", "warnings") else "left"
        table.add_column(justify=side, overflow="fold", width=longest if i in fixed else None)
    for row in shown:
        style = "dim" if row is shown[0] else ""
        table.add_row(
            *(Text(text, style=STYLES.get(text, style) if i == fixed[0] else style) for i, text in enumerate(row))
        )
    return draw([table], width, color, ascii)


def _narrow(row: Sequence[str]) -> list[str]:
    """The metric below the experiment, where there is no room for a column of its own."""
    name, verdict, metric, *figures = row
    return [f"{name}\n  {metric}" if name else f"  {metric}", verdict, *figures]


def _table_rows(results: Results) -> Iterator[list[str]]:
    verdicts = results.verdicts or (results.verdict,)
    for verdict in verdicts:
        name = formatting.clean(results.experiment)
        name += f" {formatting.clean(verdict.arm)}" if len(verdicts) > 1 else ""
        name += " (simulated)" if results.setup.simulated else ""
        first = [name, verdict.verdict]
        for effect in _effects(results, verdict) or [["-", "-", "-", "-"]]:
            yield [*first, *effect, str(_warnings(results))]
            first = ["", ""]


def _effects(results: Results, verdict: Verdict) -> list[list[str]]:
    if verdict.verdict == "INVALID":
        return [[fragments.titled(metric), "-", "-", "-"] for metric in fragments.primaries(results)]
    rule = results.monitoring.rule
    pairs = [(m, c) for m in fragments.primaries(results) for c in m.comparisons if c.arm == verdict.arm]
    return [[fragments.titled(m), *fragments.effect(m, c, rule=rule), fragments.p_value(c, rule)] for m, c in pairs]


def _warnings(results: Results) -> int:
    """Warnings and failures among the checks, and warnings of the verdict that no check has."""
    check_codes = {check.code for check in results.checks if check.status in ("warn", "fail")}
    without_check = {
        (warning.code, warning.metric) for warning in results.verdict.warnings if "check" not in warning.values
    }
    return len(check_codes) + len(without_check)
