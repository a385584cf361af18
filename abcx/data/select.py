"""What a scan computes for every row: its arm, its time, and what it adds to each term; and which columns that takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from abcx.data.conditions import as_flag, condition
from abcx.data.engine import literal
from abcx.data.plan import Plan
from abcx.data.tables import Kind, Table
from abcx.problems import Problem
from abcx.spec.model import EventSource, Experiment, FileOptions, UnitSource
from abcx.terms import Range, Term, Where


@dataclass(frozen=True)
class Source:
    """One table of a source, with the arm of all its rows where the spec says so."""

    table: Table
    options: FileOptions
    arm: str | None
    columns: Mapping[str, str]

    def name(self, canonical: str) -> str | None:
        """The header name of a canonical column, None where the table has none."""
        written = self.columns.get(canonical, canonical)
        return written if written in self.table.header else None


def told_by_rule(experiment: Experiment) -> bool:
    """Whether arms are told by `where` in place of labels."""
    return all(arm.where is not None for arm in experiment.arms.values())


class Select:
    """The SELECT list of one part of `data`, source by source."""

    def __init__(self, part: str, plan: Plan, arm_needed: bool, sources: Sequence[Source]) -> None:
        self.part, self.plan, self.arm_needed, self.sources = part, plan, arm_needed, sources

    def select(self, source: Source, segments: tuple[str, ...]) -> list[tuple[str, str]]:
        unit = source.name("unit")
        assert unit is not None
        time = source.name("time")
        kept = condition(source.options.where, lambda name: self._sql(source, name, source.options.where))
        columns = {
            "arm": f"CAST({self._arm(source)} AS TINYINT)",
            "stray": self._stray(source),
            "t": source.table.sql(time, "time") if time else "CAST(NULL AS BIGINT)",
        }
        values = self._values(source)
        if self.part == "events":
            columns["exposure"] = self._exposure(source)
            id = source.name("id")
            columns["id"] = source.table.sql(id, "text") if id else "CAST(NULL AS VARCHAR)"
            if not self.arm_needed:
                needed = [f"({sql}) IS NOT NULL" for sql in values.values()] + [f"({columns['exposure']})"]
                kept = f"({kept}) AND ({' OR '.join(needed)})"
        for position, name in enumerate(self.plan.segments):
            if name in segments:
                columns[f"s{position}"] = (
                    source.table.sql(name, "text") if name in source.table.header else "CAST(NULL AS VARCHAR)"
                )
        unit_sql = f"nullif(trim({source.table.sql(unit, 'text')}), '')"
        return [("kept", kept), ("unit", f"CASE WHEN {kept} THEN {unit_sql} END"), *columns.items(), *values.items()]

    def kinds(self, source: Source) -> dict[str, Kind]:
        """Which columns are declared as numbers or times in the scan; all others are text."""
        kinds: dict[str, Kind] = {}
        time = source.name("time")
        if time:
            kinds[time] = "time"
        for where in self._wheres(source):
            for name, value in where.items():
                column = source.table.resolve(name, source.columns)
                if isinstance(value, Range) and column is not None:
                    kinds[column] = "number"
        if self.part == "events":
            for term in self._terms(source):
                column = source.table.resolve(term.value, source.columns) if term.value else None
                if column is not None:
                    kinds[column] = "number"
        if self.part == "units":
            kinds.update(
                {need.term.column: "number" for need in self.plan.columns if need.kind == "column" and need.term.column}
            )
        return kinds

    def checks(self, source: Source) -> list[tuple[str, str, str, str, str, str]]:
        """(SQL flag on the loaded table, header name, SQL predicate on the file, code, message, cure) of bad values."""
        found = []
        finite = "NOT isfinite(coalesce(try_cast(CAST({0} AS VARCHAR) AS DOUBLE), 'nan'::DOUBLE))"
        if self.part == "events":
            for position, term in enumerate(self.plan.terms):
                if not self._applies(source, term):
                    continue
                flag = f"isnan(x{position}) OR isinf(x{position})"
                event, lacking = source.name("event"), self._lacking(source, term)
                if lacking:
                    message = f"'{term.event}' is in this file too, which has no column '{lacking[0]}'"
                    found.append(
                        (
                            flag,
                            event or "",
                            self._event_is(source, term.event, {}),
                            "missing-column",
                            message,
                            "say which file the metric looks in: source: FILE",
                        )
                    )
                    continue
                name = source.table.resolve(term.value, source.columns) if term.value else None
                if name is not None:
                    predicate = f"({self._match(source, term)}) AND {finite.format(source.table.sql(name, 'text'))}"
                    found.append(
                        (
                            flag,
                            name,
                            predicate,
                            "bad-value",
                            f"'{term.event}' has the value {{value}}",
                            "a value must be a finite number; missing_value: zero or drop says what an empty one means",
                        )
                    )
        if self.part == "units":
            for position, need in enumerate(self.plan.columns):
                name = need.term.column or ""
                text = source.table.sql(name, "text")
                if need.kind == "flag":
                    found.append(
                        (
                            f"isnan(m{position})",
                            name,
                            f"isnan({as_flag(text)})",
                            "bad-flag",
                            "'{value}' is neither 0/1 nor true/false",
                            "a conversion column holds 0/1, true/false or yes/no; use type: mean for numbers",
                        )
                    )
                else:
                    predicate = f"{text} IS NOT NULL AND {finite.format(text)}"
                    flag = f"isnan(m{position}) OR isinf(m{position})"
                    found.append(
                        (
                            flag,
                            name,
                            predicate,
                            "bad-number",
                            "'{value}' is not a finite number",
                            "leave the cell empty where there is no value",
                        )
                    )
        return found

    def problems(self, source: Source) -> Iterator[Problem]:
        """Columns that the spec asks for and this table does not have."""
        table = source.table
        needed = ["unit"]
        if (
            self.part == "events"
            and isinstance(source.options, EventSource)
            and source.options.event is None
            and (self.plan.terms or self.plan.experiment.exposure)
        ):
            needed.append("event")
        if self.part == "exposures" and source.arm is None and not told_by_rule(self.plan.experiment):
            needed.append("arm")
        for canonical in needed:
            if source.name(canonical) is None:
                yield table.unknown_column(source.columns.get(canonical, canonical), f"the {canonical} column")
        for canonical, written in source.options.columns.items():
            if written not in table.header and canonical not in needed:
                yield table.unknown_column(written, f"columns.{canonical}")
        for where in self._wheres(source, terms=False):
            for name in where:
                if table.resolve(name, source.columns) is None:
                    yield table.unknown_column(name, "where")
        if self.part == "events":
            for term in self._terms(source):
                if not any(self._applies(other, term) and not self._lacking(other, term) for other in self.sources):
                    for name in self._lacking(source, term):
                        yield table.unknown_column(name, f"needed for '{term.event}'")
        if self.part == "units":
            names = {need.term.column for need in self.plan.columns if need.term.column}
            names |= set(source.options.attributes) if isinstance(source.options, UnitSource) else set()
            for name in sorted(names):
                if name not in table.header:
                    yield table.unknown_column(name, "a column of units")

    def _wheres(self, source: Source, terms: bool = True) -> Iterator[Where]:
        yield source.options.where
        if self.arm_needed and source.arm is None:
            yield from (arm.where for arm in self.plan.experiment.arms.values() if arm.where is not None)
        if self.part == "events":
            yield from (term.where for term in self._terms(source) if terms)
            exposure = self.plan.experiment.exposure
            if exposure is not None and self._names_event(source, exposure.event):
                yield exposure.where

    def _terms(self, source: Source) -> Iterator[Term]:
        return (term for term in self.plan.terms if self._applies(source, term))

    def _names_event(self, source: Source, event: str | None) -> bool:
        constant = source.options.event if isinstance(source.options, EventSource) else None
        return constant is None or constant == event

    def _applies(self, source: Source, term: Term) -> bool:
        """Whether an event of this term can be in this source."""
        if not self._names_event(source, term.event):
            return False
        names = {source.table.shown, *(ref.path for ref in source.options.file)}
        return term.source is None or any(term.source in (name, name.rpartition("/")[2]) for name in names)

    def _lacking(self, source: Source, term: Term) -> list[str]:
        """The columns that a term needs and this source does not have. Where another source has them all, this one
        does not serve the term, and its rows of that event, if there are any, are refused."""
        names = [*term.where, *([term.value] if term.value else [])]
        return [name for name in names if source.table.resolve(name, source.columns) is None]

    def _sql(self, source: Source, name: str, where: Where) -> str:
        column = source.table.resolve(name, source.columns)
        assert column is not None
        return source.table.sql(column, "text" if not isinstance(where.get(name), Range) else "number")

    def _event_is(self, source: Source, event: str | None, where: Where) -> str:
        name = source.name("event")
        constant = isinstance(source.options, EventSource) and source.options.event is not None
        named = (
            "TRUE"
            if constant or name is None
            else f"coalesce({source.table.sql(name, 'text')} = {literal(event)}, FALSE)"
        )
        return f"{named} AND {condition(where, lambda column: self._sql(source, column, where))}"

    def _match(self, source: Source, term: Term) -> str:
        return self._event_is(source, term.event, term.where)

    def _values(self, source: Source) -> dict[str, str]:
        if self.part == "events":
            return {
                f"x{i}": f"CAST({self._contribution(source, term)} AS DOUBLE)" for i, term in enumerate(self.plan.terms)
            }
        if self.part == "units":
            return {
                f"m{i}": self._ready_made(source, need.kind, need.term.column or "")
                for i, need in enumerate(self.plan.columns)
            }
        return {}

    def _ready_made(self, source: Source, kind: str, name: str) -> str:
        if kind == "flag":
            return as_flag(source.table.sql(name, "text"))
        sql = source.table.sql(name, "number")
        if source.table.types is None:
            return sql
        return f"CASE WHEN {source.table.sql(name, 'text')} IS NULL THEN NULL ELSE coalesce({sql}, 'nan'::DOUBLE) END"

    def _contribution(self, source: Source, term: Term) -> str:
        """What one row adds to a unit: 1, or its value; NULL where it adds nothing, NaN where a value is missing."""
        if not self._applies(source, term):
            return "NULL"
        if self._lacking(source, term):
            return f"CASE WHEN {self._event_is(source, term.event, {})} THEN 'nan'::DOUBLE END"
        value = "1.0"
        if term.value:
            column = source.table.resolve(term.value, source.columns)
            assert column is not None
            missing = {"zero": "0.0", "drop": "NULL", None: "'nan'::DOUBLE"}[term.missing_value]
            value = f"coalesce({source.table.sql(column, 'number')}, {missing})"
        return f"CASE WHEN {self._match(source, term)} THEN {value} END"

    def _exposure(self, source: Source) -> str:
        exposure = self.plan.experiment.exposure
        if exposure is None or not self._names_event(source, exposure.event):
            return "FALSE"
        return f"({self._event_is(source, exposure.event, exposure.where)})"

    def _arm(self, source: Source) -> str:
        if source.arm is not None:
            return str(self.plan.arms.index(source.arm))
        if not self.arm_needed:
            return "NULL"
        if told_by_rule(self.plan.experiment):
            rules = [
                f"WHEN {condition(arm.where or {}, lambda name, where=arm.where: self._sql(source, name, where or {}))} THEN {i}"
                for i, arm in enumerate(self.plan.experiment.arms.values())
            ]  # type: ignore[misc]
            return f"CASE {' '.join(rules)} END"
        column = source.name("arm")
        if column is None:
            return "NULL"
        labels = [
            f"WHEN {literal(label)} THEN {i}"
            for i, (name, arm) in enumerate(self.plan.experiment.arms.items())
            for label in arm.labels or (name,)
        ]
        return f"CASE trim({source.table.sql(column, 'text')}) {' '.join(labels)} END"

    def _stray(self, source: Source) -> str:
        """Whether a row fits no arm. An event row without a label says nothing about arms."""
        if source.arm is not None or not self.arm_needed:
            return "FALSE"
        if self.part != "events":
            return f"({self._arm(source)}) IS NULL"
        column = None if told_by_rule(self.plan.experiment) else source.name("arm")
        return (
            "FALSE"
            if column is None
            else f"coalesce(trim({source.table.sql(column, 'text')}), '') <> '' AND ({self._arm(source)}) IS NULL"
        )
