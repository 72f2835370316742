"""Holders, their references and documents."""
