"""Passes, their issuers, and certificates."""
