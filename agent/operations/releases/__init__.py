"""Releases of the program that stand side by side: which is current, and how another becomes it."""
