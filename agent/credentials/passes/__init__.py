"""Gate passes: their claims, issuers and sealed templates."""
