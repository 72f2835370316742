"""Threads that look, read and listen at the gate."""
