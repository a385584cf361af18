"""A spec file, text or dict -> an Experiment, or every problem with its line and column."""

from __future__ import annotations

import copy
import difflib
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from abcx.errors import SpecError
from abcx.metrics import METRIC_TYPES, MetricSpec
from abcx.metrics.vocabulary import advice
from abcx.problems import Problem, Span
from abcx.spec import presets, rules
from abcx.spec.document import MAX_BYTES, Document, Loc, read
from abcx.spec.findings import Sections
from abcx.spec.model import Experiment
from abcx.spec_types import Model, shown

STDIN = "<stdin>"


@dataclass(frozen=True)
class LoadedSpec:
    """A spec that passed: the experiment, where it came from, and warnings. `base` is the folder of its data paths,
    `raw` and `document` are its text."""

    experiment: Experiment
    base: Path
    path: str | None = None
    sha256: str | None = None
    warnings: tuple[Problem, ...] = ()
    document: Document | None = None
    raw: bytes = b""


def load_spec(spec: str | Path | dict[str, Any]) -> Experiment:
    """An experiment spec from a path or from a dict of the same shape.

    Raises SpecError with every problem that it has.
    """
    return load(spec).experiment


def validate(spec: str | Path | dict[str, Any]) -> tuple[Problem, ...]:
    """Every problem of a spec, errors and warnings, in the order of its lines. No data are read."""
    try:
        return load(spec).warnings
    except SpecError as error:
        return error.problems


def load(spec: str | Path | dict[str, Any]) -> LoadedSpec:
    """As `load_spec`, with the place of the spec and its warnings. `-` is standard input."""
    if isinstance(spec, dict):
        raw, path = b"", None
        document, base, sha256 = Document("<dict>", [], copy.deepcopy(spec)), Path(), None
    else:
        raw, path = (read_stdin(), STDIN) if str(spec) == "-" else (read_bytes(Path(spec)), str(spec))
        document, base, sha256 = read(raw, path), Path(path).parent, hashlib.sha256(raw).hexdigest()
    experiment, problems = check(document)
    if experiment is None:
        raise SpecError(problems)
    return LoadedSpec(experiment, base, path, sha256, tuple(problems), document, raw)


def check(document: Document) -> tuple[Experiment | None, list[Problem]]:
    """The experiment, or None when there is an error, and all problems in the order of their lines."""
    problems = list(document.problems)
    experiment: Experiment | None = None
    if document.value is not None and not isinstance(document.value, dict):
        problems.append(
            document.problem(
                "spec-shape",
                f"a spec is a mapping of keys, not a {_kind(document.value)}",
                (),
                "start with schema_version: 1",
            )
        )
    elif isinstance(document.value, dict):
        experiment, mapping_problems = _check_mapping(document, document.value)
        unread = {problem.span for problem in problems}
        problems += [problem for problem in mapping_problems if problem.span is None or problem.span not in unread]
    problems = list(dict.fromkeys(problems))
    failed = any(problem.level == "error" for problem in problems)
    problems.sort(key=lambda p: (p.span.line, p.span.column) if p.span else (0, 0))
    return (None if failed else experiment), problems


def _check_mapping(document: Document, raw: dict[str, Any]) -> tuple[Experiment | None, list[Problem]]:
    problems = []
    try:
        experiment = Experiment.model_validate(raw)
    except ValidationError as error:
        problems += [_translate(document, detail) for detail in error.errors()]
        sections, experiment = _well_formed(raw), None
    else:
        sections = _sections({name: getattr(experiment, name) for name in Experiment.model_fields}, True)
    for finding in rules.check(sections):
        problems.append(
            Problem(finding.level, finding.code, finding.message, document.span(finding.loc, finding.key), finding.help)
        )
    if sections.data is not None:
        data, preset_problems = presets.expand(document, sections.data, Path(document.file).parent, _translate)
        experiment = experiment.model_copy(update={"data": data}) if experiment is not None else None
        problems += preset_problems
    return experiment, problems


def _sections(values: dict[str, Any], complete: bool) -> Sections:
    names = ("arms", "metrics", "data", "period", "exposure", "window", "analysis", "plan", "segments", "impact")
    return Sections(metrics_complete=complete, **{name: values[name] for name in names if name in values})


def _well_formed(raw: dict[str, Any]) -> Sections:
    """The sections, and the single metrics, that are valid by themselves. Only walked when something is wrong."""
    values: dict[str, Any] = {}
    for name, info in Experiment.model_fields.items():
        if name in raw and name != "metrics":
            try:
                values[name] = TypeAdapter(info.rebuild_annotation()).validate_python(raw[name])
            except ValidationError:
                continue
    metrics = raw.get("metrics")
    adapter: TypeAdapter[MetricSpec] = TypeAdapter(MetricSpec)
    values["metrics"] = {}
    complete = isinstance(metrics, dict)
    for name, metric in metrics.items() if isinstance(metrics, dict) else ():
        try:
            values["metrics"][name] = adapter.validate_python(metric)
        except ValidationError:
            complete = False
    return _sections(values, complete)


def _translate(document: Document, detail: ErrorDetails, root: type[Model] = Experiment) -> Problem:
    """One pydantic error as a Problem with its place, in the words of the spec."""
    loc: Loc = tuple(detail["loc"])
    kind, context, given = detail["type"], detail.get("ctx", {}), detail.get("input")
    name = _name(loc)
    if kind == "extra_forbidden":
        known = list(_keys_at(loc[:-1], root))
        close = difflib.get_close_matches(name, known, 1, 0.6)
        help = f"did you mean '{close[0]}'?" if close else f"the keys here are: {', '.join(known)}"
        return document.problem("unknown-key", f"unknown key '{name}'", loc, help, key=True)
    if kind == "missing":
        return document.problem("missing-key", f"the key '{name}' is missing", loc[:-1], f"add {name}: ...", key=True)
    if kind == "union_tag_invalid":
        tag, expected = (
            str(context.get("tag", "")),
            [word.strip("'") for word in str(context.get("expected_tags", "")).split(", ")],
        )
        close = difflib.get_close_matches(tag, expected, 1, 0.5)
        hint = f"did you mean '{close[0]}'? " if close else ""
        help = advice(tag) or f"{hint}One of: {', '.join(expected)}"
        return document.problem("unknown-metric-type", f"unknown metric type '{tag}'", (*loc, "type"), help)
    if kind == "union_tag_not_found":
        return document.problem(
            "missing-key", "the key 'type' is missing", loc, f"add type: one of {', '.join(METRIC_TYPES)}", key=True
        )
    if kind == "literal_error":
        allowed = str(context.get("expected", ""))
        if loc and loc[-1] == "[key]":
            return document.problem("unknown-key", f"unknown key '{given}'", loc[:-1], f"one of: {allowed}", key=True)
        if str(given) == allowed:
            return document.problem(
                "bad-value",
                f"{name} cannot be {shown(given)}, a text",
                loc,
                f"write it without quotes: {name}: {allowed}",
            )
        close = difflib.get_close_matches(
            str(given), [word.strip("'") for word in allowed.replace(" or ", ", ").split(", ")], 1, 0.6
        )
        hint = f"did you mean '{close[0]}'? " if close else ""
        return document.problem("bad-value", f"{name} cannot be {shown(given)}", loc, f"{hint}One of: {allowed}")
    if loc and loc[-1] == "[key]":
        return document.problem("bad-value", "a key is empty", loc[:-1], "give it a name", key=True)
    if "cure" in context:
        return document.problem("bad-value", detail["msg"], loc, str(context["cure"]))
    message, cure = _type_message(kind, context, given, name)
    return document.problem("bad-value" if kind != "string_type" else "wrong-type", message, loc, cure)


def _type_message(kind: str, context: dict[str, Any], given: Any, name: str) -> tuple[str, str | None]:
    wanted = {
        "string_type": "text",
        "float_type": "a number",
        "int_type": "a whole number",
        "int_from_float": "a whole number",
        "dict_type": "a mapping of keys",
        "model_type": "a mapping of keys",
        "model_attributes_type": "a mapping of keys",
        "tuple_type": "a list",
        "list_type": "a list",
        "bool_type": "true or false",
        "finite_number": "a finite number",
    }.get(kind)
    if wanted:
        help = (
            f'quote it: {name}: "{given}"'
            if kind == "string_type" and isinstance(given, (int, float))
            else f"write {wanted}"
        )
        return f"{name} must be {wanted}, not {shown(given)}", help
    if kind == "string_pattern_mismatch":
        return (
            f"{name} cannot be {shown(given)}",
            "one character that is no quote and no line break: delimiter: '|'"
            if name == "delimiter"
            else "lower-case letters, digits, - and _, starting with a letter or digit",
        )
    limits = {
        "greater_than": "above {gt:g}",
        "greater_than_equal": "at least {ge:g}",
        "less_than": "below {lt:g}",
        "less_than_equal": "at most {le:g}",
    }
    if kind in limits:
        return f"{name} is {shown(given)}; it must be {limits[kind].format(**context)}", None
    if kind == "too_short" and name == "arms":
        return "an experiment has at least two arms", "the first arm is the control"
    if kind in ("too_short", "string_too_short"):
        return f"{name} is empty", "write a value or remove the key"
    if kind in ("too_long", "string_too_long"):
        limit = context.get("max_length")
        return f"{name} is too long", "write one character" if limit == 1 else f"at most {limit} characters"
    return f"{name} cannot be {shown(given)}", None


def _keys_at(loc: Loc, root: type[Model]) -> Iterator[str]:
    """The keys allowed at a place of the spec: follow `loc` through the models."""
    models: list[type[Model]] = [root]
    for part in loc:
        fields = [model.model_fields[str(part)] for model in models if part in model.model_fields]
        inner = [model for info in fields for model in _models_in(info.rebuild_annotation())]
        tagged = [
            model
            for model in models
            if "type" in model.model_fields and part in get_args(model.model_fields["type"].annotation)
        ]
        models = inner or tagged or models
    yield from models[0].model_fields


def _models_in(annotation: Any) -> Iterator[type[Model]]:
    if isinstance(annotation, type) and issubclass(annotation, Model):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def read_stdin() -> bytes:
    """As `read_bytes`, from standard input."""
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def read_bytes(path: Path) -> bytes:
    """The bytes of a spec, not more than are needed to see that it is too large.

    Raises SpecError where there is nothing to read.
    """
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SpecError(
            Problem(
                "error",
                "spec-not-found",
                f"there is no file {path}",
                Span(str(path)),
                "check the path; `abcx init DATA` writes a first spec",
            )
        ) from None
    except IsADirectoryError:
        raise SpecError(
            Problem("error", "spec-is-folder", f"{path} is a folder", Span(str(path)), "name the file: experiment.yaml")
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SpecError(Problem("error", "spec-unreadable", f"cannot read {path}: {reason}", Span(str(path)))) from None


def _kind(value: Any) -> str:
    return {list: "list", str: "text", int: "number", float: "number", bool: "boolean"}.get(type(value), "value")


def _name(loc: Loc) -> str:
    """The name of a place in messages: its key, or its number in a list."""
    parts = [part for part in loc if not (isinstance(part, str) and part.startswith("<"))]
    if len(parts) > 1 and isinstance(parts[-1], int):
        return f"item {parts[-1] + 1} of {parts[-2]}"
    return str(parts[-1]) if parts else "the spec"
