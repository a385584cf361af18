"""Turns tables into rows of exposures, events and units: columns, conditions, keys, times, rows that are not data."""
