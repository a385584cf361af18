"""YAML as text that everything else can print."""

from __future__ import annotations

from abcx.spec.document import read


def test_surrogate_pairs_of_json_escapes_are_one_character() -> None:
    assert read(b'{"title": "\\ud83d\\ude00 ok"}', "x.json").value == {"title": "\N{GRINNING FACE} ok"}
    for half in (b'{"title": "\\ud83d"}', b'{"\\ud83d": 1}'):
        (problem,) = read(half, "x.json").problems
        assert (problem.code, problem.message) == ("yaml-key", "half of a surrogate pair is not a character")
