"""What the kiosk signs of its journal: how far it has come, and the link there.

    100 events since the last --.
    the agent starts, or stops --+--> tip of the chain --signed--> journal.checkpoint --> the chain
    5 minutes since the first --'

The writer of the journal has it done after the rows that doors wait for. The next row that comes
meanwhile waits for one signature at most.
"""

from collections.abc import Callable

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.credentials.signed.checkpoint import Checkpoint, signed_data
from agent.domain.hours.instant import Instant
from agent.domain.record.events import Event, EventDraft, EventType
from agent.errors import StoreError, UnavailableError
from agent.ports import Clock, Journal, Tip

_MOST_EVENTS = 100
_LONGEST_S = 300.0
_LOOK_S = 30.0
"""How often the journal is looked at for what other processes append."""

_log = structlog.get_logger(__name__)


class Checkpoints:
    """Those of one journal; used by the thread that writes it, and by no other."""

    def __init__(
        self,
        journal: Journal,
        key: Callable[[], Ed25519PrivateKey],
        clock: Clock,
        new_id: Callable[[EventDraft], str],
    ) -> None:
        """``key`` raises ``UnavailableError`` where it is not to be had: then nothing is signed."""
        self._journal = journal
        self._key = key
        self._clock = clock
        self._new_id = new_id
        self._covered: tuple[str, int] | None = None
        self._open_since_s: float | None = None
        self._looked_s = float("-inf")
        self._failing = False

    def written(self) -> None:
        """Rows were written: sign where it is due.

        Raises:
            StoreError: the journal cannot be read or written.
        """
        self._looked_s = self._clock.now().monotonic_s
        tip = self._journal.tip()
        if tip is None or not (waiting := self._waiting(tip)):
            self._open_since_s = None
            return
        if self._open_since_s is None:
            self._open_since_s = self._looked_s
        starts = self._covered is None
        if starts or waiting >= _MOST_EVENTS or self._looked_s - self._open_since_s >= _LONGEST_S:
            self._sign()

    def idle(self) -> bool:
        """Nothing is written just now: look once in a while; whether a row was written.

        Raises:
            StoreError: as ``written``.
        """
        if self._clock.now().monotonic_s - self._looked_s < _LOOK_S:
            return False
        before = self._covered
        self.written()
        return self._covered != before

    def end(self) -> None:
        """The agent stops: sign what is not covered yet.

        Raises:
            StoreError: as ``written``.
        """
        tip = self._journal.tip()
        if tip is not None and self._waiting(tip):
            self._sign()

    def _waiting(self, tip: Tip) -> int:
        """How many events no checkpoint covers; the last checkpoint is none of them."""
        epoch, sequence = self._covered or (tip.epoch, 0)
        return tip.sequence - (sequence if epoch == tip.epoch else 0)

    def _sign(self) -> None:
        # Tried again as late as after a success: the key's file is not read for every row.
        self._open_since_s = None
        made: list[Tip] = []
        try:
            key = self._key()
        except UnavailableError as error:
            if not self._failing:
                _log.warning("checkpoint_unsigned", error=str(error))
            self._failing = True
            if (tip := self._journal.tip()) is not None:
                self._covered = tip.epoch, tip.sequence
            return
        self._failing = False

        def make() -> Event:
            # Within the transaction: what is signed is what stands right before it.
            tip = self._journal.tip()
            if tip is None:
                raise StoreError("the journal was taken away while it was signed")
            made[:] = [tip]
            return self._event(tip, key, self._clock.now())

        sequence = self._journal.append(make)
        covers = made[0].sequence + 1 == sequence
        self._covered = made[0].epoch, sequence if covers else made[0].sequence

    def _event(self, tip: Tip, key: Ed25519PrivateKey, now: Instant) -> Event:
        known = Checkpoint(tip.source, tip.epoch, tip.sequence, tip.link, now.utc, now.utc_trusted)
        draft = EventDraft(
            EventType.JOURNAL_CHECKPOINT,
            now.utc,
            now.utc_trusted,
            None,
            signed_data(known, key),
        )
        return draft.with_id(self._new_id(draft))
