"""Turns files or frames into events, one row per unit, and summaries by arm."""
