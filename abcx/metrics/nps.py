"""**Net Promoter Score**: would you recommend us, from 0 to 10?

Definition: 100 x (promoters - detractors) / answers. Promoters answered 9 or 10, passives 7 or 8, detractors 0 to 6.
One answer per unit counts (`response: first` or `last`); repeats are counted. The value is in points from -100 to 100.

Unit of analysis: the unit that was randomised, of those that answered.

Use it for loyalty after a change of service, delivery or support; with `invited`, the report shows who was asked.

Trap: who answers may depend on the change. The check `response_rate` compares the arms, the report bounds the effect on
those who answer either way (Lee 2009), and no verdict rests on a score whose bounds contain no effect. A question asked
on 1 to 10 has no 0 and is another question: it is refused here; use `csat` for it.

```yaml
recommend: {type: nps, event: survey, value: score, scale: [0, 10], role: primary, goal: increase, minimum_effect: 3pt}
```
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from abcx.metrics.base import Needs
from abcx.metrics.survey import SurveyOptions, question, survey_needs
from abcx.stats.records import Answers, Categories, Contrast, Interval, Summary

SCALE = (0, 10)


class Nps(SurveyOptions):
    """Net Promoter Score in points."""

    type: Literal["nps"] = Field(description="the metric type")

    @property
    def unit(self) -> Literal["points"]:
        return "points"

    def needs(self) -> Needs:
        return survey_needs(self)

    def definition(self, unit: str) -> str:
        return f"promoters less detractors per 100 {question(self)}"

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        from abcx.stats import nps

        return nps.contrast(self.kinds(control), self.kinds(variant))

    def estimate(self, summary: Summary) -> float | None:
        from abcx.stats import nps

        return nps.value(self.kinds(summary))

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import nps

        return nps.interval(self.kinds(summary), alpha) if summary.n else None

    def kinds(self, summary: Summary) -> Answers:
        """Promoters, passives and detractors."""
        from abcx.stats import nps

        if isinstance(summary, Answers):
            return summary
        assert isinstance(summary, Categories)
        return nps.grouped(summary)
