"""**Customer effort score**: how easy was it?

Definition: the mean answer of the units that answered, on the declared scale. One answer per unit counts; repeats are
counted. Beside the mean stands the chance that a variant unit answers higher than a control unit (ties halved). Where
answers are skewed and the arms differ in size the interval is by permutation.

Unit of analysis: the unit that was randomised, of those that answered.

Use it for the effort of getting help, returning goods, finding an answer.

Trap: some ask "how easy" (more is better), others "how much effort" (less is better). The `goal` must say which, for
every role. A mean of answers has no natural zero, so there is no relative lift: give `minimum_effect` and `margin` in
points of the scale.

```yaml
ease: {type: ces, event: survey, value: ease, scale: [1, 7], role: secondary, goal: increase, minimum_effect: 0.2}
```
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field

from abcx.metrics.base import Needs
from abcx.metrics.survey import SurveyOptions, question, survey_needs
from abcx.stats.records import Categories, Contrast, Interval, Moments, Summary

NO_LIFT = "The zero of a scale of answers is arbitrary, so there is no relative lift."


class Ces(SurveyOptions):
    """Mean effort score."""

    type: Literal["ces"] = Field(description="the metric type")

    @property
    def unit(self) -> Literal["score"]:
        return "score"

    def needs(self) -> Needs:
        return survey_needs(self)

    def definition(self, unit: str) -> str:
        return f"mean of {question(self)}"

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        return self.compared(control, variant)

    def compared(
        self,
        control: Summary,
        variant: Summary,
        interval: Literal["auto", "analytic", "permutation"] = "auto",
        draws: int = 4000,
        seed: int = 0,
    ) -> Contrast:
        """`contrast` by the method that a spec asks for, or that these answers need."""
        from abcx.stats import mean_scores, means

        if isinstance(control, Categories) and isinstance(variant, Categories):
            found = mean_scores.contrast(control, variant, interval, draws, seed)
        else:
            found = means.contrast(_moments(control), _moments(variant))
        return replace(found, lift=None, ratio_pivot=None, lift_note=NO_LIFT)

    def estimate(self, summary: Summary) -> float | None:
        from abcx.stats import means

        return means.value(_moments(summary))

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import means

        moments = _moments(summary)
        return means.interval(moments, alpha) if moments.n > 1 else None


def _moments(summary: Summary) -> Moments:
    from abcx.stats import categorical

    if isinstance(summary, Moments):
        return summary
    assert isinstance(summary, Categories)
    return categorical.moments(summary)
