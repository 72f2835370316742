"""Card readers from config, and what shows on them."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from agent.adapters.pins.indicator import GpioIndicator, IndicatorPins
from agent.adapters.reader.lgpio_lines import lines_of
from agent.adapters.reader.shown import ShownTwice
from agent.adapters.reader.simulated import FileLines, SimulatedLines, pulses_file
from agent.adapters.reader.wiegand import PulseLines, WiegandReader
from agent.app.open.doors import PinFactories
from agent.config import ConfigFile
from agent.config.tables.readers.reader import ReaderConfig, formats_of
from agent.domain.reader.decoder import ReaderTerms
from agent.ports import CardReader, Clock, Indicator


def open_readers(
    stack: ExitStack,
    file: ConfigFile,
    clock: Clock,
    factories: PinFactories,
    only: Sequence[ReaderConfig] | None = None,
) -> dict[str, CardReader]:
    """Every configured reader by its id, or ``only`` these, closed by ``stack``.

    Raises:
        UnavailableError: a pin cannot be had, or its library is missing.
    """
    own = formats_of(file.config.card_format)
    opened: dict[str, CardReader] = {}
    for one in file.config.reader if only is None else only:
        terms = ReaderTerms(one.read_formats(own), one.keypad, one.silence_ms / 1000.0)
        reader = WiegandReader(one.id, _lines(file, one, factories), terms, clock)
        stack.callback(reader.close)
        opened[one.id] = reader
    return opened


def show_on_readers(
    stack: ExitStack,
    file: ConfigFile,
    clock: Clock,
    factories: PinFactories,
    indicators: dict[str, Indicator],
) -> dict[str, Indicator]:
    """``indicators`` by access point, with the lights and beepers of the readers there.

    Raises:
        UnavailableError: a pin cannot be had.
    """
    shown = dict(indicators)
    for one in file.config.reader:
        if one.led_pin is one.beep_pin is None:
            continue
        wanted = IndicatorPins(
            green=one.led_pin, buzzer=one.beep_pin, active_high=one.active_high, alarm_buzzer=False
        )
        pins = factories.get(one.pin_factory, _pins_file(file, one))
        indicator = GpioIndicator(pins, wanted, clock)
        stack.callback(indicator.close)
        before = shown.get(one.access_point)
        both = indicator if before is None else ShownTwice(before, indicator)
        shown[one.access_point] = both
    return shown


def _lines(file: ConfigFile, one: ReaderConfig, factories: PinFactories) -> PulseLines:
    pins_file = _pins_file(file, one)
    if pins_file is not None:
        return FileLines(pulses_file(pins_file, one.id))
    if one.pin_factory == "mock":
        return SimulatedLines()
    factory = factories.get("lgpio", None)
    return lines_of(factory, one.d0_pin, one.d1_pin, pull_up=one.pull == "up")


def _pins_file(file: ConfigFile, one: ReaderConfig) -> Path | None:
    return file.resolve(one.pins_file) if one.pins_file is not None else None
