"""A snapshot that was built on the one before is what one would be that was built of all there is.

Somebody who was disabled, and whom a snapshot missed, comes in.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from store_parts import BY, IDS, KEY, NOW, holder, reference
from sync_parts import person, take, template

from agent.adapters.store.people import people_rows
from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.people.rows import touched
from agent.adapters.store.people.rows.holder_rows import NameOf, holder_of_row
from agent.adapters.store.people.rows.marked_rows import Row
from agent.adapters.store.people.synced import SyncedRegistry
from agent.adapters.store.seal import Sealer
from agent.app.open.snapshot import Rates, Snapshot, take_snapshot
from agent.credentials.passes.issuers import IssuerKey
from agent.credentials.signed.entries import Entry, Face, Removal, Revocation
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import Holder, HolderId
from agent.errors import GateAgentError
from agent.ports import Reference
from agent.vision.packs.manifest import read_manifest

MANIFEST = read_manifest("dlib")
ISSUERS = [
    IssuerKey(f"desk {number}", Ed25519PrivateKey.generate().public_key(), None, None)
    for number in range(2)
]


class Site:
    """A registry, a gate that follows it, and somebody who reads all of it."""

    def __init__(self, path: Path) -> None:
        self.path, self.key, self.version = path, KEY, 0
        self.copied_key = KEY
        self.store = self._opened()
        self.sync = SyncedRegistry(path, Sealer(KEY), IDS.make)
        for number in range(6):
            self.enrol(number, number)
        self.seen = take_snapshot(self.store, MANIFEST, Rates())

    def _opened(self) -> SqliteRegistry:
        return SqliteRegistry(self.path, Sealer(self.key), IDS.make)

    def close(self) -> None:
        self.store.close()
        self.sync.close()

    # --- what is done to a registry ---------------------------------------------------------------

    def put(self, who: int, how: int) -> None:
        one = replace(holder(f"h{who}"), name=f"name {how % 3}", enabled=bool(how % 2))
        self.store.put(one, by=BY, now=NOW)

    def put_many(self, who: int, how: int) -> None:
        people = [holder(f"h{number}", enabled=bool(how % 2)) for number in range(who)]
        self.store.put_all(people, by=BY, now=NOW)

    def remove(self, who: int, _how: int) -> None:
        self.store.remove(HolderId(f"h{who}"), by=BY, now=NOW)

    def enrol(self, who: int, how: int) -> None:
        pack, version = [("dlib", MANIFEST.version), ("other", "1"), ("dlib", "0")][how % 7 % 3]
        made = [
            Reference(HolderId(f"h{who}"), pack, version, reference(seed=how + seed).template)
            for seed in range(1 + how % 2)
        ]
        self.store.enrol(holder(f"h{who}"), made, by=BY, now=NOW)

    def revoke(self, who: int, _how: int) -> None:
        self.store.revoke(PassId(f"{who:016x}"), by=BY, now=NOW)

    def trust(self, who: int, how: int) -> None:
        key = ISSUERS[who % 2]
        if how % 2:
            self.store.put_issuer(key, by=BY, now=NOW)
        else:
            self.store.remove_issuer(key.key_id.hex(), by=BY, now=NOW)

    def bind(self, who: int, how: int) -> None:
        one = HolderId(f"h{who}")
        if how % 3:
            self.store.bind_document(one, f"{how % 5:064x}", by=BY, now=NOW, move=True)
        else:
            self.store.unbind_document(one, by=BY, now=NOW)

    def sync_one(self, who: int, how: int) -> None:
        made: list[Entry] = [
            person(f"h{who}", Face("dlib", MANIFEST.version, template(how))),
            person(f"h{who}", enabled=False),
            Removal(HolderId(f"h{who}")),
            Revocation(PassId(f"{who + 100:016x}")),
        ]
        how_many = 1 + how % 2
        since = 0 if how % 9 == 0 else self.version
        take(self.sync, made[how % 4 :][:how_many], (since, self.version + 1))
        self.version += 1

    def rule(self, who: int, how: int) -> None:
        text = None if how % 3 == 0 else f"[[rule]]\nname = 'n{how}'\n"
        self.store.say_rules(f"c{who % 2}", text, by=BY, now=NOW)

    def erase(self, _who: int, _how: int) -> None:
        self.store.erase()

    def rekey(self, _who: int, how: int) -> None:
        key = bytes([how % 200]) * 32
        new = Sealer(key)
        self.store.seal_by(new.key_id)
        self.store.reseal(new, 1000)
        self.use(key)

    def use(self, key: bytes) -> None:
        self.key = key
        self.store._sealer = self.sync._sealer = Sealer(key)

    def put_back(self, _who: int, how: int) -> None:
        """A copy of before takes the place of the file, as one who restores a backup does it."""
        copy = self.path.with_name("copy")
        if how % 2 or not copy.exists():
            with self.raw() as connection:
                copy.unlink(missing_ok=True)
                connection.execute("VACUUM INTO ?", (str(copy),))
            self.copied_key = self.key
            return
        for end in ("-wal", "-shm"):
            self.path.with_name(self.path.name + end).unlink(missing_ok=True)
        shutil.copy(copy, copy.with_name("moved"))
        copy.with_name("moved").replace(self.path)
        self.version = 10_000 + how
        self.use(self.copied_key)

    # --- what a worn card, or somebody else, does to it -------------------------------------------

    @contextmanager
    def raw(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.text_factory = bytes
            yield connection

    def spoil(self, who: int, how: int) -> None:
        table, column = SPOILT[how % len(SPOILT)]
        with self.raw() as connection:
            rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
            if not rows:
                return
            row, value = rows[who % len(rows)]
            match value:
                case bytes():
                    value = value[:-1] + bytes([value[-1] ^ 4]) if value else b"x"
                case int():
                    value ^= 1
            as_text = column not in ("sealed", "sealed_name", "public")
            put = "CAST(? AS TEXT)" if as_text and isinstance(value, bytes) else "?"
            connection.execute(
                f"UPDATE OR REPLACE {table} SET {column} = {put} WHERE rowid = ?", (value, row)
            )

    def lose(self, who: int, how: int) -> None:
        with self.raw() as connection:
            table = LOST[how % len(LOST)]
            connection.execute(
                f"DELETE FROM {table} WHERE rowid ="
                f" (SELECT rowid FROM {table} ORDER BY rowid DESC LIMIT 1 OFFSET ?)",
                (who,),
            )


SPOILT = [
    *(("holder", one) for one in ("id", "category", "enabled", "mark", "sealed_name", "handle")),
    *(("reference", one) for one in ("holder", "sealed", "pack")),
    *(("id_document", one) for one in ("number_hash", "holder")),
    *(("tombstone", one) for one in ("holder_hash", "removed_at")),
    *(("touched", one) for one in ("kind", "subject", "again", "salt")),
    *(("revoked_pass", "pass"), ("issuer_key", "public"), ("change_log", "data")),
    *(("category_rule", "rules"), ("category_rule", "category")),
]
LOST = ["holder", "reference", "id_document", "revoked_pass", "tombstone", "touched"]
Deed = Callable[[Site, int, int], None]
WELL: list[Deed] = [
    *(Site.put, Site.put_many, Site.remove, Site.enrol, Site.revoke, Site.trust, Site.bind),
    *(Site.sync_one, Site.erase, Site.rule),
]
ODD: list[Deed] = [Site.rekey, Site.put_back, Site.spoil, Site.lose]


def told(snapshot: Snapshot) -> list[object]:
    """All that somebody may ask of it."""
    gallery, index = snapshot.gallery, snapshot.index
    return [
        {one.name: getattr(snapshot.registry, one.name) for one in fields(snapshot.registry)},
        [snapshot.issuers.find(one.key_id) for one in ISSUERS],
        snapshot.unreadable,
        [*index.names],
        index.revision,
        index.counts.tolist(),
        gallery.numbers.tolist(),
        gallery.marks.tolist(),
        *(one.tobytes() for one in (index.table.codes, index.table.scales)),
        index.table.half_squares.tobytes(),
    ]


def follow(site: Site) -> Snapshot:
    """The gate looks; what it has now is what all of the registry says."""
    before = site.seen
    site.seen = take_snapshot(site.store, MANIFEST, Rates(), before)
    whole = take_snapshot(site.store, MANIFEST, Rates(), before.forgetful())
    assert whole.is_whole
    assert told(site.seen) == told(whole)
    with closing(site._opened()) as other:
        alone = take_snapshot(other, MANIFEST, Rates())
    # Of damage somebody who saw the rows before knows more.
    if not alone.unreadable:
        assert told(site.seen) == told(alone)
    return site.seen


_STEPS = st.tuples(st.sampled_from([*WELL, *WELL, *ODD]), st.integers(0, 8), st.integers(0, 10_000))


@given(steps=st.lists(st.lists(_STEPS, min_size=1, max_size=3), min_size=1, max_size=12))
def test_whatever_happens_it_is_what_all_of_the_registry_says(steps) -> None:
    with TemporaryDirectory() as place, closing(Site(Path(place) / "registry.sqlite")) as site:
        for deeds in steps:
            for deed, who, how in deeds:
                # A registry that was spoilt may refuse.
                with suppress(GateAgentError, sqlite3.Error):
                    deed(site, who, how)
            follow(site)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with closing(Site(tmp_path / "registry.sqlite")) as made:
        yield made


FOLLOWED: list[tuple[Deed, int, int]] = [
    *((Site.put, 1, 0), (Site.put, 7, 1), (Site.put_many, 8, 0), (Site.remove, 3, 0)),
    *((Site.enrol, 2, 7), (Site.enrol, 7, 0), (Site.enrol, 2, 1), (Site.revoke, 1, 0)),
    *((Site.trust, 0, 1), (Site.bind, 0, 1), (Site.erase, 0, 0)),
    *((Site.sync_one, 1, how) for how in (1, 2, 3, 4)),
]


@pytest.mark.parametrize(("deed", "who", "how"), FOLLOWED)
def test_what_is_done_every_day_is_followed(site: Site, deed: Deed, who: int, how: int) -> None:
    deed(site, who, how)
    assert not follow(site).is_whole
    assert not follow(site).is_whole


def test_somebody_who_comes_again_between_two_looks_is_another_row(site: Site) -> None:
    site.remove(0, 0)
    site.enrol(0, 14)
    site.erase(0, 0)  # and the rows may have other numbers
    site.put(4, 0)
    assert not follow(site).is_whole
    site.bind(0, 1)
    site.remove(0, 0)
    assert HolderId("h0") not in follow(site).registry.holders


def test_whom_nobody_can_name_is_looked_at_each_time(site: Site) -> None:
    with site.raw() as connection:
        connection.execute("UPDATE holder SET sealed_name = x'00' WHERE id = 'h1'")
    assert follow(site).registry.holders[HolderId("h1")].name is None
    with site.raw() as connection:
        connection.execute("DROP TRIGGER touched_holder_changed")
        connection.execute("UPDATE holder SET sealed_name = NULL WHERE id = 'h1'")
        connection.execute("UPDATE holder SET name = 'Anna' WHERE id = 'h1'")
    assert follow(site).registry.holders[HolderId("h1")].name == "Anna"


@pytest.mark.parametrize(
    "odd",
    [
        "DROP TRIGGER touched_reference_gone",
        "DELETE FROM touched",
        "DELETE FROM touched WHERE at = (SELECT max(at) - 1 FROM touched)",
        "UPDATE touched SET salt = salt + 1",
        "UPDATE touched SET subject = subject + 1",
        "UPDATE touched SET kind = 'person'",
    ],
)
def test_where_the_log_may_lack_something_all_is_read(site: Site, odd: str) -> None:
    site.put(1, 0)
    site.put(2, 0)
    with site.raw() as connection:
        connection.execute(odd)
    assert follow(site).is_whole
    assert not site.seen.registry.holders[HolderId("h1")].enabled


def test_a_log_that_has_become_too_long_for_one_who_looks_seldom(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(touched, "_KEPT", 3)
    site.put(1, 0)
    site.put(2, 0)
    assert follow(site).is_whole
    with site.raw() as connection:
        assert connection.execute("SELECT count(*) FROM touched").fetchall() == [(3,)]


def test_another_file_that_was_the_same_once_has_another_log(site: Site, tmp_path: Path) -> None:
    site.put_back(0, 1)
    site.put(1, 0)
    follow(site)
    site.put_back(0, 0)
    site.put(2, 0)  # as many lines as before, of somebody else
    with site.raw() as connection:
        assert connection.execute("SELECT count(*) FROM touched").fetchone()
    assert follow(site).is_whole
    enabled = [site.seen.registry.holders[HolderId(f"h{n}")].enabled for n in (1, 2)]
    assert enabled == [True, False]


def test_only_the_rows_that_were_touched_are_judged(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[object] = []
    judge = holder_of_row

    def counted(row: Row, *name_of: NameOf) -> Holder | None:
        judged.append(row.values["id"])
        return judge(row, *name_of)

    monkeypatch.setattr(people_rows, "holder_of_row", counted)
    site.put(3, 0)
    found = take_snapshot(site.store, MANIFEST, Rates(), site.seen)
    assert set(judged) == {"h3"}
    assert not found.registry.holders[HolderId("h3")].enabled
