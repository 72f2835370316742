"""What runs beside the control loop: each thread's round, and what it posts."""
