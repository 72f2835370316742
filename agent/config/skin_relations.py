"""What the thermometer owes the rules, and its numbers each other: (key path, message)."""

from collections.abc import Collection, Iterator

from agent.config.hardware import ThermometerConfig
from agent.config.lines import KeyPath
from agent.config.mend import UNREAD
from agent.config.relations import Finding, did_you_mean, unsure
from agent.config.schema import GateConfig

_TABLE = "thermometer"
_REAL = ("mlx90614", "mlx90640")
_SUBPAGES = 2


def check_skin(config: GateConfig, mended: Collection[KeyPath] = ()) -> Iterator[Finding]:
    """Every temperature that could never be measured in time, or nowhere.

    Nothing is said of what stands at ``mended`` in place of the file's own values.
    """
    part = config.thermometer
    measured = part.kind != "none" and not unsure((_TABLE, "kind"), mended)
    yield from _place(config)
    yield from _rules(config)
    if part.attack_cue == "deny" and part.kind == "none":
        yield ((_TABLE, "attack_cue"), "needs a kind of thermometer to look with")
    if part.ambient_min_c >= part.ambient_max_c:
        yield ((_TABLE, "ambient_min_c"), "is not below ambient_max_c: nothing would be reliable")
    asked = any(rule.temperature_limit_c is not None for rule in config.rule)
    if measured and (asked or part.attack_cue == "deny"):
        yield from _in_time(part)


def _place(config: GateConfig) -> Iterator[Finding]:
    part, points = config.thermometer, [point.id for point in config.access_point]
    path = (_TABLE, "access_point")
    if part.access_point is None:
        if part.kind in _REAL and len(points) > 1:
            message = f"there are {len(points)} access points: say beside which camera it is"
            yield (path, f"{message} (one of {', '.join(points)})")
        return
    if part.access_point not in points and UNREAD not in points:
        hint = did_you_mean(part.access_point, points)
        yield (path, f"there is no {part.access_point!r}{hint}")
        return
    for i, rule in enumerate(config.rule):
        elsewhere = [point for point in rule.access_points or points if point != part.access_point]
        unreliable = rule.unreliable or part.unreliable
        if rule.temperature_limit_c is not None and elsewhere and unreliable == "deny":
            message = (
                f"asks at {elsewhere[0]!r} too, where the thermometer is not, and would refuse"
                f" everybody there; say access_points = [{part.access_point!r}]"
            )
            yield (("rule", i, "temperature_limit_c"), message)


def _rules(config: GateConfig) -> Iterator[Finding]:
    for i, rule in enumerate(config.rule):
        if rule.temperature_limit_c is None:
            for name in ("baseline_delta_c", "elevated", "second_reading_after_s", "unreliable"):
                if getattr(rule, name) is not None:
                    message = "goes with temperature_limit_c, which this rule does not have"
                    yield (("rule", i, name), message)


def _in_time(part: ThermometerConfig) -> Iterator[Finding]:
    # An image is two half images, and the reader pauses between two.
    takes_s = _SUBPAGES / part.refresh_hz if part.kind == "mlx90640" else 0.0
    needed_s = part.samples_min * (part.interval_s + takes_s)
    if needed_s > part.measure_timeout_s:
        more = ", or refresh_hz higher" if part.kind == "mlx90640" else ", or interval_s lower"
        message = (
            f"{part.samples_min} samples take {needed_s:g} s, so that nobody would be measured in"
            f" time; set it to {needed_s:.1f} or more{more}"
        )
        yield ((_TABLE, "measure_timeout_s"), message)
