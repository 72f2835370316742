"""Categories at the desk: listed, and changed for a holder."""

import os
from collections.abc import Sequence
from typing import Any

from agent.app.open.files.stores import Key, open_registry, read_registry
from agent.app.open.site import Site, instant
from agent.domain.credential.holder import Holder
from agent.domain.registers.record import CategoryChange
from agent.errors import RefusedError
from agent.operations.doubts import unruled
from agent.operations.people import holders
from agent.operations.registers import category


def listed(site: Site) -> list[dict[str, Any]]:
    """Every archive category as JSON values; ``passes``: by which factors, None: by no rule."""
    return [
        {
            "id": one.id,
            "zh": one.zh,
            "en": one.en,
            "alternative": one.alternative.value,
            "ledger": one.ledger.value,
            "valid_days": one.valid_days,
            "retention_days": one.retention_days,
            "passes": None if site.categories is None else one.id in site.categories,
        }
        for one in site.archives
    ]


def category_changes(site: Site, holder: str) -> Sequence[CategoryChange]:
    """How a holder came into their category, the oldest first.

    Raises:
        RefusedError: ``no_such_holder``.
    """
    with read_registry(site, Key.IF_ANY) as registry:
        return registry.category_changes(holders.find(registry, holder).id)


def change_category(
    site: Site, holder: str, wanted: str, reason: str | None, *, by: str
) -> tuple[Holder, CategoryChange | None, list[str]]:
    """The holder in the new category, the change, and what looks wrong about it.

    Raises:
        RefusedError: ``no_such_holder``, ``category``, ``reason``.
        KeyUnavailableError: there is no key to seal the reason with.
    """
    if reason is None:
        raise RefusedError("reason", "a change of category needs its reason\nFix: --reason TEXT")
    _find(site, holder)
    now = instant(site)
    with open_registry(site, Key.NEEDED) as registry:
        after, made = category.change(registry, holder, wanted, reason, by=by, now=now)
    ruled = unruled(after.category, site.categories)
    doubts = [*category.doubts(after, site.archives, now.utc, site.zone)]
    return after, made, [*doubts, *([] if ruled is None else [ruled])]


def undo_category(
    site: Site, holder: str, reason: str | None, *, by: str
) -> tuple[Holder, CategoryChange | None]:
    """The holder in the category of before.

    Raises:
        RefusedError: ``no_such_holder``, ``nothing_to_undo``, ``changed_meanwhile``.
        KeyUnavailableError: there is a reason, and no key to seal it with.
    """
    _find(site, holder)
    key = Key.NEEDED if reason is not None or os.path.lexists(site.key_file) else Key.NONE
    with open_registry(site, key) as registry:
        return category.undo(registry, holder, reason, by=by, now=instant(site))


def _find(site: Site, holder: str) -> None:
    """With the near match where there is no such holder; where there is no registry none is made.

    Raises:
        RefusedError: ``no_such_holder``.
    """
    with read_registry(site) as registry:
        holders.find(registry, holder)
