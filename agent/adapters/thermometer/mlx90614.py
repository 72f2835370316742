"""The IR thermometer MLX90614 on SMBus: one spot, and the temperature of the part itself.

Not yet run on hardware.

    read    S address W, register, Sr address R, low, high, PEC
    write   S address W, register, low, high, PEC           an EEPROM cell is erased (0) first

Registers (Melexis datasheet rev 13, sections 8.3.3 to 8.4): 0x06 ambient, 0x07 object, both in
steps of 0.02 K above absolute zero with bit 15 as error flag; EEPROM 0x24 emissivity x 65535.
What the part reckons with another emissivity is corrected by its own law: its signal is emissivity
x (object^4 - ambient^4). A byte spoilt on its way is told by the PEC, tried again and counted. The
part measures at most some ten times a second; asked more often it says the same word again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from agent.adapters.thermometer.i2c import I2cBus, no_answer, transfer
from agent.adapters.thermometer.pec import pec
from agent.domain.skin.reading import TemperatureReading
from agent.errors import UnavailableError

ADDRESS = 0x5A
AMBIENT, OBJECT, EMISSIVITY = 0x06, 0x07, 0x24
ERROR_BIT = 0x8000
STEP_K = 0.02
ZERO_C = -273.15

_OBJECT_C = (-40.0, 125.0)
_AMBIENT_C = (-40.0, 85.0)
_LEAST_EMISSIVITY = 0.1
_TRIES = 3
_START_S = 2.0
_START_TRY_S = 0.05
_EEPROM_S = 0.02
_STUCK_READS, _STUCK_S = 64, 10.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mlx90614Settings:
    """Where the part is and how it is trusted; ``bus`` is named in messages only.

    ``emissivity`` is that of what is looked at: skin has 0.98. A new part reckons with 1.0, which
    its EEPROM says and the driver corrects for.
    """

    bus: int = 1
    address: int = ADDRESS
    emissivity: float = 0.98
    check_pec: bool = True


class Mlx90614:
    """Implements ``ports.Thermometer``; used by one thread.

    ``pec_failures`` counts the answers whose PEC was wrong, also where none is refused for it.
    """

    def __init__(
        self,
        bus: I2cBus,
        settings: Mlx90614Settings,
        *,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        expects_emissivity: bool = True,
    ) -> None:
        """Take the bus, wait for the part (first data comes 250 ms after power), and check it.

        Who is about to write the part's emissivity expects none there.

        Raises:
            UnavailableError: nobody answers within two seconds, or the part reckons with an
                emissivity that cannot be.
        """
        self.pec_failures = 0
        self._bus = bus
        self._settings = settings
        self._now_s = now_s
        self._sleep = sleep
        self._closed = False
        self._last: tuple[int, int] | None = None
        self._same, self._same_since_s = 0, 0.0
        word = self._await_start()
        self.part_emissivity = round(word / 0xFFFF, 4)
        self._correction = self._correction_from(word) if expects_emissivity else 1.0

    def read(self) -> TemperatureReading:
        """A reading taken now.

        Raises:
            UnavailableError: the part is silent, says that it failed, says what cannot be, or has
                said the same for too long.
        """
        if self._closed:
            raise UnavailableError("the MLX90614 is closed")
        measured_s = self._now_s()
        words = self._word(AMBIENT), self._word(OBJECT)
        ambient_c = words[0] * STEP_K + ZERO_C
        object_c = self._object_c(words[1], ambient_c)
        if any(word & ERROR_BIT for word in words):
            fix = "it is overheated, dirty or broken: clean the window, else replace the part"
            raise UnavailableError("the MLX90614 says that its measurement failed", fix)
        for celsius, (low, high), what in (
            (ambient_c, _AMBIENT_C, "ambient"),
            (object_c, _OBJECT_C, "object"),
        ):
            if not low <= celsius <= high:
                fix = "check its supply (a 3 V part has B or D in its name); else replace it"
                raise UnavailableError(
                    f"the MLX90614 says {celsius:.0f} C for the {what}, which cannot be", fix
                )
        self._refuse_stuck(words, measured_s)
        return TemperatureReading(measured_s, round(object_c, 2), ambient_c=round(ambient_c, 2))

    def emissivity(self) -> float:
        """What the part's EEPROM says, 0 to 1.

        Raises:
            UnavailableError: the part is silent.
        """
        return self._word(EMISSIVITY) / 0xFFFF

    def set_emissivity(self, emissivity: float) -> None:
        """Write the part's EEPROM, which wears out; for a technician, and never needed.

        It counts from the part's next start: take its power away for a second. Parts with a C as
        the second letter of their name (DCI, BCC) keep a factory cell that would have to follow
        (Melexis, "Changing emissivity"); they are not to be set.

        Raises:
            UnavailableError: the part is silent, or does not keep what was written.
        """
        word = emissivity_word(emissivity)
        for value in (0, word):
            self._write(EMISSIVITY, value)
            self._sleep(_EEPROM_S)
        if self._word(EMISSIVITY) != word:
            fix = "write it again with a steady supply; else replace the part"
            raise UnavailableError("the MLX90614 does not keep what was written", fix)

    def close(self) -> None:
        """Let the bus go; safe to call twice."""
        if not self._closed:
            self._closed = True
            self._bus.close()

    def _await_start(self) -> int:
        """The word of its emissivity, once it answers."""
        ends_s = self._now_s() + _START_S
        while True:
            try:
                self._word(AMBIENT)
                return self._word(EMISSIVITY)
            except UnavailableError:
                if self._now_s() >= ends_s:
                    raise
                self._sleep(_START_TRY_S)

    def _correction_from(self, word: int) -> float:
        """What the part's signal is multiplied by for the config's emissivity."""
        if word < _LEAST_EMISSIVITY * 0xFFFF:
            fix = "gate-agent thermometer set-emissivity 0.98; if it forgets that, replace the part"
            message = f"the MLX90614 reckons with an emissivity of {self.part_emissivity}"
            raise UnavailableError(message, fix)
        wanted = emissivity_word(self._settings.emissivity)
        # One unit in the last place is somebody else's rounding.
        if abs(word - wanted) <= 1:
            return 1.0
        _log.warning(
            "thermometer_emissivity_differs",
            part=self.part_emissivity,
            config=self._settings.emissivity,
            what="each reading is corrected from the part's to the config's",
        )
        return word / wanted

    def _object_c(self, word: int, ambient_c: float) -> float:
        said_c = word * STEP_K + ZERO_C
        if self._correction == 1.0:
            return said_c
        own4, said4 = (ambient_c - ZERO_C) ** 4, (said_c - ZERO_C) ** 4
        true4 = own4 + self._correction * (said4 - own4)
        return float(max(true4, 0.0) ** 0.25) + ZERO_C

    def _refuse_stuck(self, words: tuple[int, int], now_s: float) -> None:
        # A living part's object word is never still for so long: its noise is some steps.
        if words != self._last:
            self._last, self._same, self._same_since_s = words, 0, now_s
        self._same += 1
        if self._same >= _STUCK_READS and now_s - self._same_since_s >= _STUCK_S:
            fix = "power the part off and on; if it happens again, replace it"
            raise UnavailableError("the MLX90614 is stuck: it says the same for ever", fix)

    def _word(self, register: int) -> int:
        address = self._settings.address
        failure: OSError | None = None
        for _ in range(_TRIES):
            try:
                low, high, code = transfer(self._bus, address, bytes([register]), 3)
            except OSError as error:
                failure = error
                continue
            failure = None
            heard = bytes([address << 1, register, address << 1 | 1, low, high])
            if pec(heard) == code:
                return high << 8 | low
            self.pec_failures += 1
            if not self._settings.check_pec:
                return high << 8 | low
            _log.info("thermometer_pec_wrong", register=register, failures=self.pec_failures)
        if failure is not None:
            raise no_answer("MLX90614", self._settings.bus, address, failure) from failure
        fix = (
            "shorten or shield its wires and check the pull-ups; where the bus adapter carries no"
            " PEC: check_pec = false under [thermometer]"
        )
        raise UnavailableError("the MLX90614's answer fails its check (PEC)", fix)

    def _write(self, register: int, value: int) -> None:
        address = self._settings.address
        message = bytes([register, value & 0xFF, value >> 8])
        try:
            checked = message + bytes([pec(bytes([address << 1]) + message)])
            transfer(self._bus, address, checked, 0)
        except OSError as error:
            raise no_answer("MLX90614", self._settings.bus, address, error) from error


def emissivity_word(emissivity: float) -> int:
    """The EEPROM word of an emissivity: 0.98 is 0xFAE0."""
    return round(emissivity * 0xFFFF)
