"""What of a config's inputs, areas and voice is allowed but seldom meant: texts for people."""

from collections.abc import Iterator

from agent.config import ConfigFile, GateConfig
from agent.config.hardware import InputConfig
from agent.errors import UnavailableError
from agent.operations.voice.texts import load_texts

_CUT_READS_AS = {
    "rex": "pressed: it would free the door",
    "passage": "somebody who passes: it would end a grant",
    "duress": "pressed: somebody would come for nothing",
    "contact": "a closed door: nobody would notice",
    "tamper": "a closed housing: nobody would notice",
    "fire": "no alarm: the doors would stay shut",
}
_KEYS_OF_PARTS = {
    "temperature_c": ("simulated",),
    "bus": ("mlx90614", "mlx90640"),
    "address": ("mlx90614", "mlx90640"),
    "emissivity": ("mlx90614", "mlx90640"),
    "check_pec": ("mlx90614",),
    "refresh_hz": ("mlx90640",),
    "self_heating_k": ("mlx90640",),
    "mirrored": ("mlx90640",),
    "upside_down": ("mlx90640",),
}
_GUARDS = frozenset({"contact", "tamper", "fire"})
"""Whose cut wire is to read as the alarm; that of the others is to ask for nothing."""


def risks(file: ConfigFile) -> list[str]:
    """Each of them, in the order of the file's tables."""
    config = file.config
    found = [text for one in config.input if (text := _cut_wire(one)) is not None]
    return [*found, *_areas(config), *_thermometer(config), *_voice(file)]


def _cut_wire(one: InputConfig) -> str | None:
    if one.pull == "none" or one.kind not in _CUT_READS_AS:
        return None
    active = one.active_high is (one.pull == "up")
    if active is (one.kind in _GUARDS):
        return None
    reads = _CUT_READS_AS[one.kind]
    return (
        f"input {one.id}: with pull = {one.pull!r} and active_high = {str(one.active_high).lower()}"
        f" a cut wire reads as {reads}; docs/inputs.md says how to wire it"
    )


def _areas(config: GateConfig) -> Iterator[str]:
    for area in config.area:
        if area.anti_passback == "off":
            continue
        enters = any(point.to_area == area.id for point in config.access_point)
        leaves = any(
            area.id == point.from_area or point.to_area not in (None, area.id)
            for point in config.access_point
        )
        if not enters:
            yield f"area {area.id}: no access point has it as to_area, so nobody is ever inside"
        elif not leaves and area.anti_passback == "hard":
            yield (
                f"area {area.id}: no access point leads out of it (from_area), so everybody comes"
                ' in once and is refused then; "timed" forgets by itself'
            )


def _thermometer(config: GateConfig) -> Iterator[str]:
    one = config.thermometer
    for key, kinds in _KEYS_OF_PARTS.items():
        if key in one.model_fields_set and one.kind not in ("none", *kinds):
            yield f"[thermometer] {key} says nothing to kind = {one.kind!r}, only to {kinds[0]!r}"


def _voice(file: ConfigFile) -> Iterator[str]:
    settings = file.config.voice
    if settings.kind == "none":
        return
    if settings.kind == "simulated":
        yield "the voice is simulated: nobody hears it"
    folder = None if settings.texts is None else file.resolve(settings.texts)
    for language in settings.languages:
        try:
            load_texts(language, folder)
        except UnavailableError as error:
            yield f"the voice keeps the agent from starting: {str(error).partition(chr(10))[0]}"
