"""What another process changed reaches the journal, whoever was killed or locked in between."""

import threading

import pytest
from mosquitto import wait_until
from store_parts import BY, NOW, holder, open_journal, open_registry

from agent.app.open.snapshot import Rates, take_snapshot
from agent.app.threads.watch.gallery import GalleryWatch
from agent.controller.inputs import FaultCleared, FaultRaised, Input, RegistryChanged
from agent.domain.access.part import Part
from agent.domain.record.events import EventType
from agent.errors import StoreError
from agent.vision.packs.manifest import read_manifest


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
        def renew():
            return take_snapshot(registry, manifest, Rates())

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
