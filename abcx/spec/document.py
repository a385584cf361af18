"""YAML text -> plain values and the place of every one of them, by the 1.2 core rules.

PyYAML reads YAML 1.1, where `off`, `NO`, `12:30` and dates become something else; its implicit resolvers are replaced
here. Only the composer is used: tags that would build objects are refused, never constructed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from abcx.problems import Problem, Span

MAX_BYTES = 250_000
MAX_NODES = 50_000
MAX_DEPTH = 50
MAX_DIGITS = 300
Loc = tuple[str | int, ...]

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_TAG = "tag:yaml.org,2002:"


class _CoreLoader(yaml.SafeLoader):
    """SafeLoader with the resolvers of the YAML 1.2 core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


def _resolve(tag: str, pattern: str, first: list[str]) -> None:
    _CoreLoader.add_implicit_resolver(_TAG + tag, re.compile(rf"(?:{pattern})\Z"), first)


_resolve("bool", "true|True|TRUE|false|False|FALSE", list("tTfF"))
_resolve("int", _INT.pattern, list("-+0123456789"))
_resolve("float", _FLOAT.pattern, list("-+.0123456789"))
_resolve("null", "~|null|Null|NULL|", ["~", "n", "N", ""])  # "": a key with nothing after the colon


@dataclass
class Document:
    """A YAML file as plain values: `value` with a place for every path, and the problems met while reading it."""

    file: str
    lines: list[str]
    value: Any = None
    problems: list[Problem] = field(default_factory=list)
    _values: dict[Loc, yaml.Node] = field(default_factory=dict)
    _keys: dict[Loc, yaml.Node] = field(default_factory=dict)

    def span(self, loc: Loc, key: bool = False) -> Span:
        """The place of the value (or key) at `loc`. Parts of `loc` that are not in the file are skipped, so that a
        path through a normalized or tagged form still finds the nearest thing that was written."""
        path: Loc = ()
        for part in loc:
            if self._has((*path, part)):
                path = (*path, part)
        node = self._keys.get(path) if key else None
        node = node or self._values.get(path)
        dotted = ".".join(str(part) for part in path)
        return self._span_of(node, dotted) if node is not None else Span(self.file, path=dotted)

    def place(self, loc: Loc) -> tuple[int, int]:
        """The place of the value at `loc` in the text, without comments after it: the index of its first character, and
        of the one after its last."""
        node = self._values[loc]
        inside = [n for at, n in self._values.items() if at[: len(loc)] == loc and not _is_block(n)]
        return node.start_mark.index, max((n.end_mark.index for n in inside), default=node.end_mark.index)

    def key_place(self, key: str) -> tuple[int, int]:
        """The place of a top-level key in the text: the index of its first character, and its column."""
        mark = self._keys[(key,)].start_mark
        return mark.index, mark.column

    @property
    def is_flow(self) -> bool:
        """Whether the whole document is written in braces, like JSON."""
        return not _is_block(self._values[()])

    def _has(self, loc: Loc) -> bool:
        if self._values:
            return loc in self._values
        value = self.value  # from a dict: no places, only paths
        for part in loc:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def problem(self, code: str, message: str, loc: Loc, help: str | None = None, key: bool = False) -> Problem:
        """An error at `loc`."""
        return Problem("error", code, message, self.span(loc, key), help)

    def _span_of(self, node: yaml.Node, dotted: str) -> Span:
        start, end = node.start_mark, node.end_mark
        text = self.lines[start.line] if start.line < len(self.lines) else ""
        stop = end.column if end.line == start.line else len(text)
        return Span(self.file, start.line + 1, start.column + 1, max(1, stop - start.column), dotted, text)

    def _mark(self, mark: yaml.Mark | None) -> Span:
        if mark is None:
            return Span(self.file)
        text = self.lines[mark.line] if mark.line < len(self.lines) else ""
        return Span(self.file, mark.line + 1, mark.column + 1, 1, "", text)


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def read(raw: bytes, file: str) -> Document:
    """Read one YAML document from bytes. Problems are data: `value` is None where nothing could be read."""
    document = Document(file, [])
    if len(raw) > MAX_BYTES:
        return _failed(
            document,
            "spec-too-large",
            f"the file has more than {MAX_BYTES:,} bytes, too many for a spec",
            "is this the data file?",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return _failed(document, "not-utf8", "the spec is not UTF-8 text", "save it as UTF-8", Span(file, line))
    document.lines = text.splitlines()
    try:
        node = _CoreLoader(text).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        return _failed(
            document,
            "yaml-syntax",
            f"character {error.character!r} is not allowed in YAML",
            "remove it",
            Span(file, line),
        )
    except yaml.MarkedYAMLError as error:
        document.problems.append(_syntax(document, error))
        return document
    except RecursionError:
        return _too_deep(document)
    if node is None:
        return _empty(document)
    builder = _Builder(document)
    try:
        document.value = builder.build(node, ())
    except _TooDeep:
        return _too_deep(document)
    except _TooMany:
        return _failed(
            document,
            "yaml-aliases",
            f"the YAML expands to more than {MAX_NODES:,} values",
            "write values out: aliases (*name) multiply",
        )
    if document.value is None and not document.problems:
        return _empty(document)
    return document


class _TooMany(Exception):
    """The budget of nodes is used up."""


class _TooDeep(Exception):
    """Mappings and lists are nested beyond MAX_DEPTH, or an alias contains itself."""


class _Builder:
    """Turns nodes into values; aliases are followed within a budget of nodes and depth."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.left = MAX_NODES

    def build(self, node: yaml.Node, loc: Loc) -> Any:
        self.left -= 1
        if self.left < 0:
            raise _TooMany
        if len(loc) > MAX_DEPTH:
            raise _TooDeep
        self.document._values[loc] = node
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return dict(self.pairs(node, loc))
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            return [self.build(item, (*loc, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode) and node.tag.removeprefix(_TAG) in ("str", "int", "float", "bool", "null"):
            if node.tag.endswith(("int", "float")) and len(node.value) > MAX_DIGITS:
                self.document.problems.append(
                    self.document.problem(
                        "yaml-number", f"a number of {len(node.value):,} digits", loc, "quote it if it is a name"
                    )
                )
                return None
            try:
                return _scalar(node)
            except UnicodeDecodeError:
                self.document.problems.append(
                    self.document.problem("yaml-key", _HALF, loc, "write the character itself")
                )
                return None
            except ValueError:
                pass
        tag = node.tag.replace(_TAG, "!!")[:60]
        self.document.problems.append(
            self.document.problem(
                "yaml-tag", f"the tag {tag} does not fit here", loc, "write plain values without tags"
            )
        )
        return None

    def pairs(self, node: yaml.MappingNode, loc: Loc) -> Iterator[tuple[str, Any]]:
        key_nodes: dict[str, yaml.Node] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                span = self._key_span(key_node, loc)
                self.document.problems.append(
                    Problem("error", "yaml-key", "a key must be plain text", span, "quote the key if it holds [ or {")
                )
                continue
            try:
                key = _whole(key_node.value)
            except UnicodeDecodeError:
                span = self._key_span(key_node, loc)
                self.document.problems.append(Problem("error", "yaml-key", _HALF, span, "write the character itself"))
                continue
            if key == "<<" and not key_node.style:
                self.document.problems.append(
                    Problem(
                        "error",
                        "yaml-key",
                        "merge keys (<<) are not read",
                        self._key_span(key_node, loc),
                        "write the keys out",
                    )
                )
                continue
            if key in key_nodes:
                first = key_nodes[key].start_mark.line + 1
                span = self._key_span(key_node, (*loc, key))
                self.document.problems.append(
                    Problem(
                        "error",
                        "duplicate-key",
                        f"the key '{key}' stands twice, first in line {first}",
                        span,
                        "keep one of them",
                    )
                )
                continue
            key_nodes[key] = key_node
            self.document._keys[(*loc, key)] = key_node
            yield key, self.build(value_node, (*loc, key))

    def _key_span(self, key: yaml.Node, loc: Loc) -> Span:
        return self.document._span_of(key, ".".join(map(str, loc)))


_HALF = "half of a surrogate pair is not a character"


def _whole(text: str) -> str:
    """Text with the surrogate pairs of JSON escapes joined. Raises UnicodeDecodeError for half a pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    return text


def _scalar(node: yaml.ScalarNode) -> Any:
    text, kind = _whole(node.value), node.tag.removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool":
        if text.lower() not in ("true", "false"):
            raise ValueError(text)
        return text.lower() == "true"
    if kind == "int":
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text[2:] if base != 10 else text, base)
    return float(text.replace(".inf", "inf").replace(".nan", "nan")) if kind == "float" else text


def _syntax(document: Document, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = error.problem or "cannot be read"
    help = "check indentation, colons, brackets and quotes around this line"
    if "\\t" in what or (mark is not None and mark.line < len(document.lines) and "\t" in document.lines[mark.line]):
        help = "YAML is indented with spaces: replace the tab"
    elif "document" in what:
        help = "one spec per file: split at the line with ---"
    return Problem("error", "yaml-syntax", f"not valid YAML: {what}", document._mark(mark), help)


def _empty(document: Document) -> Document:
    return _failed(document, "spec-empty", "the spec is empty", "start from `abcx init DATA`")


def _too_deep(document: Document) -> Document:
    return _failed(
        document, "yaml-depth", "the YAML is nested too deeply to be a spec", "write the keys of the spec reference"
    )


def _failed(document: Document, code: str, message: str, help: str, span: Span | None = None) -> Document:
    document.value = None
    document.problems.append(Problem("error", code, message, span or Span(document.file), help))
    return document
