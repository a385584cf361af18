"""Parts of docs/calibration.md that other commands write: each stands between `<!-- name -->` and `<!-- /name -->`."""

from __future__ import annotations

from benchmarks.calibration.cells import FAMILIES

PARTS: dict[str, tuple[str, ...]] = {
    "verdicts": ("## Summary",),
    "power": tuple(f"## {title}" for title in FAMILIES.values()),
}
"""Name of the part -> the headings before whose first it stands on a new page (at its end where none is there)."""


def kept_part(page: str, name: str) -> str | None:
    """The part with its markers; None where the page has none."""
    begin, end = _markers(name)
    start, stop = page.find(begin), page.find(end)
    return page[start : stop + len(end)] if 0 <= start < stop else None


def with_part(page: str, name: str, part: str) -> str:
    """The page with `part` (with or without its markers) in place of the one that it has, else where it belongs."""
    begin, end = _markers(name)
    whole = part if part.startswith(begin) else f"{begin}\n{part.strip()}\n{end}"
    if (old := kept_part(page, name)) is not None:
        return page.replace(old, whole)
    found = [at for heading in PARTS[name] if (at := f"\n{page}".find(f"\n{heading}\n")) >= 0]
    at = min(found, default=len(page))
    return f"{page[:at].rstrip()}\n\n{whole}\n\n{page[at:]}".rstrip() + "\n"


def carried(old: str, new: str) -> str:
    """The new page with all parts of the old one."""
    for name in PARTS:
        if (part := kept_part(old, name)) is not None:
            new = with_part(new, name, part)
    return new


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->", f"<!-- /{name} -->"
