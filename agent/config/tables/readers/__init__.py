"""The tables of card readers."""
