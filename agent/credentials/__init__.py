"""From the bytes of a credential to verified claims; nothing here reads a file or a clock."""
