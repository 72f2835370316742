"""What the tables of a config owe each other: findings as (key path, message)."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from difflib import get_close_matches

from agent.config.lines import KeyPath
from agent.config.mend import UNREAD
from agent.config.schema import GateConfig

Finding = tuple[KeyPath, str]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint behind an unknown word, or nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def unsure(path: KeyPath, mended: Collection[KeyPath]) -> bool:
    """Whether what stands at ``path`` is not what the file says."""
    return any(path[: len(one)] == one for one in mended)


def check_relations(config: GateConfig, mended: Collection[KeyPath] = ()) -> Iterator[Finding]:
    """Every reference without its referent, every double use, every risk left unaccepted.

    Nothing is said of what stands at ``mended`` in place of the file's own values.
    """
    cameras = [camera.id for camera in config.camera]
    doors = [door.id for door in config.door]
    points = [point.id for point in config.access_point]
    yield from _repeated("camera", cameras)
    yield from _repeated("door", doors)
    yield from _same_outputs(config, mended)
    yield from _repeated("access_point", points)
    areas = [area.id for area in config.area]
    yield from _repeated("area", areas)
    for i, point in enumerate(config.access_point):
        for name in ("from_area", "to_area"):
            if (area := getattr(point, name)) is not None:
                yield from _known(("access_point", i, name), area, areas)
        yield from _known(("access_point", i, "camera"), point.camera, cameras)
        yield from _known(("access_point", i, "door"), point.door, doors)
    measured = config.thermometer.kind != "none" or unsure(("thermometer", "kind"), mended)
    for i, rule in enumerate(config.rule):
        for j, name in enumerate(rule.access_points):
            yield from _known(("rule", i, "access_points", j), name, points)
        if rule.temperature_limit_c is not None and not measured:
            yield (("rule", i, "temperature_limit_c"), "needs a [thermometer] to measure with")
    yield from _shared_cameras(config)
    yield from _id_reader(config)
    points = [point.id for point in config.access_point]
    for i, indicator in enumerate(config.indicator):
        yield from _known(("indicator", i, "access_point"), indicator.access_point, points)
        if indicator.access_point in [one.access_point for one in config.indicator[:i]]:
            message = "has an indicator already: its lights and buzzer stand in one table"
            yield (("indicator", i, "access_point"), message)
    if config.voice.access_point is not None:
        yield from _known(("voice", "access_point"), config.voice.access_point, points)
    yield from _face(config, mended)


def _id_reader(config: GateConfig) -> Iterator[Finding]:
    reader, points = config.id_reader, [point.id for point in config.access_point]
    if reader.access_point is not None:
        yield from _known(("id_reader", "access_point"), reader.access_point, points)
    for i, rule in enumerate(config.rule):
        asked = any("id_document" in factors.split("+") for factors in rule.factors)
        if asked and reader.kind == "none":
            message = "asks for an ID document, and there is no [id_reader] to read one"
            yield (("rule", i, "factors"), message)


def _face(config: GateConfig, mended: Collection[KeyPath]) -> Iterator[Finding]:
    accepted = ("face", "accept_no_pad")
    alone = any("face" in rule.factors for rule in config.rule)
    if alone and not config.face.accept_no_pad and not unsure(accepted, mended):
        message = (
            "the rules open by face alone, and no presentation attack detection is installed: "
            "a photograph may pass. Set accept_no_pad = true under [face] to accept that, "
            'or factors = ["pass+face"] in every rule'
        )
        yield (accepted, message)
    least, most = ("face", "attempt_interval_s"), ("face", "attempt_interval_max_s")
    known = not unsure(least, mended) and not unsure(most, mended)
    if known and config.face.attempt_interval_max_s < config.face.attempt_interval_s:
        yield (most, "is less than attempt_interval_s")


def _known(path: KeyPath, name: str, names: Sequence[str]) -> Iterator[Finding]:
    # Where an id could not be read, it may be the one that is meant.
    if name not in names and UNREAD not in (name, *names):
        yield (path, f"there is no {name!r}{did_you_mean(name, names)}")


def _repeated(table: str, names: Sequence[str]) -> Iterator[Finding]:
    for i, name in enumerate(names):
        if name in names[:i] and name != UNREAD:
            yield ((table, i, "id"), f"{name!r} is named twice")


def _same_outputs(config: GateConfig, mended: Collection[KeyPath]) -> Iterator[Finding]:
    """A turnstile's outputs are ``lane.entry`` and ``lane.exit``: no other door is called so."""
    owners: dict[str, str] = {}
    for i, door in enumerate(config.door):
        if unsure(("door", i, "id"), mended) or unsure(("door", i, "kind"), mended):
            continue
        for name in door.outputs:
            owner = owners.setdefault(name, door.id)
            if owner != door.id:
                yield ("door", i, "id"), f"{name!r} is an output of {owner!r} too: rename one"


def _shared_cameras(config: GateConfig) -> Iterator[Finding]:
    # One face before one camera must not open two doors.
    seen: dict[str, str] = {}
    for i, point in enumerate(config.access_point):
        if point.camera in seen and point.camera != UNREAD:
            yield (
                ("access_point", i, "camera"),
                f"camera {point.camera!r} already serves access point {seen[point.camera]!r}",
            )
        seen.setdefault(point.camera, point.id)
