"""Where a kiosk speaks: ``gate/{community}/{grid}/{kiosk}/...``."""

from dataclasses import dataclass

from agent.domain.record.events import EventType

CLOUD_EVENT = "application/cloudevents+json"
JSON = "application/json"
BYTES = "application/octet-stream"
"""What MQTT 5 says of a payload."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one kiosk; the three names are checked words of the config."""

    community: str
    grid: str
    kiosk: str

    @property
    def base(self) -> str:
        """The subtree that is this kiosk's own."""
        return f"gate/{self.community}/{self.grid}/{self.kiosk}"

    @property
    def kiosk_path(self) -> str:
        """The kiosk's three names: ``lakeside/g3/north-1``."""
        return f"{self.community}/{self.grid}/{self.kiosk}"

    @property
    def source(self) -> str:
        """The CloudEvents ``source`` of everything it says."""
        return f"/{self.base}"

    @property
    def status(self) -> str:
        """Retained: what stands now; also the last will."""
        return f"{self.base}/status"

    @property
    def health(self) -> str:
        """The heartbeat: QoS 0, never retained."""
        return f"{self.base}/health"

    @property
    def keys(self) -> str:
        """Retained: the public halves of the kiosk's own keys, for whoever pinned them already."""
        return f"{self.base}/keys"

    def event(self, kind: EventType) -> str:
        """One topic a family of events: ``.../events/access`` for ``access.granted``."""
        return f"{self.base}/events/{kind.value.partition('.')[0]}"

    @property
    def own_events(self) -> str:
        """All of them, as a filter: by MQTT 3.1.1 the kiosk finds out what is passed on."""
        return f"{self.base}/events/#"

    @property
    def time_request(self) -> str:
        """Where the kiosk asks for a signed time; the payload is a nonce."""
        return f"{self.base}/time/request"

    @property
    def time_answer(self) -> str:
        """Where it hears the answer; counts with a signature only."""
        return f"{self.base}/time/answer"

    @property
    def commands(self) -> str:
        """Where it hears signed commands; nothing else there moves an output."""
        return f"{self.base}/commands"

    @property
    def commands_to_all(self) -> str:
        """Where it hears those for its grid, or for every kiosk of the community."""
        return f"gate/{self.community}/commands"

    @property
    def replies(self) -> str:
        """Where it answers them, or below it where a response topic says so."""
        return f"{self.base}/replies"

    @property
    def ranges(self) -> str:
        """Where it says stored events again, for whoever asked by a command."""
        return f"{self.base}/ranges"

    @property
    def registry(self) -> str:
        """Where it hears updates of the registry; they count signed and sealed only."""
        return f"{self.base}/registry"

    @property
    def registry_request(self) -> str:
        """Where it says how far it is and what it lacks, signed."""
        return f"{self.base}/registry/request"

    @property
    def registry_receipts(self) -> str:
        """Where it answers for holders, signed."""
        return f"{self.base}/registry/receipts"

    @property
    def announce(self) -> str:
        """Where it hears what is to be said at this kiosk; makes sound only."""
        return f"{self.base}/announce"

    @property
    def announce_to_all(self) -> str:
        """Where it hears what is to be said at every kiosk of the community."""
        return f"gate/{self.community}/announce"


NOWHERE = Topics("local", "local", "kiosk")
"""Where a kiosk stands for which no config says it."""


def command_topic(to: str) -> str:
    """Where a command for ``to`` goes: ``lakeside/g3/north-1``, or a group, ``lakeside/*``."""
    community, *rest = to.split("/")
    if to.endswith("/*"):
        return Topics(community, "", "").commands_to_all
    return Topics(community, *rest).commands
