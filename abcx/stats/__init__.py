"""What may be concluded: pure functions on numbers and arrays, without files, specs and texts."""
