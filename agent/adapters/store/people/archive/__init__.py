"""The archive's tables in the registry: records, resident codes, changes of category."""
