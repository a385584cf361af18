"""A first spec from files: what `abcx init` proposes."""
