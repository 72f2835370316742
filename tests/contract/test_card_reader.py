"""One suite for every ``ports.CardReader``: a reader on two wires, in this process and another.

On a Raspberry Pi with GPIO 5 and 6 wired to 20 and 21, GATE_AGENT_TEST_READER=5-6-20-21 runs it
over lgpio: 20 and 21 play the reader, as fast as Python can.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from places import ROOT

from agent.adapters.clock import SystemClock
from agent.adapters.pins.door import open_pins
from agent.adapters.reader.lgpio_lines import lines_of
from agent.adapters.reader.simulated import FileLines, SimulatedLines, pulses_file, train
from agent.adapters.reader.wiegand import WiegandReader
from agent.domain.reader.card_format import BUILT_IN, CardNumber
from agent.domain.reader.decoder import Heard, ReaderTerms, Unread
from agent.errors import UnavailableError
from agent.ports import CardReader

FORM = BUILT_IN["h10301"]
PATIENCE_S = 30.0
# Another process at the wires: bits on stdin.
HAND = """
import sys, time
from pathlib import Path
from agent.adapters.reader.simulated import play, train
for line in sys.stdin:
    play(Path(sys.argv[1]), train([int(one) for one in line.strip()], time.monotonic_ns()))
"""


@dataclass
class Subject:
    """A reader, and the hand that holds cards up to it."""

    reader: CardReader
    send: Callable[[Sequence[int]], None]

    def next(self) -> Heard:
        """What it says next; what comes later than the patience fails."""
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            found = self.reader.read(0.2)
            if found:
                (one,) = found
                return one
        raise AssertionError("nothing was heard")


@pytest.fixture(params=["here", "another process", "lgpio"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    """A reader of each kind."""
    terms, clock = ReaderTerms((FORM,)), SystemClock()
    if request.param == "here":
        lines = SimulatedLines()
        reader = WiegandReader("one", lines, terms, clock)
        yield Subject(reader, lambda bits: lines.send(train(bits, time.monotonic_ns())))
    elif request.param == "another process":
        path = pulses_file(tmp_path / "pins.bin", "one")
        reader = WiegandReader("one", FileLines(path), terms, clock)
        hand = subprocess.Popen(
            [sys.executable, "-c", HAND, str(path)], stdin=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert hand.stdin is not None
        stdin = hand.stdin

        def send(bits: Sequence[int]) -> None:
            stdin.write("".join(map(str, bits)) + "\n")
            stdin.flush()

        yield Subject(reader, send)
        hand.stdin.close()
        hand.wait(PATIENCE_S)
    else:
        wired = os.environ.get("GATE_AGENT_TEST_READER")
        if wired is None:
            pytest.skip("GATE_AGENT_TEST_READER names no pins that are wired to each other")
        d0, d1, zero, one = (int(pin) for pin in wired.split("-"))
        factory = open_pins("lgpio", None)
        reader = WiegandReader("one", lines_of(factory, d0, d1, pull_up=True), terms, clock)
        wires: list[Any] = [factory.pin(f"GPIO{pin}") for pin in (zero, one)]
        for wire in wires:
            wire.output_with_state(1)

        def pulse(bits: Sequence[int]) -> None:
            for bit in bits:
                wires[bit].state = 0
                wires[bit].state = 1
                time.sleep(0.001)

        yield Subject(reader, pulse)
    reader.close()


def test_a_card_is_told_once(subject: Subject) -> None:
    subject.send(FORM.written(17, 4711))
    assert subject.next() == CardNumber("h10301", 17, 4711)
    assert subject.reader.read(0.05) == []
    assert subject.reader.counts["card"] == 1


def test_what_is_no_card_is_told_as_such(subject: Subject) -> None:
    subject.send(FORM.written(17, 4711)[:-1])
    assert isinstance(subject.next(), Unread)
    subject.send(FORM.written(17, 4711))
    assert subject.next() == CardNumber("h10301", 17, 4711)


def test_nothing_is_said_where_nothing_is_shown(subject: Subject) -> None:
    assert subject.reader.read(0.05) == []


def test_a_closed_reader_cannot_be_read(subject: Subject) -> None:
    subject.reader.close()
    subject.reader.close()
    with pytest.raises(UnavailableError):
        subject.reader.read(0.05)
