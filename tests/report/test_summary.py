"""Several experiments in one table."""

import pytest
from markdown_it import MarkdownIt
from rich.cells import cell_len

from abcx.report import summary
from tests.support.made_results import ALL, broken_split, clean, hostile, simulated, three_arms


@pytest.mark.parametrize("width", [80, 100])
def test_a_row_per_experiment_and_variant(width):
    text = summary.render([clean(), three_arms(), simulated()], width=width)
    assert max(map(cell_len, text.splitlines())) <= width
    flat = " ".join(text.split())
    for said in (
        "kilt-filter filter_left",
        "kilt-filter filter_top",
        "(simulated)",
        "+13%",
        "+4% to +23%",
        "+20%",
        "+5% to +34%",
        "+5%",
        "-8% to +19%",
        ".0068",
        "Orders",
    ):
        assert said in flat or all(word in flat for word in said.split())
    assert flat.count("SHIP") == 3 and flat.count("KEEP RUNNING") == 1


def test_an_invalid_experiment_shows_no_effect():
    text = summary.render([broken_split()])
    assert "INVALID" in text and "%" not in text
    assert text.split()[-1] == "4"


def test_color_only_where_wanted():
    assert "\x1b" not in summary.render([clean()])
    assert "\x1b[" in summary.render([clean()], color=True)


def test_markdown_is_a_table_without_html():
    text = summary.render([make() for make in ALL.values()], "markdown")
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    found = [child.type for token in parser.parse(text) for child in (token, *(token.children or ()))]
    assert not {"html_inline", "html_block", "link_open"} & set(found)
    assert found.count("td_open") == 7 * found.count("tbody_open") * (found.count("tr_open") - 1)
    assert r"\[csat\]" in summary.render([hostile()], "markdown")


def test_nothing_to_summarize():
    assert "experiment" in summary.render([])
    assert summary.render([], "markdown").count("\n") == 2
