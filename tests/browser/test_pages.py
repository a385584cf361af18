"""Every page in a real browser (Debian's Chromium by Playwright): quiet, self-contained, readable on a phone, on paper,
without script, in light and dark, and clean by axe-core. `make test-browser` installs what it needs."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abcx.commands import portfolio
from abcx.commands.options import DataOptions, RunOptions
from abcx.report import html
from tests.support import extremes, made_results, shipped

playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright: make test-browser")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-core: make test-browser")
pypdf = pytest.importorskip("pypdf", reason="needs pypdf: make test-browser")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: make test-browser")

MADE = {
    "made-harm": lambda: extremes.results("guardrail_harm"),
    "made-inconclusive": lambda: extremes.results("guardrail_unresolved"),
    "made-crowded": made_results.crowded,
    "made-hostile": made_results.ALL["hostile"],
    "made-long": lambda: extremes.results("long_and_foreign_names"),
}
PAGES = ("index", *shipped.NAMES, *MADE)
ONE_VARIANT = tuple(name for name in (*shipped.NAMES, "made-harm", "made-inconclusive"))
SMALL = """() => [...document.querySelectorAll('body *')]
  .filter(e => e.getClientRects().length && [...e.childNodes].some(n => n.nodeType == 3 && n.textContent.trim()))
  .map(e => [parseFloat(getComputedStyle(e).fontSize) * (e.closest('figure svg')
      ? e.closest('svg').getBoundingClientRect().width / e.closest('svg').viewBox.baseVal.width : 1), e.textContent])
  .filter(([size]) => size < 11).map(([size, text]) => size + ': ' + text.slice(0, 40))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    specs = sorted(map(str, (shipped.ROOT / "experiments").glob("*/experiment.yaml")))
    broken = folder / "broken.yaml"
    broken.write_text("schema_version: 1\nname: broken\nmetrix: {}\n")
    code = portfolio.run([*specs, str(broken)], folder, DataOptions(), RunOptions(quiet=True), ["none"])
    assert code == 2
    for name, make in MADE.items():
        (folder / f"{name}.html").write_text(html.render(make()), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def opened(site: Path, browser: Any) -> Iterator[Any]:
    """Opens a page by its name; at the end nothing was said on the console and no request left it."""
    pages: list[Any] = []
    requests: list[str] = []
    said: list[str] = []

    def open_page(name: str, width: int = 1280, **context: Any) -> Any:
        page = browser.new_context(viewport={"width": width, "height": 900}, **context).new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((site / f"{name}.html").as_uri())
        pages.append(page)
        return page

    yield open_page
    assert said == []
    assert all(url.startswith(site.as_uri()) for url in requests) and len(requests) == len(pages)
    for page in pages:
        page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_everything(opened: Any, name: str) -> None:
    page = opened(name, 390)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate(SMALL) == []
    unlabeled = page.evaluate("[...document.querySelectorAll('td')].filter(c => !c.hasAttribute('data-label')).length")
    assert unlabeled == page.evaluate("[...document.querySelectorAll('td:empty')].length")
    if name != "index":  # next step and trust on the first two screens
        tops = page.evaluate("[...document.querySelectorAll('.halves h2')].map(h => h.getBoundingClientRect().top)")
        assert len(tops) == 2 and max(tops) < 2 * 844


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Any, name: str, scheme: str) -> None:
    page = opened(name, color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = axe.Axe().run(page)
    assert [violation["id"] for violation in found.response["violations"]] == []


@pytest.mark.parametrize("name", PAGES)
def test_it_reads_without_script(opened: Any, name: str) -> None:
    page = opened(name, java_script_enabled=False)
    assert page.locator("h1").first.is_visible()
    if name == "index":
        assert page.locator("#experiments tbody tr").count() == len(shipped.NAMES)
        assert not page.locator("#filters").is_visible()
        assert page.get_by_text("broken.yaml").is_visible()
        return
    assert page.get_by_text("What to do next").is_visible()
    summary = page.locator("summary").last
    summary.click()
    assert page.locator("details").last.locator("li").first.is_visible()


@pytest.mark.parametrize("name", shipped.NAMES)
def test_figures_are_drawn_and_have_tables(opened: Any, name: str) -> None:
    page = opened(name)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for section in page.locator("details:has(figure)").all():
        assert section.locator("table").count() > 0
        for figure in section.locator("figure").all():
            box = figure.locator(".wide svg").bounding_box()
            assert box and box["width"] > 300 and box["height"] > 60
            assert figure.locator(".wide svg path").count() > 1
            assert not figure.locator(".narrow svg").is_visible()
    assert page.locator(".bar").count() >= 1


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_unique(opened: Any, name: str) -> None:
    ids = opened(name).evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", ONE_VARIANT)
def test_it_prints_on_two_pages_and_an_appendix(opened: Any, site: Path, name: str) -> None:
    page = opened(name, color_scheme="dark")
    page.pdf(path=str(site / f"{name}.pdf"), prefer_css_page_size=True)
    texts = [unicodedata.normalize("NFKC", one.extract_text()) for one in pypdf.PdfReader(site / f"{name}.pdf").pages]
    first = next(number for number, text in enumerate(texts) if "For the analyst" in text)
    assert first <= 2  # counted from 0: the card takes two pages at most
    whole = "\n".join(texts)
    assert "Minimum effect" in whole and "Seed" in whole and "correction" in whole.lower()  # folded parts are printed
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_the_index_is_searched_and_filtered(opened: Any) -> None:
    page = opened("index")
    rows = page.locator("#experiments tbody tr:visible")
    assert rows.count() == len(shipped.NAMES)
    page.fill("#search", "KILT")  # not in any row
    assert rows.count() == 0 and page.locator("#shown").inner_text() == f"0 of {len(shipped.NAMES)}"
    page.fill("#search", "product pages filter")
    assert rows.count() == 1
    page.fill("#search", "")
    page.select_option("#verdict", "DO NOT SHIP")
    assert rows.count() == 1 and "Address form" in rows.first.inner_text()
    assert page.locator("#experiments a:visible").get_attribute("href") == "checkout-address-form.html"


def test_hostile_names_stay_text(opened: Any) -> None:
    page = opened("made-hostile")
    assert page.locator("script").count() == 1 and page.locator("main img, main iframe, main u, main b").count() == 0
    assert page.get_by_text("<script>alert(1)</script>").count() > 0


def test_keyboard_opens_what_is_folded(opened: Any) -> None:
    page = opened(shipped.NAMES[0])
    page.locator("summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None


def test_links_are_of_the_web_alone(opened: Any, site: Path) -> None:
    results = shipped.results("uk-tool-centre-filter-menu")
    links = ("https://example.org/a?b=1&c=2", "javascript:alert(1)", "data:text/html,x", "http://example.org")
    changed = replace(results, setup=replace(results.setup, links=links))
    (site / "links.html").write_text(html.render(changed), encoding="utf-8")
    targets = opened("links").evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    assert targets == ["https://example.org/a?b=1&c=2", "http://example.org"]
