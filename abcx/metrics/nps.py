"""**Net Promoter Score**: would you recommend us, from 0 to 10?

Definition: 100 x (promoters - detractors) / answers. Promoters answered 9 or 10, passives 7 or 8, detractors 0 to 6.
One answer per unit counts (`response: first` or `last`); repeats are counted. The value is in points from -100 to 100.

Unit of analysis: the unit that was randomized, of those that answered.

Use it for loyalty after a change of service, delivery or support; with `invited`, the report shows who was asked.

Trap: who answers may depend on the change. The check `response_rate` compares the arms, the report bounds the effect on
those who answer either way (Lee 2009), and no verdict rests on a score whose bounds contain no effect. A question asked
on 1 to 10 has no 0 and is another question: it is refused here; use `csat` for it.

```yaml
recommend: {type: nps, event: survey, value: score, scale: [0, 10], role: primary, goal: increase, minimum_effect: 3pt}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from abcx.metrics.base import Rule
from abcx.metrics.counts import CountsRow, TypedCount
from abcx.metrics.survey import SurveyOptions, question
from abcx.stats.records import Answers, Categories, Contrast, Interval, Summary

SCALE = (0, 10)
KINDS = ("promoters", "passives", "detractors")


class Nps(SurveyOptions):
    """Net Promoter Score in points."""

    type: Literal["nps"] = Field(description="the metric type")

    @property
    def value_kind(self) -> Literal["points"]:
        return "points"

    def definition(self, unit: str) -> str:
        return f"promoters less detractors per 100 {question(self)}"

    def rules(self) -> Iterator[Rule]:
        yield from super().rules()
        if self.scale != SCALE:
            low, high = self.scale
            message = f"a question asked from {low} to {high} is not the NPS question, and its score is not comparable"
            cure = "NPS is asked from 0 to 10: scale: [0, 10]; take type: csat for another scale"
            yield Rule("scale", "nps-scale", message, cure)

    def short_form(self, name: str, value: TypedCount) -> str | None:
        kinds = (value.promoters, value.passives, value.detractors)
        if None in kinds:
            return f"write {name}: {{promoters: 40, passives: 30, detractors: 30}}, or answers: {{10: 25}}"
        total = sum(kind or 0 for kind in kinds)
        return f"`units` are those that answered: {total}" if value.units not in (None, total) else None

    def of_short_counts(self, value: TypedCount, units: int) -> Answers:
        return Answers(value.promoters or 0, value.passives or 0, value.detractors or 0)

    def counts_columns(self, name: str) -> list[str]:
        return [f"{name}_{kind}" for kind in KINDS]

    def of_counts_row(self, name: str, row: CountsRow, units: int) -> Answers:
        return Answers(*(row.whole(column) for column in self.counts_columns(name)))

    def groups(self, found: Summary) -> dict[str, float]:
        answers = self.kinds(found)
        return {kind: getattr(answers, kind) / found.n for kind in KINDS}

    def graded(self, found: Summary) -> tuple[Categories, tuple[float, ...]]:
        kinds = self.kinds(found)
        return Categories(0, (kinds.detractors, kinds.passives, kinds.promoters)), (-100.0, 0.0, 100.0)

    def scores(self, found: Categories) -> tuple[float, ...]:
        answers = range(found.low, found.low + len(found.counts))
        return tuple(100.0 if answer >= 9 else -100.0 if answer <= 6 else 0.0 for answer in answers)

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
