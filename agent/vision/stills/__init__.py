"""Photographs from files, however hostile."""
