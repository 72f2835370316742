"""Readers of ID documents, byte for byte."""
