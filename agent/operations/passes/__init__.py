"""Gate passes: keys, issue, print."""
