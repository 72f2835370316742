"""The event contract, written from what the code knows: config/asyncapi.yaml and its page."""
