"""Who may pass: evidence, situation, rules and the one decision."""
