"""What a signed command may change of people and of whose passes are believed; never a name.

A name, a face or a document crosses only sealed, with the registry's updates.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.adapters.store.people.said_here import of_holder, of_issuer
from agent.app.threads.control.deeds import (
    MAY_LOOSEN_S,
    Asked,
    Deed,
    DeedRefused,
    Plan,
    Result,
    bad,
    lateness,
    superseded,
)
from agent.app.threads.record.status import StatusBoard
from agent.credentials.passes.delegation import read as read_delegation
from agent.credentials.passes.issuers import IssuerKey, Issuers, delegated_key
from agent.domain.access.part import STATE_REGISTRY
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import (
    NOTICE_RULE,
    Consent,
    HolderId,
    is_notice,
    parse_holder_id,
)
from agent.domain.hours.instant import Instant
from agent.domain.record.command import CommandReason, Verb
from agent.errors import RefusedError
from agent.operations.people import holders
from agent.operations.people.enrol import make_holder
from agent.ports import Clock, HolderStore, PassTrust

LONGEST_S = 31 * 86_400
"""So long may a kiosk be away and still hear of what is on the stricter side."""
_RAW_KEY_BYTES = 32
_PASS_DIGITS = range(16, 33)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()


class Office(HolderStore, PassTrust[IssuerKey], Protocol):
    """What of the registry a command may change."""

    def put_issuer(
        self, key: IssuerKey, *, by: str, now: Instant, issued_s: int | None = None
    ) -> None:
        """Believe passes of this key from now on; not where somebody said otherwise since."""

    def revoke(self, one: PassId, *, by: str, now: Instant) -> bool:
        """Let a pass open nothing from now on; False where it was revoked before."""

    def settle_said(self, latest_s: float, surely_s: float, monotonic_s: float) -> None:
        """A time is trusted: what was said here before gets its own."""

    def is_late(self, subject: str, issued_s: int) -> bool:
        """Whether something else was said of it since ``issued_s``, or may have been."""


class PeopleDeeds:
    """Asked by the thread of signed commands and by the control socket's."""

    def __init__(
        self,
        registry: Office,
        board: StatusBoard,
        clock: Clock,
        latest_trusted: Callable[[], datetime | None],
    ) -> None:
        """``clock`` is judged; ``latest_trusted`` is a time that surely was."""
        self._registry = registry
        self._board = board
        self._clock = clock
        self._latest = latest_trusted

    def deeds(self) -> Mapping[Verb, Deed]:
        """The verbs about people and passes."""
        who = frozenset({"holder"})
        changed = frozenset({"category", "enabled", "valid_from", "valid_until"})
        key = frozenset({"issuer", "key", "delegation", "valid_from", "valid_until"})
        consent = frozenset({"consent", "consent_at"})
        return {
            Verb.ENROL: Deed(self._enrol, who | changed | consent, MAY_LOOSEN_S),
            Verb.UPDATE_HOLDER: Deed(self._update, who | changed, MAY_LOOSEN_S),
            Verb.DISABLE: Deed(self._disable, who, LONGEST_S, timeless=True),
            Verb.REMOVE: Deed(self._remove, who, LONGEST_S),
            Verb.REVOKE_PASS: Deed(partial(self._revoke, "pass"), frozenset({"pass"}), LONGEST_S),
            # A permit is issued as a pass, and its number is the pass's.
            Verb.REVOKE_PERMIT: Deed(
                partial(self._revoke, "permit"), frozenset({"permit"}), LONGEST_S
            ),
            Verb.TRUST_ISSUER: Deed(self._trust, key, MAY_LOOSEN_S),
        }

    def _enrol(self, asked: Asked) -> Plan:
        """Somebody new, without a name or a face: those come with the registry, or at the gate."""
        self.check_registry()
        said, wanted = asked.arguments, _wanted(asked.arguments)
        if not isinstance(said.get("holder"), str) or wanted.category is None:
            raise bad("enrol names a holder and a category")
        try:
            made = make_holder(
                said["holder"],
                said["holder"],
                wanted.category,
                enabled=wanted.enabled is not False,
                valid_from=wanted.valid_from[1],
                valid_until=wanted.valid_until[1],
            )
        except RefusedError as error:
            raise bad(str(error)) from error
        made = replace(made, consent=_consent(said))
        readable, damage = self._registry.people()
        if made.id in damage.holders or any(one.id == made.id for one in readable):
            raise DeedRefused(CommandReason.KNOWN_HOLDER, "somebody of this id is there")
        self.check_not_late(asked, of_holder(made.id))

        def run() -> Result:
            now, issued = self._clock.now(), asked.issued
            with lateness():
                self._registry.put(
                    made, by=asked.by, now=now, if_still=lambda old: old is None, issued_s=issued
                )
            return {"holder": made.id}

        return Plan(run, (f"holder:{made.id}",))

    def _update(self, asked: Asked) -> Plan:
        return self._changed(asked, _wanted(asked.arguments), loosens=True)

    def _disable(self, asked: Asked) -> Plan:
        return self._changed(asked, holders.Change(enabled=False))

    def _changed(self, asked: Asked, wanted: holders.Change, *, loosens: bool = False) -> Plan:
        holder = self._holder(asked)
        if loosens and wanted != holders.Change(enabled=False):
            self.check_not_late(asked, of_holder(holder))

        def run() -> Result:
            by, now, issued = asked.by, self._clock.now(), asked.issued
            with lateness():
                _, changed = holders.change(
                    self._registry, holder, wanted, by=by, now=now, issued_s=issued
                )
            return {"holder": holder, "changed": changed}

        return Plan(run, (f"holder:{holder}",))

    def _remove(self, asked: Asked) -> Plan:
        holder = self._holder(asked)

        def run() -> Result:
            by, now, issued = asked.by, self._clock.now(), asked.issued
            holders.remove(
                self._registry, holder, by=by, now=now, at_least=self._latest(), issued_s=issued
            )
            return {"holder": holder}

        return Plan(run, (f"holder:{holder}",))

    def _revoke(self, what: str, asked: Asked) -> Plan:
        self.check_registry()
        named = asked.arguments.get(what)
        digits = set("0123456789abcdef")
        if not isinstance(named, str) or len(named) not in _PASS_DIGITS or not set(named) <= digits:
            raise bad(f"a {what} id has 16 to 32 digits of 0-9 a-f")
        one = PassId(named)

        def run() -> Result:
            new = self._registry.revoke(one, by=asked.by, now=self._clock.now())
            return {what: one, "new": new}

        return Plan(run)

    def _trust(self, asked: Asked) -> Plan:
        self.check_registry()
        key = self._issuer_key(asked.arguments)
        self.check_not_late(asked, of_issuer(key.key_id.hex()))

        def run() -> Result:
            now, issued = self._clock.now(), asked.issued
            with lateness():
                self._registry.put_issuer(key, by=asked.by, now=now, issued_s=issued)
            return {"key_id": key.key_id.hex()}

        return Plan(run, (f"issuer:{key.key_id.hex()}",))

    def _issuer_key(self, said: Mapping[str, Any]) -> IssuerKey:
        first, last = _moment(said.get("valid_from")), _moment(said.get("valid_until"))
        known, delegation = self._registry.issuers(), said.get("delegation")
        if isinstance(delegation, bytes) and not {"key", "issuer"} & said.keys():
            key = delegated_key(read_delegation(delegation), first, last)
            if Issuers([*known, key]).grantor(key) is None:
                raise bad("no key that is trusted here without limits signed this delegation")
            return key
        issuer, raw = said.get("issuer"), said.get("key")
        if delegation is not None or not isinstance(issuer, str) or not isinstance(raw, bytes):
            raise bad("trust_issuer names issuer and key, or a delegation")
        if len(raw) != _RAW_KEY_BYTES:
            raise bad("a key is 32 bytes: Ed25519, raw")
        parse_holder_id(issuer)  # the same words
        if first is not None and last is not None and first >= last:
            raise bad("a key begins before it ends")
        key = IssuerKey(issuer, Ed25519PublicKey.from_public_bytes(raw), first, last)
        if any(one.delegation is not None and one.key_id == key.key_id for one in known):
            raise bad("this key is trusted within limits; without its delegation they were lost")
        return key

    def _holder(self, asked: Asked) -> HolderId:
        self.check_registry()
        named = asked.arguments.get("holder")
        if not isinstance(named, str):
            raise bad("holder is missing")
        try:
            return holders.find(self._registry, named).id
        except RefusedError as error:
            raise DeedRefused(CommandReason.UNKNOWN_HOLDER, "there is no such holder") from error

    def check_not_late(self, asked: Asked, subject: str) -> None:
        """Refuse what was signed before somebody here said something of ``subject``."""
        if asked.issued is None:
            return
        self.settle(asked.latest_s)
        if self._registry.is_late(subject, asked.issued):
            raise superseded()

    def settle(self, latest_s: float | None) -> None:
        """It is trusted, and no later than ``latest_s``: whatever was said here has its time.

        Raises:
            StoreError: the registry cannot be written.
        """
        surely = self._latest()
        if latest_s is not None:
            surely_s = 0.0 if surely is None else surely.timestamp()
            self._registry.settle_said(latest_s, surely_s, self._clock.now().monotonic_s)

    def check_registry(self) -> None:
        """Refuse while the registry's file is not the one that it should be."""
        if STATE_REGISTRY in self._board.faults():
            said = "the registry's file is in fault: gate-agent state show"
            raise DeedRefused(CommandReason.FAULT, said)


def _wanted(said: Mapping[str, Any]) -> holders.Change:
    category, enabled = said.get("category"), said.get("enabled")
    if not isinstance(category, str | None) or not isinstance(enabled, bool | None):
        raise bad("category is a word, enabled is true or false")
    return holders.Change(
        category=category,
        enabled=enabled,
        valid_from=("valid_from" in said, _moment(said.get("valid_from"))),
        valid_until=("valid_until" in said, _moment(said.get("valid_until"))),
    )


def _consent(said: Mapping[str, Any]) -> Consent | None:
    notice, at = said.get("consent"), _moment(said.get("consent_at"))
    if notice is None and at is None:
        return None
    if not isinstance(notice, str) or not is_notice(notice) or at is None:
        raise bad(f"consent names a notice, and consent_at when; {NOTICE_RULE}")
    return Consent(notice, at)


def _moment(seconds: object) -> datetime | None:
    """UTC in seconds, as arguments have it; None where there is no bound.

    Raises:
        DeedRefused: ``bad_arguments``.
    """
    if seconds is None:
        return None
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < _LATEST:
        raise bad("valid_from and valid_until are UTC in seconds, or null")
    return datetime.fromtimestamp(seconds, UTC)
