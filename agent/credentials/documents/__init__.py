"""ID documents: numbers and what is kept of them."""
