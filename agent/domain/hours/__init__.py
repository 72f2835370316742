"""Instants, schedules and holidays."""
