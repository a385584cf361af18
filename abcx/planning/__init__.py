"""What was promised: the declared end, and the sizes that effects need."""
