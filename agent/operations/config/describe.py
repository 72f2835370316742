"""What a config says: a summary, the risks it takes, and itself without secrets."""

from typing import Any

from agent.config import ConfigFile, GateConfig
from agent.operations.config.risks import risks

MASK = "***"


def summary(config: GateConfig) -> dict[str, Any]:
    """What the kiosk is made of; counts and kinds only."""
    kiosk = config.kiosk
    return {
        "kiosk": f"{kiosk.community}/{kiosk.grid}/{kiosk.id}",
        "access_points": [point.id for point in config.access_point],
        "cameras": [f"{camera.id} ({camera.kind})" for camera in config.camera],
        "doors": [f"{door.id} ({door.pin_factory})" for door in config.door],
        "inputs": [f"{one.id} ({one.kind})" for one in config.input],
        "areas": [f"{area.id} (anti-passback {area.anti_passback})" for area in config.area],
        "schedules": [schedule.id for schedule in config.schedule],
        "rules": len(config.rule),
        "categories": sorted({name for rule in config.rule for name in rule.categories}),
        "thermometer": config.thermometer.kind,
        "voice": config.voice.kind,
        "broker": f"{config.broker.host}:{config.broker.port}" if config.broker else None,
        "pack": config.face.pack,
    }


def warnings(file: ConfigFile) -> list[str]:
    """What is allowed but should be meant: each risk that the config takes, in plain words."""
    config = file.config
    found = _risks_of_factors(config)
    if not config.rule:
        found.append("there is no [[rule]]: nobody may pass")
    if config.broker is None:
        found.append("there is no [broker]: events stay in the journal of this kiosk")
    elif config.broker.ca_file is None and config.broker.host not in {"localhost", "127.0.0.1"}:
        found.append("[broker] has no ca_file: events cross the network in the clear")
    found += [
        f"door {door.id} stands free while {door.free_passage_schedule} holds"
        " (free_passage_schedule): anybody may pass then"
        for door in config.door
        if door.free_passage_schedule is not None
    ]
    if config.clock.trust_system_clock:
        found.append("[clock] trust_system_clock: a wrong clock is believed")
    if config.store.keep_photographs:
        found.append("[store] keep_photographs: enrolment photographs are kept")
    found += [
        f"door {door.id} is simulated ({door.pin_factory}): no real output moves"
        for door in config.door
        if door.pin_factory != "lgpio"
    ]
    found += [
        f"camera {camera.id} is simulated: it shows photographs"
        for camera in config.camera
        if camera.kind == "simulated"
    ]
    if config.thermometer.kind == "simulated":
        found.append("the thermometer is simulated: it measures nobody")
    found += risks(file)
    if config.broker is not None:
        needed = (config.broker.password_file, config.broker.ca_file, config.broker.cert_file)
        found += [
            f"{file.resolve(path)} is not there or not readable"
            for path in (*needed, config.broker.key_file)
            if path is not None and not _readable(file, str(path))
        ]
    return found


def _risks_of_factors(config: GateConfig) -> list[str]:
    found = []
    alone = {factors for rule in config.rule for factors in rule.factors if "+" not in factors}
    if "face" in alone and config.face.accept_no_pad:
        found.append(
            "face alone opens the gate without presentation attack detection"
            " ([face] accept_no_pad): a photograph of a resident may pass"
        )
    if "pass" in alone:
        found.append(
            'a pass alone opens the gate (factors = ["pass"]): whoever photographs one may pass'
            ' until it ends; prefer "pass+face", or passes of one use'
        )
    if "id_document" in alone:
        found.append(
            'an ID document alone opens the gate (factors = ["id_document"]): whoever finds or'
            ' takes one may pass; prefer "id_document+face" or "id_document+pass"'
        )
    return found


def masked(config: GateConfig) -> dict[str, Any]:
    """The whole config with its defaults, as JSON values, and without what opens anything.

    Passwords and keys live in files of their own and only their paths are here; what can carry a
    secret is the address of a camera's stream.
    """
    shown = config.model_dump(mode="json", by_alias=True)
    for camera in shown["camera"]:
        source = camera["source"]
        if isinstance(source, str):
            camera["source"] = mask_address(source)
    return dict(shown)


def mask_address(source: str) -> str:
    """``source`` without the login and the query of an address.

    Everything before the last ``@`` counts as login: a password may hold any character, and to
    mask too much shows nothing.
    """
    scheme, separator, rest = source.partition("://")
    if not separator:
        return source
    _, login, place = rest.rpartition("@")
    place, query, _ = place.partition("?")
    return scheme + separator + (MASK + login if login else "") + place + (query and f"?{MASK}")


def _readable(file: ConfigFile, path: str) -> bool:
    try:
        with file.resolve(path).open("rb"):
            return True
    except OSError:
        return False
