"""Apache Spark, by PySpark: files and tables are read, joined and summed by unit where Spark runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from abcx.engines.addresses import is_path
from abcx.engines.dialects import PREFIX
from abcx.engines.quoting import literal
from abcx.engines.remote import Backend
from abcx.errors import DataError, UsageError
from abcx.problems import Problem
from abcx.spec.model import FileOptions

_TYPES = {
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "timestamp_ntz": "TIMESTAMP",
    "string": "VARCHAR",
}
"""DuckDB's names of Spark's types; decimal is read as DOUBLE, other types as text."""
_ROWS = ("exposures", "events", "units")


class Spark(Backend):
    """A Spark session, 4.0 or newer. `master` is Spark's address (spark://host:7077, local[2]); None is the configured
    one, by default all cores of this machine. Raises DataError where Spark cannot start."""

    dialect = "spark"
    name = "Spark"

    def __init__(self, master: str | None, memory: str | None, threads: int | None) -> None:
        try:
            from py4j.protocol import Py4JError
            from pyspark.errors import PySparkException
            from pyspark.sql import SparkSession
        except ImportError:
            raise UsageError("PySpark is not installed", "pip install 'abcx[spark]'; Spark needs Java 17") from None
        self.errors = (PySparkException, Py4JError)
        builder = SparkSession.builder.appName("abcx").config("spark.ui.enabled", "false")
        builder = builder.config("spark.ui.showConsoleProgress", "false").config("spark.sql.shuffle.partitions", "16")
        if memory:
            builder = builder.config("spark.driver.memory", memory.replace("iB", "").replace("B", "").replace(" ", ""))
        if master or threads:
            builder = builder.master(master or f"local[{threads}]")
        self._ours = SparkSession.getActiveSession() is None
        try:
            self._session = builder.getOrCreate()
        except Exception as error:  # a JVM that does not start raises many types
            message = f"Spark cannot start: {str(error).strip().partition(chr(10))[0][:200]}"
            raise DataError(Problem("error", "engine-unreachable", message, help="is Java 17 installed?")) from None
        self._session.sparkContext.setLogLevel("ERROR")
        self._tables: dict[str, Any] = {}

    def told(self, error: Exception) -> str:
        text = str(error)
        if "MALFORMED_RECORD" in text or "Malformed records" in text:
            return "a row of a CSV file has too few or too many cells"
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        causes = [line.partition(": ")[2] for line in lines if line.startswith(("Caused by: ", ": "))]
        return (causes or lines or ["an error without a message"])[-1]

    def view(self, name: str, source: str, base: Path, options: FileOptions) -> list[tuple[str, str]]:
        frame = self._read(source, base, options)
        types = dict(frame.dtypes)
        columns = [_column(frame, i, types[column]) for i, column in enumerate(frame.columns)]
        frame.select(*columns).createOrReplaceTempView(PREFIX + name)
        return [(column, _duckdb(types[column])) for column in frame.columns]

    def _read(self, source: str, base: Path, options: FileOptions) -> Any:
        """The frame of a file, a folder or a table."""
        if not is_path(source):
            return self._session.table(source)
        path = source if "://" in source else str((base / Path(source).expanduser()).resolve())
        if (
            source.rstrip("/").endswith((".parquet", ".pq"))
            or options.format == "parquet"
            or "." not in Path(path).name
        ):
            return self._session.read.parquet(path)
        reader = self._session.read.option("header", True).option("escape", '"').option("multiLine", True)
        reader = reader.option("mode", "FAILFAST").option("enforceSchema", False)
        tab = "\t" if source.endswith(".tsv") or options.format == "tsv" else ","
        return reader.option("sep", options.delimiter or tab).csv(path)

    def create(self, name: str, query: str) -> None:
        frame = self._session.sql(query)
        if name in _ROWS and "rowid" not in frame.columns:
            frame = frame.selectExpr("monotonically_increasing_id() AS rowid", "*")
        self._keep(name, frame)

    def append(self, name: str, query: str) -> None:
        first_row = self.rows(f"SELECT coalesce(max(rowid) + 1, 0) FROM {PREFIX}{name}")[0][0]
        new_rows = self._session.sql(query).selectExpr(
            f"monotonically_increasing_id() + {int(first_row)} AS rowid", "*"
        )
        self._keep(name, self._tables[name].unionByName(new_rows))

    def delete(self, name: str, condition: str) -> None:
        self._keep(name, self._tables[name].where(f"NOT coalesce(({condition}), FALSE)"))

    def drop(self, name: str) -> None:
        self._session.catalog.dropTempView(PREFIX + name)
        self._tables.pop(name).unpersist()

    def _keep(self, name: str, frame: Any) -> None:
        """Cache a frame as a table, so that it is computed only once."""
        self._tables[name] = frame.cache()
        frame.createOrReplaceTempView(PREFIX + name)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._session.sql(query).collect()]

    def fetch_many(self, query: str, scratch: Path) -> tuple[str, object | None]:
        return "fetched", self._session.sql(query).toArrow()

    def set_time_zone(self, zone: str) -> None:
        self._session.sql(f"SET TIME ZONE {literal(zone)}")

    def interrupt(self) -> None:
        self._session.interruptAll()

    def close(self) -> None:
        for name in list(self._tables):
            self.drop(name)
        if self._ours:
            self._session.stop()


def _duckdb(type: str) -> str:
    return "DOUBLE" if type.startswith("decimal") else _TYPES.get(type, "VARCHAR")


def _column(frame: Any, position: int, type: str) -> Any:
    """A column, named by its position, in a type that DuckDB has."""
    column = frame[frame.columns[position]]
    if type.startswith("decimal"):
        column = column.cast("double")
    elif type not in _TYPES:
        column = column.cast("string")
    return column.alias(f"c{position}")
