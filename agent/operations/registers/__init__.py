"""The community's registers: categories, registration, import."""
