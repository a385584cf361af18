"""What questions have in common: one answer per unit on a declared scale, and who was asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from abcx.metrics.base import DataNeeds, MetricOptions, Rule, UnitColumn
from abcx.metrics.counts import TypedCount
from abcx.spec_types import Term, Text, shown
from abcx.stats.records import Categories, Summary


def _scale(raw: Any) -> Any:
    """`[0, 10]`: the least and the greatest answer, whole numbers."""
    ends = tuple(raw) if isinstance(raw, (list, tuple)) else ()
    whole = all(isinstance(end, int) and not isinstance(end, bool) for end in ends)
    if len(ends) != 2 or not whole or not 1 <= ends[1] - ends[0] <= 100 or abs(ends[0]) > 1000:
        cure = "write the least and the greatest answer, as they are asked: scale: [1, 5]"
        raise PydanticCustomError("scale", "not a scale: {raw}", {"raw": shown(raw), "cure": cure})
    return ends


Scale = Annotated[
    tuple[int, int],
    BeforeValidator(_scale),
    WithJsonSchema({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}),
]


class SurveyOptions(MetricOptions):
    """Where the answers stand, on which scale they were asked, and who was asked."""

    event: Text | None = Field(None, description="the event of an answer")
    value: str | None = Field(None, description="column that holds the answer")
    column: str | None = Field(None, description="column of `units` that holds the answer of each unit")
    source: str | None = Field(None, description="name of the only event file to look in")
    missing_value: Literal["drop"] | None = Field(None, description="`drop`: an empty answer is none; else an error")
    scale: Scale = Field(description="least and greatest answer as they were asked: [0, 10]; others are errors")
    invited: Text | None = Field(None, description="the event that marks that a unit was asked")
    response: Literal["first", "last"] = Field("first", description="which answer of a unit counts")

    @property
    def answer_scale(self) -> tuple[int, int]:
        return self.scale

    def needs(self) -> DataNeeds:
        return survey_needs(self)

    def rules(self) -> Iterator[Rule]:
        if self.event is not None and self.column is None and self.value is None:
            message = "an event is named but not where its answer stands"
            yield Rule(None, "answer-missing", message, "add value: COLUMN", at_key=True)
        if self.column is not None and self.response != "first":
            message = "`response` belongs to events, not to a ready-made column"
            yield Rule("response", "event-key", message, "remove `response`", at_key=True)

    def counts_form(self, name: str, value: TypedCount) -> str | None:
        low, high = self.scale
        if not value.answers:
            return self.short_form(name, value)
        if any(answer < low or answer > high for answer in value.answers):
            return f"the answers run from {low} to {high}"
        others = (value.count, value.mean, value.sd, value.promoters, value.passives, value.detractors)
        if any(other is not None for other in others):
            return f"write the answers alone: {name}: {{answers: ...}}"
        total = sum(value.answers.values())
        return f"`units` are those that answered: {total}" if value.units not in (None, total) else None

    def short_form(self, name: str, value: TypedCount) -> str | None:
        """As `counts_form`, where answers are not typed one by one."""
        raise NotImplementedError

    def of_counts(self, value: TypedCount, units: int) -> Summary:
        if not value.answers:
            return self.of_short_counts(value, units)
        low, high = self.scale
        return Categories(low, tuple(value.answers.get(answer, 0) for answer in range(low, high + 1)))

    def of_short_counts(self, value: TypedCount, units: int) -> Summary:
        """As `of_counts`, where answers are not typed one by one."""
        raise NotImplementedError

    def groups(self, found: Summary) -> dict[str, float]:
        """Shares of the answers that the metric tells apart, by name; of at least one answer."""
        return {}

    def graded(self, found: Summary) -> tuple[Categories, tuple[float, ...]] | None:
        """Answers by what the metric tells apart, with what each counts in its own unit; None where it tells apart
        nothing."""
        return None

    def scores(self, found: Categories) -> tuple[float, ...]:
        """What each answer counts in the metric's own unit, in the order of the scale."""
        raise NotImplementedError


def survey_needs(options: SurveyOptions) -> DataNeeds:
    """The answer of each unit, how many it gave, and whether it was asked."""
    term = Term(
        event=options.event,
        column=options.column,
        value=options.value,
        where=options.where,
        source=options.source,
        missing_value=options.missing_value,
    )
    if options.column is not None:
        columns = [UnitColumn("column", term, scale=options.scale)]
    else:
        columns = [UnitColumn(options.response, term, options.window, scale=options.scale)]
        columns.append(UnitColumn("count", term, options.window))
    if options.invited is not None:
        columns.append(UnitColumn("happened", Term(event=options.invited), options.window))
    return DataNeeds(tuple(columns), "categories")


def question(options: SurveyOptions) -> str:
    """The answers in words: `answers to rating (1 to 5)`."""
    what = options.column or options.event or "the question"
    of = f" ({options.response} of a unit)" if options.event and options.response == "last" else ""
    return f"answers to {what}{of}, asked from {options.scale[0]} to {options.scale[1]}"
