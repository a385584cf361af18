"""Tables to the rows of exposures, events and units: columns, conditions, keys, times, rows that are no data."""
