"""Whatever happens to a file on its way: the same numbers, or it is said. Over all shapes of data and types of metrics.

Run with a fixed seed here; `make fuzz` draws new worlds for a while.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.laws.damage import SAME, TOLD, Damage
from tests.laws.runs import analyzed, damaged, same, warnings_of_nothing, world_of
from tests.laws.worlds import SHAPES

pytestmark = pytest.mark.slow


def broken_law(folder: Path, shape: str, damage: Damage, seed: int) -> str | None:
    """What is wrong with the answer to a damaged world; None where nothing is."""
    world = world_of(shape, seed)
    changed = damaged(world, damage, seed)
    if changed is None:
        return None
    before = analyzed(folder / "before", world)
    assert before.numbers, before.error
    after = analyzed(folder / "after", changed)
    if same(before, after):
        return None
    if damage in SAME:
        return f"other numbers: {after.error or sorted(after.told - before.told)}"
    return None if after.error or after.told - before.told else "other numbers, and not a word"


def shapes_of(damage: Damage) -> list[str]:
    """Up to three shapes of data that have something for a damage to change; `make fuzz` draws from all."""
    return [shape for shape in SHAPES if damaged(world_of(shape, 0), damage, 0) is not None][:3]


PAIRS = [(shape, damage) for damage in (*SAME, *TOLD) for shape in shapes_of(damage)]


@pytest.mark.parametrize("damage", (*SAME, *TOLD), ids=lambda one: one.__name__)
def test_every_damage_finds_something_to_change(damage: Damage) -> None:
    assert shapes_of(damage)


@pytest.mark.parametrize(("shape", "damage"), PAIRS, ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_the_same_numbers_or_it_is_said(tmp_path: Path, shape: str, damage: Damage) -> None:
    assert broken_law(tmp_path, shape, damage, 0) is None


def test_the_worlds_have_values_in_every_metric(tmp_path: Path) -> None:
    """A law over metrics without values would hold for nothing."""
    for number, shape in enumerate(SHAPES):
        found = analyzed(tmp_path / str(number), world_of(shape, 2))
        assert found.numbers and all(value is not None for _, value in found.numbers.values()), shape


def test_honest_files_are_not_warned_of(tmp_path: Path) -> None:
    """`python -m tests.laws --honest 200` tries more: one in 200 may be."""
    assert [warnings_of_nothing(tmp_path / str(number), number) for number in range(30)] == [[]] * 30
