"""The spec: YAML -> an Experiment, or every problem with its line and column."""
