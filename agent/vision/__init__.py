"""From frames to observations: faces, symbols, photographs and the packs that read them."""
