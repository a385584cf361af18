"""The card for a chat: short enough for one message, and nothing in it notifies, links or formats."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from abcx.report import slack
from abcx.results.readout import CheckResult, Results
from tests.support import extremes
from tests.support.made_results import ALL, ARABIC, CJK, HOSTILE, LONG, clean, crowded, hostile, three_arms

EVERY: dict[str, Callable[[], Results]] = {
    **ALL,
    "long": lambda: crowded(LONG),
    "cjk": lambda: crowded(CJK),
    "arabic": lambda: crowded(ARABIC),
    "markup": lambda: crowded("<!channel> @here *{:02}* _x_ `y` ~z~ &amp; https://x.example"),
}
EVERY |= {f"extreme {name}": partial(extremes.results, name) for name in (*extremes.EXTREMES, *extremes.REASONS)}
APART = "\N{ZERO WIDTH SPACE}"
WHOLE = re.compile("&(?!(?:amp|lt|gt);)")


@pytest.mark.parametrize("name", EVERY)
def test_it_is_one_message_and_no_markup(name: str) -> None:
    text = slack.render(EVERY[name]())
    assert len(text) < 3000 and text.endswith("\n") and not text.endswith("\n\n")
    assert "<" not in text and ">" not in text and not WHOLE.search(text), "Slack reads tags in angle brackets"
    assert not re.search(r"@(?=\w)|#(?=\w)|://", text), "no mention and no address"
    assert not re.search(r"(?<![\w\u200b])[*_~`](?=[^\s\u200b])", text), "no emphasis"
    assert "\x1b" not in text and "None" not in text


def test_the_words_come_in_the_order_of_a_reader() -> None:
    lines = slack.render(clean()).splitlines()
    assert lines[0] == "✅ SHIP variant: Kilt filter"
    assert lines[1] == "Orders rose by 13% (4% to 23%): 215 of 10,000 visitors instead of 190."
    assert [re.sub(r"^\S.*?  +|^ +\S+ +", "", line) for line in lines[2:6]] == [
        "Orders +13% (+4% to +23%), better",
        "Revenue per visitor +13% (+3% to +23%), better",
        "Cart visits +2.0% (-2.2% to +6.2%), no clear effect",
        "Complaints -0.4% (-6.8% to +6.0%), safe",
    ]
    assert lines[6].startswith("Next: Ship variant: expect orders to rise by 4% to 23%.")
    assert lines[7].startswith("Trust: 9 checks passed, 3 need care. ")
    assert lines[8].endswith("89,420 visitors: control 44,700, variant 44,720 · planned size reached · cx-team")
    assert len(lines) == 9


def test_other_variants_are_told() -> None:
    text = slack.render(three_arms()).replace(APART, "")
    assert "filter_top: KEEP RUNNING. Orders: +5% seen so far" in text
    assert "Orders, filter_left +20% (+5% to +34%), better" in text


def test_what_has_no_room_is_counted() -> None:
    text = slack.render(crowded("m{:02}", 2, 30))
    listed = len(re.findall(r"(?m), (?:better|worse|no clear effect|safe|harmed|not shown safe)$", text))
    (left,) = re.findall(r"and (\d+) more", text)
    assert listed + int(left) == 30


def test_hostile_names_are_still_read() -> None:
    text = slack.render(hostile()).replace(APART, "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert "[csat]" in text and "variant|*" in text and "# <h1>Title</h1> | [csat]" in text
    assert HOSTILE[1] in text and "**bold** it" in text


@pytest.mark.parametrize(
    "name",
    [
        "<!channel>",
        "<@U123>",
        "@channel",
        "@here",
        "#general",
        "<https://x.example|y>",
        "https://x.example",
        "&lt;!here&gt;",
    ],
)
@pytest.mark.parametrize("place", ["title", "metric", "arm", "check", "owner"])
def test_a_name_mentions_nobody_and_links_nowhere(name: str, place: str) -> None:
    base = replace(clean(), verdict=replace(clean().verdict, warnings=()))
    changed = {
        "title": lambda: replace(base, setup=replace(base.setup, title=name)),
        "owner": lambda: replace(base, setup=replace(base.setup, owner=name)),
        "metric": lambda: replace(base, metrics=(replace(base["orders"], title=name),)),
        "arm": lambda: replace(base, arms=(base.arms[0], replace(base.arms[1], name=name))),
        "check": lambda: replace(base, checks=(CheckResult("srm", "fail", f"see {name}", help=name),)),
    }[place]()
    text = slack.render(changed)
    assert name not in text and "<" not in text and not WHOLE.search(text)
    assert not re.search(r"@(?=\w)|#(?=\w)|://", text)


def test_long_text_ends_in_a_whole_character() -> None:
    """A message that is cut is not cut within an entity, which Slack would show as it is."""
    setup = replace(clean().setup, title="&" * 5000)
    assert len(text := slack.render(replace(clean(), setup=setup))) < 3000 and not WHOLE.search(text)
