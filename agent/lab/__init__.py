"""What is no gate in service: simulated days, measurements of faces and of speed, a demonstration."""
