"""A first gate for another machine: its config goes on the card that the kiosk will start from."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.operations.config.first_found import Found
from agent.operations.config.first_gate import FirstGate

_FILES = (
    "broker_ca",
    "broker_cert",
    "broker_key",
    "broker_password_file",
    "command_key",
    "registry_key",
)
"""Answers that name a file of this machine, which goes onto the card as well."""


def of_another(found: Found) -> Found:
    """What may be taken for found at a kiosk that is not here: a header, and nothing by name."""
    return replace(
        found,
        host="",
        cameras={},
        header=True,
        i2c=True,
        thermometers=(),
        serial_ports=(),
        sound=("the kiosk's",),
        absent={**found.absent, "camera": "the kiosk's is not here to be looked at"},
    )


def on_card(
    gate: FirstGate, folder: Path, taken: Collection[str] = ()
) -> tuple[FirstGate, dict[str, Path]]:
    """The gate as the card has it, and what else goes onto it: files by their names there.

    ``taken`` are names that something else will have.
    """
    beside: dict[str, Path] = {}
    named_there: dict[str, Any] = {}
    for field in _FILES:
        named = getattr(gate, field)
        if named is None or named in taken:
            continue
        source = folder / named
        name = _free(source, {*beside, *taken, "gate.toml"})
        beside[name] = source
        named_there[field] = name
    # What lies on the card already stays where it is.
    there = replace(gate, **named_there)
    return there, {name: source for name, source in beside.items() if source != folder / name}


def _free(source: Path, taken: Collection[str]) -> str:
    small = {one.lower() for one in taken}
    names = (f"{source.stem}{number}{source.suffix}" for number in ("", *range(2, 1000)))
    return next(one for one in names if one.lower() not in small)
