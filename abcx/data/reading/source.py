"""One table of a source: the names of its columns in the spec, its filters, and its arms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from abcx.data.reading.conditions import condition
from abcx.files.table import Table
from abcx.spec.model import EventSource, Experiment, FileOptions
from abcx.spec_types import Where

_FIRST = 5_000
"""Rows that are sampled where a full scan is not needed."""


@dataclass(frozen=True)
class Source:
    """One table of a source, with the arm of all its rows where the spec says so. `coded`: its rows have the column
    `event_code` (Select.rows)."""

    table: Table
    options: FileOptions
    arm: str | None
    columns: Mapping[str, str]
    coded: bool = field(default=False, compare=False)

    def name(self, canonical: str) -> str | None:
        """The header name of a canonical column; None where the table lacks it."""
        written = self.columns.get(canonical, canonical)
        return written if written in self.table.header else None

    def resolve(self, name: str | None) -> str | None:
        """The header name of a column that the spec names; None where the table lacks it."""
        return None if name is None else self.table.resolve(name, self.columns)

    @property
    def first_rows(self) -> str:
        """The FROM item of the first 5,000 rows, times the number of files."""
        return self.rows_up_to(_FIRST * max(1, len(self.table.files)))

    def rows_up_to(self, count: int) -> str:
        """The FROM item of the first `count` rows."""
        return f"(SELECT * FROM {self.table.scan()} LIMIT {count}) AS first_rows"

    @cached_property
    def kept(self) -> str:
        """The SQL condition of the rows that `where` and `exclude` keep."""
        exclusions = [self.where(where) for where in self.options.exclude.values()]
        kept = self.where(self.options.where)
        return f"({kept}) AND NOT ({' OR '.join(exclusions)})" if exclusions else kept

    def excluded(self) -> list[str]:
        """The SQL conditions of the rows that `exclude` leaves out, by reason; a row counts for the first that
        applies."""
        earlier = [self.where(self.options.where)]
        conditions = []
        for where in self.options.exclude.values():
            condition = self.where(where)
            conditions.append(" AND ".join([*earlier, f"({condition})"]))
            earlier.append(f"NOT ({condition})")
        return conditions

    def where(self, where: Where) -> str:
        """Conditions of the spec as SQL; the table must have their columns."""
        return condition(where, self.sql)

    def sql(self, name: str, kind: Literal["text", "number"]) -> str:
        """The SQL of a column by its name in the spec."""
        column = self.resolve(name)
        assert column is not None
        return self.table.sql(column, kind)


def arms_by_rule(experiment: Experiment) -> bool:
    """Whether arms are defined by `where` instead of labels."""
    return all(arm.where is not None for arm in experiment.arms.values())


def has_arm(source: Source, experiment: Experiment) -> bool:
    """Whether a source assigns its units to arms."""
    if source.arm is not None:
        return True
    if arms_by_rule(experiment):
        rules = [arm.where or {} for arm in experiment.arms.values()]
        return all(source.resolve(name) is not None for rule in rules for name in rule)
    return source.name("arm") is not None


def drops(source: Source) -> bool:
    """Whether duplicate rows of a source are left out (`duplicates: drop`)."""
    return isinstance(source.options, EventSource) and source.options.duplicates == "drop"
