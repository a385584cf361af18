"""The results of an analysis as frozen records; `Results.to_dict()` is the JSON contract, and
reports only format them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from abcx.formatting import Unit
from abcx.notes import Note, Value
from abcx.results import export
from abcx.results.metric import MetricResult
from abcx.results.monitoring import Rule
from abcx.stats.records import Interval

if TYPE_CHECKING:
    import pandas

SCHEMA_VERSION = 2
"""Version of the JSON of results; docs/results.schema.json is its schema (`abcx schema --results`)."""

VerdictWord = Literal["SHIP", "DO NOT SHIP", "KEEP RUNNING", "INCONCLUSIVE", "INVALID"]
"""The words of the verdict; docs/verdicts.md has the conditions."""
Table = Literal["metrics", "arms", "checks", "segments", "over_time"]
CheckStatus = Literal["pass", "warn", "fail", "skipped"]


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for a verdict or a warning: a stable code, the metric that it is about, and values that stand nowhere
    else, such as how far the run is. `check` among the values names the trust check whose message is the reason.
    """

    code: str
    metric: str | None = None
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on one variant: the word, the reasons, the warnings, and what would change it.

    While the experiment runs: `end` is the day (ISO 8601) on which the declared end comes, with the units (over all
    arms) and days that are missing at `units_per_day`. After an inconclusive end: the units and days that a new run
    would need (`new_run_*`). None where unknown or not applicable.
    """

    verdict: VerdictWord
    arm: str
    reasons: tuple[Reason, ...]
    warnings: tuple[Reason, ...] = ()
    missing_units: int | None = None
    missing_days: int | None = None
    units_per_day: float | None = None
    end: str | None = None
    new_run_units: int | None = None
    new_run_days: int | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One trust check: its outcome, a sentence with its number, and what to do about it (`help`).

    `p_value` is None where the check has none, `details` holds everything the check looked at, as plain values. `arms`
    names the variants that a failure concerns; empty where it concerns all.
    """

    code: str
    status: CheckStatus
    message: str
    p_value: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    help: str | None = None
    arms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arm:
    """An arm with its number of exposed units in the analysis and its planned share in (0, 1)."""

    name: str
    units: int
    share: float


@dataclass(frozen=True, slots=True)
class Factor:
    """One line of a decomposition: a name, its unit, its value per arm, and the lift of each variant over control (a
    fraction).
    """

    name: str
    unit: Unit
    values: Mapping[str, float | None]
    lifts: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Decomposition:
    """`total` = `first` x `second`, exactly, in every arm: revenue per visitor = conversion x value per buyer."""

    total: Factor
    first: Factor
    second: Factor


@dataclass(frozen=True, slots=True)
class Alternative:
    """The same data analyzed another way: `change` says what was changed; verdict and first primary metric are those of
    that analysis.

    `holds` says that its verdict is the same. `lift` is a fraction, `lift_interval` at 1 - alpha.
    """

    change: Note
    verdict: VerdictWord
    arm: str
    lift: float | None
    lift_interval: Interval | None
    p_value: float | None
    holds: bool


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file that was read: its path as given, the part of `data` it serves (`role`), its SHA-256 (None where it has
    none), and its number of rows.
    """

    path: str
    role: str
    sha256: str | None
    rows: int


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows or units that were excluded, and why.

    `reason` is a stable code and `message` a sentence. `by_arm` counts units, or rows where units are unknown;
    `p_value` tests that units were excluded equally often in all arms. A `repeated_row` removes rows of units that stay
    in the analysis.
    """

    reason: str
    message: str
    units: int | None = None
    rows: int | None = None
    by_arm: Mapping[str, int] = field(default_factory=dict)
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """The rows of a file that serves a part of the data: `read` = `used` + the sum of `left_out` (rows by reason).

    Each row has the first reason that applies. Small files that were read in one statement share one entry, named after
    the first.
    """

    part: str
    file: str
    read: int
    used: int
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataLog:
    """The log of the data: files, exclusions, and the times the data cover.

    Times are ISO 8601 in the period's timezone, and `as_of` is the data cut. `balance` is empty for counts, and where
    another engine holds the rows.
    """

    files: tuple[FileRecord, ...]
    exclusions: tuple[Exclusion, ...]
    first_exposure: str | None = None
    last_exposure: str | None = None
    as_of: str | None = None
    notes: tuple[Note, ...] = ()
    balance: tuple[Balance, ...] = ()


@dataclass(frozen=True, slots=True)
class Setup:
    """What was declared before the data: the set-up card of the report.

    `alpha` is two-sided, `correction` the one for multiple comparisons, `power` the declared power. Sizes are units
    over all arms: `planned_units` is the declared size, None where none was; `power_each` is the power given to every
    metric so that all succeed together with `power`, and `looks_inflation` >= 1 the factor that sequential monitoring
    costs. `power_bounded` is the least power of a survey, after the bounds on who answers. `needed_units` is the size
    that the control as observed would need: information, never a plan. `command` reproduces the report, where a spec
    file was read. `start` and `end` are those of the declared period, as written (ISO 8601).
    """

    title: str
    hypothesis: str | None
    description: str | None
    owner: str | None
    tags: tuple[str, ...]
    links: tuple[str, ...]
    unit: str
    period: str | None
    exposure: str
    window: str | None
    alpha: float
    correction: str
    power: float
    planned_units: int | None
    planned_from: Note | None
    units_per_day: float | None
    spec: str | None
    spec_sha256: str | None
    seed: int
    segments: tuple[str, ...] = ()
    command: str | None = None
    power_each: float | None = None
    power_bounded: float | None = None
    looks_inflation: float = 1.0
    needed_units: int | None = None
    needed_from: Note | None = None
    start: str | None = None
    end: str | None = None

    @property
    def simulated(self) -> bool:
        """Whether the spec has the tag `simulated`; every report then says that its data are simulated."""
        return "simulated" in self.tags


@dataclass(frozen=True, slots=True)
class Impact:
    """What a variant is worth a month if it is shipped to all `units_per_month` units: the `change` of the sum of a
    judged metric over these units, with its interval at 1 - `alpha`; an end is None where the data do not bound it."""

    metric: str
    arm: str
    units_per_month: float
    change: float
    interval: Interval
    alpha: float


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The rule of sequential monitoring, and `information`, units over planned units now.

    `spending` is the alpha spending of a group sequential rule. Between planned looks `between_looks` is True and
    `next_look` the information at the next one, None where there is none.

    `boundaries` are those of group sequential analyses so far, as (information, z) pairs: results beyond z are
    significant.
    """

    rule: Rule
    information: float | None = None
    boundaries: tuple[tuple[float, float], ...] = ()
    spending: str | None = None
    between_looks: bool = False
    next_look: float | None = None


@dataclass(frozen=True, slots=True)
class LaterEffect:
    """A comparison on all data, reported with the verdict of the planned day."""

    metric: str
    arm: str
    difference: float | None
    difference_interval: Interval | None
    lift: float | None
    lift_interval: Interval | None
    p_value: float | None


@dataclass(frozen=True, slots=True)
class Replay:
    """The verdict is that of `day` (ISO 8601), on which the declared size was reached, because more units have come
    since.

    `units` were exposed by then, over all arms; `later` is what all `later_units` show (docs/methods.md, "After the
    planned end").
    """

    day: str
    units: int
    later_units: int
    later: tuple[LaterEffect, ...]


@dataclass(frozen=True, repr=False)
class Results:
    """Everything a report needs. `results["orders"]` is the MetricResult of that name.

    Its first arm is the control. `verdict` is the headline, one of `verdicts` (one per variant). `limits` are notes
    on what the analysis cannot say, `methods` on the tests it used. Raises KeyError for an unknown name.
    """

    abcx_version: str
    experiment: str
    verdict: Verdict
    verdicts: tuple[Verdict, ...]
    setup: Setup
    arms: tuple[Arm, ...]
    checks: tuple[CheckResult, ...]
    metrics: tuple[MetricResult, ...]
    decompositions: tuple[Decomposition, ...]
    data: DataLog
    methods: tuple[Note, ...]
    limits: tuple[Note, ...]
    monitoring: Monitoring = Monitoring("fixed")
    sensitivity: tuple[Alternative, ...] = ()
    replay: Replay | None = None
    impact: tuple[Impact, ...] = ()

    def __getitem__(self, name: str) -> MetricResult:
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(f"no metric '{name}'; there are: {', '.join(metric.name for metric in self.metrics)}")

    @property
    def control(self) -> Arm:
        """The control arm."""
        return self.arms[0]

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract: plain dicts, lists, strings and finite numbers; values that do not exist are None."""
        return {"schema_version": SCHEMA_VERSION, **export.record(self)}

    @classmethod
    def from_json(cls, source: str | Path) -> Results:
        """The results in a file that `--format json` wrote, or in its text.

        Raises UsageError where it holds something else, or results of another schema_version.
        """
        return cast(Results, _module("results.reading").read(source))

    def to_frame(self, table: Table = "metrics") -> pandas.DataFrame:
        """A pandas frame: a row per comparison (`metrics`, the columns of `rows()`), per metric and arm (`arms`), per
        check (`checks`), per value of a segment (`segments`), or per day (`over_time`).

        Raises KeyError for another name.
        """
        import pandas

        tables = _module("results.tables").TABLES
        if table not in tables:
            raise KeyError(f"no table '{table}'; there are: {', '.join(tables)}")
        return pandas.DataFrame(list(tables[table](self)))

    def to_markdown(self, summary: bool = False) -> str:
        """The readout as Markdown; with `summary` its card alone, at most 25 lines."""
        return cast(str, _module("report.markdown").render(self, summary))

    def to_html(self) -> str:
        """The readout as one self-contained page."""
        return cast(str, _module("report.html").render(self))

    def plot(self, axes: Any = None) -> Any:
        """The effects of all judged metrics in matplotlib axes (new ones by default), which are returned."""
        return _module("report.figures.effects").plot(self, axes)

    def rows(self) -> list[dict[str, Any]]:
        """One flat row per metric and comparison, the content of CSV files and of `to_frame`."""
        return list(_module("results.tables").metrics(self))

    def __iter__(self) -> Iterator[MetricResult]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)

    def __contains__(self, metric: object) -> bool:
        """Whether there is a metric of this name, or this metric."""
        return any(metric in (one.name, one) for one in self.metrics)

    def _ipython_key_completions_(self) -> list[str]:
        return [metric.name for metric in self.metrics]

    def __repr__(self) -> str:
        """One line: the experiment, the verdict, the primary metric."""
        return cast(str, _module("report.one_line").render(self))

    def _repr_html_(self) -> str:
        """The card in a notebook, with bars; names escaped."""
        return cast(str, _module("report.html_card").render(self))


def _module(name: str) -> Any:
    """A module that makes something of results, loaded when it is first used: records know neither forms nor files."""
    return import_module(f"abcx.{name}")
