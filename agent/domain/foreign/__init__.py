"""Bytes and texts that others made: what of them can be read, and as what."""
