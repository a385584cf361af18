import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abcx import formatting
from abcx.report import fragments, markdown, markup
from tests.support.made_results import ALL, HOSTILE, SHA, clean, hostile, simulated
from tests.support.notes import texts
from tests.support.readouts import PARSER, headings, shown, tables, tokens

SECTIONS = (
    "SHIP: variant",
    "Can these data be trusted?",
    "What was set up",
    "Primary metric: orders",
    "All metrics",
    "Where the effect comes from",
    "What was done to the data",
    "Methods",
    "Limits",
    "Glossary",
)


def test_sections_in_order():
    assert headings(markdown.render(clean())) == ["Kilt filter", *SECTIONS]


@pytest.mark.parametrize("name", ALL)
def test_nothing_of_the_users_becomes_markup(name):
    readout = ALL[name]()
    text = markdown.render(readout)
    kinds = {token.type for token in tokens(text)}
    assert not kinds & {"html_block", "html_inline", "image", "em_open", "s_open"}
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
        assert formatting.clean(name) in names
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


def test_the_last_line_reproduces_it():
    last = markdown.render(clean()).splitlines()[-1]
    assert last.endswith("`abcx report experiments/kilt-filter/experiment.yaml -o report.md`")
    without = replace(clean(), setup=replace(clean().setup, command=None))
    assert "write it again" not in markdown.render(without)


def test_simulated_is_said_before_the_verdict():
    text = markdown.render(simulated())
    assert text.index("SIMULATED DATA") < text.index("## SHIP")


def test_invalid_has_no_sentence_to_quote():
    text = markdown.render(ALL["broken_split"]())
    assert "Not to be quoted" in text
    assert "Out of 10,000" not in text and "rose by" not in text


def test_bars_are_in_fenced_blocks():
    blocks = [token.content for token in tokens(markdown.render(clean())) if token.type == "fence"]
    assert len(blocks) == 2
    assert all("●" in block and re.search("[├┤]", block) for block in blocks)


def test_a_name_with_a_fence_does_not_end_the_block():
    readout = clean()
    metric = replace(readout["cart_visits"], name="```")
    text = markdown.render(replace(readout, metrics=(*readout.metrics, metric)))
    assert headings(text) == ["Kilt filter", *SECTIONS]
