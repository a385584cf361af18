"""What the rules look at (the well-formed sections of a spec) and what they find."""

from __future__ import annotations

from dataclasses import dataclass, field

from abcx.metrics import MetricSpec
from abcx.problems import Level
from abcx.spec.analysis import Analysis
from abcx.spec.document import Loc
from abcx.spec.model import ArmSpec, DataSpec, Exposure, Impact, Period, Plan
from abcx.spec_types import DurationValue


@dataclass(frozen=True)
class Sections:
    """The sections of a spec that are well formed; None (or missing from `metrics`) where one is not."""

    arms: dict[str, ArmSpec] | None = None
    metrics: dict[str, MetricSpec] = field(default_factory=dict)
    metrics_complete: bool = True
    data: DataSpec | None = None
    period: Period | None = None
    exposure: Exposure | None = None
    window: DurationValue | None = None
    analysis: Analysis | None = None
    plan: Plan | None = None
    segments: tuple[str, ...] = ()
    impact: Impact | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that is broken: where, what, and the help. `key` points at the key instead of its value."""

    loc: Loc
    code: str
    message: str
    help: str
    level: Level = "error"
    key: bool = False
