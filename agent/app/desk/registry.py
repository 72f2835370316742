"""The desk's side of registry sync: how far a kiosk is, an update sent to one, whose rules hold."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from agent.adapters.broker.reach import Reach
from agent.adapters.broker.registry_side import Outcome, RegistrySide
from agent.adapters.store.people.synced import SyncedRegistry
from agent.app.open.files.state import REGISTRY, REGISTRY_INCOMING
from agent.app.open.files.stores import Key, has_registry, open_registry, read_registry
from agent.app.open.site import Site, instant, new_event_id
from agent.config import GateConfig, RuleConfig
from agent.config.category_rules import rules_of_category
from agent.credentials.sealed.chunks import MOST_MESSAGE_BYTES, acknowledged_message
from agent.credentials.sealed.parcel import Parcel, Recipient, make_update
from agent.credentials.shown_keys import raw_half
from agent.credentials.signed.receipt import Receipt, acknowledge
from agent.domain.foreign.json_text import read_json
from agent.domain.hours.instant import utc_text
from agent.domain.record.topics import Topics
from agent.errors import RefusedError, UnavailableError
from agent.operations.files import read_lines, write_whole
from agent.operations.people.registry_lines import read_entries

__all__ = [
    "Reach",
    "RuleInForce",
    "addressee",
    "drop_lost_rules",
    "pack",
    "receipt_json",
    "reset_rules",
    "rules_in_force",
    "send",
    "show",
    "write",
]

_NAMES = 3


def show(site: Site) -> dict[str, Any]:
    """How far the registry here is, by its files alone.

    Raises:
        StoreError: the registry is damaged, locked, or not ours.
    """
    shown: dict[str, Any] = {"version": 0, "since": None, "key_id": None, "snapshot": False}
    receipts = 0
    if has_registry(site):
        path = REGISTRY.at(site.state)
        with contextlib.closing(SyncedRegistry(path, None, new_event_id.make)) as registry:
            stands, receipts = registry.standing(), registry.receipts_waiting()
        shown = {
            "version": stands.version,
            "since": None if stands.at is None else utc_text(stands.at),
            "key_id": stands.key_id,
            "snapshot": stands.is_snapshot,
        }
    parts = len([*site.state.glob(REGISTRY_INCOMING.name)])
    return {**shown, "waiting": {"parts": parts, "receipts": receipts}}


@dataclass(frozen=True, slots=True)
class Addressee:
    """A kiosk as ``gate-agent key show --json`` tells of it."""

    kiosk: str
    signing: Ed25519PublicKey
    sealing: X25519PublicKey

    @property
    def topics(self) -> tuple[str, str, str]:
        """Of updates, requests and receipts."""
        community, grid, name = self.kiosk.split("/")
        topics = Topics(community, grid, name)
        return topics.registry, topics.registry_request, topics.registry_receipts


def addressee(file: Path) -> Addressee:
    """The kiosk whose keys stand in ``file``.

    Raises:
        RefusedError: ``kiosk_keys``: it is no output of ``key show --json``.
        UnavailableError: it cannot be read.
    """
    try:
        said = read_json("\n".join(read_lines(file)))
        signing, sealing = (raw_half(said, half) or b"" for half in ("signing", "sealing"))
        if len(said["kiosk"].split("/")) != _NAMES:
            raise ValueError("a kiosk has three names")  # noqa: TRY301 - one way out
        return Addressee(
            said["kiosk"],
            Ed25519PublicKey.from_public_bytes(signing),
            X25519PublicKey.from_public_bytes(sealing),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        fix = "gate-agent key show --json at the kiosk, saved as it is"
        raise RefusedError("kiosk_keys", f"{file} holds no kiosk's keys\nFix: {fix}") from error


def pack(
    lines: Iterable[str],
    name: str,
    folder: Path,
    to: Addressee,
    versions: tuple[int, int],
    key: Ed25519PrivateKey,
    message_bytes: int = MOST_MESSAGE_BYTES,
) -> list[Parcel]:
    """The update that a file says, signed, sealed to the kiosk and cut.

    Raises:
        RefusedError: ``registry_lines``, ``update``: what is wrong with it.
    """
    entries = read_entries(lines, name, folder)
    recipient = Recipient(to.kiosk, to.sealing, message_bytes)
    try:
        update = make_update(entries, recipient, versions)
    except ValueError as error:
        raise RefusedError("update", str(error)) from error
    return list(update.parcels(recipient, key, datetime.now(UTC)))


def write(parcels: Sequence[Parcel], folder: Path) -> int:
    """Each message in a file of its own, in their order; how many.

    Raises:
        UnavailableError: ``folder`` cannot be written.
    """
    messages = [one for parcel in parcels for one in parcel.messages]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(
            f"{folder} cannot be made: {error.strerror}", "name another"
        ) from error
    for number, one in enumerate(messages):
        write_whole(one, folder / f"{number:06}.cbor")
    return len(messages)


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """A receipt as ``registry send --json`` prints one."""
    return {
        "holder": receipt.holder,
        "outcome": receipt.outcome.value,
        "version": receipt.version,
        "counts": dict(receipt.counts),
        "reason": receipt.reason,
        "time": utc_text(datetime.fromtimestamp(receipt.utc_s, UTC)),
        "clock_trusted": receipt.clock_trusted,
    }


def send(
    parcels: Sequence[Parcel],
    to: Addressee,
    version: int,
    key: Ed25519PrivateKey,
    reach: Reach,
    within_s: float,
) -> Outcome:
    """Send them, and answer what the kiosk asks until it has ``version``.

    Raises:
        UnavailableError: the broker cannot be reached.
    """
    side = RegistrySide(
        to.topics,
        to.signing,
        lambda ids: acknowledged_message(acknowledge(to.kiosk, ids, key)),
    )
    return side.send(parcels, version, reach, within_s)


@dataclass(frozen=True, slots=True)
class RuleInForce:
    """What holds for a category: one of its rules, or that it has none.

    ``by`` and ``since`` are of the community's word, None of the config's; ``problem`` says why
    such a word lets nobody pass.
    """

    category: str
    rule: Mapping[str, Any] | None
    by: str | None = None
    since: str | None = None
    problem: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As ``rules list --json`` prints it."""
        return {
            "category": self.category,
            "source": "config" if self.by is None else "community",
            "by": self.by,
            "since": self.since,
            "problem": self.problem,
            "rule": None if self.rule is None else dict(self.rule),
        }


def rules_in_force(site: Site, config: GateConfig) -> list[RuleInForce]:
    """Each category's rules, the community's in place of the config's, by category.

    Raises:
        StoreError: the registry cannot be read.
    """
    with read_registry(site, Key.NONE) as registry:
        said, lost = registry.said_rules()
    rows: list[RuleInForce] = []
    for category, one in said.items():
        try:
            if one.text is None:
                raise ValueError("what was said of it is damaged")  # noqa: TRY301 - one way out
            theirs = rules_of_category(config, category, one.text)
            rules: list[Mapping[str, Any] | None] = [*map(_as_said, theirs)]
            problem = None
        except ValueError as error:
            rules, problem = [], str(error)
        rows += [
            RuleInForce(category, rule, one.by, one.at or None, problem) for rule in rules or [None]
        ]
    ours = sorted({name for rule in config.rules for name in rule.categories} - said.keys())
    problem = "rules of a category that nobody can name are damaged" if lost else None
    for category in ours:
        rules = [_as_said(rule) for rule in config.rules if category in rule.categories]
        rows += [RuleInForce(category, rule, problem=problem) for rule in rules]
    return sorted(rows, key=lambda one: one.category)


def reset_rules(site: Site, category: str, *, by: str) -> bool:
    """For ``category`` the config's rules hold again; False where they did.

    Raises:
        StoreError: the registry cannot be written.
    """
    with open_registry(site, Key.NONE) as registry:
        return registry.say_rules(category, None, by=by, now=instant(site))


def drop_lost_rules(site: Site, *, by: str) -> int:
    """Forget damaged rules of categories that nobody can name; how many there were.

    Raises:
        StoreError: the registry cannot be written.
    """
    with open_registry(site, Key.NONE) as registry:
        return registry.drop_lost_rules(by=by, now=instant(site))


def _as_said(rule: RuleConfig) -> Mapping[str, Any]:
    return rule.model_dump(mode="json", by_alias=True, exclude={"categories"}, exclude_none=True)
