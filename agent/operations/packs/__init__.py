"""Model packs: fetched, converted, checked, installed."""
