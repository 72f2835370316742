"""One file a table: its class, what it owes the others, its warnings, its line of the summary."""
