"""What was promised: a YAML spec -> an Experiment, or every problem with its line and column."""
