"""What another process changed reaches the journal, whoever was killed or locked in between."""

import sqlite3
import threading
from contextlib import closing

import numpy as np
import pytest
from mosquitto import wait_until
from store_parts import BY, NOW, holder, open_journal, open_registry

from agent.app.open.snapshot import Rates, take_snapshot
from agent.app.threads.watch.gallery import GalleryWatch
from agent.controller.inputs import FaultCleared, FaultRaised, Input, RegistryChanged
from agent.domain.access.part import Part
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.record.events import EventType
from agent.errors import StoreError
from agent.ports import Reference
from agent.vision.packs.manifest import read_manifest

TEMPLATE = np.random.default_rng(1).normal(size=128).astype(np.float32)


@pytest.fixture
def registry(tmp_path):
    return open_registry(tmp_path / "registry.sqlite")


@pytest.fixture
def journal(tmp_path):
    return open_journal(tmp_path / "journal.sqlite")


@pytest.fixture
def watch(registry):
    """Starts a watch; what it posts is in the list that comes with it."""
    manifest = read_manifest("dlib")
    started = []

    def start(changed):
        def renew(before=None):
            return take_snapshot(registry, manifest, Rates(), before)

        posted: list[Input] = []
        watch = GalleryWatch(renew(), renew, registry.revision, posted.append, changed)
        thread = threading.Thread(target=watch.work)
        thread.start()
        started.append((watch, thread))
        return posted

    yield start
    for watch, thread in started:
        watch.stop()
        thread.join(60)
        assert not thread.is_alive()


def kinds(journal):
    return [stored.event.type for stored in journal.read()]


def test_what_a_killed_command_left_is_moved_at_the_start(registry, journal, watch):
    registry.put(holder(), by=BY, now=NOW)  # and killed before it could move the event
    watch(lambda: registry.transfer_changes(journal))
    assert wait_until(lambda: kinds(journal) == [EventType.HOLDER_CHANGED])


def test_a_journal_that_was_locked_gets_the_change_later(registry, journal, watch):
    refusals = iter([StoreError("locked")])

    def changed():
        for error in refusals:
            raise error
        registry.transfer_changes(journal)

    posted = watch(changed)
    registry.put(holder(), by=BY, now=NOW)
    assert wait_until(lambda: kinds(journal) == [EventType.HOLDER_CHANGED])
    assert wait_until(lambda: FaultCleared(Part("gallery"), "agent") in posted)
    assert FaultRaised(Part("gallery"), "locked") in posted
    assert any(isinstance(one, RegistryChanged) for one in posted)


# --- damage, and a registry that cannot be read --------------------------------------------------


_TRIGGER = "SELECT sql FROM sqlite_master WHERE name = 'touched_holder_changed'"


class Watched:
    """A watch that is asked round by round, on a registry whose file the test may spoil."""

    def __init__(self, path):
        self.path, self.now_s = path, 0.0
        self.posted: list[Input] = []
        self.store = open_registry(path)
        self.watch = GalleryWatch(
            self.take(),
            self.take,
            self.store.revision,
            self.posted.append,
            lambda: None,
            monotonic_s=lambda: self.now_s,
        )

    def take(self, before=None):
        return take_snapshot(self.store, read_manifest("dlib"), Rates(), before)

    def round(self, seconds=0.5):
        """What was said in a round so much later."""
        self.now_s += seconds
        del self.posted[:]
        self.watch.look()
        return list(self.posted)

    def spoil(self, statement):
        with closing(sqlite3.connect(self.path)) as connection, connection:
            assert connection.execute(statement).rowcount


@pytest.fixture
def watched(tmp_path):
    store = open_registry(tmp_path / "registry.sqlite")
    for name in ("ann", "bob"):
        made = Reference(HolderId(name), "dlib", read_manifest("dlib").version, TEMPLATE)
        store.enrol(holder(name), [made], by=BY, now=NOW)
    store.close()
    return Watched(tmp_path / "registry.sqlite")


def registries(posted):
    return [one.registry for one in posted if isinstance(one, RegistryChanged)]


def test_one_damaged_reference_holds_up_no_revocation(watched):
    watched.spoil("UPDATE reference SET sealed = zeroblob(9) WHERE holder = 'ann'")
    watched.store.revoke(PassId("ab" * 8), by=BY, now=NOW)
    watched.store.put(holder("bob", enabled=False), by=BY, now=NOW)
    posted = watched.round()
    (registry,) = registries(posted)
    assert registry.revoked == {"ab" * 8}
    assert not registry.holders[HolderId("bob")].enabled
    told = "rows of the registry that cannot be read: references 1"
    assert FaultRaised(Part("registry"), told) in posted
    assert not registry.outdated


def test_other_damage_is_told_in_other_words_and_its_end_too(watched):
    watched.spoil("UPDATE reference SET sealed = zeroblob(9) WHERE holder = 'ann'")
    watched.store.revoke(PassId("ab" * 8), by=BY, now=NOW)
    watched.round()
    watched.spoil("UPDATE holder SET enabled = 7 WHERE id = 'bob'")
    watched.store.revoke(PassId("cd" * 8), by=BY, now=NOW)
    told = "rows of the registry that cannot be read: holders 1, references 1"
    faults = [one for one in watched.round() if not isinstance(one, RegistryChanged)]
    assert faults == [FaultCleared(Part("registry"), "agent"), FaultRaised(Part("registry"), told)]
    for name in ("ann", "bob"):
        watched.store.remove(HolderId(name), by=BY, now=NOW)
    assert FaultCleared(Part("registry"), "agent") in watched.round()


def test_a_row_that_wore_out_unseen_is_found_within_the_hour_in_a_quiet_moment(watched):
    def worn(column):
        """A trigger sees it, and a worn card asks none."""
        with closing(sqlite3.connect(watched.path)) as connection:
            (trigger,) = connection.execute(_TRIGGER).fetchone()
        watched.spoil("DROP TRIGGER touched_holder_changed")
        watched.spoil(f"UPDATE holder SET {column} = 'worn' WHERE id = 'ann'")
        watched.spoil(trigger)

    watched.store.put(holder("bob", enabled=False), by=BY, now=NOW)
    assert registries(watched.round())
    worn("category")
    watched.now_s += 3570
    watched.store.put(holder("bob"), by=BY, now=NOW)
    (registry,) = registries(watched.round())
    assert registry.unreadable == 0
    assert watched.round(30) == []  # the hour is over, and there was a change just now
    assert watched.watch.registry().unreadable == 0
    told = "rows of the registry that cannot be read: holders 1"
    assert FaultRaised(Part("registry"), told) in watched.round(31)
    assert not watched.watch.registry().holders[HolderId("ann")].enabled
    assert watched.round(7200) == []


def test_the_agent_starts_with_a_damaged_row_and_tells_it(watched):
    watched.spoil("UPDATE reference SET sealed = zeroblob(9) WHERE holder = 'ann'")
    watched.spoil("UPDATE holder SET valid_until = 'soon' WHERE id = 'ann'")
    again = Watched(watched.path)
    thread = threading.Thread(target=again.watch.work)
    thread.start()
    told = "rows of the registry that cannot be read: holders 1, references 1"
    assert wait_until(lambda: FaultRaised(Part("registry"), told) in again.posted)
    again.watch.stop()
    thread.join(60)


def test_a_registry_that_is_gone_is_believed_for_a_minute(watched):
    aside = watched.path.rename(watched.path.with_name("aside"))
    (raised,) = watched.round()
    assert raised == FaultRaised(Part("gallery"), "registry.sqlite is gone")
    assert watched.round(59) == []
    (expired,) = registries(watched.round(1))
    assert expired.outdated
    assert watched.watch.registry().outdated
    assert watched.round(1) == []
    aside.rename(watched.path)
    posted = watched.round()
    assert not registries(posted)[0].outdated
    assert FaultCleared(Part("gallery"), "agent") in posted


def test_a_moment_without_it_begins_a_minute_anew(watched):
    for _ in range(3):
        aside = watched.path.rename(watched.path.with_name("aside"))
        watched.round(50)
        assert not watched.watch.registry().outdated
        aside.rename(watched.path)
        watched.round(0.5)


def test_a_journal_that_is_locked_makes_no_registry_old(tmp_path):
    def locked():
        raise StoreError("locked")

    one = Watched(tmp_path / "registry.sqlite")
    one.watch._changed = locked
    one.round(500)
    assert FaultRaised(Part("gallery"), "locked") in one.posted
    one.round(500)
    assert not one.watch.registry().outdated


def test_a_registry_without_its_revision_gets_one_and_is_read_again(watched):
    watched.spoil("DELETE FROM revision")
    watched.store.revoke(PassId("ab" * 8), by=BY, now=NOW)
    watched.round()
    posted = watched.round()
    assert registries(posted)[0].revoked == {"ab" * 8}
    assert FaultCleared(Part("gallery"), "agent") in posted
