"""Where the data are read: DuckDB in this process, Spark, PostgreSQL. Knows no file format and no metric."""
