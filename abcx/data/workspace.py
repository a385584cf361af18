"""The workspace in which units are computed: the engine with its tables, the plan, the loaded data, and the clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from abcx.data.clock import Clock
from abcx.data.plan import Plan
from abcx.data.reading.load import Loading
from abcx.engines.local import Engine


@dataclass(frozen=True, slots=True)
class Workspace:
    """The tables of `engine` that `loading` describes (exposures, units, events), what `plan` needs from them, and the
    data cut of `clock`. The tables that are computed from them are named in docs/architecture.md."""

    engine: Engine
    plan: Plan
    loading: Loading
    clock: Clock

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        return self.engine.run(sql)
