"""The community's registry, as it comes by the broker and is taken over."""
