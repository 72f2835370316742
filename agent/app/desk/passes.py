"""What the office does with passes: a template for one, issuers to trust, passes to revoke."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from agent.adapters.store.keys import load_key
from agent.app.open.engine import open_engine
from agent.app.open.files.stores import Key, has_registry, open_registry, read_registry
from agent.app.open.site import Site, instant
from agent.credentials.documents.id_hash import community_hash
from agent.credentials.documents.resident_id import check as check_number
from agent.credentials.documents.resident_id import refused
from agent.credentials.passes.gate_pass import PREFIX, read_claims
from agent.credentials.passes.issuers import IssuerKey, Issuers, delegated_key, key_id
from agent.credentials.passes.pass_template import CommunityKey, PassTemplate
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.credential.near import did_you_mean
from agent.domain.credential.reason import Reason
from agent.domain.hours.instant import utc_text
from agent.errors import RefusedError, StoreError
from agent.operations.doubts import alike, past
from agent.operations.passes.delegate import limits_as_json, read_delegation
from agent.operations.passes.doubts import Known, doubts, refuse_past
from agent.operations.passes.issue import IssuedPass, PassRequest, check_pass, issue_pass
from agent.operations.passes.keys import read_issuer_key, read_public_key
from agent.vision.face.acquire import acquire
from agent.vision.face.quality import ENROLMENT
from agent.vision.packs.manifest import read_manifest
from agent.vision.stills.images import read_image

_LONGEST_NUMBER = 100
_UNSIGNED = frozenset({Reason.OTHER.value, Reason.CREDENTIAL_FORGED.value})
"""Why a pass does not hold whose signature is not known to be true: it may name anybody's id."""


def issue(
    site: Site,
    request: PassRequest,
    key_file: Path,
    template: tuple[PassTemplate, int, Path] | None,
    *,
    force: bool = False,
) -> tuple[IssuedPass, list[str]]:
    """A signed pass, and what looks wrong about it; ``template`` has its bits and the key's file.

    Raises:
        RefusedError: what it shall say contradicts itself. ``past``; it has ended, and nobody
            said ``force``.
        UnavailableError: a key is missing, open to others, or none.
    """
    sealed = None
    if template is not None:
        what, bits, community_file = template
        sealed = (what, bits, CommunityKey(load_key(community_file)))
    key, now = read_issuer_key(key_file), instant(site).utc
    forced = refuse_past("the pass", request.valid_until, now, site.zone, force=force)
    issued = issue_pass(request, key, now, sealed)
    said = [] if forced is None else [forced]
    known = known_here(site, said)
    return issued, [*said, *doubts(issued.claims, key_id(key.public_key()), known, now)]


def known_here(site: Site, troubles: list[str]) -> Known:
    """What config and registry of this machine know; an office may have neither.

    A registry that cannot be read is known nothing of, and said so in ``troubles``.
    """
    place = site.place
    known = Known(site.zone, categories=site.categories)
    if place is not None:
        known = replace(
            known,
            community=place.community,
            kiosk=place.kiosk,
            access_points=place.access_points,
            unknown_pass=place.unknown_pass,
        )
    try:
        if not has_registry(site):
            return known
        with read_registry(site) as registry:
            found = {str(holder.id): holder for holder in registry.readable_holders()}
            return replace(known, holders=found, issuers=tuple(registry.issuers()))
    except StoreError as error:
        troubles.append(f"holders and issuers were not looked up: {error}")
        return known


def enrolled_template(site: Site, holder: str) -> PassTemplate:
    """The mean of a holder's references, as their pass carries it.

    Raises:
        RefusedError: ``no_reference``; there is none of the site's pack.
    """
    manifest = read_manifest(site.face.pack)
    with read_registry(site, Key.NEEDED) as registry:
        owned = [
            one.template
            for one in registry.references(manifest.name, manifest.version)
            if one.holder == HolderId(holder)
        ]
    if not owned:
        raise RefusedError("no_reference", f"{holder} has no reference of the pack {manifest.name}")
    mean = np.asarray(np.mean(owned, axis=0, dtype=np.float64), dtype=np.float32)
    return PassTemplate(manifest.name, manifest.version, mean)


def photographed_template(site: Site, photograph: Path) -> PassTemplate:
    """The template of a photograph's one face, held to the limits of enrolment.

    Raises:
        RefusedError: ``photograph``; it shows no such face.
        ImageError: it is no image.
        ModelPackError: the pack is not installed.
    """
    engine = open_engine(site.state, site.face.pack, site.face.threads)
    found = acquire(engine, read_image(photograph), ENROLMENT)
    if found.face is None or found.reason is not None:
        raise RefusedError("photograph", f"{photograph}: {found.reason or 'no face'}")
    manifest = engine.manifest
    return PassTemplate(manifest.name, manifest.version, found.face.template)


def document_hash(stream: TextIO, community_key: Path) -> str:
    """The community's keyed hash of the ID number on one line of ``stream``.

    Raises:
        RefusedError: ``id_number``: it is none.
        UnavailableError: the key is missing, open to others, or none.
    """
    number = stream.readline(_LONGEST_NUMBER)
    verdict = check_number(number, None)
    if verdict.fault is not None:
        raise refused(verdict.fault)
    return community_hash(load_key(community_key), number)


def check(site: Site, text: str, at: datetime | None, trusted: IssuerKey | None) -> dict[str, Any]:
    """``operations.passes.issue.check_pass`` by ``trusted``, or by the issuers installed here."""
    if trusted is not None:
        issuers, revoked = Issuers([trusted]), frozenset[PassId]()
    else:
        with read_registry(site) as registry:
            issuers, revoked = Issuers(registry.issuers()), registry.revoked()
    return check_pass(text, issuers, at or instant(site).utc, revoked)


def issuer_key(
    file: Path, issuer: str, valid_from: datetime | None, valid_until: datetime | None
) -> IssuerKey:
    """The public key in ``file`` as ``issuer``'s.

    Raises:
        RefusedError: it ends before it begins, or it is the private half.
        UnavailableError: it is missing or no key.
    """
    if valid_from is not None and valid_until is not None and valid_from >= valid_until:
        raise RefusedError("validity", "a key begins before it ends")
    return IssuerKey(issuer, read_public_key(file), valid_from, valid_until)


def trusted_key(
    site: Site,
    file: Path,
    issuer: str | None,
    valid_from: datetime | None,
    valid_until: datetime | None,
) -> IssuerKey:
    """What ``file`` holds: a public key, as ``issuer``'s, or a delegation, which names its own.

    Raises:
        RefusedError: it ends before it begins, is the private half, needs another issuer, or is
            a delegation that no key signed which is trusted here without limits.
        UnavailableError: it is missing or no key.
    """
    found = read_delegation(file)
    if found is None:
        if not issuer:
            raise RefusedError("issuer", "whose key is it?\nFix: --issuer NAME, as on its passes")
        return issuer_key(file, issuer, valid_from, valid_until)
    if issuer not in (None, found.issuer):
        raise RefusedError("issuer", f"the delegation is {found.issuer}'s")
    key = delegated_key(found, valid_from, valid_until)
    if key.valid_from and key.valid_until and key.valid_from >= key.valid_until:
        raise RefusedError("validity", "a key begins before it ends")
    with read_registry(site) as registry:
        grantor = Issuers([*registry.issuers(), key]).grantor(key)
    if grantor is None:
        raise RefusedError(
            "delegation",
            f"no key of {found.grantor} that is trusted here without limits signed this delegation"
            "\nFix: gate-agent pass issuers",
        )
    return key


def trust_doubts(site: Site, key: IssuerKey) -> list[str]:
    """What looks wrong about a key before it is trusted: its time is over, or its name a slip."""
    with read_registry(site) as registry:
        names = sorted({one.issuer for one in registry.issuers()})
    said = (
        past("the time of this key", key.valid_until, instant(site).utc, site.zone),
        alike("the issuer", key.issuer, names),
    )
    return [one for one in said if one is not None]


def trust(site: Site, key: IssuerKey, *, by: str) -> dict[str, Any]:
    """Believe passes of this key from now on.

    Raises:
        RefusedError: ``limited``; it is trusted within limits, which would be lost.
    """
    with open_registry(site) as registry:
        if key.delegation is None and any(
            one.delegation is not None and one.key_id == key.key_id for one in registry.issuers()
        ):
            raise RefusedError(
                "limited",
                "this key is trusted within limits; without its delegation they would be lost"
                f"\nFix: gate-agent pass distrust {key.key_id.hex()}, then trust it anew",
            )
        registry.put_issuer(key, by=by, now=instant(site))
    return issuer_as_json(key)


def issuer_of(site: Site, wanted: str) -> str:
    """Whose the trusted key of this id is.

    Raises:
        RefusedError: ``no_such_issuer``; where an issuer's name was given, its keys are told.
    """
    with read_registry(site) as registry:
        keys = registry.issuers()
    for key in keys:
        if key.key_id.hex() == wanted:
            return key.issuer
    ids = [key.key_id.hex() for key in keys]
    named = [one.key_id.hex() for one in keys if one.issuer == wanted]
    near = f"; {wanted!r} signs with {', '.join(named)}" if named else did_you_mean(wanted, ids)
    raise RefusedError(
        "no_such_issuer", f"no such key is trusted{near}\nFix: gate-agent pass issuers"
    )


def distrust(site: Site, wanted: str, *, by: str) -> None:
    """Believe this key no longer.

    Raises:
        RefusedError: ``no_such_issuer``.
    """
    with open_registry(site) as registry:
        if not registry.remove_issuer(wanted, by=by, now=instant(site)):
            raise RefusedError(
                "no_such_issuer", "no such key is trusted\nFix: gate-agent pass issuers"
            )


def issuers(site: Site) -> list[dict[str, Any]]:
    """Every trusted key."""
    with read_registry(site) as registry:
        return [issuer_as_json(key) for key in registry.issuers()]


def is_whole_pass(wanted: str) -> bool:
    """Whether this is the text of a pass, which opens, and not only its id."""
    return wanted.startswith(PREFIX)


def revoke(site: Site, wanted: str, *, by: str) -> tuple[PassId, bool]:
    """Let a pass, named by its id or shown whole, open nothing here; whether that is new.

    Raises:
        RefusedError: ``pass``; it is neither.
    """
    if is_whole_pass(wanted):
        verdict = check(site, wanted, None, None)
        if verdict["claims"] is None and verdict["reason"] in _UNSIGNED:
            raise RefusedError("pass", "no trusted issuer signed this pass\nFix: name it by its id")
        wanted = read_claims(wanted).id
    if not 16 <= len(wanted) <= 32 or set(wanted) - set("0123456789abcdef"):
        raise RefusedError("pass", "a pass id has 16 to 32 digits of 0-9 a-f")
    one = PassId(wanted)
    with open_registry(site) as registry:
        return one, registry.revoke(one, by=by, now=instant(site))


def issuer_as_json(key: IssuerKey) -> dict[str, Any]:
    """As ``gate-agent pass issuers --json`` prints one."""
    return {
        "key_id": key_id(key.key).hex(),
        "issuer": key.issuer,
        "valid_from": None if key.valid_from is None else utc_text(key.valid_from),
        "valid_until": None if key.valid_until is None else utc_text(key.valid_until),
        "limits": None if key.delegation is None else limits_as_json(key.delegation),
    }
