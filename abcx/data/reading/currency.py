"""Holds the currencies that the data name against the one of the spec.

Data name a currency in the cells of amounts (`€ 12.50`), in the header (`amount_usd`), or in a column of its own beside
the amounts. Amounts of several currencies are never added up.
"""

from __future__ import annotations

from collections.abc import Iterator

from abcx.currencies import in_header, is_money, same
from abcx.data.reading.cell_checks import number_columns
from abcx.data.reading.row_sql import Select
from abcx.data.reading.source import Source
from abcx.engines.quoting import literal
from abcx.files.bad_rows import locate
from abcx.formatting import plural
from abcx.problems import Problem, Span

_COLUMNS = frozenset(("currency", "currency_code", "currencycode", "currency_iso", "order_currency"))
_SEVERAL = "convert them to one currency first, or keep one by `where`"


def foreign_amounts(select: Select) -> Iterator[Problem]:
    """Problems of amounts in another currency than the spec declares, or in several."""
    declared = select.plan.experiment.currency
    for source in select.sources:
        for name, scope in number_columns(select, source).items():
            if name not in source.table.header:
                continue
            form = source.table.numbers.get(name)
            named = form.of if form is not None and len(form.of) == 3 else in_header(name)
            if named is not None:
                if declared is not None and not same(declared, named):
                    message = f"'{name}' is in {named}, and the spec declares `currency: {declared}`"
                    cure = f"write `currency: {named}`, or convert the amounts to {declared}"
                    yield Problem("error", "other-currency", message, Span(source.table.shown, path=name), cure)
            elif is_money(name):
                yield from _beside(source, name, scope, declared)


def _beside(source: Source, amounts: str, scope: str, declared: str | None) -> Iterator[Problem]:
    """The problem of a column of currencies beside a column of amounts."""
    table = source.table
    column = next((head for head in table.header if head.strip().lower().replace(" ", "_") in _COLUMNS), None)
    if column is None:
        return
    code = f"upper(trim({table.sql(column, 'text')}))"
    counted = f"({scope}) AND {table.sql(amounts, 'number')} <> 0 AND {code} <> ''"
    query = f"SELECT {code} AS code, count(*) FROM {table.scan()} WHERE {counted} GROUP BY code ORDER BY 2 DESC, 1"
    found = [(str(row[0]), int(row[1])) for row in table.engine.run(query)]
    foreign = [code for code, _ in found if declared is not None and not same(declared, code)]
    if len(found) < 2 and not foreign:
        return
    other = foreign[0] if foreign else found[1][0]
    is_other = f"{counted} AND {code} = {literal(other)}"
    line = 0 if table.engine.is_remote else locate(table, is_other, code)[1]  # rows elsewhere have no order
    rows = ", ".join(f"{plural(n, 'rows')} in {code[:20]}" for code, n in found[:4]) + (
        ", ..." if len(found) > 4 else ""
    )
    message = f"'{amounts}' would be added up over currencies ('{column}': {rows})"
    cure = _SEVERAL if len(found) > 1 else f"write `currency: {other}`, or convert the amounts to {declared}"
    if len(found) == 1:
        message = f"'{amounts}' is in {other[:20]} ('{column}'), and the spec declares `currency: {declared}`"
    yield Problem("error", "other-currency", message, Span(table.shown, line, path=column), cure)
