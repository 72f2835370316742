"""An I2C bus as the kernel gives it (i2c-dev), through smbus2.

Only combined transfers are used: what is written and what is read stand in one call, with a
repeated start between them, so no other process can come in between. The kernel ends a transfer
that hangs after half a second.
"""

import contextlib
import errno
import fcntl
import os
from typing import Protocol

from smbus2 import SMBus, i2c_msg
from smbus2.smbus2 import i2c_rdwr_ioctl_data

from agent.errors import UnavailableError

_I2C_RDWR = 0x0707  # of linux/i2c-dev.h
_I2C_TIMEOUT = 0x0702  # of linux/i2c-dev.h; in units of 10 ms
_TIMEOUT_10MS = 50  # an array's 832 words take 150 ms at 100 kHz

_NO_BUS_FIX = (
    "enable I2C (sudo raspi-config nonint do_i2c 0, then restart), and let the agent use it"
    " (sudo usermod -aG i2c USER); i2cdetect -l lists the buses"
)
_SILENT = frozenset({errno.EREMOTEIO, errno.ENXIO, errno.EIO, errno.ENODEV})
_HANGING = frozenset({errno.ETIMEDOUT, errno.EBUSY, errno.EAGAIN})


class I2cBus(Protocol):
    """What is used of ``smbus2.SMBus``; ``simulated_i2c.FakeBus`` is another."""

    def i2c_rdwr(self, *messages: i2c_msg) -> None:
        """Do all of them in one transfer, and fill those that read.

        Raises:
            OSError: nobody answers, or the bus hangs.
        """

    def close(self) -> None:
        """Let the device go."""


class WholeBus(SMBus):
    """``smbus2.SMBus``, but for a transfer that ends before its last message: that is a failure.

    The kernel says how many messages it did, and smbus2 leaves that unread: what was to be read
    would be the buffer's zeros.
    """

    def i2c_rdwr(self, *i2c_msgs: i2c_msg) -> None:
        """Do all of them in one transfer.

        Raises:
            OSError: nobody answers, the bus hangs, or not all of them were done.
        """
        done = fcntl.ioctl(
            -1 if self.fd is None else self.fd,
            _I2C_RDWR,
            i2c_rdwr_ioctl_data.create(*i2c_msgs),  # type: ignore[arg-type] # takes each
        )
        if done != len(i2c_msgs):
            raise OSError(errno.EIO, os.strerror(errno.EIO))


def open_bus(number: int) -> I2cBus:
    """The bus /dev/i2c-``number``; 1 is the one on a Pi's header (GPIO 2 and 3).

    Raises:
        UnavailableError: it is not there, or may not be used.
    """
    try:
        bus = WholeBus(number)
    except OSError as error:
        message = f"no I2C bus {number} (/dev/i2c-{number}): {error.strerror}"
        raise UnavailableError(message, _NO_BUS_FIX) from error
    with contextlib.suppress(OSError, ValueError):  # the kernel's own limit is a second
        fcntl.ioctl(bus.fd or -1, _I2C_TIMEOUT, _TIMEOUT_10MS)
    return bus


def transfer(bus: I2cBus, address: int, written: bytes, read: int) -> bytes:
    """Write, then read ``read`` bytes after a repeated start; none is no read at all.

    Raises:
        OSError: nobody answers, or the bus hangs.
    """
    messages = [i2c_msg.write(address, written)]
    if read:
        messages.append(i2c_msg.read(address, read))
    bus.i2c_rdwr(*messages)
    return bytes(messages[-1]) if read else b""


def no_answer(part: str, number: int, address: int, error: OSError) -> UnavailableError:
    """The fault of a part that a transfer failed with, and what to look at."""
    named = f"{part} at 0x{address:02X}"
    if error.errno in _HANGING:
        fix = "power the part off and on; check SDA and SCL for a short and for pull-ups"
        return UnavailableError(f"the I2C bus hangs on the {named}", fix)
    why = "" if error.errno in _SILENT else f": {error.strerror or error}"
    fix = f"check its wiring, its supply and its address: i2cdetect -y {number}"
    return UnavailableError(f"the {named} does not answer{why}", fix)
