"""What speaks and what plays."""
