"""The thread that tells Home Assistant what to show of the kiosk, and takes it back.

A retained message outlives the kiosk, its config and its name. So what was told is written down
before it is sent, and forgotten only once the broker has acknowledged that it is gone: whoever
turns the option off, or moves it to another prefix, leaves nothing behind.
"""

import json
import threading
from pathlib import Path

import structlog

from agent.domain.foreign.boundary import read_or
from agent.domain.record.home_assistant import Announcement, platforms, retiring
from agent.domain.record.topics import JSON
from agent.errors import UnavailableError
from agent.operations.files import read_text, write_lines
from agent.ports import Broker

_ANSWER_S = 30.0

_log = structlog.get_logger(__name__)

Told = dict[str, dict[str, str]]
"""By topic the platform of each component that was ever told there."""


class Discovery:
    """Tells it with every connection, because a broker may forget what it retained."""

    def __init__(self, file: Path, wanted: Announcement | None) -> None:
        """``file`` remembers what was told; without ``wanted`` all of that is taken back."""
        self._file = file
        self._wanted = wanted
        self._told = _read(file)
        self._condition = threading.Condition()
        self._answers: dict[int, str | None] | None = None
        self._awake = False
        self._stopping = False

    @property
    def due(self) -> bool:
        """Whether there is anything to tell or to take back."""
        return self._wanted is not None or bool(self._told)

    def connected(self) -> None:
        """The broker is there; never blocks."""
        with self._condition:
            self._awake = True
            self._condition.notify_all()

    def acknowledged(self, mid: int, refusal: str | None) -> None:
        """The broker has answered some message; called from its client's thread."""
        with self._condition:
            if self._answers is not None:
                self._answers[mid] = refusal
                self._condition.notify_all()

    def work(self, broker: Broker) -> None:
        """The thread's loop, until ``stop``."""
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._awake or self._stopping)
                if self._stopping:
                    return
                self._awake = False
            self._round(broker)

    def stop(self) -> None:
        """End ``work``."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()

    def _round(self, broker: Broker) -> None:
        wanted = self._wanted
        for topic in [topic for topic in self._told if wanted is None or topic != wanted.topic]:
            if self._sent(broker, topic, b""):
                del self._told[topic]
                self._write()
                _log.info("home_assistant_taken_back", topic=topic)
        if wanted is None:
            return
        before = self._told.get(wanted.topic, {})
        self._told[wanted.topic] = before | platforms(wanted.message)
        # What is not written down could not be taken back.
        if self._told[wanted.topic] != before and not self._write():
            self._told[wanted.topic] = before
            return
        message = retiring(wanted.message, before)
        payload = json.dumps(message, separators=(",", ":")).encode()
        if self._sent(broker, wanted.topic, payload):
            _log.info("home_assistant_told", topic=wanted.topic)

    def _sent(self, broker: Broker, topic: str, payload: bytes) -> bool:
        """Whether the broker has taken it; what it did not take goes with the next connection."""
        with self._condition:
            self._answers = {}
        # Not under the lock: the client's thread holds its own while it answers.
        mid = broker.publish(topic, payload, retain=True, kind=JSON)
        with self._condition:
            answers = self._answers
            if mid is not None:
                self._condition.wait_for(lambda: mid in answers or self._stopping, _ANSWER_S)
            self._answers = None
        if mid is None or mid not in answers:
            return False
        if (refusal := answers[mid]) is not None:
            _log.warning("home_assistant_refused", topic=topic, why=refusal)
        return refusal is None

    def _write(self) -> bool:
        try:
            if self._told:
                write_lines([json.dumps(self._told)], self._file)
            else:
                self._file.unlink(missing_ok=True)
        except (UnavailableError, OSError) as error:
            _log.warning("home_assistant_unwritten", error=str(error))
            return False
        return True


def _read(file: Path) -> Told:
    """What was told; nothing where the file is missing, or is none of ours."""
    if not file.exists():
        return {}
    return read_or("home assistant", {}, lambda: _parsed(read_text(file)))


def _parsed(text: str) -> Told:
    told: Told = {}
    for topic, components in json.loads(text).items():
        told[str(topic)] = {str(name): str(one) for name, one in components.items()}
    return told
