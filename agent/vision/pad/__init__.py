"""Presentation attack detection: models that tell a face from a picture of one."""
