"""Skin temperatures: samples, spots, limits, and what is not as warm as a face."""
