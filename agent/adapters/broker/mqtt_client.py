"""paho's client, made to outlive whatever a broker sends.

Its network loop reconnects after an ordinary loss. But an answer that it reconnects for by itself
(CONNACK 1 from a 3.1.1 broker that is gone the next moment), or any packet that trips its decoder,
raises out of the thread, which nobody would notice: the client would look connected, and nothing
would be published until a restart. Here the loop begins anew instead.

What was handed over and not acknowledged it sends again after a reconnect, whatever comes of it: a
broker that breaks off at a packet that is too large for it would see nothing else ever again. So
messages can be taken back before they are sent again.

It also gathers a packet of up to 256 MB in memory before it looks at it. What the agent listens to
is short. Whatever is longer is read past, and acknowledged: if it ended the connection, so would it
the next one, by which the broker says it again where somebody had it retained. To tell a broker of
MQTT 5 how much it may send is no help: Mosquitto 2.0 drops what is longer and counts it as under
way for good, until nothing else is sent.
"""

import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import MQTTErrorCode, _ConnectionState
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from agent.adapters.broker.failures import why_not_connected

LARGEST_PACKET_BYTES = 100_000
_HEAD_BYTES = 70_000
"""Of a PUBLISH packet, which has its topic and its number in it."""
_NO_PROPERTIES = Properties(PacketTypes.PUBACK)  # type: ignore[no-untyped-call] # paho left it out
_REASONS = {
    code: ReasonCode(PacketTypes.PUBACK, identifier=code)
    for code in (0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)
}
"""What a PUBACK may say (OASIS MQTT 5.0, table 3-4)."""

_log = structlog.get_logger(__name__)


class SteadyClient(mqtt.Client):
    """A client whose thread ends by ``finish`` and ``loop_stop`` only; used with ``loop_start``."""

    lost: Callable[[str], None] | None = None
    """Told when the loop broke; called from its thread, before it begins anew."""

    turn: Callable[[], None] | None = None
    """Called from its thread, every second at least while it is connected."""

    why: str | None = None
    """What ended the last try to connect, or the connection: paho does not tell.

    In words: the exception itself would keep the socket open, which paho leaves to the interpreter.
    """

    pause_s = 5.0

    own_keepalive_s = 30
    """What each connection asks for; a broker of MQTT 5 may say less."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._finishing = threading.Event()
        self._passed_over = 0

    def finish(self) -> None:
        """Do not begin anew: the agent ends."""
        self._finishing.set()

    def loop_forever(
        self,
        timeout: float = 1.0,
        retry_first_connection: bool = False,  # noqa: FBT001, FBT002 - paho's signature
    ) -> MQTTErrorCode:
        """As paho's, and again after whatever was raised."""
        while True:
            try:
                return super().loop_forever(timeout, retry_first_connection)
            except Exception as error:  # noqa: BLE001 - no thread dies unseen, whatever of
                # The type only: the text may quote what the broker sent.
                _log.warning("broker_client_broke", error=type(error).__name__)
                if self.lost is not None:
                    self.lost(f"the connection to the broker broke: {type(error).__name__}")
            if self._finishing.wait(self.pause_s):
                return MQTTErrorCode.MQTT_ERR_CONN_LOST
            # From here the loop connects by itself, and closes the old socket as it does.
            self.connect_async(self.host, self.port, self.keepalive)

    def reconnect(self) -> MQTTErrorCode:
        """As paho's; what it fails by is kept."""
        self.why = None
        self._keepalive = self.own_keepalive_s  # the last broker's word is not the next one's
        try:
            return super().reconnect()
        except OSError as error:
            self.why = why_not_connected(error, self.host, self.port)
            raise

    def loop_stop(self) -> MQTTErrorCode:
        """As paho's; the sockets by which it is woken it would leave to the interpreter."""
        code = super().loop_stop()
        self._reset_sockets()
        return code

    def keep_alive(self, server_s: int | None) -> None:
        """Give signs of life as often as the broker says, or as this kiosk does by itself.

        paho takes what the broker says as it is: at 0, or hours, a half-open connection would
        not be noticed. More of them than were asked for are allowed (MQTT 5.0, 3.1.2.10).
        """
        self._keepalive = min(server_s or self.own_keepalive_s, self.own_keepalive_s)

    def _packet_handle(self) -> MQTTErrorCode:
        command, packet = self._in_packet["command"] & 0xF0, self._in_packet["packet"]
        if self._in_packet["remaining_length"] > LARGEST_PACKET_BYTES:
            return self._pass_over(self._in_packet["command"], bytes(packet[:_HEAD_BYTES]))
        if command == mqtt.AUTH:
            self.why = "the broker asks for a login that this kiosk does not know (AUTH)"
        if command == mqtt.CONNACK and self._protocol == mqtt.MQTTv311 and packet[1:2] == b"\x01":
            # paho would go down to MQTT 3.1, at once and for good.
            self.why = "the broker does not speak MQTT 3.1.1: look at protocol in [broker]"
            return MQTTErrorCode.MQTT_ERR_CONN_REFUSED
        if command == mqtt.PUBACK:
            reason = self._reason_alone(packet)
            if reason is not None:
                return self._acknowledged(int.from_bytes(packet[:2], "big"), reason)
        return super()._packet_handle()

    def _reason_alone(self, packet: bytes | bytearray) -> ReasonCode | None:
        """What a PUBACK says that has no properties; of any other one paho makes what it is."""
        size = len(packet)
        if size == 2:
            return _REASONS[0]
        if self._protocol != mqtt.MQTTv5 or size not in (3, 4) or packet[3:] not in (b"", b"\0"):
            return None
        return _REASONS.get(packet[2])

    def _acknowledged(self, mid: int, reason: ReasonCode) -> MQTTErrorCode:
        """As paho's, which makes the table of all properties anew for each that has none.

        That is two fifths of what an acknowledgement costs, and a backlog has very many.
        """
        with self._out_message_mutex:
            if mid in self._out_messages:
                return self._do_on_publish(mid, reason, _NO_PROPERTIES)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def _pass_over(self, command: int, head: bytes) -> MQTTErrorCode:
        """A message that is longer than any that is listened to; only its head is kept."""
        if command & 0xF0 != mqtt.PUBLISH:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        self._passed_over += 1
        if self._passed_over & (self._passed_over - 1) == 0:
            _log.warning("broker_message_too_large", count=self._passed_over)
        if not command & 0x06:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        number_at = 2 + int.from_bytes(head[:2])
        # Nothing is subscribed to at QoS 2.
        return self._send_puback(int.from_bytes(head[number_at : number_at + 2]))

    def loop_misc(self) -> MQTTErrorCode:
        """As paho's, and its owner's turn."""
        if self.turn is not None:
            self.turn()
        return super().loop_misc()

    def kept(self) -> list[mqtt.MQTTMessage]:
        """What was handed over and not acknowledged yet, the oldest first."""
        with self._out_message_mutex:
            return list(self._out_messages.values())

    def oldest(self) -> int | None:
        """What was handed over first of what is not acknowledged yet."""
        with self._out_message_mutex:
            return next(iter(self._out_messages), None)

    def hang_up(self, why: str) -> None:
        """End the connection, to begin another; in its own thread, as its turn."""
        self.why = why
        self._sock_close()
        self._state = _ConnectionState.MQTT_CS_CONNECTION_LOST
        self._do_on_disconnect(packet_from_broker=False, v1_rc=MQTTErrorCode.MQTT_ERR_CONN_LOST)

    def begin_again(self, in_flight: int, without: Mapping[int, str], *, retain: bool) -> None:
        """With a new connection: at most ``in_flight`` under way, none of ``without``.

        Nothing is asked to be retained where the broker does not.

        Called before paho sends again what it kept.
        """
        with self._out_message_mutex:
            for mid in without:
                self._out_messages.pop(mid, None)
            for one in self._out_messages.values():
                one.retain = one.retain and retain
            # Its own setter wants the connection closed, in doubt about 0; what waits and what goes
            # was told apart by the number of the connection before.
            self._max_inflight_messages = max(1, in_flight)
            self._messages_reconnect_reset_out()

    def _sock_recv(self, bufsize: int) -> bytes:
        # paho asks for what is left of a packet, and keeps what it gets.
        if self._in_packet["remaining_length"] > LARGEST_PACKET_BYTES:
            del self._in_packet["packet"][_HEAD_BYTES:]
        try:
            return super()._sock_recv(min(bufsize, LARGEST_PACKET_BYTES))
        except ssl.SSLError as error:  # how a broker of TLS 1.3 refuses a kiosk's certificate
            self.why = why_not_connected(error, self.host, self.port)
            raise


def packet_bytes(topic: str, payload: bytes | bytearray, properties: Properties | None) -> int:
    """How long a PUBLISH packet is at QoS 1 (OASIS MQTT 5.0 and 3.1.1, section 3.3)."""
    rest = 2 + len(topic.encode()) + 2 + len(payload)
    if properties is not None:
        rest += len(properties.pack())  # type: ignore[no-untyped-call] # paho left it out
    return 1 + max(1, (rest.bit_length() + 6) // 7) + rest
