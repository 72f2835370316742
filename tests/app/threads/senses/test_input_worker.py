"""The thread that reads contacts: each change once and in order, and faults told once."""

import threading
from collections.abc import Sequence

import pytest
from config_parts import GOOD

from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.simulated import PinBank
from agent.app.open.doors import PinFactories, open_doors, open_inputs
from agent.app.threads.inbox import Inbox
from agent.app.threads.senses.inputs import InputReader
from agent.config import load_config
from agent.controller.inputs import FaultCleared, FaultRaised, Input, InputChanged, Observed
from agent.domain.access.part import Part
from agent.domain.door.signal import InputChange
from agent.domain.sight.track import Observation
from agent.errors import UnavailableError

PATIENCE_S = 60.0


def change(number: int) -> InputChange:
    return InputChange("button", active=number % 2 == 0, at_s=float(number))


class Script:
    """Inputs that say what they are told to, one answer a take, and then end the reader."""

    def __init__(self, *answers: Sequence[InputChange] | str, unsteady: Sequence[str] = ()) -> None:
        self.answers = list(answers)
        self.unsteady_in_turn = list(unsteady)
        self.reader: InputReader | None = None
        self.closed = 0

    def take(self, timeout_s: float) -> Sequence[InputChange]:
        assert 0.0 < timeout_s < 0.4
        if not self.answers:
            assert self.reader is not None
            self.reader.stop()
            return []
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            raise UnavailableError(answer, "mend it")
        return answer

    def unsteady(self) -> frozenset[str]:
        names = self.unsteady_in_turn.pop(0) if self.unsteady_in_turn else ""
        return frozenset(names.split())

    def close(self) -> None:
        self.closed += 1


def posted(script: Script) -> list[Input]:
    told: list[Input] = []
    script.reader = InputReader(script, told.append)
    thread = threading.Thread(target=script.reader.work)
    thread.start()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert script.closed == 1
    return told


def test_every_change_is_posted_once_and_in_order() -> None:
    script = Script([change(0), change(1)], [], [change(2)])
    assert posted(script) == [InputChanged(change(number)) for number in range(3)]


def test_a_fault_is_told_once_and_cleared_before_what_follows() -> None:
    script = Script([change(0)], "GPIO 6 is gone", "GPIO 6 is gone", "something else", [change(1)])
    assert posted(script) == [
        InputChanged(change(0)),
        FaultRaised(Part("inputs"), "GPIO 6 is gone"),
        FaultCleared(Part("inputs"), "agent"),
        InputChanged(change(1)),
    ]


def test_a_line_that_oscillates_is_told_once_and_when_it_is_calm() -> None:
    script = Script([], [], [], [], unsteady=["", "a", "b a", "b"])
    told = posted(script)
    assert [
        (type(one).__name__, one.part)
        for one in told
        if isinstance(one, FaultRaised | FaultCleared)
    ] == [
        ("FaultRaised", "input:a"),
        ("FaultRaised", "input:b"),
        ("FaultCleared", "input:a"),
        ("FaultCleared", "input:b"),
    ]


def test_the_inbox_drops_no_change_however_many_wait() -> None:
    inbox = Inbox()
    observed = Observed(Observation("front", 1.0, None, {}, 0))
    for number in range(500):
        inbox.post(InputChanged(change(number % 2)))
        inbox.post(observed)
    taken = []
    while (one := inbox.take(0.0)) is not None:
        taken.append(one)
    changes = [one.change for one in taken if isinstance(one, InputChanged)]
    assert changes == [change(number % 2) for number in range(500)]


def test_the_config_opens_its_inputs_over_their_own_factories(tmp_path) -> None:
    second = GOOD.replace('id = "contact"\n', 'id = "contact"\npin_factory = "mock"\n')
    second += (
        '[[input]]\nid = "housing"\nkind = "tamper"\npin = 13\nactive_high = false\npull = "up"\n'
        'pin_factory = "simulated"\npins_file = "pins.bin"\n'
    )
    second = second.replace(
        "pin = 17\nactive_high = true\n", 'pin = 17\nactive_high = true\npin_factory = "mock"\n'
    )
    path = tmp_path / "gate.toml"
    path.write_text(second)
    file, clock, factories = load_config(path), ManualClock(), PinFactories()
    doors = open_doors(file, clock, factories)
    inputs = open_inputs(file, clock, factories)
    assert inputs is not None
    found = inputs.take(0.0)
    assert [(one.input, one.active, one.initial) for one in found] == [
        ("contact", True, True),  # pulled up: a cut wire is an open door
        ("housing", False, True),
    ]
    PinBank(tmp_path / "pins.bin").set_input(13, False)
    inputs.take(0.0)
    clock.advance(0.03)
    assert [(one.input, one.active) for one in inputs.take(0.0)] == [("housing", True)]
    with pytest.raises(UnavailableError, match="GPIO 6"):
        open_inputs(file, clock, factories)
    inputs.close()
    for door in doors.values():
        door.close()


def test_without_inputs_there_is_nothing_to_read(tmp_path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(GOOD.partition("[[input]]")[0])
    assert open_inputs(load_config(path), ManualClock(), PinFactories()) is None
