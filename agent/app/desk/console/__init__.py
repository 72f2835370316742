"""What the technician's page asks of a kiosk, by what its agent says and what lies on the disk."""
