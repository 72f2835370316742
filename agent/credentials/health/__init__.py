"""Health certificates: signatures, trust and rules."""
