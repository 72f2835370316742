"""The link to the broker: there for all organs, whether it is connected or one is configured."""

from collections.abc import Callable, Sequence

import structlog

from agent.adapters.broker.listener import Listener
from agent.adapters.broker.mqtt import BrokerCallbacks
from agent.app.open.community.broker import open_broker
from agent.app.threads.organ import Organ
from agent.config import ConfigFile
from agent.domain.record.topics import CLOUD_EVENT

_log = structlog.get_logger(__name__)


class BrokerLink:
    """A ``Broker`` for all organs; while none is configured it stays away."""

    def __init__(self, file: ConfigFile, acknowledged: Callable[[int, str | None], None]) -> None:
        """Made ready, not yet connecting; ``acknowledged`` as in ``BrokerCallbacks``.

        Raises:
            UnavailableError: the broker's password or a certificate is missing.
        """
        self._organs: Sequence[Organ] = ()
        self._heard = acknowledged
        self._listeners: dict[str, Listener] = {}
        self._told: set[str] = set()
        self._why: str | None = None
        self._broker = open_broker(
            file,
            BrokerCallbacks(
                self._connected, self._disconnected, self._acknowledged, self._listeners
            ),
        )

    @property
    def configured(self) -> bool:
        """Whether the config names a broker."""
        return self._broker is not None

    @property
    def state(self) -> str:
        """``none``, ``connected`` or ``away``, as the status says it."""
        if self._broker is None:
            return "none"
        return "connected" if self._broker.connected() else "away"

    @property
    def why(self) -> str | None:
        """Why it is away, by the last try; None while it is not."""
        return self._why if self.state == "away" else None

    def start(self, organs: Sequence[Organ]) -> None:
        """Begin to connect; ``organs`` hear what they listen to, and when it is there."""
        self._organs = organs
        for organ in organs:
            self._listeners.update(organ.listeners())
        if self._broker is not None:
            self._broker.start()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        kind: str = CLOUD_EVENT,
        correlation: bytes | None = None,
    ) -> int | None:
        """Hand one QoS 1 message over; its message id, or None while not connected."""
        if self._broker is None:
            return None
        return self._broker.publish(
            topic, payload, retain=retain, kind=kind, correlation=correlation
        )

    def say(self, topic: str, payload: bytes) -> None:
        """Hand one JSON message over at QoS 0; dropped while not connected."""
        if self._broker is not None:
            self._broker.say(topic, payload)

    @property
    def window(self) -> int:
        """How many messages may be under way; none without a broker."""
        return 0 if self._broker is None else self._broker.window

    @property
    def largest_bytes(self) -> int | None:
        """The largest packet that the broker takes, where it says so."""
        return None if self._broker is None else self._broker.largest_bytes

    def connected(self) -> bool:
        """Whether the broker has accepted this kiosk."""
        return self._broker is not None and self._broker.connected()

    def close(self, timeout_s: float) -> None:
        """Say goodbye within ``timeout_s``."""
        if self._broker is not None:
            self._broker.close(timeout_s)

    def _connected(self) -> None:
        self._told.clear()
        for organ in self._organs:
            organ.connected()

    def _acknowledged(self, mid: int, refusal: str | None) -> None:
        self._heard(mid, refusal)
        for organ in self._organs:
            organ.acknowledged(mid, refusal)

    def _disconnected(self, why: str) -> None:
        if why not in self._told:  # each reason once an outage, not with every try
            _log.warning("broker_away", why=why)
        self._told.add(why)
        self._why = why
