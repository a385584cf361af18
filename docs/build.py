"""Writes docs/checks.md and docs/metrics.md from the docstrings of the checks and of the metric types, and
docs/presets.md from the preset files.

python docs/build.py
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

from abcx.checks import CHECKS
from abcx.drafting.preset_spec import data_lines, metric_lines
from abcx.drafting.recognize import PresetMatch
from abcx.metrics import METRIC_TYPES
from abcx.spec import presets
from abcx.spec.model import EventSource, FileOptions
from abcx.spec.presets import Preset

FOLDER = Path(__file__).parent
NOTE = "<!-- Written by docs/build.py from the docstrings of {folder}: change them, then run it again. -->"

CHECKS_INTRO = """\
# Trust checks

Before any effect is judged, abcx asks whether the data can be believed. Every report lists the outcome of every check:

- **pass**: nothing is wrong; the report names the deciding number.
- **warn**: read the result with care. The verdict stands, with the warning beside it.
- **fail**: these data forbid a conclusion, and the verdict is INVALID.
- **skipped**: the data or the spec do not tell; the report says what would enable the check.

Thresholds are fixed, so that the same data are judged alike in every team. The JSON report holds all that a check
looked at, under `checks[].details`."""

METRICS_INTRO = """\
# Metric types

Each metric has a `type`, a `role` and, unless it is descriptive, a `goal`. [spec.md](spec.md) lists all keys."""

PRESETS_INTRO = """\
# Presets

`preset: NAME` on a source of `data` reads the export of a known tool: names of columns, header rows, formats, and which
rows are no events. What the source says itself goes first. `abcx init FILE` recognizes these exports by their header.

A preset is a YAML file in `abcx/presets/` of this repository. To change one, copy it into the folder of your spec, edit
it, and name it by its path: `preset: ./my-preset.yaml`. Exports change with time and with an account's settings: where
a column has another name, the message says so, and `columns: {unit: ...}` beside `preset` puts it right.

Most of these exports do not say who saw which arm: name the file that does as `exposures`."""


def pages() -> dict[str, str]:
    """File name: the page as it should be."""
    checks = {code: _docstring(check.__module__) for code, check in CHECKS.items()}
    types = {name: _docstring(metric.__module__) for name, metric in METRIC_TYPES.items()}
    return {
        "checks.md": _page(CHECKS_INTRO, "abcx/checks", "what it asks", checks),
        "metrics.md": _page(METRICS_INTRO, "abcx/metrics", "what it is", types),
        "presets.md": _presets(),
    }


def _docstring(module: str) -> str:
    text = inspect.getdoc(sys.modules[module])
    assert text, f"{module} has no docstring"
    return text


def _page(intro: str, folder: str, heading: str, sections: dict[str, str]) -> str:
    rows = [f"| [`{name}`](#{name}) | {_first_sentence(text)} |" for name, text in sections.items()]
    table = "\n".join([f"| name | {heading} |", "|---|---|", *rows])
    parts = [f"## {name}\n\n{text}" for name, text in sections.items()]
    return "\n\n".join([NOTE.format(folder=folder), intro, table, *parts]) + "\n"


def _presets() -> str:
    known = {name: presets.named(name) for name in presets.names()}
    rows = [
        f"| [`{name}`](#{name}) | {', '.join(preset.parts())} | {preset.export} |" for name, preset in known.items()
    ]
    table = "\n".join(["| name | serves as | what it is |", "|---|---|---|", *rows])
    note = "<!-- Written by docs/build.py from abcx/presets: change those files, then run it again. -->"
    return "\n\n".join([note, PRESETS_INTRO, table, *(_preset(name, preset) for name, preset in known.items())]) + "\n"


def _ending(preset: Preset) -> str:
    """How files of a preset are named in an example."""
    return "jsonl" if "JSON" in preset.export else "csv"


def _preset(name: str, preset: Preset) -> str:
    sources = [_source(part, entry) for part in preset.parts() for entry in preset.entries(part)]
    part = preset.parts()[-1]
    tells_arms = preset.exposures is not None and "exposures" not in preset.header
    known = PresetMatch(name, preset, part, preset.entries(part)[0], (), tells_arms)
    lines = [*data_lines(known, f"{name}.{_ending(preset)}", None), "", "metrics:", *metric_lines(preset)]
    example = "\n".join(["data:", *(re.sub(r" +# \?.*", "", line) for line in lines)])
    origin = " and ".join(f"<{address}>" for address in preset.documented) or "no public page was found"
    words = [f"## {name}", preset.export, preset.notes or "", "\n".join(sources)]
    words += [f"Names of columns from: {origin}. Checked against: {preset.checked}.", f"```yaml\n{example}\n```"]
    return "\n\n".join(word for word in words if word)


def _source(part: str, entry: FileOptions) -> str:
    """One source that a preset gives, as an item of a list."""
    event = f" `{entry.event}`" if isinstance(entry, EventSource) and entry.event else ""
    columns = ", ".join(f"{canonical} from `{column}`" for canonical, column in entry.columns.items())
    only = "; with a condition on " + ", ".join(f"`{column}`" for column in entry.where) if entry.where else ""
    out = "; left out: " + ", ".join(reason.replace("_", " ") for reason in entry.exclude) if entry.exclude else ""
    return f"- {part}{event}: {columns}{only}{out}"


def _first_sentence(text: str) -> str:
    """The first line of a docstring, without the bold name at its head."""
    return re.sub(r"^\*\*.*?\*\*: ", "", " ".join(text.split("\n\n")[0].split()))


if __name__ == "__main__":
    for name, page in pages().items():
        (FOLDER / name).write_text(page, encoding="utf-8")
