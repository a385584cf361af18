"""Measured data as typed Parquet files with a spec that reads them."""
