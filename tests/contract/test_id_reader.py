"""One suite for every ``ports.IdReader``: the driver by the clock, on terminals and a real port.

On hardware nobody is there to lay cards on: what needs one is skipped, and a technician does it
with ``gate-agent id-document read``.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

import pytest
from id_parts import BRISK, LEISURELY, NAME, OTHER, RESIDENT

from agent.adapters.id_reader.ga467 import Ga467Reader
from agent.adapters.id_reader.simulated import Ga467Simulator, SimulatedCard
from agent.adapters.id_reader.simulated_line import SimulatedIdReader
from agent.domain.credential.id_document import DocumentKind
from agent.errors import RefusedError, UnavailableError
from agent.ports import IdReader

VARIABLE = "GATE_AGENT_TEST_ID_READER"
CARD = SimulatedCard(RESIDENT, NAME, valid_from="20200229", valid_until="20400228")
ANOTHER = SimulatedCard(OTHER, "另一人")
A_WHILE_S = 60.0
"""Longer than a card takes on any machine; a card that is there ends the wait."""


@dataclass
class Subject:
    reader: IdReader
    lay: Callable[[SimulatedCard], None]
    take_away: Callable[[], None]
    silence: Callable[[bool], None]
    unplug: Callable[[], None]
    plug_in: Callable[[], None]


class HurriedClock:
    """Real time; while it ``hurries``, twenty seconds more are gone at each look at it."""

    def __init__(self) -> None:
        self.hurries = False
        self._ahead_s = 0.0

    def now_s(self) -> float:
        self._ahead_s += 20.0 * self.hurries
        return time.monotonic() + self._ahead_s


def by_hand(*_: object) -> None:
    pytest.skip("needs somebody's hands: gate-agent id-document read")


@pytest.fixture(
    params=["driver", "simulated", pytest.param("ga467", marks=pytest.mark.hardware)],
)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    if request.param == "ga467":
        port = os.environ.get(VARIABLE)
        if port is None:
            pytest.skip(f"{VARIABLE}=/dev/ttyUSB0 says that a reader is there, with no card on it")
        reader = Ga467Reader(port)
        yield Subject(reader, by_hand, by_hand, by_hand, by_hand, by_hand)
        reader.close()
        return
    if request.param == "simulated":
        simulated = SimulatedIdReader(BRISK)
        part = simulated.part
        yield Subject(
            simulated,
            part.lay,
            part.take_away,
            lambda on: setattr(part, "silent", on),
            part.unplug,
            part.plug_in,
        )
        simulated.close()
        return
    terminal, clock = Ga467Simulator(), HurriedClock()
    driver = Ga467Reader(str(terminal.path), LEISURELY, now_s=clock.now_s)

    def silence(on: bool) -> None:  # noqa: FBT001 - as the subject's
        terminal.silent = clock.hurries = on

    yield Subject(
        driver, terminal.lay, terminal.take_away, silence, terminal.unplug, terminal.plug_in
    )
    driver.close()
    terminal.close()


def test_without_a_card_there_is_no_document(subject: Subject) -> None:
    assert subject.reader.read(0.0) is None
    assert subject.reader.read(0.1) is None


def test_a_card_is_read_as_it_was_laid_on(subject: Subject) -> None:
    subject.lay(CARD)
    document = subject.reader.read(A_WHILE_S)
    assert document is not None
    assert (document.kind, document.number) == (DocumentKind.RESIDENT, RESIDENT)
    assert document.name == NAME
    assert document.valid_from == date(2020, 2, 29)
    assert document.valid_until == date(2040, 2, 28)
    assert document.photo == CARD.photo


def test_one_card_after_the_other(subject: Subject) -> None:
    for _ in range(2):
        for card in (CARD, ANOTHER):
            subject.lay(card)
            document = subject.reader.read(A_WHILE_S)
            assert document is not None
            assert document.number == card.number
            subject.take_away()
            assert subject.reader.read(0.0) is None


def test_a_document_keeps_number_and_name_out_of_its_repr(subject: Subject) -> None:
    subject.lay(CARD)
    document = subject.reader.read(A_WHILE_S)
    for told in (repr(document), str([document]), f"{document}"):
        assert not any(secret in told for secret in (RESIDENT, NAME, "WLf"))


@pytest.mark.parametrize(
    "card",
    [
        SimulatedCard(RESIDENT, refusal=0x31),
        SimulatedCard(RESIDENT, refusal=0x40),
        SimulatedCard(RESIDENT, refusal=0x41),
        SimulatedCard(RESIDENT, text=b"\xff" * 256),
    ],
    ids=repr,
)
def test_what_is_no_readable_document_is_refused_and_the_reader_goes_on(
    subject: Subject, card: SimulatedCard
) -> None:
    subject.lay(card)
    with pytest.raises(RefusedError) as refusal:
        subject.reader.read(A_WHILE_S)
    assert RESIDENT not in str(refusal.value)
    subject.lay(CARD)
    assert subject.reader.read(A_WHILE_S) is not None


def test_a_silent_reader_is_unavailable_until_it_answers(subject: Subject) -> None:
    subject.silence(True)
    for _ in range(2):
        with pytest.raises(UnavailableError) as failure:
            subject.reader.read(0.0)
        assert failure.value.fix
    subject.silence(False)
    subject.lay(CARD)
    assert subject.reader.read(A_WHILE_S) is not None


def test_an_unplugged_reader_is_unavailable_until_it_is_back(subject: Subject) -> None:
    subject.unplug()
    for _ in range(3):
        with pytest.raises(UnavailableError) as failure:
            subject.reader.read(0.0)
        assert failure.value.fix
    subject.plug_in()
    subject.lay(CARD)
    assert subject.reader.read(A_WHILE_S) is not None


def test_close_may_be_called_twice_and_ends_reading(subject: Subject) -> None:
    subject.reader.close()
    subject.reader.close()
    with pytest.raises(UnavailableError, match="closed"):
        subject.reader.read(0.0)
