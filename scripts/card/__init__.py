"""Prepares the card that a kiosk starts from."""
