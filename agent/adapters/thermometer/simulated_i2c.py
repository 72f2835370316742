"""An I2C bus without a wire: the bytes of every transfer reach simulated parts at their addresses.

It stands where ``smbus2.SMBus`` stands, and takes and fills the same messages. What was sent is
kept in ``transfers``. ``failures`` holds what the kernel says to the next transfers in place of
doing them, one each (0 does it); ``hangs`` times every one out, as a part that holds SDA down does.
``pace`` is told how long each message takes at the bus's clock.
"""

import errno
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from smbus2 import i2c_msg

_READ = 0x0001  # I2C_M_RD of linux/i2c.h
_KEPT = 10_000
_BITS_A_BYTE = 9


class NackError(Exception):
    """The part does not acknowledge a byte."""


class SimulatedPart(Protocol):
    """What answers at an address; a repeated start is a write, then a read."""

    def write(self, data: bytes) -> None:
        """Take the bytes between a start and the next start or stop.

        Raises:
            NackError: one of them is not taken, or nobody is there.
        """

    def read(self, count: int) -> bytes:
        """Give ``count`` bytes.

        Raises:
            NackError: nobody is there.
        """


class _Nobody:
    """An address at which nothing is."""

    def write(self, data: bytes) -> None:
        raise NackError(data)

    def read(self, count: int) -> bytes:
        raise NackError(count)


_NOBODY = _Nobody()


@dataclass(frozen=True, slots=True)
class Transfer:
    """One message on the bus; ``failed`` where nobody acknowledged it."""

    address: int
    reads: bool
    data: bytes = field(repr=False)
    failed: bool = False


class FakeBus:
    """Implements ``i2c.I2cBus``; its attributes may be set between transfers."""

    def __init__(self, parts: Mapping[int, SimulatedPart], *, clock_hz: float = 100_000.0) -> None:
        self.clock_hz = clock_hz
        self.pace: Callable[[float], None] = lambda _takes_s: None
        self.parts = dict(parts)
        self.transfers: deque[Transfer] = deque(maxlen=_KEPT)
        self.failures: deque[int] = deque()
        self.hangs = False
        self.closed = False

    def i2c_rdwr(self, *messages: i2c_msg) -> None:
        """Do them in order, as the kernel does.

        Raises:
            OSError: EREMOTEIO where nobody acknowledges, ETIMEDOUT where the bus hangs.
        """
        if self.closed:
            raise _failure(errno.EBADF)
        if self.hangs:
            raise _failure(errno.ETIMEDOUT)
        if self.failures and (number := self.failures.popleft()):
            raise _failure(number)
        for message in messages:
            self._do(message)

    def close(self) -> None:
        """Answer nothing any more."""
        self.closed = True

    def _do(self, message: i2c_msg) -> None:
        address, reads = message.addr, bool(message.flags & _READ)
        data = b"" if reads else bytes(message)
        try:
            part = self.parts.get(address, _NOBODY)
            if reads:
                data = part.read(message.len)
                for i, byte in enumerate(data):
                    message.buf[i] = bytes([byte])
            else:
                part.write(data)
        except NackError as nack:
            self.transfers.append(Transfer(address, reads, data, failed=True))
            raise _failure(errno.EREMOTEIO) from nack
        self.transfers.append(Transfer(address, reads, data))
        self.pace((1 + len(data)) * _BITS_A_BYTE / self.clock_hz)


def _failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))
