"""What lies in the state folder: a row a file, and the only place that knows all of them.

A name that a lower floor owns (the key's, the recorded outputs', the folders of packs, messages
and trust lists) is imported from there; every other name stands here. Whoever opens, looks at or
copies a file of the state goes by its row. All of it is light: every command imports it.
"""

from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from pathlib import Path, PurePath

from agent.adapters.store.names import (
    BROKEN,
    INDEX,
    INSTALLATION,
    KEY_NAME,
    LOG,
    MARK,
    NEXT,
    SEALING_KEY_NAME,
    SIGNING_KEY_NAME,
    TIME,
    TOMBSTONE_KEY_NAME,
)
from agent.operations.places import OUTPUTS_RECORD, TRUST_FOLDER, VOICES_FOLDER
from agent.vision.packs.place import CHOICE_NAME
from agent.vision.packs.place import FOLDER as PACKS_FOLDER

FOLDER_MODE = 0o700
"""The state folder's own mode: what is open to all in it is so to nobody else."""
BESIDE = ".lock"
"""The end of the name of a socket's lock, after the socket's."""


class Copy(Enum):
    """How a copy of it is made that can be put back."""

    DATABASE = "SQLite's backup"
    FILE = "as a file"
    FOLDER = "the folder"
    NONE = "not: made anew"


@dataclass(frozen=True, slots=True)
class Row:
    """One file, or one folder with all that is in it.

    ``name`` may hold ``*``; ``owner`` is the module under ``agent`` that writes it; ``mode`` is
    that of the file, or of each file in the folder, as the agent makes it (the service's umask
    leaves a folder's 0600). ``secret`` is what holds a key, or tells who lives here, passed, or is
    inside. ``loss`` says what is so once it is gone.
    """

    name: str
    owner: str
    mode: int
    secret: bool
    loss: str
    copy: Copy

    def at(self, folder: Path) -> Path:
        """Its place in the state folder ``folder``; of a name with ``*`` there is none."""
        return folder / self.name

    def holds(self, place: PurePath) -> bool:
        """Whether what lies at ``place``, relative to the state folder, belongs to it.

        SQLite's log and index belong to their database.
        """
        if self.copy is Copy.FOLDER:
            return place.parts[0] == self.name
        ends = ("", LOG, INDEX) if self.copy is Copy.DATABASE else ("",)
        return any(fnmatchcase(str(place), f"{self.name}{end}") for end in ends)


KEY = Row(
    KEY_NAME,
    "adapters.store.keys",
    0o600,
    secret=True,
    loss="No face's reference and no name can be opened any more: everybody is enrolled again.",
    copy=Copy.FILE,
)
KEY_NEXT = Row(
    f"{KEY_NAME}{NEXT}",
    "adapters.store.keys",
    0o600,
    secret=True,
    loss="A key change that was cut short cannot be ended: what it had sealed is enrolled again.",
    copy=Copy.FILE,
)
TOMBSTONE_KEY = Row(
    TOMBSTONE_KEY_NAME,
    "adapters.store.people.tombstones",
    0o600,
    secret=True,
    loss="Nobody knows any more who was removed: no pass opens for whom the registry knows not.",
    copy=Copy.FILE,
)
SIGNING_KEY = Row(
    SIGNING_KEY_NAME,
    "app.open.files.kiosk_keys",
    0o600,
    secret=True,
    loss="The next start makes another one, which the backend does not know until it is told.",
    copy=Copy.FILE,
)
SIGNING_KEY_NEXT = Row(
    f"{SIGNING_KEY_NAME}{NEXT}",
    "app.open.files.kiosk_rotation",
    0o600,
    secret=True,
    loss="A change of the signing key that was cut short is begun anew by another command.",
    copy=Copy.NONE,
)
SEALING_KEY = Row(
    SEALING_KEY_NAME,
    "app.open.files.kiosk_keys",
    0o600,
    secret=True,
    loss="What was sealed for this kiosk opens no more; the next start makes another key.",
    copy=Copy.FILE,
)
REGISTRY = Row(
    "registry.sqlite",
    "adapters.store.people.registry",
    0o600,
    secret=True,
    loss="Nobody is known or let in until somebody accepts that: all is entered again.",
    copy=Copy.DATABASE,
)
REGISTRY_INCOMING = Row(
    "registry-incoming-*",
    "app.threads.sync.assembly",
    0o600,
    secret=False,
    loss="An update of the registry that is on its way is asked for again; it lies here sealed.",
    copy=Copy.NONE,
)
JOURNAL = Row(
    "journal.sqlite",
    "adapters.store.record.journal",
    0o600,
    secret=True,
    loss="What happened is forgotten, what the broker did not have never reaches it; that is told.",
    copy=Copy.DATABASE,
)
JOURNAL_MARK = Row(
    f"{JOURNAL.name}{MARK}",
    "adapters.store.record.stream_mark",
    0o600,
    secret=False,
    loss="The journal begins a new epoch, as it shall where a copy of it was put back.",
    copy=Copy.NONE,
)
JOURNAL_BROKEN = Row(
    f"{JOURNAL.name}{BROKEN}*",
    "adapters.store.record.salvage",
    0o600,
    secret=True,
    loss="A damaged journal cannot be read out by hand; what could be read is in the new one.",
    copy=Copy.FILE,
)
LEDGER = Row(
    "passes.sqlite",
    "adapters.store.pass_ledger",
    0o600,
    secret=True,
    loss="Passes of limited uses count as used up until somebody accepts that they begin anew.",
    copy=Copy.DATABASE,
)
LEDGER_TIME = Row(
    f"{LEDGER.name}{TIME}",
    "adapters.store.time_mark",
    0o600,
    secret=False,
    loss="After a power cut the latest sure time is an hour older at most.",
    copy=Copy.NONE,
)
LATCHES = Row(
    "latches.sqlite",
    "adapters.store.latches",
    0o600,
    secret=True,
    loss="Every door is locked down until somebody accepts it; then normal mode, nobody inside.",
    copy=Copy.DATABASE,
)
COMMANDS = Row(
    "commands.sqlite",
    "adapters.store.commands",
    0o600,
    secret=True,
    loss="No signed command that was issued before runs any more; each is sent anew.",
    copy=Copy.DATABASE,
)
BROKEN_REMAINS = Row(
    "*.broken-*",
    "adapters.store.aside",
    0o600,
    secret=True,
    loss="What was set aside or left of a file cannot be put back; nothing goes by it.",
    copy=Copy.FILE,
)
IDENTITY = Row(
    INSTALLATION,
    "adapters.store.installation",
    0o600,
    secret=False,
    loss="What the other files do not remember is in fault until a person accepts it.",
    copy=Copy.FILE,
)
RULES = Row(
    "rules.sha256",
    "app.gate.agent",
    0o600,
    secret=False,
    loss="The next start tells once that the rules were changed.",
    copy=Copy.NONE,
)
ANNOUNCED = Row(
    "home-assistant.json",
    "app.threads.record.discovery",
    0o600,
    secret=False,
    loss="What Home Assistant was told is not taken back where the option is turned off.",
    copy=Copy.FILE,
)
WRITTEN = Row(
    "written.json",
    "app.open.files.written",
    0o600,
    secret=False,
    loss="What was written to the card today is counted anew.",
    copy=Copy.NONE,
)
BACKUPS = Row(
    "backup.json",
    "app.open.files.backups",
    0o600,
    secret=False,
    loss="Until the next backup by the timer it is told that none was made.",
    copy=Copy.NONE,
)
OUTPUTS = Row(
    OUTPUTS_RECORD,
    "operations.secure_outputs",
    0o600,
    secret=False,
    loss="Until the next start a dead agent's outputs are secured by the config alone.",
    copy=Copy.NONE,
)
LOCK = Row(
    "agent.lock",
    "app.open.files.running",
    0o600,
    secret=False,
    loss="Taken away under a running agent, a second one could start and drive its outputs.",
    copy=Copy.NONE,
)
SOCKET = Row(
    "control.sock",
    "app.threads.control.socket",
    0o660,
    secret=False,
    loss="The agent hears no command until it starts again; the service's lies in /run.",
    copy=Copy.NONE,
)
SOCKET_LOCK = Row(
    f"{SOCKET.name}{BESIDE}",
    "app.threads.control.socket",
    0o600,
    secret=False,
    loss="Taken away under a running agent, another could take its socket.",
    copy=Copy.NONE,
)
MODELS = Row(
    PACKS_FOLDER,
    "operations.packs.install",
    0o644,
    secret=False,
    loss="The agent does not start until its pack is installed again.",
    copy=Copy.FOLDER,
)
PACK_CHOICE = Row(
    CHOICE_NAME,
    "operations.packs.choice",
    0o600,
    secret=False,
    loss="Where the config names no pack and several are installed, the agent does not start.",
    copy=Copy.FILE,
)
TRUST = Row(
    TRUST_FOLDER,
    "operations.health.trust_lists",
    0o600,
    secret=False,
    loss="No health certificate is believed until a trust list is installed again.",
    copy=Copy.FOLDER,
)
VOICES = Row(
    VOICES_FOLDER,
    "operations.voice.prepare",
    0o600,
    secret=False,
    loss="The gate says nothing until its messages are prepared and recordings installed again.",
    copy=Copy.FOLDER,
)
RESTORE = Row(
    ".restore*",
    "app.open.files.restoring",
    0o600,
    secret=True,
    loss="A restore that was cut short cannot be ended: it is to be repeated before the start.",
    copy=Copy.NONE,
)
DRAFTS = Row(
    ".*",
    "operations.files",
    0o600,
    secret=True,
    loss="Nothing is lost: a write that was cut short, or the pipe of a pin library.",
    copy=Copy.NONE,
)

ROWS = (
    *(KEY, KEY_NEXT, TOMBSTONE_KEY, SIGNING_KEY, SIGNING_KEY_NEXT, SEALING_KEY),
    *(
        REGISTRY,
        REGISTRY_INCOMING,
        JOURNAL,
        JOURNAL_MARK,
        JOURNAL_BROKEN,
        LEDGER,
        LEDGER_TIME,
        LATCHES,
        COMMANDS,
    ),
    *(BROKEN_REMAINS, IDENTITY, RULES, ANNOUNCED, WRITTEN, BACKUPS, OUTPUTS),
    *(LOCK, SOCKET, SOCKET_LOCK, MODELS, PACK_CHOICE, TRUST, VOICES, RESTORE, DRAFTS),
)
WATCHED = (REGISTRY, JOURNAL, LEDGER, LATCHES, COMMANDS)
"""What grants or forbids: one missing, empty, older, damaged or foreign is a fault (``state:``)."""


def row_of(place: PurePath) -> Row | None:
    """The row of what lies at ``place``, relative to the state folder; None for a stranger's."""
    return next((row for row in ROWS if row.holds(place)), None)
