"""The thermometer's I2C bus, as facts: who answers, and whether bytes arrive whole."""

import errno
from collections.abc import Mapping
from contextlib import closing

from smbus2 import i2c_msg

from agent.adapters.thermometer import mlx90614, mlx90640
from agent.adapters.thermometer.i2c import I2cBus, open_bus, transfer
from agent.adapters.thermometer.pec import pec
from agent.config import ThermometerConfig
from agent.operations.examination.facts import BusFact

_USUAL: Mapping[str, int] = {"mlx90614": mlx90614.ADDRESS, "mlx90640": mlx90640.ADDRESS}
_FIRST, _LAST = 0x08, 0x77
_ASKED = 20
_OBJECT = 0x07
"""A register of the MLX90614 that is only read."""
_HANGS = frozenset({errno.ETIMEDOUT, errno.EBUSY, errno.EAGAIN})


def bus_fact(config: ThermometerConfig, bus: I2cBus | None = None) -> BusFact:
    """A byte read from each address, and a word twenty times; nothing is written but its number.

    ``bus`` stands in for /dev/i2c-N; it is closed.

    Raises:
        UnavailableError: the bus is not there, or not for this user.
    """
    wanted = config.address or _USUAL[config.kind]
    answering, hangs = [], False
    with closing(open_bus(config.bus) if bus is None else bus) as wires:
        for address in range(_FIRST, _LAST + 1):
            try:
                wires.i2c_rdwr(i2c_msg.read(address, 1))
            except OSError as error:
                if error.errno in _HANGS:
                    hangs = True  # every further one would cost its half second
                    break
            else:
                answering.append(address)
        counts = wanted in answering and config.kind == "mlx90614" and not hangs
        spoilt = sum(not _whole(wires, wanted) for _ in range(_ASKED)) if counts else 0
    asked = _ASKED if counts else 0
    return BusFact(config.bus, config.kind, wanted, tuple(answering), asked, spoilt, hangs)


def _whole(bus: I2cBus, address: int) -> bool:
    try:
        *word, code = transfer(bus, address, bytes([_OBJECT]), 3)
    except OSError:
        return False
    return pec(bytes([address << 1, _OBJECT, address << 1 | 1, *word])) == code
