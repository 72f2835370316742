"""[[input]]: contacts and buttons, the doors they watch, and how they are wired.

What each kind needs is said in ``domain.door.signal``. Of a turnstile, an input whose kind needs a
direction counts for that one; any other without one counts for both, and one without a door for
the kiosk.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from agent.config.base import Name, Pin, PinsTable
from agent.config.lines import KeyPath
from agent.config.tables.door import DoorConfig
from agent.config.whole import Finding, Whole, known, repeated
from agent.domain.door.signal import Signal


class InputConfig(PinsTable):
    """A contact or button on a pin: ``active_high`` is the level that means active.

    Active is: the door open, the button pressed, one rotation, the housing open, the fire alarm,
    the relay releasing, duress. ``door`` is the door it belongs to; a turnstile's has a direction.
    """

    id: Annotated[Name, Field(description="what events and faults call it")]
    kind: Annotated[Signal, Field(description="what it is a contact or button of")]
    pin: Annotated[Pin, Field(description="where it is")]
    active_high: Annotated[
        bool, Field(description="the level that means open, pressed, passed, tampered, alarm")
    ]
    pull: Annotated[
        Literal["up", "down", "none"], Field(description="none: there is a resistor of your own")
    ]
    door: Annotated[Name | None, Field(description="of [[door]]: the one it belongs to")] = None
    direction: Annotated[Literal["entry", "exit"] | None, Field(description="of a turnstile")] = (
        None
    )
    debounce_s: Annotated[
        float, Field(ge=0.001, le=0.2, description="so long a level must last to count")
    ] = 0.03

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Inputs that no door answers for, or more than one input where there may be one."""
        doors = {door.id: (i, door) for i, door in enumerate(whole.rows(DoorConfig))}
        watched: dict[tuple[str, str], str] = {}
        yield from repeated("input", [one.id for one in whole.rows(cls)])
        for i, one in enumerate(whole.rows(cls)):
            path = ("input", i)
            if any(whole.unsure(*path, key) for key in ("kind", "door", "direction")):
                continue
            if one.door is None:
                yield from _without_door(path, one)
            elif one.door not in doors:
                yield from known((*path, "door"), one.door, list(doors))
            else:
                number, door = doors[one.door]
                if not whole.unsure("door", number, "kind"):
                    yield from _direction(path, one, door)
                    yield from _alone(path, one, door, watched)

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Wires that do harm when they are cut."""
        for i, one in enumerate(whole.rows(cls)):
            traits = one.kind.traits
            if one.pull == "none" or traits.cut_wrong is None:
                continue
            active = one.active_high is (one.pull == "up")
            if active is not traits.guards:
                message = (
                    f"input {one.id}: with pull = {one.pull!r} and active_high ="
                    f" {str(one.active_high).lower()} a cut wire reads as"
                    f" {traits.cut_wrong}; docs/inputs.md says how to wire it"
                )
                yield ("input", i, "active_high"), message

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Each with its kind."""
        return {"inputs": [f"{one.id} ({one.kind})" for one in whole.rows(cls)]}


def outputs_of(one: InputConfig, door: DoorConfig) -> tuple[str, ...]:
    """The names of the outputs that an input of this door counts for."""
    if one.direction is None:
        return tuple(door.outputs)
    return (door.output_for(one.direction),)


def _without_door(path: KeyPath, one: InputConfig) -> Iterator[Finding]:
    if one.kind.traits.needs_door:
        yield path, f'kind = "{one.kind}" needs the door it belongs to: door = "..."'
    if one.direction is not None:
        yield (*path, "direction"), "goes with a door"


def _direction(path: KeyPath, one: InputConfig, door: DoorConfig) -> Iterator[Finding]:
    if door.kind == "gpio" and one.direction is not None:
        message = f"door {door.id!r} has one relay for both directions"
        yield (*path, "direction"), message, "leave direction out"
    if door.kind == "turnstile" and one.direction is None and one.kind.traits.needs_direction:
        yield path, f'kind = "{one.kind}" of a turnstile needs direction = "entry" or "exit"'


def _alone(
    path: KeyPath, one: InputConfig, door: DoorConfig, watched: dict[tuple[str, str], str]
) -> Iterator[Finding]:
    if not one.kind.traits.one_an_output:
        return
    for output in outputs_of(one, door):
        before = watched.setdefault((one.kind, output), one.id)
        if before != one.id:
            yield path, f"{output!r} already has {before!r} as its {one.kind}"
            return
