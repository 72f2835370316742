"""The parts of a bundle: what of the kiosk, its agent and its files is looked at for each.

Beside a running agent that is asked over its socket, and nothing of its is changed. Without a
config, or by a wrong one, the other parts are had all the same.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from agent import logs
from agent.app.desk.asking import AgentSocket, answered
from agent.app.desk.bundle.machine import log_of_service, machine, service
from agent.app.desk.bundle.state_files import files_of
from agent.app.desk.doctor import ExaminedKiosk
from agent.app.open.files.stores import read_journal
from agent.app.open.paths import control_socket
from agent.app.open.site import Site, site_of
from agent.config import load_config
from agent.errors import ConfigError
from agent.operations.about import about
from agent.operations.bill import bill
from agent.operations.bundle.config_keys import config_form
from agent.operations.bundle.contents import (
    check_form,
    counted,
    happened,
    health_form,
    log_lines,
    status_form,
)
from agent.operations.bundle.forms import Names, number, version
from agent.operations.bundle.parcel import Part
from agent.operations.examination.examine import examined
from agent.operations.files import read_text
from agent.operations.packs.install import list_packs
from agent.vision.packs.manifest import offered_names
from agent.vision.packs.packs import sha256_of
from agent.vision.packs.place import packs_dir

_NEWEST = 5000
_COUNTED = 20_000


def parts_of(config: Path | None, state: Path, prefix: Path) -> Iterator[Part]:
    """What goes into the bundle of the kiosk with this config and state, in order.

    ``prefix`` is the environment that runs. The config comes first: it gives the parts their
    numbers.
    """
    logs.configure("error")
    names = Names()
    desk = _Desk(config, state, names)
    yield Part("config", "the config: values of keys that are on the list", desk.config)
    yield Part("config-check", "where the config is wrong, by line", desk.faults)
    yield Part("version", "versions of agent, Python and libraries", lambda: _version(state))
    yield Part("sbom", "the hash of the bill of materials", lambda: _bill(prefix))
    yield Part("packs", "model packs, and the hashes of their files", lambda: _packs(state))
    yield Part("doctor", "the doctor's checks: status, meaning, fix", desk.doctor)
    yield Part("status", "what the running agent says of itself", desk.status)
    yield Part("health", "its heartbeat", desk.health)
    yield Part("history", "faults, starts and stops, from the journal", desk.history)
    yield Part("counts", "events by type, decisions by reason", desk.counts)
    yield Part("files", "files of the state: sizes, owners, modes", lambda: files_of(state))
    yield Part("machine", "board, memory, disk, heat, clock", lambda: machine(state))
    yield Part("service", "the service as systemd has it", service)
    yield Part("log", "the service's log: times, levels, modules, words", _log)


class _Desk:
    """One kiosk; each method gives one part."""

    def __init__(self, config: Path | None, state: Path, names: Names) -> None:
        self._config = config
        self._state = state
        self._names = names

    def config(self) -> Any:
        return config_form(self._names)(tomllib.loads(read_text(self._file())))

    def faults(self) -> dict[str, Any]:
        try:
            load_config(self._file())
        except ConfigError as error:
            places = [
                {"line": number(one.line), "column": number(one.column)} for one in error.faults
            ]
            return {"ok": False, "faults": places, "count": len(error.findings)}
        return {"ok": True, "faults": [], "count": 0}

    def doctor(self) -> list[Any]:
        form = check_form(self._names)
        checks = examined(ExaminedKiosk(self._file(), self._state))
        return [form(one.as_json()) for one in checks]

    def status(self) -> Any:
        return status_form(self._names)(self._asked("status")["status"])

    def health(self) -> Any:
        said = self._asked("health")
        return health_form(self._names)({key: said[key] for key in said if key != "ok"})

    def history(self) -> list[Any]:
        with read_journal(self._site()) as journal:
            return happened(journal.read(newest=_COUNTED), self._names)[-_NEWEST:]

    def counts(self) -> dict[str, Any]:
        with read_journal(self._site()) as journal:
            return counted(journal.read(newest=_COUNTED))

    def _asked(self, command: str) -> Mapping[str, Any]:
        try:
            socket = AgentSocket(self._config, self._state).path()
        except ConfigError:
            socket = control_socket(None, self._state)
        return answered(socket, {"command": command})

    def _site(self) -> Site:
        """By the config where it is right; else what holds by default."""
        try:
            return site_of(self._state, self._config)
        except ConfigError:
            return site_of(self._state, None)

    def _file(self) -> Path:
        if self._config is None:
            raise FileNotFoundError
        return self._config


def _version(state: Path) -> dict[str, Any]:
    found = about(state)
    packs = found.pop("packs")
    offered = {name: version(packs[name]) for name in offered_names() if name in packs}
    return {**found, "packs": offered, "other_packs": len(packs) - len(offered)}


def _bill(prefix: Path) -> dict[str, Any]:
    made = bill(prefix)
    content = json.dumps(made, sort_keys=True, separators=(",", ":")).encode()
    return {"sha256": sha256(content).hexdigest(), "components": len(made["components"])}


def _packs(state: Path) -> list[dict[str, Any]]:
    offered = set(offered_names())
    return [
        {
            "name": one.manifest.name,
            "version": one.manifest.version,
            "state": one.state,
            "files": {
                file.name: sha256_of(path)
                for file in one.manifest.file
                if (path := packs_dir(state) / one.manifest.name / file.name).is_file()
            },
        }
        for one in list_packs(state)
        if one.manifest.name in offered
    ]


def _log() -> dict[str, Any]:
    return log_lines(log_of_service())
