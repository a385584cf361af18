"""Units, events and tickets by 64 bits of hash: different ids stay apart, spaces around them do not count."""

from __future__ import annotations

import duckdb
import pytest

from abcx.data.reading import keys
from abcx.engines.local import Engine
from abcx.engines.quoting import literal

IDS = {
    "numbered": "'u' || lpad(i::VARCHAR, 9, '0')",
    "numbers": "i::VARCHAR",
    "addresses": "'user' || i || '@example.com'",
    "long": "'customer-account-identifier-' || i || '-eu-west-1'",
    "hexadecimal": "printf('%032x', i * 2654435761)",
    "pairs": "(i // 1000)::VARCHAR || '-' || (i % 1000)::VARCHAR",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", IDS)
def test_a_million_ids_stay_apart(kind: str) -> None:
    """By chance two of a million fall together once in 37 million runs; the function is the same in every run."""
    with Engine() as engine:
        table = f"(SELECT {IDS[kind]} AS v FROM range(1000000) t(i))"
        texts, found = engine.run(f"SELECT count(DISTINCT v), count(DISTINCT {keys.unit('v', True)}) FROM {table}")[0]
    assert (texts, found) == (1_000_000, 1_000_000)


def key(text: str | None, of: str) -> object:
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT {of} FROM (SELECT CAST({literal(text)} AS VARCHAR) AS v)").fetchall()[0][0]


@pytest.mark.slow
@pytest.mark.parametrize("space", [" ", "   ", "\u00a0", "\u3000", "\u2009"])
@pytest.mark.parametrize("of", [keys.unit, keys.ticket])
def test_spaces_around_an_id_do_not_count(of: object, space: str) -> None:
    sql = of("v", True)  # type: ignore[operator]
    assert key(f"{space}a b{space}", sql) == key("a b", sql) != key("ab", sql)
    assert key(f"{space}ü", sql) == key("ü", sql)
    assert key(space, sql) is None and key("", sql) is None and key(None, sql) is None


@pytest.mark.parametrize("hashed", [True, False])
@pytest.mark.slow
def test_the_id_of_an_event(hashed: bool) -> None:
    alone, named = keys.event("v", None, hashed), keys.event("v", "'order'", hashed)
    for sql in (alone, named):
        assert key(" a", sql) == key("a", sql) != key("A", sql) and key(None, sql) is key(" ", sql) is None
        assert key("1.2E+9", sql) == (0 if hashed else "1.2E+9")
    assert key("a", alone) != key("a", named) != key("a", keys.event("v", "'visit'", hashed))
    assert key("NULL", alone) == key("NULL", named)  # known by its key as a word for none
    assert keys.event(None, None, True) == "CAST(NULL AS UBIGINT)"


@pytest.mark.parametrize("hashed", [True, False])
def test_a_rounded_unit_is_known_by_its_key(hashed: bool) -> None:
    sql = keys.was_rounded(keys.unit("v", hashed), hashed)
    assert [key(text, sql) for text in ("1.23E+10", " 1e+5 ", "7E+120")] == [True, True, True]
    assert not any(key(text, sql) for text in ("1.23E10x", "E+10", "12", "a+b", "1.2.3E+5", "+49 151"))
