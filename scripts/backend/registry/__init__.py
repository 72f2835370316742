"""The registry: what kiosks are to know of holders, and how it reaches them."""
