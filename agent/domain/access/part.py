"""The parts of a kiosk that may be in fault, and their names on the wire.

    named:  camera:front  door:lane.entry  feedback:lane.entry  tamper:housing  input:rex  ...
    lone:   disk  journal  latches  thermometer  voice  voice:files  ...

A part's name stands in events, in the status, in the latches on the disk and on the command line,
so a kind's word never changes.
"""

import re
from enum import StrEnum
from typing import NewType

Part = NewType("Part", str)
"""A part as it is told and kept: ``camera:front``, ``disk``; ``PartKind`` makes it."""


class PartKind(StrEnum):
    """What can fail; one with a colon at its end is named: by camera, output, input and so on."""

    CAMERA = "camera:"
    LENS = "lens:"
    MOUNT = "mount:"
    PAD = "pad:"
    DOOR = "door:"
    FEEDBACK = "feedback:"
    TAMPER = "tamper:"
    INPUTS = "inputs"
    INPUT = "input:"
    LATCHES = "latches"
    DISK = "disk"
    THERMOMETER = "thermometer"
    GALLERY = "gallery"
    REGISTRY = "registry"
    JOURNAL = "journal"
    EVENTS = "events"
    BROKER = "broker"
    PASSES = "passes"
    ID_READER = "id_reader"
    READER = "reader:"
    """Of cards, on two wires."""
    INDICATOR = "indicator:"
    VOICE = "voice"
    VOICE_FILES = "voice:files"
    CLOCK = "clock"
    STATE = "state:"
    CONFIG = "config"
    """The card's gate.toml is wrong, and the agent runs by an older one."""
    WEAR = "wear"
    """More is written a day than the budget of the memory card allows."""
    BACKUP = "backup"
    """The last one that a timer was to make failed, or the newest is too old."""

    @property
    def is_named(self) -> bool:
        """Whether a kiosk may have several of it."""
        return self.value.endswith(":")

    def part(self, name: str = "") -> Part:
        """The part of this kind, by its ``name`` where there are several.

        Raises:
            ValueError: a name is missing, or is one too many.
        """
        if bool(name) is not self.is_named:
            raise ValueError(f"{self.value!r} and {name!r} name no part")
        return Part(self.value + name)


STATE_REGISTRY = PartKind.STATE.part("registry")
STATE_PASSES = PartKind.STATE.part("passes")
STATE_LATCHES = PartKind.STATE.part("latches")
STATE_COMMANDS = PartKind.STATE.part("commands")
"""Files of the state that are missing, older or foreign: they keep the stricter side, and only
``state accept`` ends that."""

_ONLY_A_PERSON_CLEARS = frozenset({PartKind.DOOR, PartKind.FEEDBACK, PartKind.TAMPER})


def parse(part: str) -> tuple[PartKind, str] | None:
    """Its kind, and its name or an empty one; None for what no agent of this version says.

    A latch on the disk may be an older agent's: it stays in fault, and nothing depends on it.
    """
    for kind in PartKind:
        name = part.removeprefix(kind.value)
        if part.startswith(kind.value) and bool(name) is kind.is_named:
            return kind, name
    return None


def kind_of(part: str) -> PartKind | None:
    """Its kind, None where it has none."""
    parsed = parse(part)
    return None if parsed is None else parsed[0]


def only_a_person_clears(part: str) -> bool:
    """Whether its fault outlives the agent, because nothing that the agent sees ends it."""
    return kind_of(part) in _ONLY_A_PERSON_CLEARS


def pattern() -> str:
    """The regular expression that every part fits, for who reads events: ``^(camera:.+|...)$``."""
    kinds = (re.escape(kind.value) + (".+" if kind.is_named else "") for kind in PartKind)
    return f"^({'|'.join(kinds)})$"
