"""From an event to the journal, the broker and the status page."""
