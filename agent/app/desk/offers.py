"""What may stand where a command asks for a name, for the shell's completion.

All of it is had lightly: the config is read as bare TOML, so that one with a fault in it completes
as well, and the registry by a glance. An offer is a value and what it is, or an empty text. What
one kind of offer alone needs is imported by it: a shell asks anew with each key.
"""

import contextlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from agent.adapters.store.people import glance
from agent.app.open.files.state import REGISTRY, WATCHED
from agent.app.open.paths import control_socket
from agent.operations.places import TRUST_FOLDER, TRUST_SUFFIX
from agent.vision.packs.place import manifest_dir, packs_dir

Offer = tuple[str, str]
_LARGEST_BYTES = 1_000_000
_ANSWER_S = 0.3
_ACCESS_POINT = "access_point"


@dataclass(frozen=True)
class Offers:
    """``state`` and ``config`` as the command takes them; what cannot be had raises anything."""

    state: Path
    config: Path | None

    def holders(self, start: str, *, named: bool) -> Iterator[Offer]:
        """Holders whose id begins with ``start``; ``named``: again with names, where readable."""
        # Whoever has no time for the ciphers has had the ids.
        yield from glance.holders(self._registry, start, None)
        if named:
            yield from glance.holders(self._registry, start, self._key_file)

    def categories(self, start: str) -> Iterator[Offer]:
        """Categories that a rule names or a holder has."""
        for rule in self._tables("rule"):
            for name in rule.get("categories", ()):
                yield str(name), "a rule names it"
        if self._registry.exists():
            yield from ((name, "") for name in glance.categories(self._registry, start))

    def issuers(self) -> list[Offer]:
        """Issuers whose passes are believed."""
        return [(issuer, "") for _, issuer in glance.issuer_keys(self._registry)]

    def issuer_keys(self) -> list[Offer]:
        """The ids of keys whose passes are believed."""
        return glance.issuer_keys(self._registry)

    def access_points(self) -> list[Offer]:
        """Access points of the config."""
        return [
            (str(one["id"]), str(one.get("direction", ""))) for one in self._tables(_ACCESS_POINT)
        ]

    def ids(self, table: str) -> list[Offer]:
        """The ids in ``[[table]]`` of the config."""
        return [(str(one["id"]), str(one.get("kind", ""))) for one in self._tables(table)]

    def outputs(self) -> Iterator[Offer]:
        """Outputs of doors: a turnstile has one a direction."""
        for door in self._tables("door"):
            both = "exit_pin" in door
            for name in [f"{door['id']}.entry", f"{door['id']}.exit"] if both else [door["id"]]:
                yield str(name), str(door.get("kind", ""))

    def communities(self) -> list[Offer]:
        """The kiosk's own community."""
        return [(str(self._kiosk["community"]), "")]

    def kiosks(self) -> list[Offer]:
        """The kiosk itself, as passes name it."""
        return [(f"{self._kiosk['grid']}/{self._kiosk['id']}", "")]

    def packs(self, *, installed: bool) -> list[Offer]:
        """Model packs: those that are ``installed``, or all there are."""
        return [
            (name, "installed" if there else "")
            for name, for_tests in _manifests()
            if (there := (packs_dir(self.state) / name).is_dir()) or not (installed or for_tests)
        ]

    def trust_lists(self) -> list[Offer]:
        """The installed trust lists."""
        files = sorted((self.state / TRUST_FOLDER).iterdir())
        return [(one.stem, "") for one in files if one.suffix == TRUST_SUFFIX]

    def languages(self) -> list[Offer]:
        """Languages that the gate can speak."""
        from agent.operations.voice.texts import languages  # noqa: PLC0415 - see above

        return [(one, "") for one in languages(self._texts)]

    def messages(self) -> list[Offer]:
        """Messages of the voice, each with its text in the first language."""
        from agent.operations.voice.texts import languages, load_texts  # noqa: PLC0415 - see above

        wanted = self._table("voice").get("languages") or languages(self._texts)
        return list(load_texts(str(wanted[0]), self._texts).messages.items())

    def state_files(self) -> list[Offer]:
        """Files of the state."""
        return [(row.name, "") for row in WATCHED]

    def faults(self) -> list[Offer]:
        """What is in fault in the running agent."""
        from agent.app.open.control import ask  # noqa: PLC0415 - see above

        configured = self._table("control").get("socket")
        socket = control_socket(self._beside(configured), self.state)
        found = ask(socket, {"command": "status"}, _ANSWER_S)["status"]["faults"]
        return [(str(part), str(why)) for part, why in found.items()]

    @property
    def _registry(self) -> Path:
        return REGISTRY.at(self.state)

    @property
    def _key_file(self) -> Path:
        from agent.adapters.store.keys import key_path  # noqa: PLC0415 - ciphers take long to import

        return key_path(self._beside(self._table("store").get("key_file")), self.state)

    @property
    def _texts(self) -> Path | None:
        return self._beside(self._table("voice").get("texts"))

    @property
    def _kiosk(self) -> dict[str, Any]:
        return self._table("kiosk")

    def _beside(self, path: object) -> Path | None:
        return None if path is None or self.config is None else self.config.parent / str(path)

    @cached_property
    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            if self.config is not None and self.config.stat().st_size <= _LARGEST_BYTES:
                return tomllib.loads(self.config.read_text("utf-8-sig"))
        return {}

    def _table(self, name: str) -> dict[str, Any]:
        found = self._read.get(name, {})
        return found if isinstance(found, dict) else {}

    def _tables(self, name: str) -> list[dict[str, Any]]:
        found = self._read.get(name, [])
        return [one for one in found if isinstance(one, dict) and (name == "rule" or "id" in one)]


def _manifests() -> Iterator[tuple[str, bool]]:
    """Every pack that has a manifest, and whether it is for tests only."""
    for path in sorted(manifest_dir().glob("*.toml")):
        yield path.stem, bool(tomllib.loads(path.read_text("utf-8")).get("for_tests_only"))
