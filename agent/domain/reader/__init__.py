"""Card readers and keypads on two wires: pulses, frames, card formats, keys."""
