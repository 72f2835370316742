"""Threads that watch the gallery, the time and the disk."""
