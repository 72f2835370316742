"""A kiosk's registry sync on a virtual clock, and the registry's side that answers its requests."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from sync_parts import (
    KIOSK,
    NOW,
    REGISTRY_KEY,
    SEALING_KEY,
    SIGNING_KEY,
    key_of,
    open_synced,
    packed,
    person,
)

from agent.adapters.store.people.merged import ReadRules
from agent.app.open.files.state import REGISTRY_INCOMING
from agent.app.threads.sync.afterwards import Enrol
from agent.app.threads.sync.assembly import Assembly
from agent.app.threads.sync.sync import Kiosk, RegistrySync, Ways
from agent.credentials.passes.issuers import key_id
from agent.credentials.sealed.chunks import (
    Chunk,
    Head,
    acknowledged_message,
    read_message,
)
from agent.credentials.sealed.parcel import Parcel, open_part
from agent.credentials.signed.entries import HolderEntry
from agent.credentials.signed.receipt import (
    Receipt,
    Request,
    acknowledge,
    verify_receipt,
    verify_request,
)
from agent.domain.hours.instant import Instant
from agent.domain.record.registry_sync import SyncReason
from agent.operations.health.trust_lists import BroughtLists

MOST_BYTES = 8_000_000


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> Instant:
        utc = NOW.utc + timedelta(seconds=self.passed_s)
        return Instant(NOW.monotonic_s + self.passed_s, utc, NOW.utc_trusted)

    def after(self, delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
        raise NotImplementedError


class SyncedKiosk:
    """One kiosk's thread, turn by turn; what it says is kept."""

    def __init__(self, folder: Path, enrol: Enrol = lambda _entry: None) -> None:
        self.folder = folder
        self.clock = Clock()
        self.requests: list[Request] = []
        self.receipts: list[Receipt] = []
        self.refused: list[tuple[SyncReason, int]] = []
        self.enrol = enrol
        self.usable = True
        self.on_premises = False
        self.read_rules: ReadRules | None = None
        self.online = True
        self.start()

    def start(self) -> None:
        """Begin with what lies in the folder, as after a kill."""
        kiosk = Kiosk(
            KIOSK,
            SIGNING_KEY,
            key_id(SEALING_KEY.public_key()),
            key_of,
            on_premises=self.on_premises,
            read_rules=self.read_rules,
        )
        self.assembly = Assembly(
            self.folder / REGISTRY_INCOMING.name,
            key_of,
            KIOSK,
            lambda sealed, step, number: open_part(sealed, step, number, SEALING_KEY, key_of),
            MOST_BYTES,
        )
        self.registry = open_synced(self.folder / "registry.sqlite")
        ways = Ways(
            request=self._request,
            receipt=self._receipt,
            most_bytes=lambda: None,
            usable=lambda: self.usable,
            enrol=self._enrol,
            lists=BroughtLists(self.folder),
            changed=lambda: None,
            refused=lambda reason, count, _version: self.refused.append((reason, count)),
        )
        clock = self.clock
        self.sync = RegistrySync(
            kiosk, self.registry, self.assembly, ways, clock, lambda: clock.now().utc
        )

    def hear(self, *messages: bytes) -> None:
        """These come, and one turn is made of them."""
        for one in messages:
            self.sync.heard(one)
        self.sync.turn()

    def wait(self, seconds: float) -> None:
        """So much time goes by without a message."""
        self.clock.passed_s += seconds
        self.sync.turn()

    def connect(self) -> None:
        """The broker is there again."""
        self.sync.connected()
        self.sync.turn()

    @property
    def on_its_way(self) -> list[Path]:
        """The parts of an update that lie on its disk."""
        return sorted(self.folder.glob(REGISTRY_INCOMING.name))

    @property
    def people(self) -> list[str]:
        """Who is in its registry."""
        return [one.id for one in self.registry.holders()]

    @property
    def version(self) -> int:
        """How far its registry is."""
        return self.registry.standing().version

    def _request(self, payload: bytes) -> bool:
        if self.online:
            self.requests.append(verify_request(payload, SIGNING_KEY.public_key()))
        return self.online

    def _enrol(self, entry: HolderEntry) -> str | None:
        return self.enrol(entry)

    def _receipt(self, payload: bytes) -> bool:
        if self.online:
            self.receipts.append(verify_receipt(payload, SIGNING_KEY.public_key()))
        return self.online


def answer(request: Request, parcels: Sequence[Parcel]) -> list[bytes]:
    """What the registry sends of ``parcels`` where it is asked."""
    if not request.lacks:
        return [parcels[0].head]
    return [one for part, runs in request.lacks for one in parcels[part].lacked(runs)]


def serve(kiosk: SyncedKiosk, parcels: Sequence[Parcel], *, turns: int = 200) -> int:
    """Answer every request until none comes; how many messages that took."""
    sent = 0
    for _ in range(turns):
        asked, kiosk.requests = kiosk.requests, []
        if not asked:
            break
        for request in asked:
            if request.version < 1 or request.lacks:
                said = answer(request, parcels)
                sent += len(said)
                kiosk.hear(*said)
    return sent


def acknowledged(receipts: Sequence[Receipt]) -> bytes:
    """The registry's word that it has these."""
    return acknowledged_message(acknowledge(KIOSK, [one.id for one in receipts], REGISTRY_KEY))


def half_an_update(place: Path) -> None:
    """The first of several parts lies at ``place``, as a kiosk leaves it that was killed."""
    people = [person(f"p{number}", photograph=b"x" * 100_000) for number in range(3)]
    first, *_ = packed(people)
    assembly = Assembly(
        place,
        key_of,
        KIOSK,
        lambda sealed, step, number: open_part(sealed, step, number, SEALING_KEY, key_of),
        MOST_BYTES,
    )
    for one in first.messages:
        message = read_message(one, key_of, KIOSK)
        if isinstance(message, Head):
            assembly.hear_head(message, one, 0)
        elif isinstance(message, Chunk):
            assembly.hear_chunk(message)
