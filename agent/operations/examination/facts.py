"""What the doctor's checks judge by: plain values, however they were had.

Nothing here is a secret, a name or a picture.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CameraFact:
    """Some frames of a camera; brightness in grey levels of 255, ``contours`` a share of 1.

    ``contours`` is the share of the picture in which there is anything to see, ``zone_contours``
    that of the approach zone. ``alike``: the frames were the same to the byte. ``still``: it is of
    photographs; ``infrared``: it may well be dark. ``blur`` and ``blue`` are as in
    ``vision.frames.figures``, None where nobody took them.
    """

    what: str
    frames: int
    width: int = 0
    height: int = 0
    brightness: float = 0.0
    contours: float = 0.0
    zone_contours: float = 0.0
    alike: bool = False
    still: bool = False
    infrared: bool = False
    blur: float | None = None
    blue: float | None = None


@dataclass(frozen=True, slots=True)
class ThermometerFact:
    """A reading, degrees Celsius; ``skin_max_c`` is what living skin has at most."""

    said: str
    temperature_c: float
    ambient_c: float | None
    skin_max_c: float


@dataclass(frozen=True, slots=True)
class BrokerFact:
    """A connection as the kiosk, and one message on its own events.

    ``refused`` is the broker's word on writing there, ``unread`` that it lets nothing be read;
    ``acknowledged`` that it took the message, ``came_back`` that it passed it on. ``five``: by MQTT
    5, where a refusal is said. ``agent_why`` is why the running agent is not connected.
    """

    place: str
    tls: str | None = None
    expires_days: float | None = None
    five: bool = True
    refused: str | None = None
    unread: bool = False
    acknowledged: bool = False
    came_back: bool = False
    agent_why: str | None = None


@dataclass(frozen=True, slots=True)
class TimeFact:
    """Who vouches for the clock, which says ``said``, in UTC.

    ``kept``: an NTP client set it in this boot. ``vouched``: the config does so. ``doubt`` is the
    running agent's judgement where it is not sure. ``past``: it lies before this release was made.
    """

    said: str
    kept: bool
    vouched: bool
    past: bool
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class BoardFact:
    """The board: the warmest sensor, and the Pi firmware's word on its supply.

    ``throttled`` has the bits of ``vcgencmd get_throttled``; None where nobody says.
    """

    celsius: float | None
    throttled: int | None


@dataclass(frozen=True, slots=True)
class AgentFact:
    """Whether an agent runs; ``faults`` are its parts in fault, None where it does not answer."""

    runs: bool
    faults: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Doubtful:
    """What was found works, and somebody should know what it says."""

    said: str


@dataclass(frozen=True, slots=True)
class BusFact:
    """Who answers on an I2C bus, by address; ``wanted`` is the configured part's.

    ``spoilt`` of ``asked`` answers of it had a wrong check byte (PEC; 0 asked where its kind has
    none). ``hangs``: a transfer ended by time.
    """

    bus: int
    part: str
    wanted: int
    answering: tuple[int, ...]
    asked: int = 0
    spoilt: int = 0
    hangs: bool = False


@dataclass(frozen=True, slots=True)
class DiskFact:
    """The disk of the state: what is free, and what its own controller says of its wear.

    ``nodes`` is the free share of the file system's inodes, None where it counts none. ``worn`` is
    the worst of the controller's estimates in percent of its life, 101 where it is over; ``spare``
    is 1 for normal, 2 for 80 percent of the reserve used, 3 for nearly all (eMMC's pre-EOL). None
    where the kernel tells nothing, as of SD cards. ``written`` is what the agent counted of a day
    beside its budget, in words.
    """

    free_bytes: int
    nodes: float | None = None
    worn: int | None = None
    spare: int | None = None
    written: str | None = None


@dataclass(frozen=True, slots=True)
class JournalFact:
    """Some or all events of the journal, and what is wrong with their chain, in words."""

    events: int
    whole: bool
    flaws: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InferenceFact:
    """A pack's answer to a known picture; ``off`` is how far its worst number is from the known
    one, None where none is known of this version.
    """

    pack: str
    took_s: float
    finite: bool
    off: float | None
    numbers: tuple[float, ...] = ()
