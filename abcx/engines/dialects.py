"""Translates abcx's SQL, written for DuckDB, to other dialects: by sqlglot, and here where that does not suffice.

Specific to DuckDB are `GROUP BY ALL`, sums and means with compensation (`fsum`, `favg`), the value of a first or last
row (`arg_min`), rows compared by a hash, and times as microseconds. Names and values are already quoted in the incoming
SQL; here they are nodes of a tree, and are quoted again for the other engine.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlglot
from sqlglot import exp

PREFIX = "abcx_"
"""Prefix of the names of abcx's own tables in a remote engine, where other tables may have the same names."""

_WITHOUT_FILTER = ("bigquery", "snowflake")
_ORDERED_ARRAY = ("postgres", "snowflake")


def parsed(sql: str) -> exp.Expr:
    """A statement of abcx as a tree."""
    return sqlglot.parse_one(sql, read="duckdb")


def tables(tree: exp.Expr) -> set[str]:
    """The names of the tables that a statement reads or writes."""
    return {table.name for table in tree.find_all(exp.Table) if table.name}


def positions(tree: exp.Expr) -> set[int]:
    """The positions of the columns c0, c1, ... of a source that a statement reads."""
    names = (column.name for column in tree.find_all(exp.Column))
    return {int(name[1:]) for name in names if name[:1] == "c" and name[1:].isdigit()}


def columns(tree: exp.Expr) -> list[str]:
    """The names of the columns of a query."""
    select = tree.find(exp.Select)
    return [] if select is None else [expression.alias_or_name for expression in select.expressions]


def made(tree: exp.Expr) -> tuple[str, str] | None:
    """(create, insert, delete or drop; the table) of a statement that changes a table; None for a query."""
    for kind, word in ((exp.Create, "create"), (exp.Insert, "insert"), (exp.Delete, "delete"), (exp.Drop, "drop")):
        if isinstance(tree, kind):
            written = tree.find(exp.Table)  # the first one is the target
            return word, written.name if written is not None else ""
    return None


def query(tree: exp.Expr, dialect: str, pretty: bool = False) -> str:
    """The query of a statement in a dialect: that of a CREATE or INSERT, the condition of a DELETE, "" for a DROP, else
    the statement itself."""
    if isinstance(tree, exp.Delete):
        tree = tree.args["where"].this
    elif isinstance(tree, (exp.Create, exp.Insert)):
        tree = tree.expression
    return "" if isinstance(tree, exp.Drop) else _translated(tree, dialect).sql(dialect, pretty=pretty)


def _translated(tree: exp.Expr, dialect: str) -> exp.Expr:
    tree = tree.copy()
    for table in tree.find_all(exp.Table):
        if table.name:
            alias = table.alias or table.name
            table.set("this", exp.to_identifier(PREFIX + table.name))
            table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    if dialect == "duckdb":
        return tree
    for number, inner in enumerate(tree.find_all(exp.Subquery)):
        if not inner.alias and isinstance(inner.parent, (exp.From, exp.Join)):
            inner.set("alias", exp.TableAlias(this=exp.to_identifier(f"q{number}")))
    tree = tree.transform(_known_functions)
    tree = tree.transform(lambda node: _first_and_last(node, dialect))
    if dialect in _WITHOUT_FILTER:
        tree = tree.transform(_without_filter)
    tree = tree.transform(lambda node: _spelled(node, dialect))
    for select in tree.find_all(exp.Select):
        _by_position(select)
    return tree


def _known_functions(node: exp.Expr) -> exp.Expr:
    """Replace functions of DuckDB that have an equivalent in all dialects."""
    if isinstance(node, exp.IgnoreNulls) and isinstance(node.this, exp.AnyValue):
        node = node.this
    if isinstance(node, exp.AnyValue):  # the values are all the same
        return exp.Min(this=node.this)
    if isinstance(node, exp.RegexpFullMatch):
        pattern = exp.Literal.string(f"^(?:{node.expression.name})$")
        return exp.RegexpLike(this=node.this, expression=pattern)
    if not isinstance(node, exp.Anonymous):
        return node
    name, arguments = node.name.lower(), node.expressions
    if name == "favg":
        return exp.Avg(this=arguments[0])
    if name == "fsum":
        return exp.Sum(this=arguments[0])
    return node


def _first_and_last(node: exp.Expr, dialect: str) -> exp.Expr:
    """Translate `arg_min(x, {t: ..., x: ...})`, the x of the first row. NULL is skipped, except by `arg_min_null`."""
    condition, call = (node.expression.this, node.this) if isinstance(node, exp.Filter) else (None, node)
    with_null = isinstance(call, exp.Anonymous) and call.name.lower() in ("arg_min_null", "arg_max_null")
    if isinstance(call, (exp.ArgMin, exp.ArgMax)):
        x, key, last = call.this, call.expression, isinstance(call, exp.ArgMax)
    elif with_null:
        x, key, last = call.expressions[0], call.expressions[1], call.name.lower() == "arg_max_null"
    else:
        return node
    if isinstance(node.parent, exp.Filter) and condition is None:
        return node  # it is translated with its parent
    keys = [part.expression for part in key.expressions] if isinstance(key, exp.Struct) else [key]
    if not with_null:
        not_null: exp.Expr = exp.Not(this=exp.Is(this=x.copy(), expression=exp.Null()))
        condition = exp.and_(condition, not_null) if condition is not None else not_null
    if dialect in _ORDERED_ARRAY:
        ordered = [exp.Ordered(this=part.copy(), desc=last, nulls_first=False) for part in keys]
        aggregate: exp.Expr = exp.ArrayAgg(this=exp.Order(this=x.copy(), expressions=ordered))
        aggregate = aggregate if condition is None else exp.Filter(this=aggregate, expression=exp.Where(this=condition))
        return exp.Bracket(this=exp.Paren(this=aggregate), expressions=[exp.Literal.number(1)], offset=1)
    by: exp.Expr = keys[0] if len(keys) == 1 else exp.Tuple(expressions=keys)
    if len(keys) > 1 and dialect not in ("trino", "clickhouse"):
        by = exp.Struct(expressions=[key.copy() for key in keys])
    kind = exp.ArgMax if last else exp.ArgMin
    aggregate = kind(this=x.copy(), expression=by)
    return aggregate if condition is None else exp.Filter(this=aggregate, expression=exp.Where(this=condition))


def _without_filter(node: exp.Expr) -> exp.Expr:
    """`agg(x) FILTER (WHERE c)` as `agg(CASE WHEN c THEN x END)`: all aggregates here skip NULL."""
    if not isinstance(node, exp.Filter):
        return node
    call: exp.Expr = node.this.copy()
    condition = node.expression.this
    if isinstance(call, (exp.ArgMin, exp.ArgMax)):  # rows without a key are skipped
        call.set("expression", exp.Case(ifs=[exp.If(this=condition.copy(), true=call.expression)]))
        return call
    x = exp.Literal.number(1) if isinstance(call.this, exp.Star) else call.this
    target = x.this if isinstance(x, exp.Order) else x
    case = exp.Case(ifs=[exp.If(this=condition.copy(), true=target.copy())])
    if isinstance(x, exp.Order):
        x.set("this", case)
    else:
        call.set("this", case)
    return call


def _spelled(node: exp.Expr, dialect: str) -> exp.Expr:
    """Translate what sqlglot leaves unchanged."""
    if isinstance(node, exp.Anonymous) and node.name.lower() == "epoch_us":
        return _microseconds(node.expressions[0], dialect)
    if _is_instant(node) and dialect in _INSTANT:
        return _filled(_INSTANT[dialect], dialect, x=node.expressions[0])
    if isinstance(node, exp.PercentileCont) and dialect in ("spark", "databricks"):
        return exp.Anonymous(this="PERCENTILE", expressions=[node.this, node.expression])
    if isinstance(node, exp.IsNan) and dialect == "postgres":
        return exp.EQ(this=node.this, expression=exp.cast(exp.Literal.string("nan"), "DOUBLE"))
    if isinstance(node, exp.Contains) and dialect == "postgres":
        return exp.GT(this=exp.StrPosition(this=node.this, substr=node.expression), expression=exp.Literal.number(0))
    if isinstance(node, exp.TryCast) and node.to.this == exp.DataType.Type.DOUBLE and dialect == "spark":
        return exp.Case(ifs=[exp.If(this=_like(node.this, _NUMBER), true=node.copy())])
    numbers = isinstance(node, exp.Window) and isinstance(node.this, exp.RowNumber)
    if numbers and node.args.get("order") is None and dialect in ("spark", "databricks"):
        return _numbered(node)
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Distinct):
        return _distinct_rows(node, dialect)
    return node


def _microseconds(time: exp.Expr, dialect: str) -> exp.Expr:
    """Microseconds since 1970 of a time with a zone, or of a local time in a zone, `timezone('Europe/Berlin', t)`, in a
    dialect."""
    zone = time.args.get("zone") if isinstance(time, exp.AtTimeZone) else None
    if isinstance(time, exp.Anonymous) and time.name.lower() == "timezone":
        zone, time = time.expressions
    elif zone is not None:
        time = time.this
    if dialect in ("spark", "databricks"):
        if zone is not None and _is_instant(time):
            return _filled(_LOCAL_OF_INSTANT, dialect, x=time.expressions[0], zone=zone)
        return _in_spark(time, zone)
    if _is_instant(time) and dialect in _INSTANT:  # the transform does not visit replacements
        time = _filled(_INSTANT[dialect], dialect, x=time.expressions[0])
    moment = time if zone is None else exp.AtTimeZone(this=exp.Paren(this=time), zone=zone)
    return (
        _filled(_EPOCH[dialect], dialect, x=moment)
        if dialect in _EPOCH
        else exp.Anonymous(this="epoch_us", expressions=[moment])
    )


def _is_instant(node: exp.Expr) -> bool:
    """Whether a node is `make_timestamptz(t)`: a moment from microseconds since 1970."""
    return isinstance(node, exp.Anonymous) and node.name.lower() == "make_timestamptz"


_INSTANT = {
    "postgres": "TO_TIMESTAMP(x / 1000000.0)",
    "spark": "TIMESTAMP_MICROS(x)",
    "databricks": "TIMESTAMP_MICROS(x)",
    "bigquery": "TIMESTAMP_MICROS(x)",
}
"""The moment x microseconds after 1970, by dialect."""
_LOCAL_OF_INSTANT = "UNIX_MICROS(FROM_UTC_TIMESTAMP(TIMESTAMP_MICROS(x), zone))"
"""The local time in a zone of the moment x microseconds after 1970, as microseconds since 1970, in Spark."""

_EPOCH = {
    "postgres": "CAST(EXTRACT(EPOCH FROM x) * 1000000 AS BIGINT)",
    "bigquery": "UNIX_MICROS(x)",
    "snowflake": "DATE_PART(EPOCH_MICROSECOND, x)",
    "trino": "CAST(TO_UNIXTIME(x) * 1000000 AS BIGINT)",
    "clickhouse": "toUnixTimestamp64Micro(x)",
}
"""Microseconds since 1970 of a time x, by dialect."""

_LOCAL = """
    TIMESTAMPDIFF(MICROSECOND, TIMESTAMP_NTZ '1970-01-01', CASE
        WHEN CONVERT_TIMEZONE('UTC', zone, CONVERT_TIMEZONE(zone, 'UTC', local) + INTERVAL 1 HOUR) = local
        THEN CONVERT_TIMEZONE(zone, 'UTC', local) + INTERVAL 1 HOUR ELSE CONVERT_TIMEZONE(zone, 'UTC', local) END)"""
"""Microseconds since 1970 of a local time in Spark. An hour that clocks repeat is the second one, as in the other
engines."""
_WITH_OFFSET = r"^\s*\d{4}-\d\d-\d\d[T ].*(Z|UTC|[+-]\d\d(:?\d\d)?)\s*$"
_WITHOUT = r"^\s*\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?\s*$"
"""Spark would also read a year alone, or a clock time as one of today."""
_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"
"""Spark would also read 1d and 1f."""


def _in_spark(time: exp.Expr, zone: exp.Expr | None) -> exp.Expr:
    if zone is None and isinstance(time, exp.TryCast):  # a text
        text = time.this
        with_offset = exp.Anonymous(this="UNIX_MICROS", expressions=[time.copy()])
        local = time.copy()
        local.set("to", exp.DataType.build("TIMESTAMPNTZ"))
        here = _filled(_LOCAL, "spark", zone=exp.Anonymous(this="CURRENT_TIMEZONE"), local=local)
        readings = [(_WITH_OFFSET, with_offset), (_WITHOUT, here)]
        return exp.Case(ifs=[exp.If(this=_like(text, pattern), true=value) for pattern, value in readings])
    if zone is None:
        return exp.Anonymous(this="UNIX_MICROS", expressions=[time])
    return _filled(_LOCAL, "spark", zone=zone, local=exp.cast(time, "TIMESTAMPNTZ"))


def _filled(sql: str, dialect: str, **parts: exp.Expr) -> exp.Expr:
    """SQL of a dialect with column names replaced by expressions."""
    return sqlglot.parse_one(sql, read=dialect).transform(
        lambda node: parts[node.name].copy() if isinstance(node, exp.Column) and node.name in parts else node
    )


def _like(text: exp.Expr, pattern: str) -> exp.Expr:
    return exp.RegexpLike(this=text.copy(), expression=exp.Literal.string(pattern))


def _numbered(node: exp.Expr) -> exp.Expr:
    """Row numbers in Spark, ordered by the first column: when Spark recomputes them, they must stay the same."""
    select = node.find_ancestor(exp.Select)
    columns = (
        [expression for expression in select.expressions if isinstance(expression, exp.Column)]
        if select is not None
        else []
    )
    if not columns:
        return exp.Anonymous(this="MONOTONICALLY_INCREASING_ID")
    ordered = exp.Order(expressions=[exp.Ordered(this=columns[0].copy(), nulls_first=True)])
    return exp.Window(this=node.this.copy(), order=ordered)


def _distinct_rows(node: exp.Count, dialect: str) -> exp.Expr:
    """`count(DISTINCT hash(a, b))` as a count of the distinct rows themselves."""
    argument = node.this.expressions[0]
    if not (isinstance(argument, exp.Anonymous) and argument.name.lower() == "hash"):
        return node
    rows: Callable[..., exp.Expr] = exp.Tuple if dialect in ("postgres", "clickhouse", "trino") else exp.Struct
    whole = rows(expressions=[part.copy() for part in argument.expressions])
    return exp.Count(this=exp.Distinct(expressions=[whole]))


def _by_position(select: exp.Select) -> None:
    """Replace GROUP BY ALL and ORDER BY ALL by positions."""
    aggregated = [expression.find(exp.AggFunc) is not None for expression in select.expressions]
    group, order = select.args.get("group"), select.args.get("order")
    if group is not None and group.args.get("all"):
        keys = [exp.Literal.number(i) for i, is_sum in enumerate(aggregated, 1) if not is_sum]
        select.set("group", exp.Group(expressions=keys) if keys else None)
    if order is not None and len(order.expressions) == 1 and order.expressions[0].sql("duckdb").startswith("ALL"):
        places = [exp.Ordered(this=exp.Literal.number(i), nulls_first=False) for i in range(1, len(aggregated) + 1)]
        select.set("order", exp.Order(expressions=places))
