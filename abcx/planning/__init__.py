"""The plan of an experiment: its declared end, and the sizes that effects need."""
