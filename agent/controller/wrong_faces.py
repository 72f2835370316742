"""Faces that were compared 1:1 with the holder whom a credential names, as the credential's own.

    face compared          counts as a wrong one
    looks like the holder  no
    surely another's       at once, and agreement with a later face is a mismatch within the window
    neither                once another stands there, or the combination ended: however that was

    credential   third wrong face           time up    an hour in which it was not locked
    open         locked for 1, 2, 4 ... min -          n one less
    locked       no face is compared        open       -

Both are kept by what was verified of the credential (a pass's id, the hash of a document's number)
for the whole kiosk: neither showing it again, nor other bytes of it, nor another access point, nor
a grant in between takes anything back, or an accomplice could. A wrong face is forgotten after an
hour. So one credential is compared with some twenty strangers in its first hour, and with three in
each hour after it. What stands here ends with the process: whoever can restart the kiosk has its
power in their hands.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from agent.controller.combination import Likeness
from agent.controller.lane import Lane
from agent.domain.access.evidence import FaceEvidence
from agent.domain.credential.factor import Factor
from agent.domain.credential.presented import CredentialId
from agent.domain.hours.instant import Instant, utc_text
from agent.domain.record.events import EventDraft, EventType

MOST_WRONG = 3
FORGOTTEN_AFTER_S = 3600.0
_FIRST_LOCK_S, _LONGEST_LOCK_S = 60.0, 3600.0
_MOST_KEPT = 256

Face = tuple[str, int]
"""One face: the camera and its track there."""


@dataclass(slots=True)
class _Seen:
    at_s: float
    likeness: Likeness
    there: bool = True

    @property
    def wrong(self) -> bool:
        """Whether it counts: surely another's, or never found to be the holder's and gone."""
        gone = self.likeness is Likeness.OPEN and not self.there
        return gone or self.likeness is Likeness.OTHER


@dataclass(slots=True)
class _Kept:
    """What one credential keeps; times are on the monotonic clock."""

    faces: dict[Face, _Seen] = field(default_factory=dict)
    locked_until_s: float = float("-inf")
    locks: int = 0

    def forget(self, now_s: float) -> None:
        self.faces = {
            face: seen
            for face, seen in self.faces.items()
            if now_s - seen.at_s <= FORGOTTEN_AFTER_S
            and (seen.there or seen.likeness is not Likeness.HOLDER)
        }

    def worth(self, now_s: float) -> tuple[bool, float]:
        """By which places are given away, the least first: locks that count outlive faces."""
        counts = now_s < self.locked_until_s + self.locks * FORGOTTEN_AFTER_S
        return counts, max((self.locked_until_s, *(seen.at_s for seen in self.faces.values())))


class WrongFaces:
    """One kiosk's memory of them; bounded, and only believed credentials have a place in it."""

    def __init__(self) -> None:
        self._kept: dict[CredentialId, _Kept] = {}
        self._news: list[EventDraft] = []

    def look(self, lane: Lane, threshold: float, now: Instant) -> FaceEvidence | None:
        """What the face before the lane's camera says of its claim; None while that is open."""
        combination, track = lane.combination, lane.attempts.track
        found = combination.look(track, threshold)
        if found is None or track is None:
            return None
        face = (lane.settings.camera, track.id)
        credentials = combination.credentials
        for one in credentials:
            kept = self._of(one, now.monotonic_s)
            self._leave(kept, face[0], but=face)
            likeness, before = found.likeness, kept.faces.get(face)
            if likeness is Likeness.OPEN and before and before.likeness is Likeness.OTHER:
                # Shown again it is a new claim: what the face was surely found to be it stays.
                likeness = before.likeness
            kept.faces[face] = _Seen(now.monotonic_s, likeness)
            self._weigh(one, kept, lane.settings.access_point, now)
        mismatch = self.locked(credentials, now) or (
            found.evidence is not None
            and found.evidence.holder is not None
            and self._another(credentials, face, now.monotonic_s - combination.window_s)
        )
        return combination.mismatch(track) if mismatch else found.evidence

    def ended(self, lane: Lane, now: Instant) -> list[EventDraft]:
        """The lane's combination is over, however: whom it was compared with has gone; the news."""
        for one in lane.combination.credentials:
            kept = self._kept.get(one)
            if kept is not None:
                self._leave(kept, lane.settings.camera)
                self._weigh(one, kept, lane.settings.access_point, now)
        news, self._news = self._news, []
        return news

    def locked(self, credentials: Iterable[CredentialId], now: Instant) -> bool:
        """Whether one of them opens nothing now."""
        found = (self._kept.get(one) for one in credentials)
        return any(one is not None and now.monotonic_s < one.locked_until_s for one in found)

    def _of(self, credential: CredentialId, now_s: float) -> _Kept:
        if credential not in self._kept:
            while len(self._kept) >= _MOST_KEPT:
                del self._kept[min(self._kept, key=lambda one: self._kept[one].worth(now_s))]
            self._kept[credential] = _Kept()
        return self._kept[credential]

    def _leave(self, kept: _Kept, camera: str, but: Face | None = None) -> None:
        for face, seen in kept.faces.items():
            if face[0] == camera and face != but:
                seen.there = False

    def _another(self, credentials: Iterable[CredentialId], face: Face, since_s: float) -> bool:
        """Whether a face that is surely another's was there since, beside ``face``."""
        kept = [self._kept[one] for one in credentials if one in self._kept]
        return any(
            seen.likeness is Likeness.OTHER and seen.at_s >= since_s and other != face
            for one in kept
            for other, seen in one.faces.items()
        )

    def _weigh(self, credential: CredentialId, kept: _Kept, point: str, now: Instant) -> None:
        now_s = now.monotonic_s
        kept.forget(now_s)
        wrong = sum(seen.wrong for seen in kept.faces.values())
        if wrong < MOST_WRONG or now_s < kept.locked_until_s:
            return
        if kept.locks:
            quiet = int((now_s - kept.locked_until_s) // FORGOTTEN_AFTER_S)
            kept.locks = max(kept.locks - quiet, 0)
        lock_s = min(_FIRST_LOCK_S * 2.0 ** min(kept.locks, 16), _LONGEST_LOCK_S)
        kept.locks += 1
        kept.locked_until_s = now_s + lock_s
        kept.faces.clear()
        data = {
            "kind": credential.kind.value,
            # A document has no other name here than a hash, and that is nobody's business.
            "pass": credential.value if credential.kind is Factor.PASS else None,
            "wrong_faces": wrong,
            "until": utc_text(now.utc + timedelta(seconds=lock_s)),
            "seconds": lock_s,
        }
        draft = EventDraft(EventType.CREDENTIAL_LOCKED, now.utc, now.utc_trusted, point, data)
        self._news.append(draft)
