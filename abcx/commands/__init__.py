"""The subcommands: one file each, with `run(...) -> int`, the exit code."""
