"""Labels of arms, names of events and ids of units that are ignored because they are spelled differently.

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
from abcx.data.reading.source import Source, arms_by_rule
from abcx.data.records import MisspelledLabel
from abcx.data.workspace import Workspace
from abcx.engines.quoting import literal
from abcx.files.cell_text import skeleton

_ROWS = 200_000
"""Rows of a file that are sampled: all of 10 million would add a tenth to the time of reading."""
_MOST = 1_000
"""Maximum number of unknown labels whose spelling is compared."""
_BEFORE = r"^(?i:gid://.*/|mailto:|GA\d+\.\d+\.|#|[a-z]+[ _:#/-]+)"
"""What systems write before an id: gid://shopify/Customer/, mailto:, GA1.1., #, user_, cus-."""
_SPELLINGS = (
    ("upper and lower case", "lower(v)"),
    ("upper and lower case", "upper(v)"),
    ("leading zeros", r"regexp_replace(v, '^([^0-9]*)0+', '\1')"),
    ("a .0 at the end", r"regexp_replace(v, '\.0+$', '')"),
    ("braces or quotes", f"trim(v, {literal('{}' + chr(34) + chr(39))})"),
    ("dashes", "replace(v, '-', '')"),
    ("spaces", r"regexp_replace(v, '\pZ+', '', 'g')"),
    ("letters before the digits", r"regexp_replace(v, '^[A-Za-z]{1,5}([0-9]+)$', '\1')"),
    ("what stands before it", rf"regexp_replace(v, {literal(_BEFORE)}, '')"),
    ("an @ that is written %40", "regexp_replace(v, '%40', '@')"),
)
"""What may tell two spellings of an id `v` apart, and the SQL of the spelling without it."""
_VALUE = r"[-+]?[0-9]+([.,][0-9]+)?|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?"
"""What is no name of an event, but a number or a time."""


def values_as_events(work: Workspace, part: PartTable) -> int:
    """Rows whose event's name is a number or a time, where no event of the spec has such a name, or whose unit is the
    name of an event: in files that were glued together with their columns in another order."""
    names = part.select.events()
    if work.engine.is_remote or any(re.fullmatch(_VALUE, name) for name in names):
        return 0
    known = ", ".join(map(literal, names)) or "NULL"
    count = 0
    for source in part.select.sources:
        column, unit = source.name("event"), source.name("unit")
        if column is None or unit is None or part.select.constant_event(source) is not None:
            continue
        v, u = (f"trim({source.table.sql(name, 'text')})" for name in (column, unit))
        odd = f"{v} NOT IN ({known}) AND (regexp_full_match({v}, {literal(_VALUE)}) OR {u} IN ({known}))"
        count += int(work.run(f"SELECT count(*) FROM {source.rows_up_to(_ROWS)} WHERE {v} <> '' AND {odd}")[0][0])
    return count


def misspelled_events(work: Workspace, part: PartTable) -> tuple[tuple[str, str], ...]:
    """Names of events that no metric reads, and the name of the spec from which they differ by case alone; by the
    first rows of every file."""
    names = part.select.events()
    known = {name.casefold(): name for name in names}
    found: dict[str, str] = {}
    for source in part.select.sources:
        column = source.name("event")
        if column is None or part.select.constant_event(source) is not None:
            continue
        first = f"SELECT trim({source.table.sql(column, 'text')}) AS v FROM {source.rows_up_to(_ROWS)}"
        seen = (str(name) for (name,) in work.run(f"SELECT DISTINCT v FROM ({first}) WHERE v IS NOT NULL ORDER BY v"))
        found |= {name: known[name.casefold()] for name in seen if name not in names and name.casefold() in known}
    return tuple(found.items())


def strange_labels(work: Workspace, part: PartTable) -> list[tuple[str, int]]:
    """The most frequent texts in the arm column that are no label of an arm, with their rows."""
    labels: Counter[str] = Counter()
    for source in part.select.sources:
        column = source.name("arm")
        if column is None or source.arm is not None or arms_by_rule(part.select.plan.experiment):
            continue
        text = f"trim({source.table.sql(column, 'text')})"
        is_stray = f"{source.kept} AND {part.select.arm(source)} = {STRAY}"
        found = f"SELECT {text}, count(*) FROM {source.table.scan()} WHERE {is_stray} AND {text} <> ''"
        listed = work.run(f"{found} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_MOST}")
        labels.update({str(label): int(n) for label, n in listed})
    return labels.most_common(_MOST)


def misspelled_labels(plan: Plan, strange: Sequence[tuple[str, int]]) -> tuple[MisspelledLabel, ...]:
    """Of `strange` labels (of no arm, with their rows) those that differ from one of an arm by their spelling alone,
    most frequent first."""
    meant: dict[str, set[str]] = {}
    for name, arm in plan.experiment.arms.items():
        for label in arm.labels or (name,):
            meant.setdefault(skeleton(str(label)), set()).add(str(label))
    rows: Counter[tuple[str, str]] = Counter()
    for label, count in strange:
        of = meant.get(skeleton(label), set())
        if len(of) == 1 and skeleton(label):
            rows[label, min(of)] += count
    return tuple(MisspelledLabel(written, label, count) for (written, label), count in rows.most_common())


def misspelled_ids(work: Workspace, arm_part: str) -> dict[str, int]:
    """How many ids of `events` and `units` that are not in the analysis differ from one that is by their spelling
    alone, by what tells the two apart. `arm_part` is the part that has the arms, table `assigned` has the units of
    the analysis."""
    found: dict[str, int] = {}
    for part in ("events", "units"):
        if part in work.loading.parts and part != arm_part and not work.engine.is_remote:
            counts = dict(
                work.run(_count_sql(part, (*work.loading.parts[part].sources, *work.loading.parts[arm_part].sources)))
            )
            found |= {how: max(int(ids), found.get(how, 0)) for how, ids in counts.items()}
    return found


def _count_sql(part: str, sources: Sequence[Source]) -> str:
    """(what tells two spellings apart, ids of which one spelling is in the analysis and the other only in the part)."""
    spelled = " UNION ALL ".join(f"SELECT {literal(how)} AS how, v, {other} AS o FROM ids" for how, other in _SPELLINGS)
    pairs = f"SELECT how, v, {keys.ticket('v', True)} AS key, {keys.ticket('o', True)} AS other FROM ({spelled})"
    either = "(SELECT key FROM pairs UNION SELECT other FROM pairs)"
    return (
        f"WITH ids AS ({_ids(sources)}), "
        f"pairs AS MATERIALIZED (SELECT * FROM ({pairs}) WHERE key <> other), "
        f"tested AS MATERIALIZED (SELECT unit FROM assigned WHERE unit IN {either}), "
        "lost AS (SELECT how, CASE WHEN key IN (FROM tested) THEN other ELSE key END AS unit FROM pairs "
        "WHERE (key IN (FROM tested)) <> (other IN (FROM tested))) "
        "SELECT how, count(DISTINCT unit) FROM lost "
        f"WHERE unit IN (SELECT unit FROM {part} WHERE unit IN {either}) GROUP BY how ORDER BY 2 DESC, 1"
    )


_UUID = "^\\{?([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})\\}?$"
_ALIKE = (
    (_UUID, r"\1\2\3\4\5"),  # dashes elsewhere may tell ids apart: 1-12 is not 11-2
    (r"\.0+$", ""),
    (r"^([^0-9]*)0+([0-9])", r"\1\2"),
)
"""What two spellings of one id have in common, in small letters: patterns and what takes their place."""


def spelled_twice(work: Workspace, arm_part: str) -> int:
    """How many units of the analysis have an id that is another's but for case, leading zeros, a final `.0`, or the
    dashes and braces of a UUID."""
    if work.engine.is_remote:
        return 0
    ids = _ids(work.loading.parts[arm_part].sources)
    form = "lower(v)"
    for pattern, kept in _ALIKE:
        form = f"regexp_replace({form}, {literal(pattern)}, {literal(kept)})"
    forms = f"SELECT {form} AS form, {keys.ticket('v', True)} AS key FROM ({ids})"
    alike = "SELECT form FROM forms GROUP BY form HAVING count(*) > 1"
    some = f"SELECT form, count(DISTINCT key) AS n FROM forms JOIN assigned a ON a.unit = key WHERE form IN ({alike})"
    sql = f"WITH forms AS ({forms}) SELECT coalesce(sum(n), 0) FROM ({some} GROUP BY form) WHERE n > 1"
    return int(work.run(sql)[0][0])


def _ids(sources: Sequence[Source]) -> str:
    """The SQL of the distinct ids `v` of the first rows of some sources."""
    first = []
    for source in sources:
        unit = source.name("unit")
        assert unit is not None
        first.append(f"SELECT {source.table.sql(unit, 'text')} AS v FROM {source.rows_up_to(_ROWS)}")
    return f"SELECT DISTINCT v FROM ({' UNION ALL '.join(first)})"
