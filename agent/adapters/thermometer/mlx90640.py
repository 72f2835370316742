"""The thermal array MLX90640 on I2C: 32 x 24 temperatures, 55 or 110 degrees wide.

Not yet run on hardware.

    start       EEPROM twice, alike -> calibration -> control: refresh rate, chess pattern
    each image  clear "new data" -> wait for it -> clear it -> RAM -> not new again? -> a subpage
                the other subpage likewise -> image -> warmest spot

Both halves of an image were measured after it was asked for. The bus carries no check code, so
what comes is checked otherwise: the EEPROM is read twice, supply and own temperature must be
possible, and the spot is a median that a spoilt pixel does not move. A part that lost its supply
has forgotten its control register: that is read with each image and written anew.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from agent.adapters.thermometer.i2c import I2cBus, no_answer, transfer
from agent.adapters.thermometer.mlx90640_calibration import (
    COLUMNS,
    PIXELS,
    ROWS,
    WORDS,
    Calibration,
    Grid,
    read_calibration,
)
from agent.adapters.thermometer.mlx90640_image import (
    RAM_WORDS,
    SELF_HEATING_K,
    background4,
    conditions,
    cp_signal,
    pixel_signals,
    sensitivity,
    subpage_mask,
    temperatures,
)
from agent.domain.skin.reading import TemperatureReading
from agent.domain.skin.spot import ARRAY_SPOT_PIXELS
from agent.errors import UnavailableError

ADDRESS = 0x33
EEPROM, RAM, STATUS, CONTROL = 0x2400, 0x0400, 0x8000, 0x800D
NEW_DATA, SUBPAGE, CLEAR = 0x0008, 0x0001, 0x0030
SUBPAGES_ON, REFRESH_AT, REFRESH_BITS, RESOLUTION_AT, CHESS = 0x0001, 7, 0x0380, 10, 0x1000
REPEAT_BITS = 0x000E  # hold and repeat one subpage, step mode: none of them is wanted

_SPOT_C = (-40.0, 300.0)
_START_S = 2.0
_START_TRY_S = 0.1
_POLLS_A_PERIOD = 20
_PERIODS = 2.0
_TORN, _EDGES = 3, 4
_STUCK = 8
_MOST_SPOILT = 4

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mlx90640Settings:
    """Where the part is and how it measures; ``bus`` is named in messages only.

    ``refresh_hz`` is how many subpages come a second, a power of two from 0.5 to 64; an image takes
    two. At 100 kHz reading one takes 150 ms, so 4 is the most; 16 at 400 kHz. ``self_heating_k`` is
    how much warmer than the room the part is: reflections and ambient are taken to be so much less
    than its own temperature. ``mirrored`` and ``upside_down`` say how its image lies to a camera's:
    pixels are numbered as one looks into the part, so upright it is mirrored.
    """

    bus: int = 1
    address: int = ADDRESS
    emissivity: float = 0.98
    refresh_hz: float = 4.0
    self_heating_k: float = SELF_HEATING_K
    mirrored: bool = True
    upside_down: bool = False


class Mlx90640:
    """Implements ``ports.Thermometer``; used by one thread."""

    def __init__(
        self,
        bus: I2cBus,
        settings: Mlx90640Settings,
        *,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the bus, wait for the part for two seconds, read its calibration and set it up.

        Raises:
            UnavailableError: nobody answers, or the EEPROM holds no calibration.
        """
        self._bus = bus
        self._settings = settings
        self._now_s = now_s
        self._sleep = sleep
        self._closed = False
        self._last: dict[int, bytes] = {}
        self._same = 0
        self._period_s = 1.0 / settings.refresh_hz
        self._await_start()
        self.calibration: Calibration = self._read_calibration()
        self._control()

    def read(self) -> TemperatureReading:
        """A reading of an image that is measured now; takes two refresh periods, eight at most.

        Raises:
            UnavailableError: the part is silent, gives no new data, or what cannot be.
        """
        if self._closed:
            raise UnavailableError("the MLX90640 is closed")
        control = self._control()
        image = np.full((ROWS, COLUMNS), np.nan)
        ambient_c: list[float] = []
        missing = {0, 1}
        self._clear()
        for _ in range(_EDGES):
            subpage, ram = self._next_subpage()
            if subpage in missing:
                missing.discard(subpage)
                ambient_c.append(self._fill(image, ram, subpage, control))
            if not missing:
                return self._reading(image, sum(ambient_c) / 2.0)
        fix = "power the part off and on; if it happens again, replace it"
        raise UnavailableError(f"the MLX90640's subpage {missing.pop()} never comes", fix)

    def close(self) -> None:
        """Let the bus go; safe to call twice."""
        if not self._closed:
            self._closed = True
            self._bus.close()

    def _await_start(self) -> None:
        ends_s = self._now_s() + _START_S
        while True:
            try:
                self._words(STATUS, 1)
            except UnavailableError:
                if self._now_s() >= ends_s:
                    raise
                self._sleep(_START_TRY_S)
            else:
                return

    def _read_calibration(self) -> Calibration:
        first, second = (self._words(EEPROM, WORDS) for _ in range(2))
        if not np.array_equal(first, second):
            fix = "shorten or shield its wires, check the pull-ups, or lower the bus clock"
            raise UnavailableError("the MLX90640's EEPROM reads differently each time", fix)
        return read_calibration([int(word) for word in first])

    def _control(self) -> int:
        """The control register as it stands, which is as it shall be."""
        found = int(self._words(CONTROL, 1)[0])
        code = round(math.log2(self._settings.refresh_hz * 2.0))
        wanted = found & ~(REFRESH_BITS | REPEAT_BITS) | SUBPAGES_ON | CHESS | code << REFRESH_AT
        if wanted != found:
            self._write(CONTROL, wanted)
            _log.info("thermometer_set_up", control=f"0x{wanted:04X}", was=f"0x{found:04X}")
        return wanted

    def _clear(self) -> None:
        self._write(STATUS, CLEAR)

    def _next_subpage(self) -> tuple[int, NDArray[np.int16]]:
        for _ in range(_TORN):
            subpage = self._await_new_data()
            self._clear()
            ram = self._words(RAM, RAM_WORDS).astype(np.int16)
            if not int(self._words(STATUS, 1)[0]) & NEW_DATA:
                return subpage, ram
            # It measured on while it was read: the words may be of two measurements.
            self._clear()
        fix = (
            "lower refresh_hz under [thermometer], or raise the bus clock:"
            " dtparam=i2c_arm_baudrate=400000 in /boot/firmware/config.txt"
        )
        raise UnavailableError("the MLX90640 measures faster than it can be read", fix)

    def _await_new_data(self) -> int:
        ends_s = self._now_s() + _PERIODS * self._period_s
        while True:
            status = int(self._words(STATUS, 1)[0])
            if status & NEW_DATA:
                return status & SUBPAGE
            if self._now_s() >= ends_s:
                fix = "power the part off and on; if it happens again, replace it"
                raise UnavailableError("the MLX90640 gives no new data", fix)
            self._sleep(self._period_s / _POLLS_A_PERIOD)

    def _fill(self, image: Grid, ram: NDArray[np.int16], subpage: int, control: int) -> float:
        """Put a subpage into the image, and say the part's own temperature."""
        found = self.calibration
        at = conditions(ram, found, control >> RESOLUTION_AT & 3)
        mask = subpage_mask(subpage, chess=True)
        self._refuse_stuck(subpage, ram[:PIXELS].reshape(ROWS, COLUMNS)[mask].tobytes())
        blind = found.tgc * cp_signal(ram, found, at, subpage, chess=True)
        signal = (pixel_signals(ram, found, at, chess=True) - blind) / self._settings.emissivity
        reflected_c = at.ta_c - self._settings.self_heating_k
        beside4 = background4(at.ta_c, reflected_c, self._settings.emissivity)
        alpha = sensitivity(found, at.ta_c, subpage)
        image[mask] = temperatures(signal, alpha, beside4, found)[mask]
        return at.ta_c

    def _reading(self, image: Grid, ta_c: float) -> TemperatureReading:
        # A word that was spoilt on its way may mean no temperature at all.
        spoilt = [(int(row), int(column)) for row, column in np.argwhere(np.isnan(image))]
        if len(spoilt) <= _MOST_SPOILT:
            mend(image, [*self.calibration.deviating, *spoilt])
        spot_c = warmest_spot_c(image)
        if not _SPOT_C[0] <= spot_c <= _SPOT_C[1]:
            fix = "shorten its wires, check its supply; if it happens again, replace the part"
            raise UnavailableError("the MLX90640's image cannot be", fix)
        return TemperatureReading(
            self._now_s(),
            round(spot_c, 2),
            ambient_c=round(ta_c - self._settings.self_heating_k, 2),
            field=self._turned(image).astype(np.float32),
        )

    def _turned(self, image: Grid) -> Grid:
        if self._settings.mirrored:
            image = np.fliplr(image)
        return np.flipud(np.fliplr(image)) if self._settings.upside_down else image

    def _refuse_stuck(self, subpage: int, pixels: bytes) -> None:
        # Noise alone moves some of 384 pixels at every measurement.
        self._same = self._same + 1 if self._last.get(subpage) == pixels else 0
        self._last[subpage] = pixels
        if self._same >= _STUCK:
            fix = "power the part off and on; if it happens again, replace it"
            raise UnavailableError("the MLX90640 is stuck: it says the same for ever", fix)

    def _words(self, at: int, count: int) -> NDArray[np.uint16]:
        settings = self._settings
        try:
            heard = transfer(self._bus, settings.address, at.to_bytes(2, "big"), 2 * count)
        except OSError as error:
            raise no_answer("MLX90640", settings.bus, settings.address, error) from error
        return np.frombuffer(heard, dtype=">u2").astype(np.uint16)

    def _write(self, at: int, value: int) -> None:
        settings = self._settings
        try:
            message = at.to_bytes(2, "big") + value.to_bytes(2, "big")
            transfer(self._bus, settings.address, message, 0)
        except OSError as error:
            raise no_answer("MLX90640", settings.bus, settings.address, error) from error


def mend(image: Grid, bad: Sequence[tuple[int, int]]) -> None:
    """Put the median of the good neighbours in the place of each bad pixel (datasheet, 9)."""
    for row, column in bad:
        image[row, column] = np.nan
    around = {}
    for row, column in bad:
        near = image[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        around[row, column] = near[~np.isnan(near)]
    for (row, column), good in around.items():
        image[row, column] = np.median(good) if good.size else np.nan


def warmest_spot_c(image: Grid) -> float:
    """The highest median of a block of 3 x 3 pixels, which one that is spoilt moves little."""
    blocks = sliding_window_view(image, (ARRAY_SPOT_PIXELS, ARRAY_SPOT_PIXELS))
    return float(np.max(np.median(blocks, axis=(2, 3))))
