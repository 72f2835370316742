"""What the kernel says of a transfer, beyond that it did not fail."""

import errno
import fcntl
import os

import pytest
from smbus2 import i2c_msg

from agent.adapters.thermometer.i2c import WholeBus, transfer


@pytest.mark.parametrize(("done", "whole"), [(2, True), (1, False), (0, False)])
def test_a_transfer_that_ends_before_its_last_message_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, done: int, *, whole: bool
) -> None:
    monkeypatch.setattr(fcntl, "ioctl", lambda *_: done)
    bus = WholeBus()  # of no device: the kernel's answer is the test's
    if whole:
        assert len(transfer(bus, 0x5A, b"\x07", 3)) == 3
        return
    with pytest.raises(OSError, match=os.strerror(errno.EIO)) as failed:
        transfer(bus, 0x5A, b"\x07", 3)
    assert failed.value.errno == errno.EIO


def test_a_write_alone_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "ioctl", lambda *_: 1)
    WholeBus().i2c_rdwr(i2c_msg.write(0x5A, b"\x07"))
