"""`abcx validate`: check specs without data; every finding of every file in one of several formats."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from abcx import errors
from abcx.commands import outputs
from abcx.commands.options import RunOptions, wants_color
from abcx.errors import SpecError
from abcx.formatting import clean, plural
from abcx.problems import Problem, Span, render_all
from abcx.report import findings as formats
from abcx.report.findings import Checked
from abcx.spec.document import MAX_BYTES, read
from abcx.spec.load import STDIN, check, read_bytes, read_stdin

_SUFFIXES = (".yaml", ".yml")
_SPEC_NAMES = ("experiment.yaml", "experiment.yml")
_KEY = r"(?m)^(?:\{{\s*)?[\"']?{}[\"']?\s*:"


@dataclass
class _Found:
    """The specs behind the paths of the command line, the YAML files that are no specs, and paths that lead nowhere."""

    specs: list[tuple[str, bytes]] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unreadable: list[Problem] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


def run(paths: Sequence[str], *, format: str, output: str | None = None, run: RunOptions | None = None) -> int:
    """Check every spec. 0: no errors; 1: errors found; 2: a path could not be read."""
    options = run or RunOptions()
    found = _collect(paths)
    files = [check_bytes(raw, file) for file, raw in found.specs]
    if files or not found.unreadable:
        outputs.refuse_inputs(
            output, [Path(file) for file, _ in found.specs], "the findings", "name another file with -o"
        )
        outputs.write(_report(files, found.skipped, format, output, options), output)
    if found.unreadable:
        print(render_all(found.unreadable), file=sys.stderr)
        return errors.COULD_NOT_RUN
    if options.verbose:
        for file in found.skipped:
            print(f"skipped {clean(file)}: not a spec", file=sys.stderr)
    return errors.DONE if all(file.valid for file in files) else errors.BLOCKED


def check_bytes(raw: bytes, file: str) -> Checked:
    """All that is wrong with one spec."""
    _, problems = check(read(raw, file))
    return Checked(file, tuple(problems))


def specs_in(paths: Sequence[str]) -> list[str]:
    """The specs that paths name; a folder stands for those in it. Raises SpecError where a folder has none."""
    specs: list[str] = []
    for path in paths:
        if not os.path.isdir(path):
            specs.append(path)
            continue
        found = _Found()
        _search(path, found)
        if found.unreadable:
            raise SpecError(found.unreadable)
        specs += [file for file, _ in found.specs]
    return specs


def looks_like_spec(raw: bytes) -> bool:
    """Whether a YAML file means to be a spec: it has schema_version, or metrics and arms. Broken YAML counts too."""
    text = raw[:MAX_BYTES].decode("utf-8-sig", errors="replace")
    has = {key: re.search(_KEY.format(key), text) is not None for key in ("schema_version", "metrics", "arms")}
    return has["schema_version"] or (has["metrics"] and has["arms"])


def _report(files: list[Checked], skipped: list[str], format: str, output: str | None, options: RunOptions) -> str:
    if format != "text":
        return formats.FORMATS[format](files)
    findings = formats.text(files, output is None and wants_color(options.color))
    last = "" if options.quiet else formats.summary(files)
    if last and skipped:
        last += f" ({plural(len(skipped), 'other YAML files')} skipped)"
    return "\n\n".join(part for part in (findings, last) if part)


def _collect(paths: Sequence[str]) -> _Found:
    found = _Found()
    for path in paths:
        if path == "-":
            if STDIN not in found.seen:
                found.specs.append((STDIN, read_stdin()))
            found.seen.add(STDIN)
        elif os.path.isdir(path):
            _search(path, found)
        else:
            _add(path, found)
    return found


def _search(folder: str, found: _Found) -> None:
    errors: list[OSError] = []
    files = list(_yaml_files(folder, errors))
    for error in errors:
        message = f"cannot read the folder: {error.strerror}"
        cure = "give yourself the right to read it, or name its specs"
        found.unreadable.append(Problem("error", "spec-unreadable", message, Span(str(error.filename)), cure))
    for file in files:
        _add(file, found, only_specs=os.path.basename(file) not in _SPEC_NAMES)
    if not found.unreadable and all(file in found.skipped for file in files):
        help = "name a file, or a folder with experiment.yaml; `abcx init DATA` writes a first spec"
        found.unreadable.append(Problem("error", "no-specs", f"there is no spec in {folder}", Span(folder), help))


def _yaml_files(folder: str, errors: list[OSError]) -> Iterator[str]:
    """The YAML files below a folder; `errors` gets those of folders that cannot be read."""
    for root, folders, files in os.walk(folder, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        yield from (os.path.join(root, name) for name in sorted(files) if name.lower().endswith(_SUFFIXES))


def _add(path: str, found: _Found, only_specs: bool = False) -> None:
    identity = os.path.realpath(path)
    if identity in found.seen:
        return
    try:
        raw = read_bytes(Path(path))
    except SpecError as error:
        found.unreadable += error.problems
        return
    if only_specs and not looks_like_spec(raw):
        found.skipped += [path] if path not in found.skipped else []
        return
    found.seen.add(identity)
    found.specs.append((path, raw))
