"""A short acknowledgement is read as paho reads it, and by far less work."""

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from agent.adapters.broker.mqtt_client import SteadyClient

MID = 7
_REASON = b"\x1f\x00\x02no"
"""A property: the reason in words."""


def heard(
    kind: type[mqtt.Client], protocol: MQTTProtocolVersion, packet: bytes
) -> tuple[list[tuple[int, int, str, bool]], object, int]:
    """What the owner is told, what comes of it, and how many messages are still under way."""
    client = kind(CallbackAPIVersion.VERSION2, "kiosk", protocol=protocol)
    told: list[tuple[int, int, str, bool]] = []
    client.on_publish = lambda _client, _data, mid, code, _properties: told.append(
        (mid, code.value, str(code), code.is_failure)
    )
    message = mqtt.MQTTMessage(MID, b"t")
    message.qos = 1
    client._out_messages[MID] = message
    client._inflight_messages = 1
    client._in_packet = {**client._in_packet, "command": mqtt.PUBACK, "packet": bytearray(packet)}
    try:
        came: object = client._packet_handle()
    except Exception as error:  # noqa: BLE001 - whatever the decoder raises, ends the connection
        came = type(error)
    return told, came, len(client._out_messages)


@pytest.mark.parametrize("protocol", [mqtt.MQTTv5, mqtt.MQTTv311])
@pytest.mark.parametrize("mid", [MID, 8])
@pytest.mark.parametrize(
    "rest",
    [
        *(b"", b"\x00", b"\x10", b"\x87", b"\x97", b"\x00\x00", b"\x99\x00"),
        *(b"\x80" + bytes([len(_REASON)]) + _REASON, b"\x00\x05", b"\x02", b"\xff\x00"),
    ],
)
def test_it_is_read_as_paho_reads_it(protocol: MQTTProtocolVersion, mid: int, rest: bytes) -> None:
    packet = mid.to_bytes(2, "big") + rest
    assert heard(SteadyClient, protocol, packet) == heard(mqtt.Client, protocol, packet)


def test_one_that_is_cut_off_ends_the_connection() -> None:
    for protocol in (mqtt.MQTTv5, mqtt.MQTTv311):
        assert heard(SteadyClient, protocol, b"\x07") == heard(mqtt.Client, protocol, b"\x07")
