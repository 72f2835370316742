"""What a config says: a summary, the risks it takes, and itself without secrets."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from agent.config import ConfigFile, FaceConfig, GateConfig, RuleConfig
from agent.config.base import Table
from agent.config.faults import fault_of
from agent.config.lines import places_in
from agent.config.mask import mask_address
from agent.config.relations import placed, tables, whole_of
from agent.config.whole import Finding
from agent.errors import Fault, UnavailableError
from agent.operations.voice.texts import load_texts

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


def risks(file: ConfigFile, pad: Collection[str] | None = None) -> list[Finding]:
    """What is allowed but should be meant, in plain words, each with the key that takes the risk.

    ``pad`` names the attack detection packs that are installed; None: nobody has looked.
    """
    whole = whole_of(file.config, folder=file.path.parent, pad=pad)
    others = (table for table in tables() if table not in _WARNS_FIRST)
    found = [one for table in (*_WARNS_FIRST, *others) for one in table.warnings(whole)]
    placed_found = [placed(file.config, one) for one in found]
    return [*placed_found, *_missing_texts(file)]


def faults_of(file: ConfigFile, found: Iterable[Finding]) -> list[Fault]:
    """Findings with their places in the file; of a key that it leaves out there is none."""
    places = places_in(file.text)
    return [fault_of(finding, places) for finding in found]


def told(fault: Fault) -> str:
    """A fault in plain words, its fix on a line of its own."""
    return fault.message + f"\nFix: {fault.fix}" * bool(fault.fix)


def _missing_texts(file: ConfigFile) -> Iterator[Finding]:
    settings = file.config.voice
    if settings.kind == "none":
        return
    folder = None if settings.texts is None else file.resolve(settings.texts)
    for language in settings.languages:
        try:
            load_texts(language, folder)
        except UnavailableError as error:
            said = str(error).partition(chr(10))[0]
            path = ("voice", "languages")
            yield path, f"the voice keeps the agent from starting: {said}"


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
