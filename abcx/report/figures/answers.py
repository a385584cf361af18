"""Answers of surveys: a stacked bar for each arm, the worst answers at the left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from abcx.formatting import clean
from abcx.report.figures.svg import Draw, Drawing
from abcx.report.fragments import titled
from abcx.results.metric import Survey
from abcx.results.readout import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHADES = ("#b42318", "#d9705f", "#eebfb5", "#c9d3de", "#9fc6b4", "#4d9d7f", "#08734f")
"""From the worst answer to the best; they hold on light and dark paper."""


def figures(results: Results) -> Iterator[Drawing]:
    """A figure for each survey metric whose answers are known."""
    for number, metric in enumerate(results.metrics):
        survey = metric.survey
        if survey is None or not survey.answers or not all(map(sum, survey.answers.values())):
            continue
        kinds = "detractors, passives and promoters" if metric.type == "nps" else "from the worst to the best"
        label = f"Answers to {titled(metric)} by arm, {kinds}"
        yield Drawing(f"answers{number}", label, _drawing(survey, metric.type), 1.0 + 0.55 * len(survey.answers))


def _parts(survey: Survey, arm: str, kind: str) -> list[tuple[str, float]]:
    """Label and share of each part of a bar, worst first."""
    answers = survey.answers[arm]
    total = sum(answers)
    if kind == "nps":
        groups = survey.groups[arm]
        return [(name, groups.get(name, 0.0)) for name in ("detractors", "passives", "promoters")]
    return [(str(survey.low + i), n / total) for i, n in enumerate(answers)]


def _drawing(survey: Survey, kind: str) -> Draw:
    arms = list(survey.answers)

    def draw(axes: Axes, narrow: bool) -> None:
        for place, arm in enumerate(reversed(arms)):
            left = 0.0
            parts = _parts(survey, arm, kind)
            for number, (name, share) in enumerate(parts):
                shade = _SHADES[round(number * (len(_SHADES) - 1) / max(len(parts) - 1, 1))]
                axes.barh(place, 100 * share, left=left, color=shade, height=0.7)
                if share >= (0.2 if narrow else 0.09):
                    text = f"{100 * share:.0f}%" if narrow else f"{name} {100 * share:.0f}%"
                    dark = shade in ("#b42318", "#08734f", "#4d9d7f", "#d9705f")
                    color = "#ffffff" if dark else "#0b141d"
                    axes.text(left + 50 * share, place, text, ha="center", va="center", color=color)
                left += 100 * share
        axes.set_yticks(range(len(arms)), [clean(arm)[:20] for arm in reversed(arms)])
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, 100)
        axes.xaxis.set_major_formatter(lambda x, _: f"{x:g}%")
        axes.locator_params(axis="x", nbins=3 if narrow else 6)

    return draw
