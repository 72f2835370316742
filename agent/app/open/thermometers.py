"""The thermometer from config, and no other in its place."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from agent import logs
from agent.adapters.thermometer import mlx90614, mlx90640
from agent.adapters.thermometer.i2c import I2cBus, open_bus
from agent.adapters.thermometer.mlx90614 import Mlx90614, Mlx90614Settings
from agent.adapters.thermometer.mlx90640 import Mlx90640, Mlx90640Settings
from agent.adapters.thermometer.simulated import SimulatedThermometer
from agent.config import ThermometerConfig
from agent.domain.skin.reading import TemperatureReading
from agent.domain.skin.spot import greatest_distance_m
from agent.errors import RefusedError, UnavailableError
from agent.ports import Thermometer

_SPOT_PART = "mlx90614"
_AGAIN_S = 3.0

_log = structlog.get_logger(__name__)


def open_thermometer(
    config: ThermometerConfig,
    bus: I2cBus | None = None,
    *,
    now_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Thermometer | None:
    """The configured thermometer, None where there is none.

    ``bus`` stands in for /dev/i2c-N where a simulation brings its own; ``close`` closes it.

    Raises:
        UnavailableError: the bus or the part is missing, or the part cannot be trusted.
    """
    if config.kind == "none":
        return None
    if config.kind == "simulated":
        simulated = SimulatedThermometer(config.temperature_c, now_s=now_s)
        simulated.stuck = config.stuck
        return simulated
    wires = open_bus(config.bus) if bus is None else bus
    try:
        return _part(config, wires, now_s, sleep)
    except BaseException:
        wires.close()
        raise


def open_or_await(config: ThermometerConfig) -> Thermometer | None:
    """``open_thermometer`` for the gate: a part that is silent now is a fault, and may come.

    Raises:
        UnavailableError: there is no such bus, or it is not for this user: that is no fault of the
            part, and stays.
    """
    if config.kind in ("none", "simulated"):
        return open_thermometer(config)
    wires = open_bus(config.bus)
    return AwaitedThermometer(
        lambda: _part(config, wires, time.monotonic, time.sleep), wires.close, time.monotonic
    )


class AwaitedThermometer:
    """Implements ``ports.Thermometer``; opens its part at the first reading, and again if need be.

    A gate that starts while its thermometer is dead goes on as one whose thermometer has died: the
    rules say what may still pass.
    """

    def __init__(
        self,
        opens: Callable[[], Thermometer],
        close: Callable[[], None],
        now_s: Callable[[], float],
    ) -> None:
        """``close`` lets the bus go where no part was ever there to do it."""
        self._opens = opens
        self._close = close
        self._now_s = now_s
        self._part: Thermometer | None = None
        self._missing: UnavailableError | None = None
        self._next_s = float("-inf")

    def read(self) -> TemperatureReading:
        """A reading taken now.

        Raises:
            UnavailableError: the part is not there, or fails.
        """
        if self._part is None:
            self._part = self._open()
        return self._part.read()

    def close(self) -> None:
        """Let the bus go; safe to call twice."""
        if self._part is not None:
            self._part.close()
        else:
            self._close()

    def _open(self) -> Thermometer:
        if self._missing is not None and self._now_s() < self._next_s:
            raise self._missing
        try:
            return self._opens()
        except UnavailableError as error:
            if self._missing is None:
                _log.error("thermometer_missing", error=str(error))
            self._missing, self._next_s = error, self._now_s() + _AGAIN_S
            raise


def _part(
    config: ThermometerConfig,
    wires: I2cBus,
    now_s: Callable[[], float],
    sleep: Callable[[float], None],
) -> Thermometer:
    if config.kind == _SPOT_PART:
        return Mlx90614(wires, _spot_settings(config), now_s=now_s, sleep=sleep)
    array = Mlx90640Settings(
        bus=config.bus,
        address=config.address or mlx90640.ADDRESS,
        emissivity=config.emissivity,
        refresh_hz=config.refresh_hz,
        self_heating_k=config.self_heating_k,
        mirrored=config.mirrored,
        upside_down=config.upside_down,
    )
    return Mlx90640(wires, array, now_s=now_s, sleep=sleep)


def read_once(config: ThermometerConfig, bus: I2cBus | None = None) -> dict[str, Any]:
    """One reading as JSON values, for a technician.

    ``farthest_m`` is where a forehead just fills the spot, ``warmest_at`` where an image's warmest
    pixel is, as x and y from its upper left corner, 0 to 1.

    Raises:
        RefusedError: ``no_thermometer``: the config names none.
        UnavailableError: the bus or the part is missing, or the part cannot be trusted.
    """
    logs.configure("warning")
    part = open_thermometer(config, bus)
    if part is None:
        fix = "Fix: say which one there is: kind under [thermometer]"
        raise RefusedError("no_thermometer", f"the config has no thermometer\n{fix}")
    try:
        reading = part.read()
    finally:
        part.close()
    view = config.field_of_view_deg
    across = {} if reading.field is None else {"pixels": reading.field.shape[1]}
    return {
        "kind": config.kind,
        "temperature_c": reading.temperature_c,
        "ambient_c": reading.ambient_c,
        "part_emissivity": part.part_emissivity if isinstance(part, Mlx90614) else None,
        "pec_failures": part.pec_failures if isinstance(part, Mlx90614) else None,
        "warmest_at": None if reading.field is None else _warmest(reading.field),
        "farthest_m": None if view is None else round(greatest_distance_m(view, **across), 2),
    }


def write_emissivity(
    config: ThermometerConfig,
    emissivity: float,
    bus: I2cBus | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[float, float]:
    """Write the emissivity into the part's own EEPROM; what it said before, and says now.

    Raises:
        RefusedError: ``no_emissivity_to_write``: the configured thermometer keeps none.
        UnavailableError: the bus or the part is missing, or it does not keep what was written.
    """
    logs.configure("warning")
    if config.kind != _SPOT_PART:
        raise RefusedError(
            "no_emissivity_to_write",
            f"only an mlx90614 keeps an emissivity, and [thermometer] kind is {config.kind!r}\n"
            "Fix: say emissivity under [thermometer]; nothing need be written",
        )
    wires = open_bus(config.bus) if bus is None else bus
    try:
        part = Mlx90614(wires, _spot_settings(config), sleep=sleep, expects_emissivity=False)
        before = part.emissivity()
        part.set_emissivity(emissivity)
        return before, part.emissivity()
    finally:
        wires.close()


def _warmest(field: NDArray[np.float32]) -> list[float]:
    row, column = np.unravel_index(int(np.argmax(field)), field.shape)
    rows, columns = field.shape
    return [round(float(column + 0.5) / columns, 2), round(float(row + 0.5) / rows, 2)]


def _spot_settings(config: ThermometerConfig) -> Mlx90614Settings:
    return Mlx90614Settings(
        bus=config.bus,
        address=config.address or mlx90614.ADDRESS,
        emissivity=config.emissivity,
        check_pec=config.check_pec,
    )
