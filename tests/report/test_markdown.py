"""The readout in Markdown: a card, then everything else folded; what users wrote never becomes markup."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abcx import formatting
from abcx.report import fragments, markdown, markdown_card, markup
from tests.support.made_results import ALL, HOSTILE, SHA, clean, hostile, simulated, three_arms
from tests.support.notes import texts
from tests.support.readouts import PARSER, headings, shown, tables, tokens

SECTIONS = (
    "Why this verdict",
    "The primary metric in detail",
    "All metrics in detail",
    "Where the effect comes from",
    "All trust checks",
    "What was set up",
    "What was done to the data",
    "Methods and limits",
    "Glossary, and how to write this again",
)
SUMMARY = re.compile(r"(?m)^<details><summary>([^<>]+)</summary>$")


def folded(text):
    """The titles of the folded sections."""
    return SUMMARY.findall(text)


def test_a_card_then_folded_sections_in_order():
    text = markdown.render(clean())
    assert headings(text) == ["Kilt filter", "Orders (orders)"]
    assert folded(text) == [*SECTIONS]
    assert text.startswith(markdown_card.render(clean()).rstrip("\n") + "\n\n<details>")


@pytest.mark.parametrize("name", ALL)
def test_a_summary_is_the_card_alone(name):
    assert markdown.render(ALL[name](), summary=True) == markdown_card.render(ALL[name]())
    assert "<details>" not in markdown.render(ALL[name](), summary=True)


@pytest.mark.parametrize("name", ALL)
def test_every_section_is_folded_and_closed(name):
    """GitHub and GitLab read Markdown within `<details>` only after an empty line."""
    lines = markdown.render(ALL[name]()).splitlines()
    for number, line in enumerate(lines):
        if line.startswith("<details>"):
            assert SUMMARY.fullmatch(line) and lines[number - 1] == lines[number + 1] == ""
        if line == "</details>":
            assert lines[number - 1] == "" and (number == len(lines) - 1 or lines[number + 1] == "")
    opened = [line for line in lines if line.startswith("<details>")]
    assert lines.count("</details>") == len(opened) == len(folded("\n".join(lines)))


@pytest.mark.parametrize("name", ALL)
def test_nothing_of_the_users_becomes_markup(name):
    readout = ALL[name]()
    text = markdown.render(readout)
    kinds = {token.type for token in tokens(text)}
    assert not kinds & {"html_inline", "image", "em_open", "s_open"}
    html = {token.content.strip() for token in tokens(text) if token.type == "html_block"}
    assert all(block == "</details>" or SUMMARY.fullmatch(block) for block in html)
    links = [dict(token.attrs)["href"] for token in tokens(text) if token.type == "link_open"]
    assert set(links) <= set(readout.setup.links)  # those that the spec declares as such, and no others
    assert "```" not in [token.content for token in tokens(text) if token.type == "text"]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.slow
def test_every_row_has_as_many_cells_as_its_head(name):
    text = markdown.render(ALL[name]())
    for table in tables(text):
        assert {len(row) for row in table} == {len(table[0])}
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert sum(len(table) for table in tables(text)) == len(rows) - len(tables(text))


def test_hostile_names_are_shown_as_written():
    text = markdown.render(hostile())
    names = {row[0] for table in tables(text) for row in table}
    for name in HOSTILE:
        assert formatting.title_of(name) in names
    assert all(formatting.clean(name) in shown(text) for name in HOSTILE), "keys stand in the folded part"
    assert "# <h1>Title</h1> | [csat]" in headings_text(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("@team", "@&#8203;team"),
        ("ann@shop.example", "ann@&#8203;shop.example"),
        ("fixes #12", "fixes #&#8203;12"),
        ("https://x.example/a", "https:&#8203;//x.example/a"),
        ("see WWW.x.example", "see WWW&#8203;.x.example"),
        ("5 @ 3, # of orders, 12:30, www", "5 @ 3, # of orders, 12:30, www"),
    ],
)
def test_text_notifies_nobody_and_links_nowhere(text, written):
    assert markup.escape(text) == written
    assert shown(written).replace("\u200b", "") == text


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "https://x.example/a b", "https://x|y", "x.example", "<https://x>"]
)
def test_only_an_address_that_is_declared_as_a_link_is_one(text):
    assert markup.link("https://x.example/a?b=1#c") == "<https://x.example/a?b=1#c>"
    assert markup.link(text) == markup.escape(text)


def headings_text(text):
    parsed = PARSER.parse(text)
    inside = [after for token, after in zip(parsed, parsed[1:], strict=False) if token.type == "heading_open"]
    return ["".join(child.content for child in token.children or ()) for token in inside]


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30))
def test_escaped_text_comes_back_whatever_it_was(name):
    clean_name = formatting.clean(name)
    body = markup.table(("a", "b"), [(markup.escape(name) or "-", "1")])
    assert tables(body) == [[["a", "b"], [clean_name or "-", "1"]]]
    parsed = [
        token for token in tokens(f"{markup.escape(name)}\n") if token.type not in ("inline", "text", "text_special")
    ]
    assert {token.type for token in parsed} <= {"paragraph_open", "paragraph_close"}


@given(st.text(alphabet="`ab \n|", max_size=12))
def test_code_holds_any_text(text):
    flat = formatting.clean(text)
    if flat:
        (span,) = [token for token in tokens(f"x {markup.code(flat)} y") if token.type == "code_inline"]
        assert span.content == flat
    (fence,) = [token for token in tokens(markup.block(text + "x")) if token.type == "fence"]
    assert fence.content == text + "x\n"


def test_it_holds_everything():
    readout = clean()
    text = shown(markdown.render(readout))
    setup = readout.setup
    for said in (
        setup.hypothesis,
        setup.description,
        setup.owner,
        setup.spec,
        setup.spec_sha256,
        setup.links[0],
        SHA[::-1],
    ):
        assert said in text
    for check in readout.checks:
        assert fragments.sentence(check.message) in text
        assert not check.help or fragments.sentence(check.help) in text
    for exclusion in readout.data.exclusions:
        assert exclusion.reason in text and fragments.sentence(exclusion.message) in text
    for line in texts([*readout.methods, *readout.limits, *readout.data.notes]):
        assert fragments.sentence(line) in text
    for metric in readout.metrics:
        assert metric.definition[1:] in text
        for arm in metric.arms:
            assert fragments.value_interval(arm.interval, metric) in text
        for comparison in metric.comparisons:
            assert "{} ({})".format(*fragments.effect(metric, comparison)) in text
            assert "{} ({})".format(*fragments.effect(metric, comparison, relative=False)) in text


def test_the_end_reproduces_it():
    last = markdown.render(clean()).splitlines()[-3:]
    assert last[0].endswith("`abcx report experiments/kilt-filter/experiment.yaml -o report.md`")
    assert last[1:] == ["", "</details>"]
    without = replace(clean(), setup=replace(clean().setup, command=None))
    assert "write it again" not in markdown.render(without)


def test_simulated_is_said_with_the_verdict():
    lines = markdown.render(simulated()).splitlines()
    assert lines[:3] == ["# Kilt filter", "", "**SHIP**: variant · **SIMULATED DATA**"]


def test_the_card_in_words():
    lines = markdown.render(clean(), summary=True).splitlines()
    assert lines[2:9:2] == [
        "**SHIP**: variant",
        "**Orders rose by 13% (4% to 23%): 215 of 10,000 visitors instead of 190.**",
        "**What to do next:** Ship variant: expect orders to rise by 4% to 23%. "
        "Before you quote an amount: look at the largest values one by one.",
        "**Can this be trusted?** 9 checks passed, 3 need care. The period of 27 days is not whole weeks: three "
        "Sundays, four of every other day. Without the 5 largest buyers the lift of Revenue per visitor falls from "
        "+13% to +9%. 410 visitors (0.46%) were not followed for the whole window of 14d.",
    ]
    (table,) = tables("\n".join(lines))
    assert table[0] == ["metric", "role", "control", "variant", "effect", "95% interval", "", "result"]
    assert [row[:6] + row[7:] for row in table[1:]] == [
        ["Orders", "Primary", "1.90%", "2.15%", "+13%", "+4% to +23%", "better"],
        ["Revenue per visitor", "Secondary", "1.06", "1.20", "+13%", "+3% to +23%", "better"],
        ["Cart visits", "Secondary", "9.00%", "9.17%", "+2.0%", "-2.2% to +6.2%", "no clear effect"],
        ["Complaints", "Guardrails", "4.03%", "4.01%", "-0.4%", "-6.8% to +6.0%", "safe"],
    ]


def test_other_variants_stand_in_the_card():
    text = shown(markdown.render(three_arms(), summary=True))
    assert "filter_top: KEEP RUNNING. Orders: +5% seen so far; anything from -8% to +19% still fits the data." in text


def test_invalid_has_no_sentence_to_quote():
    text = markdown.render(ALL["broken_split"]())
    assert "Not to be quoted" in text
    assert "instead of" not in text and "rose by" not in text
    card = markdown.render(ALL["broken_split"](), summary=True)
    assert not tables(card) and "No effects are shown" in card


def test_bars_are_in_fenced_blocks():
    blocks = [token.content for token in tokens(markdown.render(clean())) if token.type == "fence"]
    assert len(blocks) == 2
    assert not [token for token in tokens(markdown.render(clean(), summary=True)) if token.type == "fence"]
    assert all("●" in block and re.search("[├┤]", block) for block in blocks)


def test_a_name_with_a_fence_does_not_end_the_block():
    readout = clean()
    metric = replace(readout["cart_visits"], name="```")
    text = markdown.render(replace(readout, metrics=(*readout.metrics, metric)))
    assert headings(text) == ["Kilt filter", "Orders (orders)"] and folded(text) == [*SECTIONS]
