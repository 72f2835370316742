"""The thread that reads symbols of one camera's frames, beside the one that looks at faces.

    camera --read--> [slot: the newest frame] --take--> symbols --verify--> inbox

A credential is said again for as long as it lies there: the controller judges it once.
"""

import threading
from collections.abc import Callable

from agent.app.threads.senses.verifier import CredentialVerifier
from agent.app.threads.worker import Slot
from agent.controller.inputs import CredentialShown, Input
from agent.domain.sight.image import Frame
from agent.ports import Clock, SymbolReader

_POLL_S = 0.25


class SymbolWatcher:
    """Looks at the newest frame; what it reads goes to the verifier of credentials."""

    def __init__(
        self,
        access_point: str,
        reader: SymbolReader,
        slot: Slot[Frame],
        verifier: CredentialVerifier,
        clock: Clock,
        post: Callable[[Input], None],
    ) -> None:
        self._access_point = access_point
        self._reader = reader
        self._slot = slot
        self._verifier = verifier
        self._clock = clock
        self._post = post
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until the slot is closed and empty or ``stop``."""
        while not self._stopping.is_set():
            frame = self._slot.take(_POLL_S)
            if frame is None:
                if self._slot.finished:
                    return
                continue
            for symbol in self._reader.look(frame.image):
                presented = self._verifier.symbol(symbol.text, symbol.content, self._clock.now())
                self._post(CredentialShown(self._access_point, presented))

    def stop(self) -> None:
        """End ``work`` after the frame under way."""
        self._stopping.set()
