"""Where parts are opened and put together; only this floor and the lab touch adapters."""
