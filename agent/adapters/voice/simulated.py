"""A loudspeaker that plays nothing and keeps what it was given, and fails or hangs on request."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from agent.errors import UnavailableError
from agent.ports import Clock

_KEPT = 1000

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Played:
    """What was played, from when; ``ended`` is how it went: played, cut, failed."""

    at_s: float
    file: Path
    ended: str = "playing"


class SimulatedLoudspeaker:
    """Implements ``ports.Loudspeaker``; with ``holding`` each file plays until ``finish``."""

    def __init__(self, clock: Clock, *, holding: bool = False) -> None:
        self._clock = clock
        self._holding = holding
        self._condition = threading.Condition()
        self._played: list[Played] = []
        self._end: str | None = None
        self.broken = False

    @property
    def played(self) -> list[Played]:
        """The latest thousand, oldest first."""
        with self._condition:
            return list(self._played)

    @property
    def playing(self) -> Path | None:
        """The file that is being played now."""
        with self._condition:
            return self._played[-1].file if self._busy else None

    def play(self, file: Path, wanted: Callable[[], bool]) -> None:
        """Keep it; with ``holding`` wait for ``finish`` or ``cut``.

        Raises:
            UnavailableError: it is broken.
        """
        with self._condition:
            if not wanted():
                return
            entry = Played(self._clock.now().monotonic_s, file)
            self._played = [*self._played[-_KEPT + 1 :], entry]
            _log.info("loudspeaker", file=f"{file.parent.name}/{file.stem}")
            if self.broken:
                entry.ended = "failed"
                raise UnavailableError("the simulated loudspeaker is broken")
            self._end = None if self._holding else "played"
            while self._end is None:
                self._condition.wait()
            entry.ended = self._end

    def cut(self) -> None:
        """End what is played now."""
        self._finish("cut")

    def finish(self) -> None:
        """What is played now comes to its end."""
        self._finish("played")

    @property
    def _busy(self) -> bool:
        return bool(self._played) and self._played[-1].ended == "playing"

    def _finish(self, how: str) -> None:
        with self._condition:
            if self._busy and self._end is None:
                self._end = how
                self._condition.notify_all()
