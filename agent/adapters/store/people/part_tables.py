"""The photographs behind each reference: their templates as parts, and where kept themselves.

A reference is compared with; its parts are only looked at where a photograph joins or leaves, or
somebody is exported. A reference of one photograph has no row of parts: it is its own.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

import numpy as np

from agent.adapters.store.people.rows.marks import intact
from agent.adapters.store.people.rows.reference_rows import ReferenceRows
from agent.adapters.store.seal import Sealer
from agent.domain.credential.holder import HolderId
from agent.domain.sight.image import Template
from agent.errors import KeyUnavailableError, StoreError
from agent.ports import Reference

_OF_PACK = "WHERE reference.pack = ? AND reference.pack_version = ?"
_ORDER = "ORDER BY reference.holder, reference.number"
_PARTS = (
    "SELECT part.reference, part.sealed FROM part"
    " JOIN reference ON reference.number = part.reference"
)


class PartTables(ReferenceRows):
    """The registry's references with their parts, and the photographs that are kept."""

    def owned(self, pack: str, pack_version: str) -> list[Reference]:
        """Every reference made by this pack with its parts, by holder; damaged ones are left out.

        One with a part that cannot be opened counts as that of one photograph.

        Raises:
            KeyUnavailableError: there is no key.
            StoreError: the registry cannot be read.
        """
        sealer = self._need_sealer()

        def work() -> list[Reference]:
            found = self._opened_references(sealer, _OF_PACK, (pack, pack_version), strict=False)
            return list(found)

        return self._read(work)

    def owned_by(self, holder: HolderId, pack: str, pack_version: str) -> list[Reference]:
        """The references of one holder with their parts.

        Raises:
            KeyUnavailableError: the key is not the one that sealed them.
            StoreError: a row fails its seal, or the registry cannot be read.
        """
        sealer = self._need_sealer()
        which = f"{_OF_PACK} AND reference.holder = ?"

        def work() -> list[Reference]:
            words = (pack, pack_version, holder)
            return list(self._opened_references(sealer, which, words, strict=True))

        return self._read(work)

    def packs_of_holders(self) -> list[tuple[HolderId, str, str, int]]:
        """Who has how many references of which pack and version, opened or not."""
        query = "SELECT holder, pack, pack_version, count(*) FROM reference GROUP BY 1, 2, 3"
        return [
            (HolderId(owner), pack, version, count)
            for owner, pack, version, count in self._rows(query)
            if intact(owner) and intact(pack) and intact(version)
        ]

    def of_other_packs(self, pack: str, pack_version: str) -> int:
        """How many holders have references, and none of this version of the pack."""
        query = (
            "SELECT count(DISTINCT holder) FROM reference WHERE NOT (pack = ? AND pack_version = ?)"
            " AND holder NOT IN (SELECT holder FROM reference WHERE pack = ? AND pack_version = ?)"
        )
        count: int = self._rows(query, pack, pack_version, pack, pack_version)[0][0]
        return count

    def photographs(self, holder: HolderId) -> list[bytes]:
        """The photographs that are kept of a holder, as they were given; damaged ones are left out.

        Raises:
            KeyUnavailableError: there is no key.
            StoreError: the registry cannot be read.
        """
        sealer = self._need_sealer()
        query = "SELECT sealed FROM photograph WHERE holder = ? ORDER BY number"
        found = []
        for (sealed,) in self._rows(query, holder):
            plain = _opened(sealer, sealed, "photograph", holder)
            if plain is not None:
                found.append(plain)
        return found

    def _opened_references(
        self, sealer: Sealer, which: str, parameters: Sequence[object], *, strict: bool
    ) -> Iterator[Reference]:
        parts: dict[int, list[object]] = {}
        for number, sealed in self._connection.execute(
            f"{_PARTS} {which} ORDER BY part.number", parameters
        ):
            parts.setdefault(number, []).append(sealed)
        query = f"SELECT number, holder, pack, pack_version, sealed FROM reference {which} {_ORDER}"  # noqa: S608 - constants
        for number, *words, sealed in self._connection.execute(query, parameters).fetchall():
            made = _reference(sealer, words, sealed, parts.get(number, []), strict=strict)
            if made is not None:
                yield made

    def _are_still(
        self, holder: HolderId, expected: Sequence[Reference], packs: AbstractSet[tuple[str, str]]
    ) -> bool:
        """Whether the references of those packs are the expected ones, in this transaction."""
        found: list[Reference] = []
        for pack, version in sorted(packs | {(one.pack, one.pack_version) for one in expected}):
            which = f"{_OF_PACK} AND reference.holder = ?"
            words = (pack, version, holder)
            found += self._opened_references(self._need_sealer(), which, words, strict=True)
        return sorted(map(_content, found)) == sorted(map(_content, expected))

    def _insert_reference(self, owner: HolderId, reference: Reference, sealer: Sealer) -> None:
        words = (owner, reference.pack, reference.pack_version)
        sealed = sealer.seal(_bytes(reference.template), "reference", *words)
        number = self._connection.execute(
            "INSERT INTO reference (holder, pack, pack_version, sealed) VALUES (?, ?, ?, ?)",
            (*words, sealed),
        ).lastrowid
        for part in reference.parts:
            self._connection.execute(
                "INSERT INTO part (reference, holder, pack, pack_version, sealed)"
                " VALUES (?, ?, ?, ?, ?)",
                (number, *words, sealer.seal(_bytes(part), "part", *words)),
            )

    def _keep_photographs(
        self, holder: HolderId, photographs: Sequence[bytes], sealer: Sealer
    ) -> None:
        self._connection.execute("DELETE FROM photograph WHERE holder = ?", (holder,))
        for photograph in photographs:
            self._connection.execute(
                "INSERT INTO photograph (holder, sealed) VALUES (?, ?)",
                (holder, sealer.seal(photograph, "photograph", holder)),
            )


def _reference(
    sealer: Sealer,
    words: Sequence[object],
    sealed: object,
    parts: Sequence[object],
    *,
    strict: bool,
) -> Reference | None:
    """A row opened with its parts; None where it does not open and need not.

    Raises:
        KeyUnavailableError, StoreError: it does not open and has to, or a part does not.
    """
    if not all(map(intact, words)):
        if strict:
            raise StoreError("a row of the registry is damaged")
        return None
    owner, pack, version = map(str, words)
    template = _template(sealer, sealed, "reference", owner, pack, version, strict=strict)
    if template is None:
        return None
    whole = Reference(HolderId(owner), pack, version, template)
    opened = [_template(sealer, p, "part", owner, pack, version, strict=strict) for p in parts]
    found = tuple(one for one in opened if one is not None and one.shape == template.shape)
    if len(found) < len(parts):
        if strict:
            raise StoreError("a photograph's template is not as long as its reference")
        return whole
    return replace(whole, parts=found)


def _template(sealer: Sealer, sealed: object, *bound_to: str, strict: bool) -> Template | None:
    if strict and isinstance(sealed, bytes):
        plain: bytes | None = sealer.open(sealed, *bound_to)
    else:
        plain = _opened(sealer, sealed, *bound_to)
    if plain is None or len(plain) % 4:
        if strict:
            raise StoreError("a sealed row was altered")
        return None
    return np.frombuffer(plain, dtype="<f4").astype(np.float32)


def _opened(sealer: Sealer, sealed: object, *bound_to: str) -> bytes | None:
    try:
        return sealer.open(sealed, *bound_to) if isinstance(sealed, bytes) else None
    except (KeyUnavailableError, StoreError):
        return None


def _content(reference: Reference) -> tuple[str, str, str, bytes, tuple[bytes, ...]]:
    parts = tuple(map(_bytes, reference.parts))
    words = (reference.holder, reference.pack, reference.pack_version)
    return (*words, _bytes(reference.template), parts)


def _bytes(template: Template) -> bytes:
    return np.ascontiguousarray(template, dtype="<f4").tobytes()
