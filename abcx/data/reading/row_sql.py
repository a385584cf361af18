"""The SELECT list of a scan: each row's arm, time and contribution to each term; and the columns that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from abcx.data.plan import Plan
from abcx.data.reading import conditions, keys, row_keys, timezones, total_rows
from abcx.data.reading.conditions import as_flag, asks, unspaced
from abcx.data.reading.source import Source, arms_by_rule, drops, has_arm
from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.files import cell_text
from abcx.metrics.base import UnitColumn
from abcx.problems import Problem
from abcx.spec.model import EventSource, UnitSource
from abcx.spec_types import Range, Term, Where, as_text

STRAY = -1
"""The arm index of rows that match no arm."""
NO_ARM = -2
"""The arm index of rows of exposures or units whose arm cell is empty."""
_NO_TEXT = "CAST(NULL AS VARCHAR)"


class Select:
    """The SELECT list of one part of `data`, source by source. `hashed`: units and ids become numbers (keys.py)."""

    def __init__(self, engine: Engine, part: str, plan: Plan, arm_needed: bool, sources: Sequence[Source]) -> None:
        self.engine, self.part, self.plan, self.arm_needed = engine, part, plan, arm_needed
        self.hashed = not engine.is_remote
        self.sources = tuple(sources)
        self.sources = tuple(map(self._with_time, sources))

    def _with_time(self, source: Source) -> Source:
        """The source with its time column declared in the scan, which is fastest, where a declared format says how it
        is written; else the text is needed, too (timezones.py), and where the column is read as text."""
        time = source.name("time")
        used_columns = {*self.plan.segments, *(source.name(canonical) for canonical in ("unit", "arm", "event", "id"))}
        for where in self.wheres(source):
            used_columns |= set(where)
        used_columns |= (
            {term.value for term in self.terms(source)} | set(self.plan.keys) if self.part == "events" else set()
        )
        used_columns |= {need.term.column for need in self.plan.columns} if self.part == "units" else set()
        has_format = source.table.types is not None or source.table.written is not None
        undeclared = (
            has_format
            or not source.options.time_format
            or time in {source.resolve(name) for name in used_columns if name}
        )
        return replace(source, table=replace(source.table, time=None if undeclared else time))

    def select(self, source: Source, segments: tuple[str, ...], unread: str) -> list[tuple[str, str]]:
        """(name, SQL) of every column of the loaded table; `unread` is the SQL condition of rows with a cell that
        cannot be read as the number or time it should be. For a `coded` source on the rows of `rows`."""
        unit = source.name("unit")
        assert unit is not None
        time = source.name("time")
        kept = source.kept
        columns = {
            "arm": f"CAST({self.arm(source)} AS TINYINT)",
            "t": source.table.sql(time, "time") if time else "CAST(NULL AS BIGINT)",
        }
        if unread != "FALSE" or len(self.sources) > 1:  # constant columns take time to write, and most files need none
            columns["unread"] = unread
        if any(sibling.name("time") for sibling in self.sources):
            columns["form"] = timezones.form(source)
        values = self._values(source)
        if self.part == "units" and self.hashed:
            columns["totals"] = total_rows.named(source.table.sql(unit, "text"))
        if self.part == "events":
            if self.filtered:
                columns["fits"] = source.kept
            if self.plan.experiment.exposure is not None:
                columns["exposure"] = self._exposure(source)
            # An empty column would take memory too.
            if any(sibling.name("id") for sibling in self.sources):
                id = source.name("id")
                text, first = id and source.table.sql(id, "text"), self._first(source, id)
                columns["id"] = keys.event(text, self._name_of(source), self.hashed, first)
            if self.plan.drops_missing:
                columns["dropped"] = self._dropped(source)
            if any(drops(sibling) for sibling in self.sources):
                columns["droppable"] = "TRUE" if drops(source) else "FALSE"
            for position, key in enumerate(self.plan.keys):
                name = source.resolve(key)
                text, first = _NO_TEXT if name is None else source.table.sql(name, "text"), self._first(source, name)
                columns[f"ticket_key_{position}"] = keys.ticket(text, self.hashed, first)
            if not self.arm_needed:
                needed = [f"({sql}) IS NOT NULL" for sql in values.values()] + [f"({self._exposure(source)})"]
                kept = f"({kept}) AND ({' OR '.join(needed)})"
        for position, name in enumerate(self.plan.segments):
            if name in segments:
                has_column = source.resolve(name) is not None
                columns[f"segment_{position}"] = source.sql(name, "text") if has_column else _NO_TEXT
        text, first = source.table.sql(unit, "text"), self._first(source, source.name("unit"))
        columns = {"unit": row_keys.unit_of_row(text, self.hashed, first, kept, self._names(source)), **columns}
        flag = [("kept", kept)] if self.kept == "kept" else []
        return [*flag, *columns.items(), *values.items()]

    def rows(self, source: Source, tag: str) -> str:
        """The FROM item of a scan; with a column `event_code` where rows have an event name."""
        code = self._event_code(source)
        return (
            source.table.scan(tag)
            if code is None
            else f"(SELECT *, {code} AS event_code FROM {source.table.scan(tag)})"
        )

    def coded(self, source: Source) -> Source:
        """The source on the rows of `rows`."""
        return source if self._event_code(source) is None else replace(source, coded=True)

    def _event_code(self, source: Source) -> str | None:
        """The SQL of a row's event name as its position in `events` (row_keys.py), so that every term compares a
        number. None where rows have no event name."""
        column, names = source.name("event"), self.events() if self.part == "events" and self.hashed else []
        if not names or column is None or self.constant_event(source) is not None:
            return None
        return row_keys.event_code(source.table.sql(column, "text"), names, self._first(source, column))

    def key_columns(self, source: Source) -> dict[str, str]:
        """The header names of the columns that hold keys, by the column of the loaded table that holds the key."""
        names = {"unit": source.name("unit")}
        if self.part == "events":
            names["id"] = source.name("id")
            names |= {f"ticket_key_{position}": source.resolve(key) for position, key in enumerate(self.plan.keys)}
        return {column: name for column, name in names.items() if name is not None}

    def name_columns(self, source: Source) -> dict[str, str]:
        """The header names of the columns of event names and arm labels, by their canonical names."""
        event = source.name("event") if self.part == "events" and self.constant_event(source) is None else None
        labeled = self.arm_needed and source.arm is None and not arms_by_rule(self.plan.experiment)
        names = {"event": event, "arm": source.name("arm") if labeled else None}
        return {canonical: name for canonical, name in names.items() if name is not None}

    def _first(self, source: Source, name: str | None) -> bool:
        """Whether this is the first reading of a text column, in which texts that are not canonical are marked."""
        return name is not None and self.hashed and source.table.mended is None and source.table.holds_text(name)

    def _names(self, source: Source) -> list[tuple[str, str]]:
        """The conditions of row_keys.py on the columns of event names and of arms, in the first reading."""
        event_is_text = source.coded and self._first(source, source.name("event"))
        conditions = [row_keys.EVENT_NAME] if event_is_text else []
        arm = self.name_columns(source).get("arm")
        if arm is not None and self._first(source, arm):
            labels = [label for label, _ in self._labels()]
            conditions.append(row_keys.label(source.table.sql(arm, "text"), labels))
        return conditions

    def events(self) -> list[str]:
        """The event names that a metric or the exposure reads."""
        exposure = self.plan.experiment.exposure
        names = [term.event for term in self.plan.terms] + ([exposure.event] if exposure else [])
        return sorted({cell_text.canonical_text(name) for name in names if name})

    @property
    def kept(self) -> str:
        """The SQL condition of loaded rows that are kept: TRUE where all are, else the column `kept`."""
        all_needed = self.part != "events" or self.arm_needed
        return "TRUE" if all_needed and all(source.kept == "TRUE" for source in self.sources) else "kept"

    @property
    def filtered(self) -> bool:
        """Whether some source filters rows by `where` or `exclude`; events then have a column `fits`."""
        return any(source.kept != "TRUE" for source in self.sources)

    def _name_of(self, source: Source) -> str | None:
        """The SQL of the event name that is part of an event's key, None where one name fits all rows.

        An order and its payment may share one number, and one file may be the source of several events."""
        if (event := self.constant_event(source)) is not None:
            return literal(event) if len({self.constant_event(sibling) for sibling in self.sources}) > 1 else None
        column = source.name("event")
        return f"({unspaced(source.table.sql(column, 'text'))})" if column else None

    def problems(self, source: Source) -> Iterator[Problem]:
        """A problem for every column that the spec names and this table lacks."""
        table = source.table
        needed = [canonical for canonical in ("unit", "event", "arm", "time") if self._needs(source, canonical)]
        for canonical in needed:
            if source.name(canonical) is None:
                yield table.unknown_column(source.columns.get(canonical, canonical), f"the {canonical} column")
        for canonical, written in source.options.columns.items():
            optional = source.options.preset is not None and canonical == "value"  # metrics ask for it by themselves
            if written not in table.header and canonical not in needed and not optional:
                yield table.unknown_column(written, f"columns.{canonical}")
        for where in self.wheres(source, terms=False):
            for name in where:
                if source.resolve(name) is None:
                    yield table.unknown_column(name, "where")
        if self.part == "events":
            for term in self.terms(source):
                if not any(
                    self._applies(sibling, term) and not self.lacking(sibling, term) for sibling in self.sources
                ):
                    for name in self.lacking(source, term):
                        yield table.unknown_column(name, f"needed for '{term.event}'")
        if self.part == "units":
            names = {need.term.column for need in self.plan.columns if need.term.column}
            names |= set(source.options.attributes) if isinstance(source.options, UnitSource) else set()
            for name in sorted(names):
                if name not in table.header:
                    yield table.unknown_column(name, "a column of units")

    def _needs(self, source: Source, canonical: str) -> bool:
        """Whether a source must have a canonical column."""
        if canonical == "event":
            has_use = bool(self.plan.terms or self.plan.experiment.exposure)
            return self.part == "events" and not self.constant_event(source) and has_use
        if canonical == "arm":
            labels = self.arm_needed and source.arm is None and not arms_by_rule(self.plan.experiment)
            return labels and self.part != "events"
        if canonical == "time":  # where another file has times, a file without would lose all its rows
            return any(sibling.name("time") for sibling in self.sources)
        return True

    def wheres(self, source: Source, terms: bool = True) -> Iterator[Where]:
        """Every `where` that reads this source."""
        yield source.options.where
        yield from source.options.exclude.values()
        yield from self._rules(source)
        if self.part == "events":
            yield from (term.where for term in self.terms(source) if terms)
            exposure = self.plan.experiment.exposure
            exposing = [sibling for sibling in self.sources if exposure and self._names_event(sibling, exposure.event)]
            if exposure is not None and source in exposing and all(map(self.lacks_exposure, exposing)):
                yield exposure.where

    def _rules(self, source: Source) -> list[Where]:
        """The `where` rules of the arms that apply to this source; empty where labels or files give the arm."""
        experiment = self.plan.experiment
        if not self.arm_needed or source.arm is not None or not arms_by_rule(experiment):
            return []
        if self.part == "events" and not has_arm(source, experiment):
            return []
        return [arm.where or {} for arm in experiment.arms.values()]

    def ranges(self, source: Source) -> Iterator[tuple[str, str]]:
        """(name in the spec, SQL condition of the rows whose cell must be a number) of every {min, max}."""
        for scope, where in self._scopes(source):
            yield from ((name, scope) for name, value in where.items() if isinstance(value, Range))

    def equals(self, source: Source) -> Iterator[tuple[str, str]]:
        """(name in the spec, SQL condition of the rows that are compared) of every number in a `where`."""
        for scope, where in self._scopes(source):
            yield from ((name, scope) for name, value in where.items() if asks(value, (int, float)))

    def flags(self, source: Source) -> Iterator[tuple[str, str]]:
        """(name in the spec, SQL condition of the rows that are compared) of every true or false in a `where`."""
        for scope, where in self._scopes(source):
            yield from ((name, scope) for name, value in where.items() if asks(value, (bool,)))

    def _scopes(self, source: Source) -> list[tuple[str, Where]]:
        """Every `where` of the source, its terms and the exposure, with the SQL condition of the rows it applies to."""
        kept = source.kept
        scopes = [("TRUE", where) for where in (source.options.where, *source.options.exclude.values())]
        scopes += [(kept, rule) for rule in self._rules(source)]
        if self.part == "events":
            served = [term for term in self.terms(source) if not self.lacking(source, term)]
            scopes += [(f"{kept} AND {self.event_is(source, term.event)}", term.where) for term in served]
            exposure = self.plan.experiment.exposure
            if exposure is not None and self._names_event(source, exposure.event) and not self.lacks_exposure(source):
                scopes.append((f"{kept} AND {self.event_is(source, exposure.event)}", exposure.where))
        return scopes

    def terms(self, source: Source) -> Iterator[Term]:
        """The terms whose events may be in this source."""
        return (term for term in self.plan.terms if self._applies(source, term))

    def constant_event(self, source: Source) -> str | None:
        """The event name of all rows, where the source declares one; else None."""
        return source.options.event if isinstance(source.options, EventSource) else None

    def _names_event(self, source: Source, event: str | None) -> bool:
        return self.constant_event(source) in (None, event)

    def _applies(self, source: Source, term: Term) -> bool:
        if not self._names_event(source, term.event):
            return False
        names = {source.table.shown, *(ref.path for ref in source.options.file)}
        return term.source is None or any(term.source in (name, name.rpartition("/")[2]) for name in names)

    def lacking(self, source: Source, term: Term) -> list[str]:
        """The columns that a term needs and this source lacks. Where another source has them all, this one is not used
        for the term, and its rows of that event, if any, are refused."""
        names = [*term.where, *([term.value] if term.value else []), *self.keys(term)]
        return [name for name in names if source.resolve(name) is None]

    def lacks_exposure(self, source: Source) -> list[str]:
        """The columns that the exposure needs and this source lacks."""
        exposure = self.plan.experiment.exposure
        return [name for name in (exposure.where if exposure else ()) if source.resolve(name) is None]

    def keys(self, term: Term) -> list[str]:
        """The columns that identify the tickets of a term's events."""
        pairs = (pair for pair in self.plan.tickets if term in (pair.need.start, pair.need.end))
        return list(dict.fromkeys(pair.need.key for pair in pairs))

    def event_is(self, source: Source, event: str | None) -> str:
        """The SQL condition of rows of an event; NULL for rows without an event name."""
        name = source.name("event")
        if self.constant_event(source) is not None or name is None:
            return "TRUE"
        canonical = event and cell_text.canonical_text(event)
        if source.coded and canonical:
            return f"event_code = {self.events().index(canonical) + 1}"
        return f"({unspaced(source.table.sql(name, 'text'))}) = {literal(canonical)}"

    def match(self, source: Source, term: Term) -> str:
        """The SQL condition of the kept rows of a term."""
        parts = (source.kept, self.event_is(source, term.event), source.where(term.where))
        return " AND ".join(parts)

    def _values(self, source: Source) -> dict[str, str]:
        if self.part == "events":
            terms = enumerate(self.plan.terms)
            sql = ((i, self._contribution(source, term), "DOUBLE" if term.value else "TINYINT") for i, term in terms)
            return {f"term_{i}": f"CAST({contribution} AS {type})" for i, contribution, type in sql}
        if self.part == "units":
            needs = enumerate(self.plan.columns)
            return {f"ready_{i}": self._ready_made(source, need) for i, need in needs}
        return {}

    def _ready_made(self, source: Source, need: UnitColumn) -> str:
        name = need.term.column or ""
        text, number = source.table.sql(name, "text"), source.table.sql(name, "number")
        value = as_flag(text) if need.kind == "flag" else f"coalesce({number}, 'nan'::DOUBLE)"
        empty = "0e0" if need.term.missing_value == "zero" else "NULL"
        return f"CASE WHEN {source.kept} THEN CASE WHEN {text} IS NULL THEN {empty} ELSE {value} END END"

    def _contribution(self, source: Source, term: Term) -> str:
        """The SQL of what one row adds to a unit: 1, or its value; NULL where it adds nothing, a marker where the value
        is missing."""
        missing = "'nan'::DOUBLE" if term.value else "CAST(2 AS TINYINT)"
        if not self._applies(source, term):
            return "NULL"
        if self.lacking(source, term):
            kept = source.kept
            return f"CASE WHEN {kept} AND {self.event_is(source, term.event)} THEN {missing} END"
        value = "CAST(1 AS TINYINT)"
        if term.value:
            text, number = source.sql(term.value, "text"), source.sql(term.value, "number")
            empty = {"zero": "0e0", "drop": "NULL", None: missing}[term.missing_value]
            value = f"CASE WHEN {text} IS NULL THEN {empty} ELSE coalesce({number}, {missing}) END"
        return f"CASE WHEN {self.match(source, term)} THEN {value} END"

    def _dropped(self, source: Source) -> str:
        """The SQL condition of events that some metric drops because they have no value."""
        without_value = [
            f"({self.match(source, term)} AND {source.sql(term.value or '', 'text')} IS NULL)"
            for term in self.terms(source)
            if term.value and term.missing_value == "drop" and not self.lacking(source, term)
        ]
        return f"coalesce({' OR '.join(without_value)}, FALSE)" if without_value else "FALSE"

    def _exposure(self, source: Source) -> str:
        exposure = self.plan.experiment.exposure
        if exposure is None or not self._names_event(source, exposure.event):
            return "FALSE"
        if self.lacks_exposure(source):  # such rows are refused
            return f"coalesce({self.event_is(source, exposure.event)}, FALSE)"
        return f"coalesce({self.event_is(source, exposure.event)} AND {source.where(exposure.where)}, FALSE)"

    def arm(self, source: Source) -> str:
        """The SQL of a row's arm index: STRAY where it matches no arm, NO_ARM where a row of exposures or units has an
        empty label; NULL for rows that carry no arm, such as an event without a label."""
        if source.arm is not None:
            return str(self.plan.arms.index(source.arm))
        default = "NULL" if self.part == "events" or not self.arm_needed else str(STRAY)
        if rules := self._rules(source):
            rule_cases = " ".join(f"WHEN {source.where(rule)} THEN {i}" for i, rule in enumerate(rules))
            return f"CASE {rule_cases} ELSE {default} END"
        column = source.name("arm")
        if not self.arm_needed or column is None or arms_by_rule(self.plan.experiment):
            return default
        cases = " ".join(f"WHEN {literal(label)} THEN {i}" for label, i in self._labels())
        text = source.table.sql(column, "text")
        same = "".join(
            f" WHEN {conditions.equals(column, value, source.table.sql)} THEN {i}"
            for value, i in self._values_of_arms()
        )
        spaced = f"CASE trim({text}) {cases} ELSE {f'CASE{same} ELSE {STRAY} END' if same else STRAY} END"
        default = str(NO_ARM) if default == str(STRAY) else default
        return f"CASE {text} {cases} ELSE CASE WHEN trim({text}) <> '' THEN {spaced} ELSE {default} END END"

    def _labels(self) -> list[tuple[str, int]]:
        """The labels of arms as texts, each with the index of its arm."""
        arms = enumerate(self.plan.experiment.arms.items())
        return [
            (cell_text.canonical_text(as_text(label)), i) for i, (name, arm) in arms for label in arm.labels or (name,)
        ]

    def _values_of_arms(self) -> list[tuple[bool | int | float, int]]:
        """The labels of arms that are booleans or numbers, which are compared as in `where`, with the index of the
        arm."""
        arms = enumerate(self.plan.experiment.arms.values())
        return [(label, i) for i, arm in arms for label in arm.labels if not isinstance(label, str)]
