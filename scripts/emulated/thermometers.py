"""``python -m emulated.thermometers SOCKET``: what the guest's I2C bus ends in.

The far side of qemu's vhost-user-i2c: the transfers of the guest's real i2c-dev reach the project's
simulated MLX90614 (0x5A) and MLX90640 (0x33), byte by byte. It serves one guest and ends with it.
Sources: qemu's docs/interop/vhost-user, the virtio specification's I2C adapter and split queues.

A transfer is several requests, all but its last flagged "another follows". The queue of qemu 7.2
has four places, so the guest sends each as an indirect descriptor.
"""

import array
import contextlib
import mmap
import os
import select
import socket
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from smbus2 import i2c_msg

from agent.adapters.thermometer.simulated_i2c import FakeBus
from agent.adapters.thermometer.simulated_mlx90614 import SimulatedMlx90614
from agent.adapters.thermometer.simulated_mlx90640 import SimulatedMlx90640

_GET_FEATURES, _SET_MEMORY, _SET_SIZE, _SET_ADDRESSES, _SET_BASE, _GET_BASE = 1, 5, 8, 9, 10, 11
_SET_KICK, _SET_CALL, _GET_PROTOCOL, _GET_QUEUES = 12, 13, 15, 17
# VERSION_1, the vhost-user protocol's own features, and the adapter's requests of no length.
_FEATURES = 1 << 32 | 1 << 30 | 1
_PROTOCOL_FEATURES = 1 << 0 | 1 << 3  # several queues, and an acknowledgement of each message
_ANSWERS = {_GET_FEATURES: _FEATURES, _GET_PROTOCOL: _PROTOCOL_FEATURES, _GET_QUEUES: 1}
_NEEDS_REPLY = 8
_NEXT, _INDIRECT = 1, 4
_FOLLOWED, _READS = 1, 2  # of a request
_OK, _FAILED = 0, 1
_HEAD = struct.Struct("<III")
_DESCRIPTOR = struct.Struct("<QIHH")


@dataclass(frozen=True, slots=True)
class Region:
    """A piece of the guest's memory: where the guest has it, where qemu has it, and it."""

    guest: int
    length: int
    qemu: int
    memory: mmap.mmap
    offset: int


class Memory:
    """The guest's memory by the guest's addresses, or by qemu's, which the queue's own are."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self._regions = tuple(regions)

    def view(self, address: int, length: int, *, qemus: bool = False) -> memoryview:
        """The bytes there.

        Raises:
            ValueError: they lie in no piece.
        """
        for one in self._regions:
            base = one.qemu if qemus else one.guest
            if base <= address and address + length <= base + one.length:
                start = one.offset + address - base
                return memoryview(one.memory)[start : start + length]
        raise ValueError(hex(address))


@dataclass(slots=True)
class Request:
    """A message on the bus: its place in the queue, its bytes, and where its status goes."""

    head: int
    message: i2c_msg
    data: memoryview | None
    status: memoryview
    followed: bool

    @property
    def reads(self) -> bool:
        """Whether the part speaks."""
        return bool(self.message.flags & 1)


class Queue:
    """A split queue, with the bus at its end."""

    def __init__(self, bus: FakeBus) -> None:
        self.bus = bus
        self.memory = Memory(())
        self.size = 0
        self.next = 0
        self.descriptors = self.used = self.available = 0

    def _word(self, address: int) -> int:
        return int.from_bytes(self.memory.view(address, 2, qemus=True), "little")

    def serve(self) -> bool:
        """Do what waits; whether the guest is to be told."""
        waiting: list[Request] = []
        done = False
        while self.next != self._word(self.available + 2):
            head = self._word(self.available + 4 + 2 * (self.next % self.size))
            self.next = (self.next + 1) & 0xFFFF
            waiting.append(self._request(head))
            if not waiting[-1].followed:
                self._do(waiting)
                waiting, done = [], True
        if waiting:
            self._do(waiting)
            done = True
        return done

    def _chain(self, head: int) -> list[tuple[int, int]]:
        """The pieces of a request: address and length, both the guest's."""
        table, qemus, index = self.descriptors, True, head
        address, _, flags, _ = self._descriptor(table, index, qemus=qemus)
        if flags & _INDIRECT:
            table, qemus, index = address, False, 0
        found: list[tuple[int, int]] = []
        while True:
            address, length, flags, index = self._descriptor(table, index, qemus=qemus)
            found.append((address, length))
            if not flags & _NEXT or len(found) > 3:
                return found

    def _descriptor(self, table: int, index: int, *, qemus: bool) -> tuple[int, int, int, int]:
        there = self.memory.view(table + _DESCRIPTOR.size * index, _DESCRIPTOR.size, qemus=qemus)
        address, length, flags, following = _DESCRIPTOR.unpack(there)
        return address, length, flags, following

    def _request(self, head: int) -> Request:
        chain = self._chain(head)
        address, _, flags = struct.unpack("<HHI", self.memory.view(chain[0][0], 8))
        data = self.memory.view(*chain[1]) if len(chain) == 3 else None
        if flags & _READS:
            message = i2c_msg.read(address >> 1, 0 if data is None else len(data))
        else:
            message = i2c_msg.write(address >> 1, b"" if data is None else bytes(data))
        status = self.memory.view(chain[-1][0], 1)
        return Request(head, message, data, status, bool(flags & _FOLLOWED))

    def _do(self, requests: Sequence[Request]) -> None:
        """One transfer, whose requests all share its fate."""
        status = _OK
        try:
            self.bus.i2c_rdwr(*(one.message for one in requests))
        except OSError:
            status = _FAILED
        for one in requests:
            written = 1
            if one.reads and one.data is not None and status == _OK:
                one.data[:] = bytes(one.message)
                written += len(one.data)
            one.status[0] = status
            index = self._word(self.used + 2)
            place = self.used + 4 + 8 * (index % self.size)
            self.memory.view(place, 8, qemus=True)[:] = struct.pack("<II", one.head, written)
            counter = self.memory.view(self.used + 2, 2, qemus=True)
            counter[:] = struct.pack("<H", (index + 1) & 0xFFFF)


class Backend:
    """The protocol's other side: what qemu says of the queue, and when the guest kicks it."""

    def __init__(self, link: socket.socket, queue: Queue) -> None:
        self._link = link
        self._queue = queue
        self._poll = select.poll()
        self._poll.register(link, select.POLLIN)
        self._kick = self._call = -1

    def run(self) -> None:
        """Serve until qemu goes."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor == self._kick:
                    os.read(self._kick, 8)
                    if self._queue.serve() and self._call >= 0:
                        os.write(self._call, struct.pack("<Q", 1))
                elif not self._hear():
                    return

    def _hear(self) -> bool:
        head, extra, *_ = self._link.recvmsg(_HEAD.size, socket.CMSG_SPACE(8 * 4))
        if len(head) < _HEAD.size:
            return False
        kind, flags, size = _HEAD.unpack(head)
        body = b""
        while len(body) < size:
            piece = self._link.recv(size - len(body))
            if not piece:
                return False
            body += piece
        files = array.array("i")
        for _, _, got in extra:
            files.frombytes(got[: len(got) - len(got) % files.itemsize])
        self._take(kind, flags, body, files)
        return True

    def _take(self, kind: int, flags: int, body: bytes, files: Sequence[int]) -> None:
        if kind == _GET_BASE:
            (index,) = struct.unpack_from("<I", body)
            self._stop()
            self._answer(kind, struct.pack("<II", index, self._queue.next))
            return
        takers: dict[int, Callable[[], None]] = {
            _SET_MEMORY: lambda: self._map(body, files),
            _SET_SIZE: lambda: setattr(self._queue, "size", struct.unpack("<II", body)[1]),
            _SET_BASE: lambda: setattr(self._queue, "next", struct.unpack("<II", body)[1]),
            _SET_ADDRESSES: lambda: self._place(body),
            _SET_KICK: lambda: self._start(files),
            _SET_CALL: lambda: self._tell_by(files),
        }
        if taker := takers.get(kind):
            taker()
        if kind in _ANSWERS:
            self._answer(kind, struct.pack("<Q", _ANSWERS[kind]))
        elif flags & _NEEDS_REPLY:
            self._answer(kind, struct.pack("<Q", 0))

    def _answer(self, kind: int, body: bytes) -> None:
        self._link.sendall(_HEAD.pack(kind, 5, len(body)) + body)

    def _map(self, body: bytes, files: Sequence[int]) -> None:
        count, _ = struct.unpack_from("<II", body)
        regions = []
        for i in range(count):
            guest, length, qemu, offset = struct.unpack_from("<QQQQ", body, 8 + 32 * i)
            memory = mmap.mmap(files[i], length + offset)
            os.close(files[i])
            regions.append(Region(guest, length, qemu, memory, offset))
        self._queue.memory = Memory(regions)

    def _place(self, body: bytes) -> None:
        _, _, descriptors, used, available, _ = struct.unpack("<IIQQQQ", body)
        queue = self._queue
        queue.descriptors, queue.used, queue.available = descriptors, used, available

    def _start(self, files: Sequence[int]) -> None:
        self._stop()
        if files:
            self._kick = files[0]
            self._poll.register(self._kick, select.POLLIN)

    def _stop(self) -> None:
        if self._kick >= 0:
            self._poll.unregister(self._kick)
            os.close(self._kick)
            self._kick = -1

    def _tell_by(self, files: Sequence[int]) -> None:
        if self._call >= 0:
            os.close(self._call)
        self._call = files[0] if files else -1


def main(path: Path) -> None:
    """Wait for one guest at ``path`` and be its bus."""
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        server.settimeout(60)
        link, _ = server.accept()
    bus = FakeBus({0x5A: SimulatedMlx90614(), 0x33: SimulatedMlx90640()})
    with link, contextlib.suppress(ConnectionError):
        Backend(link, Queue(bus)).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
