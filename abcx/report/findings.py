"""Findings about specs in the formats that people, terminals and CI systems read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from abcx.formatting import plural
from abcx.problems import Problem, Span, render

_RED, _YELLOW, _RESET = "\x1b[1;31m", "\x1b[1;33m", "\x1b[0m"


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that was checked, and its problems."""

    file: str
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> int:
        return sum(problem.level == "error" for problem in self.problems)

    @property
    def warnings(self) -> int:
        return len(self.problems) - self.errors

    @property
    def valid(self) -> bool:
        return self.errors == 0


def summary(files: Sequence[Checked]) -> str:
    """One line: `3 specs: 2 valid, 1 with 4 errors`."""
    invalid = sum(not file.valid for file in files)
    parts = [f"{len(files) - invalid:,} valid"] if invalid < len(files) else []
    if invalid:
        parts.append(f"{invalid:,} with {plural(sum(file.errors for file in files), 'errors')}")
    warnings = sum(file.warnings for file in files)
    if warnings:
        parts.append(plural(warnings, "warnings"))
    return f"{plural(len(files), 'specs')}: {', '.join(parts)}"


def text(files: Sequence[Checked], color: bool = False) -> str:
    """Every finding with its source line and a caret."""
    return "\n\n".join(_colored(problem, color) for file in files for problem in file.problems)


def concise(files: Sequence[Checked]) -> str:
    """One finding a line: `file:line:column: error[code] message`."""
    return "\n".join(
        f"{_place(file, problem)}: {problem.level}[{problem.code}] {_one_line(problem.message)}"
        for file in files
        for problem in file.problems
    )


def github(files: Sequence[Checked]) -> str:
    """Workflow commands that GitHub shows at the line in a pull request."""
    return "\n".join(_github(file, problem) for file in files for problem in file.problems)


def as_json(files: Sequence[Checked]) -> str:
    """Everything as data."""
    document = {
        "schema_version": 1,
        "specs": [{"file": f.file, "valid": f.valid, "problems": [_record(p) for p in f.problems]} for f in files],
        "summary": {
            "specs": len(files),
            "valid": sum(file.valid for file in files),
            "errors": sum(file.errors for file in files),
            "warnings": sum(file.warnings for file in files),
        },
    }
    return json.dumps(document, indent=2, allow_nan=False)


def sarif(files: Sequence[Checked]) -> str:
    """SARIF 2.1.0, as code scanning services read it."""
    from abcx.version import __version__

    codes = sorted({problem.code for file in files for problem in file.problems})
    driver = {"name": "abcx", "version": __version__, "rules": [{"id": code} for code in codes]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif(file, problem) for file in files for problem in file.problems],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return json.dumps({"$schema": schema, "version": "2.1.0", "runs": [run]}, indent=2)


def junit(files: Sequence[Checked]) -> str:
    """JUnit XML: one test case a file."""
    from xml.etree import ElementTree

    totals = {
        "name": "abcx validate",
        "tests": str(len(files)),
        "failures": str(sum(not f.valid for f in files)),
        "errors": "0",
    }
    root = ElementTree.Element("testsuites", totals)
    suite = ElementTree.SubElement(root, "testsuite", totals)
    for file in files:
        case = ElementTree.SubElement(suite, "testcase", {"classname": "abcx.validate", "name": _xml(file.file)})
        for level, tag in (("error", "failure"), ("warning", "system-out")):
            problems = [problem for problem in file.problems if problem.level == level]
            if problems:
                message = {"message": _xml("; ".join(p.message for p in problems))} if tag == "failure" else {}
                ElementTree.SubElement(case, tag, message).text = _xml("\n\n".join(render(p) for p in problems))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


FORMATS: dict[str, Callable[[Sequence[Checked]], str]] = {
    "text": text,
    "concise": concise,
    "github": github,
    "json": as_json,
    "sarif": sarif,
    "junit": junit,
}


def _colored(problem: Problem, color: bool) -> str:
    """The problem as a person reads it; its level and code in color."""
    heading = f"{problem.level}[{problem.code}]"
    shown = render(problem).removeprefix(heading)
    return f"{_RED if problem.level == 'error' else _YELLOW}{heading}{_RESET}{shown}" if color else heading + shown


def _place(file: Checked, problem: Problem) -> str:
    span = problem.span or Span(file.file)
    return ":".join([span.file, *(str(number) for number in (span.line, span.column) if number)])


def _one_line(message: str) -> str:
    return re.sub(r"\s+", " ", message)


def _github(file: Checked, problem: Problem) -> str:
    span = problem.span or Span(file.file)
    places = {
        "file": span.file,
        "line": span.line,
        "col": span.column,
        "endColumn": span.column and span.column + span.width,
    }
    properties = [f"{key}={_github_property(str(value))}" for key, value in places.items() if value]
    properties.append(f"title={_github_property(problem.code)}")
    message = problem.message + (f"\n{problem.help}" if problem.help else "")
    return f"::{problem.level} {','.join(properties)}::{_github_data(message)}"


def _github_data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(value: str) -> str:
    return _github_data(value).replace(":", "%3A").replace(",", "%2C")


def _record(problem: Problem) -> dict[str, Any]:
    span = problem.span or Span("")
    return {
        "level": problem.level,
        "code": problem.code,
        "message": problem.message,
        "help": problem.help,
        "line": span.line or None,
        "column": span.column or None,
        "width": span.width if span.column else None,
        "path": span.path or None,
    }


def _sarif(file: Checked, problem: Problem) -> dict[str, Any]:
    span = problem.span or Span(file.file)
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(span.file)}}
    if span.line:
        place["region"] = {"startLine": span.line}
        if span.column:
            place["region"] |= {"startColumn": span.column, "endColumn": span.column + span.width}
    message = problem.message + (f". {problem.help}" if problem.help else "")
    return {
        "ruleId": problem.code,
        "level": problem.level,
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
    }


def _uri(file: str) -> str:
    path = PurePath(file)
    name = quote(path.as_posix(), errors="replace")
    return f"file://{name}" if path.is_absolute() else name


def _xml(value: str) -> str:
    """Text without the characters that XML 1.0 forbids."""
    return re.sub(r"[^\t\n\r -\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]", "\N{REPLACEMENT CHARACTER}", value)
