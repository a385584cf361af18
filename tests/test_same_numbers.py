"""The script that compares readouts finds what differs."""

from tests.support.same_numbers import differences


def test_numbers_texts_and_keys_are_told_apart() -> None:
    before = {"a": 1.0, "b": [1, 2.0, 3], "c": "x", "gone": None}
    after = {"a": 1.0 + 1e-12, "b": [1, 2.1, None], "c": "y", "new": 3}
    found = differences(before, after)
    assert found | {"numbers": sorted(found["numbers"])} == {
        "numbers": ["/b/1: 2.0 and 2.1", "/b/2: 3 and None"],
        "texts": ["/c: 'x' and 'y'"],
        "gone": ["/gone"],
        "new": ["/new"],
    }
    assert not any(differences(before, before).values())
