"""The pages of docs/ as a site: where each comes to stand, and what the navigation holds."""
