"""What looks wrong about a pass before it is signed, as far as this machine knows.

A pass is made for gates that may be elsewhere, about people whom only they know. So what is unknown
here is told with the nearest name and signed all the same; what opens nowhere is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from agent.credentials.passes.issuers import IssuerKey
from agent.domain.access.rule import COME_AND_GO
from agent.domain.credential.gate_pass import GatePass
from agent.domain.credential.holder import Holder
from agent.domain.credential.near import did_you_mean
from agent.errors import RefusedError
from agent.operations.doubts import past, unknown_points, unruled
from agent.operations.moments import bound_text
from agent.operations.passes.delegate import Handing

LONGEST_VALIDITY = timedelta(days=5 * 366)
"""A pass that ends later is likelier a slip of the pen."""


@dataclass(frozen=True, slots=True)
class Known:
    """What this machine knows; None where it knows nothing of the kind.

    ``unknown_pass`` are categories whose passes open where the registry does not know the holder.
    """

    zone: tzinfo
    community: str | None = None
    kiosk: str | None = None
    access_points: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    unknown_pass: frozenset[str] = COME_AND_GO
    holders: Mapping[str, Holder] | None = None
    issuers: tuple[IssuerKey, ...] | None = None


def refuse_past(
    what: str, ends: datetime | None, now: datetime, zone: tzinfo, *, force: bool
) -> str | None:
    """A warning where ``force`` let something through that has ended; None where nothing has.

    Raises:
        RefusedError: ``past``; it has ended, and nobody said ``force``.
    """
    said = past(what, ends, now, zone)
    if said is None or force:
        return None if said is None else f"{said}; --force signed it all the same"
    raise RefusedError("past", f"{said}\nFix: a later --valid-until, or --force")


def doubts(claims: GatePass, signer: bytes, known: Known, now: datetime) -> list[str]:
    """What to ask oneself before a pass is handed out that the key of id ``signer`` signs."""
    category = unruled(claims.category, known.categories)
    return [
        *_about_holder(claims, known),
        *_about_place(claims, known),
        *([] if category is None else [category]),
        *unknown_points(sorted(claims.access_points), known.access_points),
        *_about_issuer(claims, signer, known),
        *_about_end(claims, known, now),
    ]


def handing_doubts(handing: Handing, known: Known, now: datetime) -> list[str]:
    """The same of a delegation, whose limits nobody may ever meet."""
    categories = [unruled(one, known.categories) for one in handing.categories]
    ended = past("the delegation", handing.valid_until, now, known.zone)
    return [
        *(one for one in (*categories, ended) if one is not None),
        *unknown_points(handing.access_points, known.access_points),
    ]


def _about_holder(claims: GatePass, known: Known) -> Iterator[str]:
    if known.holders is None:
        return
    holder = known.holders.get(claims.holder)
    if holder is None:
        # Of visitors the registry never hears: their passes alone say who they are.
        if claims.category not in known.unknown_pass:
            near = did_you_mean(claims.holder, known.holders)
            yield f"the registry knows no holder {claims.holder!r}{near}"
        return
    if not holder.enabled:
        fix = f"gate-agent holders enable {holder.id}"
        yield f"{holder.id} is disabled: the gate refuses them\nFix: {fix}"
    if holder.category != claims.category:
        yield f"{holder.id} is enrolled as {holder.category!r}, not as {claims.category!r}"


def _about_place(claims: GatePass, known: Known) -> Iterator[str]:
    if known.community is not None and known.community not in claims.communities:
        said = ", ".join(map(repr, sorted(claims.communities)))
        near = [did_you_mean(name, [known.community]) for name in sorted(claims.communities)]
        hint = next((one for one in near if one), f"; this kiosk is in {known.community!r}")
        yield f"the pass is for the community {said}{hint}"
    if None not in (claims.kiosk, known.kiosk) and claims.kiosk != known.kiosk:
        near_kiosk = did_you_mean(str(claims.kiosk), [str(known.kiosk)])
        hint = near_kiosk or f"; this one is {known.kiosk!r}"
        yield f"the kiosk {claims.kiosk!r} counts its uses{hint}"


def _about_issuer(claims: GatePass, signer: bytes, known: Known) -> Iterator[str]:
    if known.issuers is None:
        return
    fix = f"\nFix: gate-agent pass trust FILE --issuer {claims.issuer}"
    keyed = next((key for key in known.issuers if key.key_id == signer), None)
    if keyed is not None:
        if keyed.issuer != claims.issuer:
            yield f"this key is trusted here as {keyed.issuer!r}, not as {claims.issuer!r}"
        if keyed.delegation is not None:
            breach = keyed.delegation.limits.breach(claims)
            if breach is not None:
                yield f"its issuer goes beyond its limits: {breach.removeprefix('pass: ')}"
        return
    names = sorted({key.issuer for key in known.issuers})
    if claims.issuer in names:
        yield f"this kiosk trusts {claims.issuer!r} by another key than this one{fix}"
        return
    yield (
        f"this kiosk trusts no issuer {claims.issuer!r}{did_you_mean(claims.issuer, names)}{fix}"
    )


def _about_end(claims: GatePass, known: Known, now: datetime) -> Iterator[str]:
    start = max(now, claims.valid_from or now)
    if claims.valid_until - start > LONGEST_VALIDITY:
        end = bound_text(claims.valid_until, known.zone, ends=True)
        yield f"the pass holds until {end}, more than five years: is that meant?"
