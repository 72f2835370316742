"""Card readers and keypads."""
