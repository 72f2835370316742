"""The technician's page: who may see it, and what it serves; the kiosk behind it is handed in."""
