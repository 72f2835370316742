"""What a config says: a summary, the risks it takes, and itself without secrets."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from agent.config import ConfigFile, FaceConfig, GateConfig, RuleConfig
from agent.config.base import Table
from agent.config.relations import tables, whole_of
from agent.errors import UnavailableError
from agent.operations.voice.texts import load_texts

MASK = "***"
_QUERY = re.compile(r"[?#]|/(?=[^/?#]*=)")
"""Where an address begins to say who asks: recorders write ``/user=admin&password=...`` as well."""
_TOLD_FIRST = ("kiosk", "access_points")
_TOLD_LAST = ("broker", "pack")
_WARNS_FIRST: tuple[type[Table], ...] = (FaceConfig, RuleConfig)
"""Who may pass is read before all else."""


def summary(config: GateConfig) -> dict[str, Any]:
    """What the kiosk is made of; counts and kinds only."""
    whole = whole_of(config)
    lines = {name: line for table in tables() for name, line in table.summary(whole).items()}
    between = [name for name in lines if name not in (*_TOLD_FIRST, *_TOLD_LAST)]
    return {name: lines[name] for name in (*_TOLD_FIRST, *between, *_TOLD_LAST)}


def warnings(file: ConfigFile, pad: Collection[str] | None = None) -> list[str]:
    """What is allowed but should be meant: each risk that the config takes, in plain words.

    ``pad`` names the attack detection packs that are installed; None: nobody has looked.
    """
    whole = whole_of(file.config, folder=file.path.parent, pad=pad)
    others = (table for table in tables() if table not in _WARNS_FIRST)
    found = [text for table in (*_WARNS_FIRST, *others) for text in table.warnings(whole)]
    return [*found, *_missing_texts(file)]


def _missing_texts(file: ConfigFile) -> Iterator[str]:
    settings = file.config.voice
    if settings.kind == "none":
        return
    folder = None if settings.texts is None else file.resolve(settings.texts)
    for language in settings.languages:
        try:
            load_texts(language, folder)
        except UnavailableError as error:
            yield f"the voice keeps the agent from starting: {str(error).partition(chr(10))[0]}"


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
    """``source`` without the login and the query of an address, also one that is in its path.

    Everything before the last ``@`` counts as login: a password may hold any character, and to
    mask too much shows nothing.
    """
    scheme, separator, rest = source.partition("://")
    if not separator:
        return source
    _, login, place = rest.rpartition("@")
    found = _QUERY.search(place)
    place, query = (place[: found.start()], found[0]) if found else (place, "")
    return scheme + separator + (MASK + login if login else "") + place + (query and query + MASK)
