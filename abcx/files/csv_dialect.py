"""The options of DuckDB's read_csv for the dialect of a CSV file."""

from __future__ import annotations

from abcx.engines.quoting import literal
from abcx.files.paths import DataFile
from abcx.spec.model import FileOptions


def dialect(file: DataFile, options: FileOptions, null: str = "") -> list[str]:
    """The options of read_csv for the dialect of a file; `null` is the text of a missing value."""
    delimiter = options.delimiter or ("\t" if file.format == "tsv" else None)
    arguments = ["quote='\"'", "escape='\"'", "hive_partitioning=false", f"compression='{file.compression}'"]
    if delimiter:
        arguments.append(f"delim={literal(delimiter)}")
    if options.skip is not None:  # without it the engine skips lines by its own guess
        arguments.append(f"skip={options.skip}")
    nulls = [null, *(options.null or ())]
    arguments.append(f"nullstr=[{', '.join(literal(null) for null in nulls)}]")
    return arguments
