"""What happened: files or frames -> events -> one row per unit -> moments."""
