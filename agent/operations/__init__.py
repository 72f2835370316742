"""Use cases over ports; they open nothing themselves."""
