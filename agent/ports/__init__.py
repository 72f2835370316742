"""What the agent asks of the world: small protocols, each what one caller needs, and their values.

An adapter that cannot start raises ``UnavailableError`` with the fix; one that fails later raises
too, and its thread's owner turns that into a fault. Nothing here waits without a timeout.
"""

from agent.ports.clock import Clock
from agent.ports.commands import CommandStore, Horizon, Noted, Owed
from agent.ports.memory import BudgetStore, LatchStore, PassLedger, StateKeeper, TrustedTime
from agent.ports.outputs import Door, Indicator, Loudspeaker
from agent.ports.people import (
    BoundMemory,
    Damage,
    DocumentHashes,
    DocumentStore,
    Gallery,
    GalleryArrays,
    HolderStore,
    OpenedReference,
    PassTrust,
    PeopleStore,
    Picture,
    Reference,
    ReferenceList,
    RuleTexts,
    SaidRules,
    Seals,
    StillHolds,
    whoever,
)
from agent.ports.record import (
    TOO_LARGE,
    AgingStream,
    Broker,
    EventLog,
    Journal,
    Lost,
    LostEvent,
    RangeLog,
    StoredEvent,
    Stream,
    Tip,
)
from agent.ports.registers import Archive, Entry, Registration
from agent.ports.senses import Camera, IdReader, Inputs, PhotoDecoder, SymbolReader, Thermometer

__all__ = [
    "TOO_LARGE",
    "AgingStream",
    "Archive",
    "BoundMemory",
    "Broker",
    "BudgetStore",
    "Camera",
    "Clock",
    "CommandStore",
    "Damage",
    "DocumentHashes",
    "DocumentStore",
    "Door",
    "Entry",
    "EventLog",
    "Gallery",
    "GalleryArrays",
    "HolderStore",
    "Horizon",
    "IdReader",
    "Indicator",
    "Inputs",
    "Journal",
    "LatchStore",
    "Lost",
    "LostEvent",
    "Loudspeaker",
    "Noted",
    "OpenedReference",
    "Owed",
    "PassLedger",
    "PassTrust",
    "PeopleStore",
    "PhotoDecoder",
    "Picture",
    "RangeLog",
    "Reference",
    "ReferenceList",
    "Registration",
    "RuleTexts",
    "SaidRules",
    "Seals",
    "StateKeeper",
    "StillHolds",
    "StoredEvent",
    "Stream",
    "SymbolReader",
    "Thermometer",
    "Tip",
    "TrustedTime",
    "whoever",
]
