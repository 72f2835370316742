"""A kiosk's backup: how it is sealed, what lies in it, and who was removed since it was made."""
