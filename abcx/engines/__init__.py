"""The engines that read data: DuckDB in this process, Spark, PostgreSQL. Knows no file format and no metric."""
