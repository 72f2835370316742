"""What a broker says as it accepts a kiosk, and why it does not, or ends it (MQTT 5.0, 3.2, 3.14).

Its own words (Reason String, Server Reference) are shown as plain text, and cut off.
"""

from dataclasses import dataclass
from typing import Self

from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.domain.credential.name import spelt_out

MAX_IN_FLIGHT = 100
_LONGEST_SHOWN = 120

_OTHER_VERSION = 0x84
_LOST = 0x80
_SILENT = 0x8D
TAKEN_OVER = 0x8E
RETAIN_NOT_SUPPORTED = 0x9A
_ELSEWHERE = (0x9C, 0x9D)
_WORDS = {
    0x85: "the broker does not take this kiosk's client_id; give it another one in [broker]",
    _SILENT: "the broker does not answer any more",
    TAKEN_OVER: "another client came with this kiosk's client_id: does another kiosk have its"
    " names, or does the agent run twice?",
    RETAIN_NOT_SUPPORTED: "the broker retains no message, and refuses a last will that asks for it",
    0x9B: "the broker takes messages at QoS 0 only, which it never acknowledges; events need QoS 1",
}

_BEFORE = (
    " before it accepted this kiosk: look at port and protocol in [broker]; it may be full, or take"
    " no dots in the names of a topic"
)
_AFTER = (
    "; where it goes on doing so, another client may have this kiosk's client_id, this kiosk may"
    " not write its topics, or the broker is full"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a broker says that it takes; MQTT 3.1.1 says nothing.

    ``keepalive_s`` is how long it waits for a sign of life, where it does not wait as long as it
    was asked to. Topic aliases are not used, so their number is no limit of ours.
    """

    largest_bytes: int | None = None
    at_a_time: int = MAX_IN_FLIGHT
    keepalive_s: int | None = None
    acknowledges: bool = True
    retains: bool = True

    @classmethod
    def of(cls, said: Properties | None) -> Self:
        """By the properties of a CONNACK."""
        return cls(
            getattr(said, "MaximumPacketSize", None),
            min(getattr(said, "ReceiveMaximum", MAX_IN_FLIGHT), MAX_IN_FLIGHT),
            getattr(said, "ServerKeepAlive", None),
            getattr(said, "MaximumQoS", 2) > 0,
            getattr(said, "RetainAvailable", 1) == 1,
        )

    @property
    def objection(self) -> str | None:
        """Why no event can be sent there; None where it can."""
        return None if self.acknowledges else _WORDS[0x9B]


def why_refused(code: ReasonCode, said: Properties | None, protocol: str) -> str:
    """A CONNACK that accepts nobody, in words."""
    if code.value == _OTHER_VERSION:
        other = "5" if protocol != "5" else "3.1.1"
        words = f'the broker does not speak MQTT {protocol}: write protocol = "{other}" in [broker]'
    else:
        words = _words(code, said) or f"the broker refuses this kiosk: {code}"
    return words + _its_own(said)


def why_ended(code: ReasonCode, said: Properties | None, *, accepted: bool) -> str:
    """How a connection ended; ``accepted``: the broker had taken this kiosk before."""
    words = _words(code, said)
    if words is None and code.value == _LOST:
        words = f"the broker broke off the connection{_AFTER if accepted else _BEFORE}"
    return (words or f"the connection to the broker ended: {code}") + _its_own(said)


def _words(code: ReasonCode, said: Properties | None) -> str | None:
    if code.value in _ELSEWHERE:
        there = getattr(said, "ServerReference", None)
        named = "" if there is None else f", {spelt_out(there[:_LONGEST_SHOWN])}"
        return f"the broker sends this kiosk to another one{named}: look at host in [broker]"
    return _WORDS.get(code.value)


def _its_own(said: Properties | None) -> str:
    reason = getattr(said, "ReasonString", None)
    return "" if reason is None else f' (it says: "{spelt_out(reason[:_LONGEST_SHOWN])}")'
