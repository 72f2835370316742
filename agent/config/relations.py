"""What the tables of a config owe each other: findings as (key path, message)."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from agent.config.schema import GateConfig

KeyPath = tuple[str | int, ...]
Finding = tuple[KeyPath, str]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint behind an unknown word, or nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def check_relations(config: GateConfig) -> Iterator[Finding]:
    """Every reference without its referent, every double use, every risk left unaccepted."""
    cameras = [camera.id for camera in config.camera]
    doors = [door.id for door in config.door]
    points = [point.id for point in config.access_point]
    yield from _repeated("camera", cameras)
    yield from _repeated("door", doors)
    yield from _repeated("access_point", points)
    for i, point in enumerate(config.access_point):
        yield from _known(("access_point", i, "camera"), point.camera, cameras)
        yield from _known(("access_point", i, "door"), point.door, doors)
    for i, rule in enumerate(config.rule):
        for j, name in enumerate(rule.access_points):
            yield from _known(("rule", i, "access_points", j), name, points)
        if rule.temperature_limit_c is not None and config.thermometer.kind == "none":
            yield (("rule", i, "temperature_limit_c"), "needs a [thermometer] to measure with")
    yield from _shared_pins(config)
    yield from _shared_cameras(config)
    if config.rule and not config.face.accept_no_pad:
        message = (
            "the rules open by face alone, and no presentation attack detection is installed: "
            "a photograph may pass. Set accept_no_pad = true under [face] to accept that"
        )
        yield (("face", "accept_no_pad"), message)
    if config.face.attempt_interval_max_s < config.face.attempt_interval_s:
        yield (("face", "attempt_interval_max_s"), "is less than attempt_interval_s")


def _known(path: KeyPath, name: str, names: Sequence[str]) -> Iterator[Finding]:
    if name not in names:
        yield (path, f"there is no {name!r}{did_you_mean(name, names)}")


def _repeated(table: str, names: Sequence[str]) -> Iterator[Finding]:
    for i, name in enumerate(names):
        if name in names[:i]:
            yield ((table, i, "id"), f"{name!r} is named twice")


def _shared_pins(config: GateConfig) -> Iterator[Finding]:
    seen: dict[int, str] = {}
    for i, door in enumerate(config.door):
        if door.pin in seen:
            yield (("door", i, "pin"), f"pin {door.pin} is already that of door {seen[door.pin]!r}")
        seen.setdefault(door.pin, door.id)


def _shared_cameras(config: GateConfig) -> Iterator[Finding]:
    # One face before one camera must not open two doors.
    seen: dict[str, str] = {}
    for i, point in enumerate(config.access_point):
        if point.camera in seen:
            yield (
                ("access_point", i, "camera"),
                f"camera {point.camera!r} already serves access point {seen[point.camera]!r}",
            )
        seen.setdefault(point.camera, point.id)
