"""The page, its figures and the picture, as far as no browser is needed: tests/browser opens them in one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist
from xml.etree import ElementTree

import numpy as np
import pytest

from abcx.report import figures, folded, html, markdown
from abcx.report.figures import effects, over_time
from abcx.report.figures.svg import COLORS, DARK
from abcx.results.metric import EffectSeries, Point
from abcx.results.readout import Results
from tests.support import extremes, made_results, shipped

ROOT = Path(__file__).resolve().parents[2]
STYLE = (ROOT / "abcx" / "report" / "templates" / "style.css").read_text(encoding="utf-8")


def every() -> list[tuple[str, Results]]:
    made = [(name, make()) for name, make in made_results.ALL.items()]
    return [*((name, shipped.results(name)) for name in shipped.NAMES), *made]


def test_nothing_is_loaded_from_elsewhere() -> None:
    for name, results in every():
        page = html.render(results)
        assert not re.search(r"<(link|img|iframe|object|embed|base)\b|@import|\ssrc=|url\((?!#)", page), name
        targets = re.findall(r'href="([^"]*)"', page)
        assert all(target.startswith(("http://", "https://", "#")) for target in targets), name
        assert page.count("<script>") == 1 and "default-src 'none'" in page


def test_names_are_text_in_html_attributes_and_drawings() -> None:
    page = html.render(made_results.ALL["hostile"]())
    body = page.partition("<body>")[2].rpartition("<script>")[0]
    assert "<script" not in body and "<img" not in body and "onerror=" not in re.sub(r"&\w+;|[^<>]*", "", body)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
    named = extremes.results("long_and_foreign_names")
    assert "お問い合わせ" in html.render(named) and "معدل" in html.render(named)


def test_drawings_are_xml_with_names_as_text() -> None:
    hostile = '<b>$x$ & "y" 日本</b>'
    base = shipped.results("buyakilt-product-filter")
    segments = tuple(
        replace(segment, values=tuple(replace(value, value=hostile) for value in segment.values))
        for segment in base.metrics[0].segments
    )
    metrics = (replace(base.metrics[0], title=hostile, segments=segments), *base.metrics[1:])
    for drawing in figures.all_of(replace(base, metrics=metrics)):
        text = drawing.file()
        root = ElementTree.fromstring(text)
        assert root.attrib["aria-label"] and "<b>" not in text
        shown = "".join(root.itertext())
        if drawing.name.startswith("segment"):
            assert '$x$ & "y" 日本' in shown  # no formula, no lost glyph
        assert "Date" not in text and "matplotlib.org" not in text and not re.search(r"<style[^>]*>[^<]*\*\s*\{", text)


def test_ids_of_drawings_do_not_repeat() -> None:
    page = html.render(shipped.results("support-desk-faster-replies"))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) > 20
    assert set(re.findall(r"url\(#([^)]+)\)", page)) <= set(ids)
    assert set(re.findall(r'(?:xlink:)?href="#([^"]+)"', page)) <= set(ids)


@pytest.mark.slow
def test_the_same_bytes_on_another_path(tmp_path: Path) -> None:
    """Another process, hash seed and working folder."""
    spec = ROOT / "experiments" / "shop-retention-popup" / "experiment.yaml"
    pages = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        code = f"import abcx; open('p.html', 'w').write(abcx.analyze({str(spec)!r}).to_html())"
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True)
        pages.append((folder / "p.html").read_bytes())
    assert pages[0] == pages[1] and str(tmp_path).encode() not in pages[0] and str(ROOT).encode() not in pages[0]


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def palettes() -> list[dict[str, str]]:
    found = [dict(re.findall(r"--([\w-]+):(#\w+)", rule)) for rule in re.findall(r":root\{([^}]*)\}", STYLE)]
    return [
        {name: color if len(color) == 7 else "#" + "".join(2 * c for c in color[1:]) for name, color in one.items()}
        for one in found
    ]


def test_text_has_contrast_in_both_palettes() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text; 1.4.11: 3 to 1 for lines that say something."""
    light, dark, printed = palettes()
    assert set(light) == set(dark) == set(printed)
    for palette in (light, dark, printed):
        for color in ("ink", "soft", "good", "bad", "open", "quiet", "blue"):
            assert contrast(palette[color], palette["sheet"]) >= 4.5, color
        for tone in ("good", "bad", "open"):
            assert contrast(palette[tone], palette[f"{tone}-soft"]) >= 4.5, tone
        assert contrast(palette["orange"], palette["sheet"]) >= 3
    assert {name: light[name] for name in COLORS} == COLORS and {name: dark[name] for name in DARK} == DARK


def test_every_figure_has_its_table() -> None:
    for name in shipped.NAMES:
        for section in folded.sections(shipped.results(name)):
            assert not section.figures or "<table>" in section.html, (name, section.title)


def test_cells_carry_the_head_of_their_column() -> None:
    for section in folded.sections(shipped.results("support-desk-faster-replies")):
        cells = re.findall(r"<td[^>]*>", section.html)
        assert all("data-label=" in cell for cell in cells)
        assert "<pre" not in section.html


@pytest.mark.parametrize("alpha", [0.05, 0.1])
def test_the_boundary_is_drawn_where_an_effect_of_its_z_lies(alpha: float) -> None:
    """Bands of a known standard error: the dashed lines lie at z standard errors from 0, whatever the level."""
    from matplotlib.figure import Figure

    base, z, errors = shipped.results("buyakilt-product-filter"), 2.797, (0.02, 0.014, 0.01)
    critical = NormalDist().inv_cdf(1 - alpha / 2)
    points = tuple(
        Point(f"2024-05-{n + 1:02}", 100, 0.01, (0.01 - critical * s, 0.01 + critical * s), None, None)
        for n, s in enumerate(errors)
    )
    series = EffectSeries("variant", "cumulative", points)
    metric = replace(base.metrics[0], unit="share", course=(series,))
    looked = replace(base.monitoring, boundaries=((0.5, 4.0), (0.8, z)))
    results = replace(base, setup=replace(base.setup, alpha=alpha), metrics=(metric,), monitoring=looked)
    (drawing,) = over_time.figures(results)
    axes = Figure().subplots()
    drawing.draw(axes, False)
    dashed = [np.asarray(line.get_ydata(), float) for line in axes.lines if line.get_linestyle() == "--"]
    for sign, line in zip((-1, 1), dashed, strict=True):
        assert list(line) == pytest.approx([sign * 100 * z * s for s in errors])
        assert axes.get_ylim()[0] < float(line[-1]) < axes.get_ylim()[1]
    assert f"{100 * (1 - alpha):.0f}% band; dashed: the boundary" in drawing.label
    (without,) = over_time.figures(replace(results, monitoring=base.monitoring))
    assert "dashed" not in without.label


def test_the_picture_is_a_png() -> None:
    for results in (shipped.results("buyakilt-product-filter"), extremes.results("broken_split")):
        picture = effects.picture(results)
        assert picture.startswith(b"\x89PNG") and int.from_bytes(picture[16:20]) == 1216


def test_plot_returns_axes_with_every_judged_metric() -> None:
    import matplotlib

    matplotlib.use("agg")
    axes = shipped.results("shop-retention-popup").plot()
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [metric.title for metric in shipped.results("shop-retention-popup")]
    assert shipped.results("shop-retention-popup").plot(axes) is axes


def test_markdown_names_its_pictures() -> None:
    results = shipped.results("buyakilt-product-filter")
    text = markdown.render(results, images={"lift-time0-0.svg": "Effect [x] over time"})
    assert "![Effect \\[x\\] over time](lift-time0-0.svg)" in text
