"""Single rows of the registry: how each is judged, read, and told to have been touched."""
