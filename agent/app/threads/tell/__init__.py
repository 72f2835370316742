"""Lights, voice and announcements."""
