"""The frozen records of a readout, and their form as JSON."""
