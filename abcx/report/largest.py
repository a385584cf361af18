"""The largest values of sums per unit, as a table: what a result may hang on."""

from __future__ import annotations

from collections.abc import Iterator

from abcx.report.fragments import NOTHING, titled
from abcx.report.markup import cell, escape, table
from abcx.report.quantities import form_of
from abcx.results.readout import Results

ROWS = 10


def section(results: Results) -> Iterator[str]:
    """The ten largest values by arm of each judged sum per unit."""
    for metric in results.metrics:
        if metric.largest is None:
            continue
        form = form_of(metric)
        counts = ", ".join(f"{n} with {escape(arm)}" for arm, n in metric.largest.influential.items() if n)
        yield f"### {escape(titled(metric))}"
        yield f"The check of a few large values leaves out {counts}." if counts else "No value stands out."
        arms = metric.largest.values
        rows = [
            [
                str(rank + 1),
                *(cell(form.value(values[rank])) if rank < len(values) else NOTHING for values in arms.values()),
            ]
            for rank in range(min(ROWS, max(map(len, arms.values()))))
        ]
        yield table(("rank", *map(cell, arms)), rows, "r" * (1 + len(arms)))
