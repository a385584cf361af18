"""The results of an analysis as frozen records, and their form as JSON."""
