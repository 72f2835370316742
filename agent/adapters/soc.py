"""How warm the computer itself is, as Linux tells it."""

from pathlib import Path

_ZONES = Path("/sys/class/thermal")
_LOWEST_C, _HIGHEST_C = -40.0, 150.0
"""Beyond these it is no temperature: a sensor that is switched off says so by a number."""


def soc_temperatures_c(folder: Path = _ZONES) -> dict[str, float]:
    """Degrees Celsius by the kernel's name of the sensor; empty where it tells none.

    A Pi has one, ``cpu-thermal``. Of several with one name the warmest counts.
    """
    found: dict[str, float] = {}
    for zone in sorted(folder.glob("thermal_zone*")):
        try:
            name = (zone / "type").read_text(encoding="ascii", errors="replace").strip()
            celsius = int((zone / "temp").read_text(encoding="ascii", errors="replace")) / 1000.0
        except (OSError, ValueError):
            continue  # a sensor that answers nothing is one of those that are not there
        if _LOWEST_C <= celsius <= _HIGHEST_C:
            found[name] = max(celsius, found.get(name, celsius))
    return found
