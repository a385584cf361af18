"""A world on disk, analyzed by the command in this process: its numbers, and everything that was said of its data."""

from __future__ import annotations

import contextlib
import copy
import csv
import gzip
import io
import json
import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from abcx.commands import analyze
from abcx.commands.options import DataOptions, RunOptions
from tests.laws.damage import Damage
from tests.laws.worlds import SHAPES, Table, World
from tests.support.hostile import UNSEEN
from tests.support.notes import of_json

OF_NUMBERS = {"calibration", "skewness", "outliers", "novelty", "too_good", "pre_period", "sample_size", "peeking"}
"""Checks of results: they change with the numbers, and say nothing of what was lost."""


@dataclass(frozen=True)
class Outcome:
    """`numbers`: units and value by metric and arm, empty where nothing was analyzed; `told`: checks that warn or fail,
    notes, exclusions with their counts; `error`: what stderr says where the run was refused."""

    numbers: dict[tuple[str, str], tuple[float, float | None]]
    told: frozenset[str]
    error: str


def write(folder: Path, world: World) -> None:
    folder.mkdir()
    for name, table in world.files.items():
        (folder / name).write_bytes(encoded(table))
    (folder / "s.yaml").write_text(json.dumps(world.spec))


def encoded(table: Table) -> bytes:
    order = table.format.get("order", range(len(table.header)))
    rows = [[row[i] for i in order] for row in (table.header, *table.rows)]
    if table.format.get("json"):
        objects = ({k: v for k, v in zip(rows[0], row, strict=True) if v} for row in rows[1:])
        text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)
    else:
        out = io.StringIO()
        quoting: Literal[0, 1] = csv.QUOTE_ALL if table.format.get("quoting") else csv.QUOTE_MINIMAL
        delimiter = table.format.get("delimiter", ",")
        csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=quoting).writerows(rows)
        text = f"{table.format['title']}\n{out.getvalue()}" if "title" in table.format else out.getvalue()
    if "cut" in table.format:  # within a row: a file that ends with one may as well be whole
        end = text.rfind("\n", 0, int(len(text) * table.format["cut"])) + 1
        text = text[: end + 3]
    kind = table.format.get("encoding", "utf-8")
    if kind == "crlf":
        return text.replace("\n", "\r\n").encode()
    if kind == "cr at the end":
        return (text.rstrip("\n") + "\r\n").encode()
    if kind == "gzip":
        return gzip.compress(text.encode())
    return text.encode(kind)


def run(folder: Path) -> Outcome:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = analyze.run(
            [str(folder / "s.yaml")],
            format="json",
            output=None,
            data=DataOptions(),
            run=RunOptions(quiet=True, threads=1),
            fail_on=[],
        )
    assert code in (0, 1, 2) and not UNSEEN.search(out.getvalue() + err.getvalue())
    if code == 2 or not out.getvalue():
        assert "error[" in err.getvalue() and "= help: " in err.getvalue(), err.getvalue()
        return Outcome({}, frozenset(), err.getvalue())
    found = json.loads(out.getvalue())
    for one in found["data"]["balance"]:
        assert one["read"] == one["used"] + sum(one["left_out"].values()), one
    for part in {one["part"] for one in found["data"]["balance"]}:
        read = sum(one["read"] for one in found["data"]["balance"] if one["part"] == part)
        assert read == sum(file["rows"] for file in found["data"]["files"] if file["role"] == part)
    return Outcome(_numbers(found), frozenset(_told(found)), "")


def _numbers(found: dict[str, Any]) -> dict[tuple[str, str], tuple[float, float | None]]:
    arms = ((metric["name"], arm) for metric in found["metrics"] for arm in metric["arms"])
    return {(metric, arm["name"]): (arm["units"], arm["value"]) for metric, arm in arms}


def _told(found: dict[str, Any]) -> list[str]:
    bad = [one for one in found["checks"] if one["status"] in ("warn", "fail") and one["code"] not in OF_NUMBERS]
    checks = [f"{one['code']} {one['status']}: {one['message']}" for one in bad]
    notes = of_json(found)
    lost = [
        f"{metric['name']} {arm['name']}: {arm['missing']} without a value"
        for metric in found["metrics"]
        for arm in metric["arms"]
        if arm["missing"]
    ]
    left_out = [f"{one['reason']}: {one['units']} units, {one['rows']} rows" for one in found["data"]["exclusions"]]
    return checks + notes + lost + left_out


def same(one: Outcome, other: Outcome) -> bool:
    """Whether two runs have the same numbers, to the digits that JSON has."""
    if one.numbers.keys() != other.numbers.keys():
        return False
    for key, (units, value) in one.numbers.items():
        more, another = other.numbers[key]
        if units != more or (value is None) != (another is None):
            return False
        if value is not None and not math.isclose(value, another or 0.0, rel_tol=1e-9, abs_tol=1e-12):
            return False
    return True


def world_of(shape: str, seed: int) -> World:
    rng = random.Random(seed)
    return SHAPES[shape](rng, rng.choice([24, 60]))


def analyzed(folder: Path, world: World) -> Outcome:
    write(folder, world)
    return run(folder)


def damaged(world: World, damage: Damage, seed: int) -> World | None:
    rng = random.Random(seed)
    changed = copy.deepcopy(world)
    name = rng.choice(sorted(changed.files))
    return changed if damage(changed, rng, name) else None


MEANING = {
    *("unit_ids", "metric_missing", "nothing_found", "unknown_arm", "missing", "missing_arm", "duplicates"),
    *("stray_time", "ticket_times", "running_totals", "not_concurrent", "time_resolution", "crossover"),
}
"""Checks of what data mean."""


def warnings_of_nothing(folder: Path, number: int) -> list[str]:
    """What is warned of in a file to which nothing was done."""
    found = analyzed(folder, world_of(list(SHAPES)[number % len(SHAPES)], 1000 + number))
    return [said for said in found.told if said.partition(" ")[0] in MEANING]
