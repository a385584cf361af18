"""Writes the tables of keys in docs/spec.md from the models that read a spec.

python docs/keys.py

A table stands between `<!-- keys: MODEL -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from abcx.metrics import METRIC_TYPES
from abcx.metrics.base import MetricOptions
from abcx.metrics.calendar import CalendarSpec
from abcx.metrics.counts import TypedCount
from abcx.metrics.funnel import Step
from abcx.metrics.survey import SurveyOptions
from abcx.spec import analysis, counts, model
from abcx.spec_types import Range, Term

PAGE = Path(__file__).parent / "spec.md"
_MODELS: tuple[type[BaseModel], ...] = (
    model.Experiment,
    model.ArmSpec,
    model.Period,
    model.DataSpec,
    model.FileOptions,
    model.EventSource,
    model.UnitSource,
    model.CountsFile,
    counts.ArmCounts,
    TypedCount,
    model.Exposure,
    analysis.Analysis,
    analysis.GroupSequential,
    analysis.Hybrid,
    analysis.PrePeriod,
    analysis.Prior,
    model.Plan,
    model.Baseline,
    model.Impact,
    MetricOptions,
    SurveyOptions,
    *METRIC_TYPES.values(),
    Step,
    CalendarSpec,
    Term,
    Range,
)
MODELS = {model_class.__name__: model_class for model_class in _MODELS}
_TABLE = re.compile(r"<!-- keys: (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def page(text: str) -> str:
    """The page with every table made anew."""
    return _TABLE.sub(lambda match: f"<!-- keys: {match[1]} -->\n\n{table(MODELS[match[1]])}\n\n<!-- end -->", text)


def table(found: type[BaseModel]) -> str:
    """The keys of one model that its parents do not have."""
    inherited: set[str] = set()
    for parent in found.__mro__[1:]:
        if issubclass(parent, BaseModel):
            inherited |= set(parent.model_fields)
    rows = [_row(name, info) for name, info in found.model_fields.items() if name not in inherited]
    return "\n".join(["| key | meaning | default |", "|---|---|---|", *rows])


def _row(name: str, info: FieldInfo) -> str:
    words = [str(word) for word in _words(info.annotation)]
    allowed = f" ({', '.join(f'`{word}`' for word in words)})" if len(words) > 1 else ""
    meaning = f"{info.description or ''}{allowed}".replace("|", "\\|")
    return f"| `{name}` | {meaning} | {_default(info)} |"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    return "" if value is None or value == () or value == {} or isinstance(value, BaseModel) else f"`{value}`"


def _words(annotation: Any) -> list[Any]:
    """The words that a key may hold, where they are listed."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [word for argument in get_args(annotation) for word in _words(argument)]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
