"""Statistical tests and intervals: pure functions of numbers and arrays, without files, specs and texts."""
