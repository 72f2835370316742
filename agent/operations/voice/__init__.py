"""The gate's voice: texts, recordings, and what is made of them."""
