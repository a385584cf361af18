"""The analysis of an experiment: from a spec and its data to comparisons, checks and a verdict."""
