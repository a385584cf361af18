"""How results are told: terminal, Markdown, JSON, CSV. Nothing is computed here."""
