"""What the gate does while a file of its state is not the one that was there: the stricter side."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gate_parts import BOTH, DOOR, LANE, REGISTRY
from pass_parts import claims
from state_parts import (
    DAMAGES,
    ONCE,
    Files,
    Running,
    installation,
    opened,
    prepared,
    put_older_back,
    remove,
)
from store_parts import BY

from agent.app.open.files.state import JOURNAL, LATCHES, LEDGER
from agent.app.open.files.state import REGISTRY as REGISTRY_FILE
from agent.app.threads.watch.state import StateWatch
from agent.controller.effects import Indicate, SetStatus
from agent.controller.inputs import Commanded, CredentialShown, InputChanged, RegistryChanged
from agent.controller.settings import KioskSettings
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import Factor
from agent.domain.credential.presented import PassPresented
from agent.domain.door.door_mode import Command, DoorLatch, Latches, Mode
from agent.domain.door.signal import InputChange, Signal, Wiring

SETTINGS = KioskSettings(
    lanes=(LANE,),
    doors=(DOOR,),
    wirings=(Wiring("rex", Signal.REX, "turnstile"), Wiring("fire", Signal.FIRE, None)),
    rules=(Rule(frozenset({"resident"}), factors=(frozenset({Factor.PASS}), *BOTH)),),
    boot_id="boot",
    accept_no_pad=True,
    community="lakeside",
    kiosk="g3/north-1",
)
TWICE = claims(uses=2, kiosk="g3/north-1", id="aa11")
PLAIN = claims(id="bb22")


class Gate(Running):
    """The core of an agent, passes that are shown to it, and its watch over the files."""

    def __init__(self, files: Files) -> None:
        super().__init__(files, SETTINGS, REGISTRY)
        self.shown = 0
        self.watch = StateWatch(
            files.installation,
            self.core._stores.faults,
            self.core.inbox.post,
            files.journal.append,
        )

    def show(self, one) -> str:
        """Granted, or the reason."""
        self.shown += 1
        self.clock.advance(30.0)
        presented = PassPresented(self.shown, self.clock.now().monotonic_s, one, None)
        self.tell(CredentialShown("north-entry", presented))
        kind, data = self.events("access")[-1]
        return str(data["reason"] or kind)

    def press(self, name: str) -> list[str]:
        """What the output was told."""
        before = len(self.output.told)
        for active in (True, False):
            change = InputChange(name, active=active, at_s=self.clock.now().monotonic_s)
            self.tell(InputChanged(change))
        return self.output.told[before:]

    @property
    def status(self) -> SetStatus:
        return [one for one in self.told if isinstance(one, SetStatus)][-1]

    def accept(self, name: str) -> None:
        self.watch.accept(name, "a new card", BY)
        self.tell(RegistryChanged(REGISTRY))


@contextmanager
def gate_on(state: Path) -> Iterator[Gate]:
    with opened(state) as files:
        yield Gate(files)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A gate in normal mode at which a pass of one use was used."""
    state, spare = prepared(tmp_path)
    for place in (spare / "older", state):
        with opened(place) as files:
            files.latches.save(Latches())
    with gate_on(state) as gate:
        assert gate.status.faults == {}
        assert gate.show(ONCE) == "access.granted"
        assert gate.show(ONCE) == "CredentialReplayed"
    for _ in range(5):
        with opened(state) as files:
            files.live()
            files.latches.save(Latches())
            files.installation.settle()
    return state, spare


def each_damage(name: str):
    return pytest.mark.parametrize(
        ("damage", "name"), [(deed, name) for deed in DAMAGES], ids=lambda one: str(one)[:24]
    )


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda deed: deed.__name__)
def test_passes_of_limited_uses_are_used_up_where_nobody_knows_their_uses(folders, damage):
    state, spare = folders
    damage(state, LEDGER.name, spare)
    for _ in range(2):
        with gate_on(state) as gate:
            assert list(gate.status.faults) == ["state:passes"]
            assert gate.show(ONCE) == gate.show(TWICE) == "CredentialReplayed"
            assert gate.show(PLAIN) == "access.granted"
            raised = [data for kind, data in gate.events("fault") if kind == "fault.raised"]
            assert raised[-1]["part"] == "state:passes"
    with gate_on(state) as gate:
        gate.accept(LEDGER.name)
        assert gate.status.faults == {}
        assert gate.show(TWICE) == "access.granted"
        (accepted,) = [data for kind, data in gate.events("state") if kind == "state.accepted"]
        assert (accepted["by"], accepted["reason"]) == (BY, "a new card")
        cleared = [data for kind, data in gate.events("fault") if kind == "fault.cleared"]
        assert cleared[-1] == {"part": "state:passes", "by": BY}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda deed: deed.__name__)
def test_a_lockdown_is_not_gone_with_its_file_and_the_way_out_works(folders, damage):
    state, spare = folders
    with gate_on(state) as gate:
        gate.tell(Commanded(Command.LOCK_DOWN, "north-entry", BY))
        assert gate.show(PLAIN) == "LockedDown"
    with opened(state) as files:
        files.installation.settle()
    damage(state, LATCHES.name, spare)
    for _ in range(2):
        with gate_on(state) as gate:
            assert list(gate.status.faults) == ["state:latches"]
            assert gate.status.modes == {"north-entry": "locked_down"}
            assert gate.status.causes == {"north-entry": "state"}
            assert gate.show(PLAIN) == "LockedDown"
            for command in (Command.RESUME, Command.FREE_PASSAGE, Command.RELEASE):
                gate.tell(Commanded(command, "north-entry", BY))
                assert gate.show(PLAIN) == "LockedDown"
            gate.tell(Commanded(Command.RESUME, "north-entry", BY))
            assert "release 3" in gate.press("rex")
            assert any(word.startswith("hold") for word in gate.press("fire"))
            assert gate.show(PLAIN) == "LockedDown"
    with gate_on(state) as gate:
        gate.accept(LATCHES.name)
        assert gate.status.modes == {"north-entry": "normal"}
        assert gate.show(PLAIN) == "access.granted"
    with gate_on(state) as gate:
        assert gate.show(PLAIN) == "access.granted"


def test_a_free_passage_of_an_older_copy_frees_nothing_until_it_is_accepted(folders):
    state, spare = folders
    with opened(spare / "older") as files:
        files.latches.save(Latches({"turnstile": DoorLatch(Mode.FREE_PASSAGE)}, {}))
    put_older_back(state, LATCHES.name, spare)
    with gate_on(state) as gate:
        assert not any(word.startswith("hold") for word in gate.output.told)
        assert gate.status.modes == {"north-entry": "locked_down"}
        gate.accept(LATCHES.name)
        assert any(word.startswith("hold") for word in gate.output.told)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda deed: deed.__name__)
def test_by_a_registry_that_is_not_the_one_that_was_there_nobody_is_let_in(folders, damage):
    state, spare = folders
    damage(state, REGISTRY_FILE.name, spare)
    for _ in range(2):
        with gate_on(state) as gate:
            assert list(gate.status.faults) == ["state:registry"]
            assert gate.show(PLAIN) == gate.show(TWICE) == "SensorFault"
            assert "release 3" in gate.press("rex")
    with gate_on(state) as gate:
        gate.accept(REGISTRY_FILE.name)
        assert gate.show(PLAIN) == "access.granted"


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda deed: deed.__name__)
def test_a_journal_that_is_not_the_one_that_was_there_repeats_no_number_and_is_told(
    folders, damage
):
    state, spare = folders
    with opened(state) as files:
        epoch = files.journal.epoch
    damage(state, JOURNAL.name, spare)
    with gate_on(state) as gate:
        assert gate.files.journal.epoch != epoch
        assert list(gate.status.faults) == ["state:journal"]
        assert gate.show(PLAIN) == "access.granted"
        gate.accept(JOURNAL.name)
        assert gate.status.faults == {}


def test_an_older_copy_under_a_running_agent_is_seen(folders):
    state, spare = folders
    with gate_on(state) as gate:
        assert gate.show(PLAIN) == "access.granted"
        put_older_back(state, REGISTRY_FILE.name, spare)
        remove(state, LEDGER.name, spare)
        gate.watch.look()
        gate.tell(RegistryChanged(REGISTRY))
        assert set(gate.status.faults) == {"state:registry", "state:passes"}
        assert gate.show(PLAIN) == "SensorFault"
        before = len(gate.events("fault"))
        gate.watch.tend()
        gate.watch.tend()
        gate.tell(RegistryChanged(REGISTRY))
        assert len(gate.events("fault")) == before


def test_a_journal_that_is_taken_from_a_running_agent_is_told_at_the_second_look(folders):
    state, spare = folders
    with gate_on(state) as gate:
        remove(state, JOURNAL.name, spare)
        gate.watch.tend()
        gate.tell(RegistryChanged(REGISTRY))
        assert gate.status.faults == {}
        assert gate.show(PLAIN) == "access.granted"
        gate.watch.tend()
        gate.tell(RegistryChanged(REGISTRY))
        assert list(gate.status.faults) == ["state:journal"]


def test_a_person_may_accept_while_no_agent_runs(folders):
    state, spare = folders
    remove(state, LATCHES.name, spare)
    assert list(installation(state).look()) == [LATCHES.name]
    installation(state).accept(LATCHES.name, "a new card", BY)
    with gate_on(state) as gate:
        assert gate.status.faults == {}
        assert gate.status.modes == {"north-entry": "normal"}
        assert not any(isinstance(one, Indicate) for one in gate.told)
