"""Which outputs the config names, and the note of them that outlives the agent."""

from pathlib import Path

from agent.adapters.store.aside import put_aside
from agent.app.open.doors import release_level
from agent.config import ConfigFile
from agent.operations.places import OUTPUTS_RECORD
from agent.operations.secure_outputs import (
    OutputLine,
    record_outputs,
)


def outputs_of(file: ConfigFile) -> tuple[OutputLine, ...]:
    """The config's outputs."""
    return tuple(
        OutputLine(
            name,
            pin,
            release_level(door),
            door.pin_factory,
            None if door.pins_file is None else str(file.resolve(door.pins_file)),
        )
        for door in file.config.door
        for name, pin in door.outputs.items()
    )


def remember_outputs(file: ConfigFile, state: Path) -> None:
    """To be called before the doors are opened: ``secure_all`` then knows them without the config.

    Raises:
        UnavailableError: the state directory cannot be written to.
    """
    for place in (state / OUTPUTS_RECORD, state / f".{OUTPUTS_RECORD}.new"):
        if place.is_dir():
            put_aside(place)  # nothing can be written over it
    try:
        config = file.path.read_bytes()
    except OSError:
        config = None  # gone since it was read: then nobody can tell whether it is still the same
    record_outputs(state, outputs_of(file), config)
