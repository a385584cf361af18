"""Rows to units: who saw what and when, which events count for whom, where every row ended."""
