"""Doors, indicators, inputs and pins from config."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.adapters.clock import SystemClock
from agent.adapters.pins.door import GpioDoor, open_pins
from agent.adapters.pins.indicator import GpioIndicator, IndicatorPins
from agent.adapters.pins.inputs import GpioInputs, InputPin
from agent.config import ConfigFile, DoorConfig, InputConfig
from agent.config.base import PinFactory, PinsTable
from agent.ports import Clock


class PinFactories:
    """One factory for what shares a header, so that nothing gets another's pin."""

    def __init__(self) -> None:
        self._factories: dict[tuple[PinFactory, Path | None], Any] = {}

    def get(self, kind: PinFactory, pins_file: Path | None) -> Any:
        """The factory of this kind and file.

        Raises:
            UnavailableError: the library or the chip is missing.
        """
        if (kind, pins_file) not in self._factories:
            self._factories[kind, pins_file] = open_pins(kind, pins_file)
        return self._factories[kind, pins_file]


def open_indicators(
    file: ConfigFile, clock: Clock, factories: PinFactories
) -> dict[str, GpioIndicator]:
    """Every configured indicator by its access point, dark and silent.

    Raises:
        UnavailableError: a pin cannot be had.
    """
    opened: dict[str, GpioIndicator] = {}
    try:
        for one in file.config.indicator:
            wanted = IndicatorPins(
                one.red_pin,
                one.green_pin,
                one.buzzer_pin,
                one.active_high,
                blue=one.blue_pin,
                alarm_buzzer=one.alarm_buzzer,
                sign_buzzer=one.sign_buzzer,
            )
            pins = factories.get(one.pin_factory, _pins_file(file, one))
            opened[one.access_point] = GpioIndicator(pins, wanted, clock)
    except BaseException:
        for indicator in opened.values():
            indicator.close()
        raise
    return opened


def open_inputs(
    file: ConfigFile,
    clock: Clock,
    factories: PinFactories,
    only: Sequence[InputConfig] | None = None,
) -> GpioInputs | None:
    """Every configured contact and button, or ``only`` these; None where there is none.

    Raises:
        UnavailableError: a pin cannot be had.
    """
    wanted = [
        InputPin(
            one.id,
            factories.get(one.pin_factory, _pins_file(file, one)),
            one.pin,
            one.active_high,
            one.pull,
            one.debounce_s,
        )
        for one in (file.config.input if only is None else only)
    ]
    # The kernel's times are of the system's clock; a virtual one knows nothing of them.
    return GpioInputs(wanted, clock, edge_times=isinstance(clock, SystemClock)) if wanted else None


def open_doors(
    file: ConfigFile, clock: Clock, factories: PinFactories | None = None
) -> dict[str, GpioDoor]:
    """Every output of the configured doors by its name, secured; none stays where one fails.

    Raises:
        UnavailableError: a pin cannot be had.
    """
    factories = factories or PinFactories()
    doors: dict[str, GpioDoor] = {}
    try:
        for door in file.config.door:
            for name in door.outputs:
                doors[name] = _open_output(file, door, name, clock, factories, door.max_pulse_s)
    except BaseException:
        for opened in doors.values():
            opened.close()
        raise
    return doors


def open_output(
    file: ConfigFile, name: str, clock: Clock, factories: PinFactories, longest_s: float
) -> GpioDoor:
    """The configured output of this name, secured; it is never released for longer.

    Raises:
        UnavailableError: the pin cannot be had.
    """
    door = next(door for door in file.config.door if name in door.outputs)
    return _open_output(file, door, name, clock, factories, min(longest_s, door.max_pulse_s))


def release_level(door: DoorConfig) -> bool:
    """The level of the pin at which the door is free."""
    return door.active_high == (door.energised == "released")


def _open_output(
    file: ConfigFile,
    door: DoorConfig,
    name: str,
    clock: Clock,
    factories: PinFactories,
    max_pulse_s: float,
) -> GpioDoor:
    return GpioDoor(
        factories.get(door.pin_factory, _pins_file(file, door)),
        door.outputs[name],
        active_high=release_level(door),
        max_pulse_s=max_pulse_s,
        clock=clock,
    )


def _pins_file(file: ConfigFile, one: PinsTable) -> Path | None:
    return file.resolve(one.pins_file) if one.pins_file is not None else None
