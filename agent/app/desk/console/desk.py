"""The kiosk behind the technician's page: ``technician.console.desk.Desk``, with open parts.

    a running agent     asked over its control socket, as any command asks it
    the journal         read beside it, for the last decisions
    doctor and config   read from the files, with an agent or without one

The gallery is not opened: no name and no picture of anybody is at hand here.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agent import logs
from agent.app.desk.asking import AgentSocket, Stand, answered, stand_of
from agent.app.desk.console.config import judged
from agent.app.desk.console.looking import Looking
from agent.app.desk.console.shown import decision_shown, parts_shown, status_shown
from agent.app.desk.console.walking import WalkTestHere
from agent.app.desk.doctor import ExaminedKiosk
from agent.app.desk.watching import Round, Seen, rounds
from agent.app.open.site import Site, site_of
from agent.config import GateConfig, load_config
from agent.errors import ConfigError, GateAgentError, RefusedError
from agent.operations.examination.examine import examined
from agent.operations.reasons import reason_of
from agent.ports import EventLog

_DECISIONS = 20
_LOOKED_BACK = 2000
_OF_DECISIONS = ("access.*", "walktest.*")


def command_desk(config: Path, state: Path) -> "ConsoleDesk":
    """For the command of a person: what adapters log goes to stderr, warnings only."""
    logs.configure("warning")
    return ConsoleDesk(config, state)


class ConsoleDesk:
    """One kiosk, by its config and its state directory; several threads ask."""

    def __init__(self, config: Path, state: Path) -> None:
        self._config = config
        self._state = state
        self._socket = AgentSocket(config, state)
        self._walk_test = WalkTestHere(
            lambda asked: answered(self._socket.path(), {"command": "walk_test", **asked})
        )
        self._read: tuple[Stand | None, GateConfig | None] | None = None
        self._lock = threading.Lock()
        self._looking: Looking | None = None
        self._examines = False
        self._checks: list[dict[str, Any]] = []
        self._examined_wrong: str | None = None

    def close(self) -> None:
        """Let go of what was opened; a walk test that was begun here ends."""
        self._walk_test.left()
        if self._looking is not None:
            self._looking.close()

    def state(self) -> dict[str, Any]:
        """How it stands.

        Raises:
            UnavailableError: it cannot be read in time.
        """
        self._walk_test.looked()
        try:
            return self._look().newest()
        except ConfigError as error:
            # Its faults stand among the config's own.
            why = str(error).partition("\n")[0]
            return {"agent": {"answers": False, "why": why, "fix": None}, "config": "wrong"}

    def look(self, camera: str | None) -> dict[str, Any]:
        """What the senses said last; with a ``camera`` its picture and what is seen in it.

        Raises:
            RefusedError: there is no such camera, or this user may not see its picture.
            UnavailableError: no agent answers.
        """
        asked = {"command": "look"} if camera is None else {"command": "look", "camera": camera}
        return dict(answered(self._socket.path(), asked)["look"])

    def release(self, point: object, reason: object) -> dict[str, Any]:
        """Let one person through, by the running agent's state machine.

        Raises:
            RefusedError: without a reason, in a lockdown, or where the agent says why.
            UnavailableError: no agent answers.
        """
        try:
            why = reason_of(reason)
        except ValueError as error:
            raise RefusedError("no_reason", str(error)) from None
        asked = {"command": "door", "do": "release", "access_points": [point], "reason": why}
        return answered(self._socket.path(), asked)

    def try_out(self, point: object, outcome: object) -> dict[str, Any]:
        """Show and say an outcome; no door moves by it.

        Raises:
            RefusedError: there is no such access point or outcome.
            UnavailableError: no agent answers.
        """
        asked = {"command": "try_out", "access_point": point, "outcome": outcome}
        return answered(self._socket.path(), asked)

    def begin_walk_test(self, point: object, minutes: object) -> dict[str, Any]:
        """Nothing opens there by a decision, for so many minutes, while somebody asks ``state``.

        Raises:
            RefusedError: the agent says why not.
            UnavailableError: no agent answers.
        """
        return self._walk_test.begin(point, minutes)

    def end_walk_test(self) -> dict[str, Any]:
        """The gate is as ever, whoever began it.

        Raises:
            UnavailableError: no agent answers; then there is none either.
        """
        return self._walk_test.end()

    def left(self) -> None:
        """Somebody leaves: a walk test that was begun here ends."""
        self._walk_test.left()

    def config(self) -> dict[str, Any]:
        """The config without secrets, what is wrong with it, and what is to be meant."""
        return judged(self._config, self._state)

    def check_config(self, text: object) -> dict[str, Any]:
        """The same of a text that is to stand in its place; it is written nowhere.

        Raises:
            RefusedError: it is no text.
        """
        if not isinstance(text, str):
            raise RefusedError("no_text", "a config is text")
        return judged(self._config, self._state, text)

    def examination(self) -> dict[str, Any]:
        """The newest checks of the doctor, and whether it looks just now."""
        with self._lock:
            return {
                "examines": self._examines,
                "checks": self._checks,
                "error": self._examined_wrong,
            }

    def examine(self) -> dict[str, Any]:
        """Have the doctor look, in a thread of its own: a part that hangs takes long."""
        with self._lock:
            if not self._examines:
                self._examines = True
                threading.Thread(target=self._examine, name="doctor", daemon=True).start()
        return self.examination()

    def _examine(self) -> None:
        checks: list[dict[str, Any]] = []
        wrong = None
        try:
            checks = [one.as_json() for one in examined(ExaminedKiosk(self._config, self._state))]
        except GateAgentError as error:
            wrong = str(error)
        finally:
            with self._lock:
                self._checks, self._examined_wrong, self._examines = checks, wrong, False

    def _look(self) -> Looking:
        with self._lock:
            if self._looking is None:
                site = site_of(self._state, self._config)
                self._looking = Looking(
                    lambda pause: self._rounds(site, pause), lambda seen: self._told(site, seen)
                )
                self._looking.start()
            return self._looking

    def _rounds(self, site: Site, pause: Callable[[], None]) -> Iterator[Round]:
        def ask() -> dict[str, Any]:
            status = answered(self._socket.path(), {"command": "status"})["status"]
            return dict(status)

        def first(log: EventLog) -> Any:
            read = (log.read(kind=kind, newest=_LOOKED_BACK) for kind in _OF_DECISIONS)
            return sorted(itertools.chain.from_iterable(read), key=lambda one: one.row)

        return rounds(site, ask, first, pause)

    def _config_now(self) -> GateConfig | None:
        """The config as it stands, None while it is wrong; read when it has changed."""
        stands = stand_of(self._config)
        if self._read is None or self._read[0] != stands:
            try:
                self._read = stands, load_config(self._config).config
            except ConfigError:
                self._read = stands, None
        return self._read[1]

    def _told(self, site: Site, seen: Seen) -> dict[str, Any]:
        """A round as JSON; of an agent that is gone nothing is shown that no longer holds."""
        answers = seen.away is None and seen.status is not None
        agent = {"answers": answers, "why": seen.away, "fix": seen.fix}
        status = dict(seen.status or {}) if answers else {}
        config = self._config_now()
        parts = [] if config is None or not answers else parts_shown(config, status)
        newest = list(seen.decisions)[-_DECISIONS:]
        return {
            "agent": agent,
            "config": "wrong" if config is None else None,
            "status": status_shown(status) if answers else None,
            "parts": parts,
            "journal": seen.unread,
            "decisions": [decision_shown(one, site.zone) for one in reversed(newest)],
        }
