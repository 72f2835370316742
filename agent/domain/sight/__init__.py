"""What cameras see as values: images, tracks, symbols, comparisons and their errors."""
