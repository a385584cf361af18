"""From a spec and its data to comparisons, checks, a verdict: Results."""
