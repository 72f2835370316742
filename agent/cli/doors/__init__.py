"""Doors and passback."""
