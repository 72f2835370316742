"""A broker of a few packets that says what a test tells it to: no real one can be made to.

It acknowledges, and passes nothing on.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ = 0x10, 0x30, 0x80, 0xC0
AUTH = b"\xf0\x00"
_LIVES_S = 60.0


def said(packet: int, **properties: Any) -> bytes:
    """Properties as bytes: ``said(PacketTypes.CONNACK, MaximumQoS=0)``."""
    made = Properties(packet)
    for name, value in properties.items():
        setattr(made, name, value)
    return bytes(made.pack())


def connack(code: int = 0, **properties: Any) -> bytes:
    """Of MQTT 5."""
    rest = bytes([0, code]) + said(PacketTypes.CONNACK, **properties)
    return _framed(0x20, rest)


def disconnect(code: int, **properties: Any) -> bytes:
    """Of MQTT 5."""
    rest = bytes([code]) + said(PacketTypes.DISCONNECT, **properties)
    return _framed(0xE0, rest)


def _framed(head: int, rest: bytes) -> bytes:
    if len(rest) < 0x80:
        return bytes([head, len(rest)]) + rest
    return bytes([head, len(rest) & 0x7F | 0x80, len(rest) >> 7]) + rest


OLD_CONNACK = b"\x20\x02\x00\x00"
"""Of MQTT 3.1.1, which has no properties."""


@dataclass(frozen=True)
class Packet:
    """One that came: ``head`` with its flags, and when."""

    head: int
    body: bytes
    at_s: float

    @property
    def kind(self) -> int:
        return self.head & 0xF0

    @property
    def keepalive_s(self) -> int:
        """Of a CONNECT."""
        start = 2 + int.from_bytes(self.body[:2], "big")
        return int.from_bytes(self.body[start + 2 : start + 4], "big")

    @property
    def will_is_retained(self) -> bool:
        """Of a CONNECT."""
        return bool(self.body[2 + int.from_bytes(self.body[:2], "big") + 1] & 0x20)

    @property
    def level(self) -> int:
        """Of a CONNECT: 4 is MQTT 3.1.1, 5 is 5."""
        return self.body[2 + int.from_bytes(self.body[:2], "big")]


class ByteBroker:
    """Answers each CONNECT by the next of ``answers``, and from then on by the last."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.packets: list[Packet] = []
        self.breaks_at: bytes | None = None
        """It breaks off at a SUBSCRIBE with this in it."""
        self.chokes_on: bytes | None = None
        """At a message with this in it the connection falls silent, but for its PINGRESP."""
        self._clients: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def of(self, kind: int) -> list[Packet]:
        return [packet for packet in list(self.packets) if packet.kind == kind]

    def say(self, data: bytes) -> None:
        """To who came last."""
        self._clients[-1].sendall(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in self._clients:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_LIVES_S)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._clients.append(client)
                thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(_LIVES_S)
        silent = False
        with contextlib.suppress(OSError, EOFError), client:
            while True:
                packet = _read(client)
                self.packets.append(packet)
                if packet.kind == PUBLISH and self.chokes_on is not None:
                    silent = silent or self.chokes_on in packet.body
                answer = b"" if silent and packet.kind == PUBLISH else self._answer(packet)
                if answer is None:
                    return
                client.sendall(answer)

    def _answer(self, packet: Packet) -> bytes | None:
        five = self.of(CONNECT)[-1].level == 5
        match packet.kind:
            case 0x10:
                return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            case 0x30 if packet.head & 0x06:
                start = 2 + int.from_bytes(packet.body[:2], "big")
                return b"\x40\x02" + packet.body[start : start + 2]
            case 0x80 if self.breaks_at is not None and self.breaks_at in packet.body:
                return None
            case 0x80:
                rest = packet.body[:2] + (b"\x00" if five else b"") + b"\x01"
                return _framed(0x90, rest)
            case 0xC0:
                return b"\xd0\x00"
        return b""


def _read(client: socket.socket) -> Packet:
    head = _exactly(client, 1)[0]
    length, shift = 0, 0
    while True:
        digit = _exactly(client, 1)[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            return Packet(head, _exactly(client, length), time.monotonic())


def _exactly(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


@pytest.fixture
def byte_broker() -> Iterator[Any]:
    """Starts one with these answers; it ends with the test."""
    made: list[ByteBroker] = []

    def start(*answers: bytes) -> ByteBroker:
        made.append(ByteBroker(*answers))
        return made[-1]

    yield start
    for one in made:
        one.close()
