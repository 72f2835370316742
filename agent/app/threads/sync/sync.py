"""The thread of registry sync: hears updates, takes them over, asks for what lacks, answers.

    broker's thread --payloads--> queue --> hear --> assembly --whole--> one transaction
                                              |                               |
                                      refused, counted        receipts --> until acknowledged
    nothing came for a while, a gap, a new connection --> ask

It has a connection of its own to the registry's file, so that no decision and no other thread waits
for it; the gallery's watch sees the change as it sees another process's. Whatever waits in the
queue beyond its bound is dropped and asked for again.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.adapters.store.people.merged import ReadRules, Taking
from agent.adapters.store.people.synced import SyncedRegistry
from agent.app.threads.sync.afterwards import Afterwards, Enrol, TrustLists
from agent.app.threads.sync.assembly import Assembly
from agent.app.threads.sync.pace import AskPace
from agent.credentials.sealed.chunks import (
    MOST_MESSAGE_BYTES,
    Acknowledged,
    Chunk,
    Head,
    read_message,
)
from agent.credentials.signed.receipt import (
    MOST_ACKNOWLEDGED,
    Request,
    sign_receipt,
    sign_request,
    verify_acknowledged,
)
from agent.credentials.signed.update import KeyOf, UpdateError
from agent.domain.hours.instant import Instant, utc_text
from agent.domain.record.registry_sync import SyncReason
from agent.errors import KeyUnavailableError, StoreError, UnavailableError
from agent.ports import Clock

_QUEUE = 512
_TURN_S = 0.25
_RECEIPTS_AGAIN_S = 60.0
_TRY_AGAIN_S = 5.0
_TOLD_EVERY_S = 3600.0
_ERASE_WITHIN_S = 0.5
_IN_FORCE_S = 1.5

_log = structlog.get_logger(__name__)


class Post(Protocol):
    """Hands a message to the broker."""

    def __call__(self, payload: bytes) -> bool:
        """Whether it was handed over."""


@dataclass(frozen=True, slots=True)
class Kiosk:
    """Who this kiosk is: its place, its keys, whom it believes, and how far (``Taking``)."""

    path: str
    signing_key: Ed25519PrivateKey = field(repr=False)
    sealing_key_id: bytes
    key_of: KeyOf
    on_premises: bool = False
    read_rules: ReadRules | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """What the thread tells others; none of it blocks for long.

    ``usable`` says whether the registry's file is the right one. ``refused`` gets a reason, how
    often since the last time, and the version that is here.
    """

    request: Post
    receipt: Post
    most_bytes: Callable[[], int | None]
    usable: Callable[[], bool]
    enrol: Enrol
    lists: TrustLists
    changed: Callable[[], None]
    refused: Callable[[SyncReason, int, int], None]


class RegistrySync:
    """Used by its own thread, but for ``heard``, ``connected`` and ``as_json``."""

    def __init__(
        self,
        kiosk: Kiosk,
        registry: SyncedRegistry,
        assembly: Assembly,
        ways: Ways,
        clock: Clock,
        at_least: Callable[[], datetime | None],
    ) -> None:
        """``registry`` is this thread's own; it surely is later than ``at_least``."""
        self._kiosk, self._registry, self._assembly = kiosk, registry, assembly
        self._ways, self._clock, self._at_least = ways, clock, at_least
        self._afterwards = Afterwards(ways.enrol, ways.lists, registry.add_receipt, clock.now)
        self._waiting: deque[bytes] = deque(maxlen=_QUEUE)
        self._condition = threading.Condition()
        self._stopping = self._came = False
        self._pace = AskPace()
        self._not_before_s = self._receipts_due_s = float("-inf")
        self._counted: Counter[SyncReason] = Counter()
        self._untold: Counter[SyncReason] = Counter()
        self._told_s: dict[SyncReason, float] = {}
        self._last: dict[str, Any] | None = None
        self._stands = registry.standing()
        self._receipts = registry.receipts_waiting()
        self._sent: set[bytes] = set()
        assembly.resume(self._stands.version)

    def heard(self, payload: bytes) -> None:
        """Something came on the kiosk's topic; called from the broker's thread, never blocks."""
        with self._condition:
            self._waiting.append(payload)
            self._condition.notify()

    def connected(self) -> None:
        """The broker is there again: what lacks is asked for, what waits is sent."""
        with self._condition:
            self._came = True
            self._condition.notify()

    def as_json(self) -> dict[str, Any]:
        """How far it is, for the status; counts and versions, nobody's name."""
        stands, (parts, of) = self._stands, self._assembly.progress
        return {
            "version": stands.version,
            "since": None if stands.at is None else utc_text(stands.at),
            "key_id": stands.key_id,
            "last": self._last,
            "waiting": {"parts": parts, "of": of, "receipts": self._receipts},
            "refused": {reason.value: count for reason, count in sorted(self._counted.items())},
        }

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        while not self._stopping:
            with self._condition:
                if not self._waiting and not self._came:
                    self._condition.wait(_TURN_S)
            self.turn()
        self._registry.close()

    def stop(self) -> None:
        """End ``work``."""
        with self._condition:
            self._stopping = True
            self._condition.notify()

    def turn(self) -> None:
        """One round: what came, what is whole, what is due."""
        with self._condition:
            came, self._came = self._came, False
        now_s = self._clock.now().monotonic_s
        if came:
            self._pace.now(now_s)
            self._receipts_due_s = now_s
        while (payload := self._next()) is not None and not self._stopping:
            self._hear(payload)
            self._take_whole()
        self._take_whole()
        self._tell(now_s)
        self._ask(now_s)
        self._send_receipts(now_s)

    def _next(self) -> bytes | None:
        with self._condition:
            return self._waiting.popleft() if self._waiting else None

    def _hear(self, payload: bytes) -> None:
        now_s = self._clock.now().monotonic_s
        try:
            message = read_message(payload, self._kiosk.key_of, self._kiosk.path)
            match message:
                case Head():
                    begins = self._assembly.hear_head(message, payload, self._stands.version)
                    self._pace.came(now_s)
                    if begins:
                        self._pace.now(now_s)
                case Chunk():
                    if self._assembly.hear_chunk(message):
                        self._pace.came(now_s)
                        if self._assembly.idle:
                            self._pace.now(now_s)
                case Acknowledged(data):
                    ids = verify_acknowledged(data, self._kiosk.key_of, self._kiosk.path)
                    self._forget_receipts(ids)
        except UpdateError as error:
            self._refuse(error)
        except UnavailableError as error:
            self._unwritten(error, now_s)

    def _take_whole(self) -> None:
        step, now = self._assembly.step, self._clock.now()
        if step is None or not self._assembly.whole or now.monotonic_s < self._not_before_s:
            return
        how = self._how(now)
        try:
            if not self._ways.usable():
                raise StoreError("the registry's file is in fault")
            if step.version > self._stands.version:
                counts = self._registry.take(step, self._assembly.parts, how)
                self._stands = self._registry.standing()
                self._last = {"result": "updated", "version": step.version, "at": utc_text(now.utc)}
                _log.info("registry_updated", version=step.version, **counts)
                self._ways.changed()
            self._afterwards.follow(step, self._assembly.parts(), how)
            self._assembly.taken()
        except UpdateError as error:
            self._assembly.drop()
            self._refuse(error)
        except UnavailableError as error:
            self._unwritten(error, now.monotonic_s)
            return
        self._receipts = self._registry.receipts_waiting()
        self._receipts_due_s = self._after_erasure(now.monotonic_s)
        self._pace.now(now.monotonic_s)

    def _after_erasure(self, now_s: float) -> float:
        """When receipts are due.

        What was deleted is erased first, which takes a processor for a while; and before that the
        change comes into force.
        """
        if not self._registry.owes_erasure():
            return now_s
        soon_s = now_s + _IN_FORCE_S
        return self._receipts_due_s if now_s < self._receipts_due_s < soon_s else soon_s

    def _how(self, now: Instant) -> Taking:
        key = self._kiosk.signing_key
        return Taking(
            now,
            self._at_least(),
            lambda receipt: sign_receipt(receipt, key),
            on_premises=self._kiosk.on_premises,
            read_rules=self._kiosk.read_rules,
        )

    def _unwritten(self, error: UnavailableError, now_s: float) -> None:
        self._not_before_s = now_s + _TRY_AGAIN_S
        said = str(error).splitlines()[0]
        self._refuse(UpdateError(SyncReason.NOT_WRITTEN, said))

    def _refuse(self, error: UpdateError) -> None:
        now = self._clock.now()
        self._counted[error.word] += 1
        self._untold[error.word] += 1
        self._last = {"result": "refused", "reason": error.word.value, "at": utc_text(now.utc)}
        count = self._counted[error.word]
        if count & (count - 1) == 0:
            _log.warning("registry_refused", reason=error.word.value, why=error.detail, time=count)
        if error.word in (SyncReason.GAP, SyncReason.OTHER_SEALING_KEY):
            self._pace.soon(now.monotonic_s)

    def _tell(self, now_s: float) -> None:
        for reason, count in list(self._untold.items()):
            if now_s - self._told_s.get(reason, float("-inf")) >= _TOLD_EVERY_S:
                self._told_s[reason] = now_s
                del self._untold[reason]
                self._ways.refused(reason, count, self._stands.version)

    def _ask(self, now_s: float) -> None:
        if not self._pace.due(now_s):
            return
        step, lacks = self._assembly.step, self._assembly.lacks()
        request = Request(
            self._kiosk.path,
            self._stands.version,
            min(self._ways.most_bytes() or MOST_MESSAGE_BYTES, MOST_MESSAGE_BYTES),
            self._kiosk.sealing_key_id,
            None if step is None or not lacks else step.update,
            lacks,
        )
        if self._ways.request(sign_request(request, self._kiosk.signing_key)):
            self._pace.asked(now_s, busy=bool(lacks))

    def _send_receipts(self, now_s: float) -> None:
        if not self._receipts or now_s < self._receipts_due_s:
            return
        self._receipts_due_s = now_s + _RECEIPTS_AGAIN_S
        try:
            # Nobody says that something was erased before the file was built anew without it.
            if self._registry.owes_erasure() and not self._registry.erase(_ERASE_WITHIN_S):
                self._receipts_due_s = now_s + _TRY_AGAIN_S
                return
            self._sent.clear()
            for receipt in self._registry.receipts(MOST_ACKNOWLEDGED):
                if not self._ways.receipt(receipt.signed):
                    return
                self._sent.add(receipt.id)
        except (StoreError, KeyUnavailableError) as error:
            _log.warning("receipts_wait", error=str(error))

    def _forget_receipts(self, ids: tuple[bytes, ...]) -> None:
        if not self._registry.acknowledged(ids):
            return
        self._receipts = self._registry.receipts_waiting()
        self._sent.difference_update(ids)
        if not self._receipts:
            self._registry.erase(_ERASE_WITHIN_S)
        elif not self._sent:
            self._receipts_due_s = float("-inf")  # those that had no room before
