"""Holders, references and documents, and the files they come in."""
