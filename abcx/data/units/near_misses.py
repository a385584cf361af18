"""Finds arm labels, event names and unit ids that are ignored because of another spelling.

Events and ids are compared in the first 200,000 rows of every file. Ids are counted and never shown: they are personal
data.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from abcx.data.plan import Plan
from abcx.data.reading import keys
from abcx.data.reading.load import PartTable
from abcx.data.reading.row_sql import STRAY
from abcx.data.reading.source import arms_by_rule
from abcx.data.records import MisspelledLabel
from abcx.data.workspace import Workspace
from abcx.engines.quoting import literal
from abcx.files.cell_text import skeleton

_ROWS = 200_000
"""Rows of a file that are sampled; reading all of 10 million would take a tenth longer."""
_MAX_LABELS = 1_000
"""Maximum number of unknown labels whose spelling is compared."""
_BEFORE = r"^(?i:gid://.*/|mailto:|GA\d+\.\d+\.|#|[a-z]+[ _:#/-]+)"
"""Prefixes of ids: gid://shopify/Customer/, mailto:, GA1.1., #, user_, cus-."""
_SPELLINGS = (
    ("upper and lower case", "TRUE", "lower(v)"),
    ("upper and lower case", "TRUE", "upper(v)"),
    ("leading zeros", "contains(v, '0')", r"regexp_replace(v, '^([^0-9]*)0+', '\1')"),
    ("a .0 at the end", "contains(v, '.0')", r"regexp_replace(v, '\.0+$', '')"),
    ("braces or quotes", "TRUE", f"trim(v, {literal('{}' + chr(34) + chr(39))})"),
    ("dashes", "contains(v, '-')", "replace(v, '-', '')"),
    ("spaces", "contains(v, ' ') OR strlen(v) <> length(v)", r"regexp_replace(v, '\pZ+', '', 'g')"),
    ("letters before the digits", "v >= 'A'", r"regexp_replace(v, '^[A-Za-z]{1,5}([0-9]+)$', '\1')"),
    ("what stands before it", "v >= 'A' OR v < '$'", rf"regexp_replace(v, {literal(_BEFORE)}, '')"),
    ("an @ that is written %40", "contains(v, '%40')", "regexp_replace(v, '%40', '@')"),
)
"""Differences between spellings of an id `v`, each with a condition that is cheap and true wherever there is one, and
the SQL of the spelling without it."""
_VALUE = r"[-+]?[0-9]+([.,][0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?"
"""Numbers and times, which are not event names."""


def values_as_events(work: Workspace, part: PartTable) -> int:
    """The number of rows whose event name is a number or a time (unless an event of the spec has such a name), or whose
    unit is an event name: in files that were concatenated with different column orders."""
    names = part.select.events()
    if work.engine.is_remote or any(re.fullmatch(_VALUE, name) for name in names):
        return 0
    named = ", ".join(map(literal, names)) or "NULL"
    odd = f"e NOT IN ({named}) AND (regexp_full_match(e, {literal(_VALUE)}) OR trim(v) IN ({named}))"
    samples = (_sample(work, part, number) for number in range(len(part.sources)))
    return sum(int(work.run(f"SELECT count(*) FROM {sample} WHERE e <> '' AND {odd}")[0][0]) for sample in samples)


def misspelled_events(work: Workspace, part: PartTable) -> tuple[tuple[str, str], ...]:
    """(event name that no metric reads, name in the spec from which it differs only by case), from the first rows of
    every file."""
    names = part.select.events()
    by_casefold = {name.casefold(): name for name in names}
    meant: dict[str, str] = {}
    for number in range(len(part.sources)):
        sample = _sample(work, part, number)
        for (name,) in work.run(f"SELECT DISTINCT e FROM {sample} WHERE e IS NOT NULL ORDER BY e"):
            if name not in names and name.casefold() in by_casefold:
                meant[str(name)] = by_casefold[name.casefold()]
    return tuple(meant.items())


def _sample(work: Workspace, part: PartTable, number: int) -> str:
    """The FROM item of the first rows of a source of a part: the id of the unit `v`, and the event name `e` without
    spaces around it (NULL where the file has none). A table that is read once, but for a remote engine."""
    source, table = part.sources[number], f"sample_{part.select.part}_{number}"
    unit = source.name("unit")
    assert unit is not None
    event = source.name("event") if part.select.constant_event(source) is None else None
    name = "NULL" if event is None else f"trim({source.table.sql(event, 'text')})"
    columns = f"{source.table.sql(unit, 'text')} AS v, CAST({name} AS VARCHAR) AS e"
    rows = f"SELECT {columns} FROM {source.rows_up_to(_ROWS)}"
    if work.engine.is_remote:
        return f"({rows})"
    work.run(f"CREATE TABLE IF NOT EXISTS {table} AS {rows}")
    return table


def strange_labels(work: Workspace, part: PartTable) -> list[tuple[str, int]]:
    """The most frequent texts in the arm column that are not labels of an arm, with their numbers of rows."""
    labels: Counter[str] = Counter()
    for source in part.select.sources:
        column = source.name("arm")
        if column is None or source.arm is not None or arms_by_rule(part.select.plan.experiment):
            continue
        text = f"trim({source.table.sql(column, 'text')})"
        is_stray = f"{source.kept} AND {part.select.arm(source)} = {STRAY}"
        query = f"SELECT {text}, count(*) FROM {source.table.scan()} WHERE {is_stray} AND {text} <> ''"
        rows = work.run(f"{query} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_MAX_LABELS}")
        labels.update({str(label): int(n) for label, n in rows})
    return labels.most_common(_MAX_LABELS)


def misspelled_labels(plan: Plan, strange: Sequence[tuple[str, int]]) -> tuple[MisspelledLabel, ...]:
    """Those of the `strange` labels (of no arm, with their rows) that differ from an arm's label only by spelling, most
    frequent first."""
    meant: dict[str, set[str]] = {}
    for name, arm in plan.experiment.arms.items():
        for label in arm.labels or (name,):
            meant.setdefault(skeleton(str(label)), set()).add(str(label))
    rows: Counter[tuple[str, str]] = Counter()
    for label, count in strange:
        labels = meant.get(skeleton(label), set())
        if len(labels) == 1 and skeleton(label):
            rows[label, min(labels)] += count
    return tuple(MisspelledLabel(written, label, count) for (written, label), count in rows.most_common())


def misspelled_ids(work: Workspace, arm_part: str) -> dict[str, int]:
    """The number of ids of `events` and `units` outside the analysis that differ from an id in it only by spelling, by
    the difference. `arm_part` is the part that assigns the arms. Needs the table `assigned`."""
    ids_by_difference: dict[str, int] = {}
    for part in ("events", "units"):
        if part in work.loading.parts and part != arm_part and not work.engine.is_remote:
            counts = dict(
                work.run(_count_sql(part, _ids(work, work.loading.parts[part], work.loading.parts[arm_part])))
            )
            ids_by_difference |= {
                difference: max(int(ids), ids_by_difference.get(difference, 0)) for difference, ids in counts.items()
            }
    return ids_by_difference


def _count_sql(part: str, ids: str) -> str:
    """The SQL of (difference between two spellings, number of `ids` with one in the analysis and one only in the
    part)."""
    spelled = " UNION ALL ".join(
        f"SELECT {literal(difference)} AS how, v, key, {spelling} AS o FROM ids WHERE {possible}"
        for difference, possible, spelling in _SPELLINGS
    )
    pairs = f"SELECT how, key, {keys.ticket('o', True)} AS other FROM ({spelled}) WHERE v <> o"
    either = "(SELECT key FROM pairs UNION SELECT other FROM pairs)"
    return (
        f"WITH ids AS MATERIALIZED (SELECT v, {keys.ticket('v', True)} AS key FROM ({ids})), "
        f"pairs AS MATERIALIZED (SELECT * FROM ({pairs}) WHERE key <> other), "
        f"tested AS MATERIALIZED (SELECT unit FROM assigned WHERE unit IN {either}), "
        "lost AS (SELECT how, CASE WHEN key IN (FROM tested) THEN other ELSE key END AS unit FROM pairs "
        "WHERE (key IN (FROM tested)) <> (other IN (FROM tested))) "
        "SELECT how, count(DISTINCT unit) FROM lost "
        f"WHERE unit IN (SELECT unit FROM {part} WHERE unit IN {either}) GROUP BY how ORDER BY 2 DESC, 1"
    )


_UUID = "^\\{?([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\\}?$"
_ALIKE = (
    ("strlen(form) >= 36", _UUID, r"\1\2\3\4\5"),  # other dashes may distinguish ids: 1-12 is not 11-2
    ("contains({v}, '.0')", r"\.0+$", ""),
    ("contains({v}, '0')", r"^([^0-9]*)0+([0-9])", r"\1\2"),
)
"""Patterns and replacements that map all spellings of an id, in lower case, to one form; each with a condition that is
cheap and true wherever the pattern matches."""


def spelled_twice(work: Workspace, arm_part: str) -> int:
    """The number of units of the analysis whose id differs from another's only by case, leading zeros, a final `.0`, or
    the dashes and braces of a UUID."""
    if work.engine.is_remote:
        return 0
    ids = _ids(work, work.loading.parts[arm_part])
    forms = f"SELECT lower(v) AS form, {keys.ticket('v', True)} AS key FROM ({ids})"
    for possible, pattern, replacement in _ALIKE:
        replaced = f"regexp_replace(form, {literal(pattern)}, {literal(replacement)})"
        forms = (
            f"SELECT CASE WHEN {possible.format(v='form')} THEN {replaced} ELSE form END AS form, key FROM ({forms})"
        )
    shared = "SELECT form FROM forms GROUP BY form HAVING count(*) > 1"
    ids_by_form = (
        f"SELECT form, count(DISTINCT key) AS n FROM forms JOIN assigned a ON a.unit = key WHERE form IN ({shared})"
    )
    sql = f"WITH forms AS ({forms}) SELECT coalesce(sum(n), 0) FROM ({ids_by_form} GROUP BY form) WHERE n > 1"
    return int(work.run(sql)[0][0])


def _ids(work: Workspace, *parts: PartTable) -> str:
    """The SQL of the distinct ids `v` in the first rows of the sources of some parts."""
    samples = [_sample(work, part, number) for part in parts for number in range(len(part.sources))]
    return f"SELECT DISTINCT v FROM ({' UNION ALL '.join(f'SELECT v FROM {sample}' for sample in samples)})"
