"""Turns rows into units: arms and exposures, the events that count, and the balance of all rows."""
