"""What is no gate in service: simulated days, measurements, a demonstration."""
