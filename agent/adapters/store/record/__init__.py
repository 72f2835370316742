"""The journal: events in their order, what of them is kept, and what is saved of a damaged one."""
