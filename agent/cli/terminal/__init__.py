"""How answers look to people: tables, records, colours by meaning, sheets."""
