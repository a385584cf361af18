"""abcx: from an experiment spec and exported event files to a readout that can be trusted.

Names are imported when they are first used, so `import abcx` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from abcx.version import __version__

__all__ = [
    "AbcxError",
    "DataError",
    "Experiment",
    "Problem",
    "Results",
    "SpecError",
    "UsageError",
    "__version__",
    "analyze",
    "counts",
    "load_spec",
    "validate",
]

if TYPE_CHECKING:
    from abcx.analysis.pipeline import analyze
    from abcx.analysis.typed_counts import counts
    from abcx.errors import AbcxError, DataError, SpecError, UsageError
    from abcx.problems import Problem
    from abcx.results.readout import Results
    from abcx.spec.load import load_spec, validate
    from abcx.spec.model import Experiment

_HOMES = {
    "AbcxError": "abcx.errors",
    "DataError": "abcx.errors",
    "Experiment": "abcx.spec.model",
    "Problem": "abcx.problems",
    "Results": "abcx.results.readout",
    "SpecError": "abcx.errors",
    "UsageError": "abcx.errors",
    "analyze": "abcx.analysis.pipeline",
    "counts": "abcx.analysis.typed_counts",
    "load_spec": "abcx.spec.load",
    "validate": "abcx.spec.load",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'abcx' has no attribute '{name}'")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
