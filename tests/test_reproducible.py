"""The same data in two orders of rows and on one or two threads give the same JSON, digit for digit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from abcx.analysis.conclude import conclude
from abcx.data import observe
from abcx.data.records import Inputs
from abcx.engines.local import Engine
from abcx.results.export import record
from abcx.spec.load import load

REVENUE: dict[str, Any] = {"type": "mean", "column": "spent", "role": "primary", "goal": "increase"}


def units(n: int, share: float) -> pd.DataFrame:
    """Revenue in cents of a share of the units, and what they spent before."""
    rng = np.random.default_rng(1)
    before = np.round(rng.lognormal(3.0, 1.0, n), 2)
    spent = np.where(rng.random(n) < share, np.round(before * rng.lognormal(0.0, 0.7, n), 2), 0.0)
    arm = np.where(rng.random(n) < 0.1, "variant", "control")
    return pd.DataFrame(
        {"unit": np.arange(n), "arm": arm, "spent": spent, "before": before, "visits": rng.poisson(2, n)}
    )


def spec(**keys: Any) -> dict[str, Any]:
    ratio = {"type": "ratio", "numerator": {"column": "spent"}, "denominator": {"column": "visits"}}
    return {
        "schema_version": 1,
        "name": "same",
        "arms": {"control": {"share": 0.9}, "variant": {"share": 0.1}},
        "metrics": {"spent": REVENUE, "per_visit": {**ratio, "role": "secondary", "goal": "increase"}},
        **keys,
    }


def found(path: Path, spec: dict[str, Any], threads: int) -> dict[str, Any]:
    loaded = load({**spec, "data": {"units": str(path)}})
    with Engine(threads=threads) as engine:
        results = conclude(loaded, observe.observe(engine, loaded.experiment, path.parent, Inputs()))
    plain = results.to_dict()
    for one in plain["data"]["balance"]:
        del one["file"]
    for file in plain["data"]["files"]:
        file.clear()  # their names and hashes differ
    return plain


@pytest.mark.parametrize(
    ("n", "share", "keys"),
    [
        (4_000, 0.2, {"analysis": {"interval": "permutation"}}),
        (260_000, 0.9, {"analysis": {"interval": "analytic"}}),
        (260_000, 0.9, {"analysis": {"interval": "analytic", "covariates": ["before"]}}),
    ],
    ids=["permutation", "analytic", "adjusted"],
)
@pytest.mark.slow
def test_neither_row_order_nor_threads_show(tmp_path: Path, n: int, share: float, keys: dict[str, Any]) -> None:
    """Above 122,880 rows, a row group, the engine works on several threads."""
    frame, texts = units(n, share), []
    for order, threads in ((0, 1), (1, 2)):
        path = tmp_path / f"units{order}.parquet"
        frame.sample(frac=1.0, random_state=order).to_parquet(path)
        texts.append(json.dumps(found(path, spec(**keys), threads), indent=1))
    assert texts[0] == texts[1]


def test_numbers_in_json_have_twelve_digits() -> None:
    from abcx.stats.methods import Method
    from abcx.stats.records import Effect

    given = Effect(Method.WELCH, 1 / 3, (2 / 3e20, None), -0.1 - 0.2, (float("inf"), 1e15 + 3), 1.0, 0.05)
    assert record(given) == {
        "method": "Welch",
        "difference": 0.333333333333,
        "difference_interval": [6.66666666667e-21, None],
        "lift": -0.3,
        "lift_interval": [None, 1e15],
        "p_value": 1.0,
        "alpha": 0.05,
        "notes": [],
        "lift_note": None,
    }


def test_the_command_keeps_linear_algebra_on_one_thread() -> None:
    """Unless somebody asks for more: before numpy is loaded, which reads these once."""
    code = "import os, abcx.__main__ as _; print(os.environ['OPENBLAS_NUM_THREADS'], os.environ['OMP_NUM_THREADS'])"
    plain = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    for given, expected in (({}, "1 1"), ({"OMP_NUM_THREADS": "3"}, "1 3")):
        run = [sys.executable, "-c", code]
        done = subprocess.run(run, env={**plain, **given}, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected
