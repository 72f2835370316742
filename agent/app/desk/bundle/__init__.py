"""What the bundle is made of, read from the kiosk as it stands: whole, broken, running or not."""
