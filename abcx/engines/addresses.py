"""Distinguishes files from tables of a server by their names."""

from __future__ import annotations

import re

_DATA = re.compile(r"\.(csv|tsv|txt|parquet|pq|gz|zst)$|/|\\|\*", re.IGNORECASE)


def is_path(source: str) -> bool:
    """Whether a source for Spark is a file or a folder; else it is the name of a table."""
    return _DATA.search(source) is not None
