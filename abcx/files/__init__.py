"""Turns files into tables: paths, compression, encodings, CSV, JSON lines, Parquet, formats of numbers and times, rows
that cannot be read. Knows no experiment."""
