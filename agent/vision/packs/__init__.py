"""Model packs: manifests, files, conversion of networks."""
