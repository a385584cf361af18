"""What is typed of a metric where only counts are known: the same for every type, each takes its own part."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import Field

from abcx.spec_types import Count, Model, Number


class Spread(Model):
    """Mean and standard deviation of one value per unit."""

    mean: Number = Field(description="mean over the units")
    sd: Annotated[Number, Field(ge=0)] = Field(description="standard deviation over the units")


class TypedCount(Model):
    """A metric of one arm, typed by hand: `count` successes; mean and sd; both parts of a ratio; answers to a
    question."""

    count: Count | None = Field(None, description="units that converted")
    mean: Number | None = Field(None, description="mean over the units")
    sd: Annotated[Number, Field(ge=0)] | None = Field(None, description="standard deviation over the units")
    numerator: Spread | None = Field(None, description="the part above the line, per unit")
    denominator: Spread | None = Field(None, description="the part below the line, per unit")
    correlation: Annotated[Number, Field(ge=-1, le=1)] | None = Field(None, description="of both parts over the units")
    promoters: Count | None = Field(None, description="answers 9 and 10 of an NPS question")
    passives: Count | None = Field(None, description="answers 7 and 8")
    detractors: Count | None = Field(None, description="answers 0 to 6")
    answers: dict[Annotated[int, Field(ge=-1000, le=1000)], Count] = Field(
        default_factory=dict, description="units by answer of a question: {5: 40, 4: 31, 3: 9}"
    )
    steps: tuple[Count, ...] = Field((), description="units that reached each step of a funnel, first to last")
    invited: Count | None = Field(None, description="units that were asked, where that is known")
    units: Count | None = Field(
        None, description="units of this metric, where not all have a value; of a question, those that answered"
    )


class CountsRow(Protocol):
    """One row of a counts file: its cells by the name of the column. Both raise DataError for a cell that is none."""

    def whole(self, name: str) -> int: ...
    def number(self, name: str) -> float: ...
