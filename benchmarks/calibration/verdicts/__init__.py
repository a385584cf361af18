"""The share of wrong verdicts over simulated experiments, through abcx's own verdict.

- `real`: how a simulated experiment reaches the verdict, and what is counted.
- `shares`: rows that are read once. `looks`: rows that are read many times. `surveys`: answers of those who answer.
  `files`: exposures and events as frames.
- `table`: the promise, the words and the section of docs/calibration.md.
"""
