"""A spec whose `data` names other files: the rest of its text is kept, with its comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from abcx.errors import SpecError
from abcx.problems import Problem, Span
from abcx.spec.document import Document, Loc, read
from abcx.spec.load import check
from abcx.spec.model import DataSpec, EventSource, Experiment, FileOptions, FileRef
from abcx.spec.written import flow
from abcx.spec_types import Not, Range, WhereValue


def with_sources(
    raw: bytes, document: Document, experiment: Experiment, sources: Mapping[str, Sequence[FileOptions]], note: str
) -> str:
    """The text of a spec with the sources of its data replaced; the old ones are kept above them as comments, after
    `note`.

    Raises SpecError where the new text would not mean the same experiment.
    """
    text = raw.decode("utf-8-sig")
    assert experiment.data is not None
    data: dict[str, Any] = {"columns": experiment.data.columns} if experiment.data.columns else {}
    data |= {part: [_entry(source) for source in entries] for part, entries in sources.items()}
    edits = {*_renamed(document, experiment.data, sources), _data(text, document, data, note)}
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    _refuse_changes(text, document, experiment, sources)
    return text


_Edit = tuple[int, int, str]


def _entry(source: FileOptions) -> dict[str, Any]:
    """A source as plain values, with its options."""
    entry: dict[str, Any] = {"file": _files(source.file)}
    for key in ("columns", "event", "attributes", "duplicates"):
        if value := getattr(source, key, None):
            entry[key] = value
    if source.where:
        entry["where"] = _where(source.where)
    if source.exclude:
        entry["exclude"] = {reason: _where(where) for reason, where in source.exclude.items()}
    return entry


def _files(refs: Sequence[FileRef]) -> Any:
    if refs[0].arm is None:
        names = [ref.path for ref in refs]
        return names if len(names) > 1 else names[0]
    by_arm: dict[str, list[str]] = {}
    for ref in refs:
        by_arm.setdefault(ref.arm or "", []).append(ref.path)
    return {arm: names if len(names) > 1 else names[0] for arm, names in by_arm.items()}


def _where(where: Mapping[str, WhereValue]) -> dict[str, Any]:
    return {name: _condition(value) for name, value in where.items()}


def _condition(value: WhereValue) -> Any:
    if isinstance(value, Range):
        return value.model_dump(exclude_none=True)
    if isinstance(value, Not):
        return {"not": list(value.values) if len(value.values) != 1 else value.values[0]}
    return value


def _data(text: str, document: Document, data: dict[str, Any], note: str) -> _Edit:
    """The edit that replaces `data`."""
    start, end = document.place(("data",))
    key, column = document.key_place("data")
    if start < key:
        raise _refused(document, "`data` is an alias (*name)")
    if document.is_flow:
        return start, end, flow(data)
    line_end = text.find("\n", end)
    line_end = len(text) if line_end < 0 else line_end
    if (trailing := text[end:line_end].strip()) and not trailing.startswith("#"):
        raise _refused(document, "something stands after `data` on its line")
    indent = " " * column
    old = [line.removeprefix(indent) for line in (indent + text[key:line_end]).splitlines()]
    lines = [f"# {note}", *(f"#   {line}".rstrip() for line in old), *_block(data)]
    return key, line_end, f"\n{indent}".join(lines)


def _block(data: dict[str, Any]) -> Iterator[str]:
    yield "data:"
    for key, value in data.items():
        if key == "columns":
            yield f"  columns: {flow(value)}"
            continue
        yield f"  {key}:"
        yield from (f"    - {flow(entry)}" for entry in value)


def _renamed(document: Document, data: DataSpec, sources: Mapping[str, Sequence[FileOptions]]) -> Iterator[_Edit]:
    """The edits of `source: FILE` in metrics, which name a file of events."""
    pairs = list(zip(data.events, sources.get("events", ()), strict=True))
    for loc, name, event in _names_in(document.value["metrics"], ("metrics",)):
        meant = {new.file[0].path for old, new in pairs if _names(old, name) and _gives(old, event)}
        if len(meant) != 1:
            raise _refused(document, f"`source: {name}` means several sources of events", loc)
        yield (*document.place(loc), flow(meant.pop()))


def _names(source: FileOptions, name: str) -> bool:
    return any(name in (ref.path, ref.path.rpartition("/")[2]) for ref in source.file)


def _gives(source: FileOptions, event: Any) -> bool:
    constant = source.event if isinstance(source, EventSource) else None
    return constant is None or event is None or constant == event


def _names_in(value: Any, loc: Loc) -> Iterator[tuple[Loc, str, str | None]]:
    """Every `source` in the metrics, with the event of the same mapping."""
    for key, item in value.items() if isinstance(value, dict) else ():
        if key == "source" and len(loc) > 1:
            yield (*loc, key), str(item), value.get("event")
        yield from _names_in(item, (*loc, key))


def _refuse_changes(
    text: str, document: Document, experiment: Experiment, sources: Mapping[str, Sequence[FileOptions]]
) -> None:
    """Raises SpecError unless the new text, read again, means the same experiment except for the names of files."""
    rewritten, problems = check(read(text.encode(), document.file))
    if rewritten is None:
        raise _refused(document, f"`data` cannot be cut out of it ({problems[0].message})")
    assert experiment.data is not None
    data = experiment.data.model_copy(update={part: tuple(entries) for part, entries in sources.items()})
    wanted = experiment.model_copy(update={"data": data})
    if _without_sources(rewritten) != _without_sources(wanted):
        raise _refused(document, "`data` cannot be replaced in it without changing what it means")


def _without_sources(experiment: Experiment) -> Any:
    """An experiment as plain values, without the names of sources in metrics."""

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without(item) for key, item in value.items() if key != "source"}
        return [without(item) for item in value] if isinstance(value, (list, tuple)) else value

    dumped = experiment.model_dump()
    return {key: without(value) if key == "metrics" else value for key, value in dumped.items()}


def _refused(document: Document, why: str, loc: Loc = ("data",)) -> SpecError:
    help = "write `data` as a block of its own, and one source of events for each `source`"
    span = document.span(loc) if document.value is not None else Span(document.file)
    return SpecError(Problem("error", "cannot-pack", f"the spec cannot be rewritten: {why}", span, help))
