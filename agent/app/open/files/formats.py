"""The forms in which this release keeps its state: another reads it only where it knows the same.

An older agent refuses a database of a newer one, so a release that raises a number cannot be gone
back from. Whoever changes the form of a file does it in two releases: the first reads both forms
and writes the old one.
"""

from agent.adapters.store import commands, latches, pass_ledger
from agent.adapters.store.people import registry_file
from agent.adapters.store.record import journal_file
from agent.app.open.files.state import COMMANDS, JOURNAL, LATCHES, LEDGER, REGISTRY

FORMATS = {
    REGISTRY.name: registry_file.FORMAT,
    JOURNAL.name: journal_file.FORMAT,
    LEDGER.name: pass_ledger.FORMAT,
    LATCHES.name: latches.FORMAT,
    COMMANDS.name: commands.FORMAT,
    "other": 1,
}
"""By file; ``other`` stands for keys and notes, and is raised by hand where their form changes."""
