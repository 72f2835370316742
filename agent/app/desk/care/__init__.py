"""A kiosk's state put away, brought back, and given to its successor."""
