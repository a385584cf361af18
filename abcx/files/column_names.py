"""Names by which exports call the canonical columns, and ambiguous headers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_NAMES = {
    "unit": r"(user|visitor|customer|client|player|session|account|device|cookie|member|subject|unit)"
    r"([_ -]?(pseudo[_ -]?)?(id|uuid|key))?|uid|id|uuid",
    "arm": r"arm|variant|variation|(variation|variant)[_ -]?(name|id)|group|version|treatment|bucket|"
    r"(test|experiment)[_ -]?(group|arm|variant)|condition|cohort",
    "time": r"time|timestamp|ts|date|datetime|"
    r"(created|occurred|received|event|visit|start)(ed)?[_ -]?(at|on|time|date|timestamp|ts)",
    "event": r"event|event[_ -]?(name|type)|action|activity",
    "value": r"value|amount|revenue|total|price|(order|cart)[_ -]?(value|total|amount)|sales",
}
ROLES = tuple(_NAMES)


def sounds_like(role: str, name: str) -> bool:
    """Whether a column of this name is likely to be the canonical column `role`."""
    return role in _NAMES and re.fullmatch(_NAMES[role], name.strip(), re.IGNORECASE) is not None


def likely(role: str, header: Iterable[str]) -> str | None:
    """The first column that is likely to be the canonical column `role`."""
    return next((name for name in header if sounds_like(role, name)), None)


def unambiguous(names: tuple[str, ...]) -> tuple[str, ...]:
    """The header, with placeholders that no spec can name where a name is empty or repeated."""
    count = Counter(names)
    return tuple(name if name and count[name] == 1 else f"\0{i}\0{name}" for i, name in enumerate(names))


def standing_twice(header: Sequence[str]) -> list[str]:
    """The names that several columns of a header from `unambiguous` have."""
    repeated = (name.rpartition("\0")[2] for name in header if name.startswith("\0"))
    return list(dict.fromkeys(name for name in repeated if name))
