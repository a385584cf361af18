"""Reports of results: terminal, Markdown, JSON, CSV. Nothing is computed here."""
