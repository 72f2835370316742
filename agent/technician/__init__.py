"""What a technician does at a kiosk, with whatever touches it handed in."""
