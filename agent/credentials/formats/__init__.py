"""Encodings that credentials come in; each takes hostile input."""
