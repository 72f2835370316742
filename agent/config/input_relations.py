"""What inputs owe doors: which door they watch, and in which direction.

kind              door       direction, where it is a turnstile's
rex passage       needed     needed: each direction has its own
feedback          needed     needed: each relay has its own
contact duress    needed     without one it counts for both
tamper fire       may be     without one it counts for both; without a door for the kiosk
"""

from collections.abc import Collection, Iterator

from agent.config.hardware import DoorConfig, InputConfig
from agent.config.lines import KeyPath
from agent.config.mend import UNREAD
from agent.config.relations import Finding, did_you_mean, unsure
from agent.config.schema import GateConfig

_NEED_A_DOOR = frozenset({"contact", "rex", "passage", "feedback", "duress"})
_NEED_A_DIRECTION = frozenset({"rex", "passage", "feedback"})
_ONE_AN_OUTPUT = frozenset({"contact", "feedback"})


def check_inputs(config: GateConfig, mended: Collection[KeyPath] = ()) -> Iterator[Finding]:
    """Inputs that no door answers for, or more than one input where there may be one."""
    doors = {door.id: (i, door) for i, door in enumerate(config.door)}
    watched: dict[tuple[str, str], str] = {}
    ids: set[str] = set()
    for i, one in enumerate(config.input):
        path = ("input", i)
        if one.id in ids and one.id != UNREAD:
            yield (*path, "id"), f"{one.id!r} is named twice"
        ids.add(one.id)
        if any(unsure((*path, key), mended) for key in ("kind", "door", "direction")):
            continue
        if one.door is None:
            yield from _without_door(path, one)
        elif one.door not in doors:
            if UNREAD not in (one.door, *doors):
                yield (
                    (*path, "door"),
                    f"there is no {one.door!r}{did_you_mean(one.door, list(doors))}",
                )
        else:
            number, door = doors[one.door]
            if not unsure(("door", number, "kind"), mended):
                yield from _direction(path, one, door)
                yield from _alone(path, one, door, watched)


def outputs_of(one: InputConfig, door: DoorConfig) -> tuple[str, ...]:
    """The names of the outputs that an input of this door counts for."""
    if one.direction is None:
        return tuple(door.outputs)
    return (door.output_for(one.direction),)


def _without_door(path: KeyPath, one: InputConfig) -> Iterator[Finding]:
    if one.kind in _NEED_A_DOOR:
        yield path, f'kind = "{one.kind}" needs the door it belongs to: door = "..."'
    if one.direction is not None:
        yield (*path, "direction"), "goes with a door"


def _direction(path: KeyPath, one: InputConfig, door: DoorConfig) -> Iterator[Finding]:
    if door.kind == "gpio" and one.direction is not None:
        message = f"door {door.id!r} has one relay for both directions: leave direction out"
        yield (*path, "direction"), message
    if door.kind == "turnstile" and one.direction is None and one.kind in _NEED_A_DIRECTION:
        yield path, f'kind = "{one.kind}" of a turnstile needs direction = "entry" or "exit"'


def _alone(
    path: KeyPath, one: InputConfig, door: DoorConfig, watched: dict[tuple[str, str], str]
) -> Iterator[Finding]:
    if one.kind not in _ONE_AN_OUTPUT:
        return
    for output in outputs_of(one, door):
        before = watched.setdefault((one.kind, output), one.id)
        if before != one.id:
            yield path, f"{output!r} already has {before!r} as its {one.kind}"
            return
