"""Commands' work about cards."""
