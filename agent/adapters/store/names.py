"""What the files of the store are called where the store itself says so; apart, to be had lightly.

The databases' own names are told to it.
"""

KEY_NAME = "gallery.key"
"""The key's, in the state folder and as a systemd credential."""
TOMBSTONE_KEY_NAME = "tombstone.key"
"""By which those are hashed who were removed; beside the registry, and no systemd credential."""
NEXT = ".next"
"""The end of the key's that takes its place, beside it, while a rotation is on."""
HOLDER_NAME = "holder name"
"""What a sealed name is bound to, beside its holder."""
LOG, INDEX = "-wal", "-shm"
"""The end of what SQLite puts beside a database, and belongs to it."""
ROLLBACK = "-journal"
"""The end of what SQLite looks for beside a database, and ours never have."""
BROKEN = ".broken-"
"""Between the name and the moment, of a journal that was set aside."""
MARK = "-stream"
"""The end of the stream's mark, beside the journal."""
INSTALLATION = "installation"
"""What knows the installation's identity, and how far each of its files had come."""
