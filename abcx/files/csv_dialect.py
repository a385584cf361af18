"""How a CSV file is written, in the words of the reader."""

from __future__ import annotations

from abcx.engines.quoting import literal
from abcx.files.paths import DataFile
from abcx.spec.model import FileOptions


def dialect(file: DataFile, options: FileOptions, null: str = "") -> list[str]:
    """The options of read_csv that say how the text is written; `null` stands for a missing value."""
    delimiter = options.delimiter or ("\t" if file.format == "tsv" else None)
    arguments = ["quote='\"'", "escape='\"'", "hive_partitioning=false", f"compression='{file.compression}'"]
    if delimiter:
        arguments.append(f"delim={literal(delimiter)}")
    if options.skip is not None:  # the engine skips lines that it does not like, where it is not told
        arguments.append(f"skip={options.skip}")
    nulls = [null, *(options.null or ())]
    arguments.append(f"nullstr=[{', '.join(literal(null) for null in nulls)}]")
    return arguments
