"""Looking after a kiosk."""
