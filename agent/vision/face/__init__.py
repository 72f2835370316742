"""From a frame to a template: detect, track, align, embed."""
