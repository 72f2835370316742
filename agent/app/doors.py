"""Doors and pins from config."""

from pathlib import Path

from agent.adapters.gpio import GpioDoor, open_pins
from agent.config import ConfigFile, DoorConfig
from agent.ports import Clock


def open_doors(file: ConfigFile, clock: Clock) -> dict[str, GpioDoor]:
    """Every configured door, at rest; those already open are closed again where one fails.

    Raises:
        UnavailableError: a pin cannot be had.
    """
    factories: dict[tuple[str, Path | None], object] = {}
    doors: dict[str, GpioDoor] = {}
    try:
        for door in file.config.door:
            pins_file = _pins_file(file, door)
            kind = (door.pin_factory, pins_file)
            if kind not in factories:
                factories[kind] = open_pins(door.pin_factory, pins_file)
            doors[door.id] = GpioDoor(
                factories[kind],
                door.pin,
                active_high=door.active_high,
                max_pulse_s=door.max_pulse_s,
                clock=clock,
            )
    except BaseException:
        for opened in doors.values():
            opened.close()
        raise
    return doors


def _pins_file(file: ConfigFile, door: DoorConfig) -> Path | None:
    return file.resolve(door.pins_file) if door.pins_file is not None else None
