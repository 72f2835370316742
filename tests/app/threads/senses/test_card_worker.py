"""From pulses on two wires to a presented card; noise, a fault and its end, and no number."""

from types import SimpleNamespace
from typing import Any

import pytest
from store_parts import BY, NOW, holder, open_registry

from agent.adapters.manual_clock import ManualClock
from agent.adapters.reader.simulated import SimulatedLines, hum, train
from agent.adapters.reader.wiegand import WiegandReader
from agent.app.threads.senses import cards
from agent.app.threads.senses.cards import CardWatcher
from agent.app.threads.senses.verifier import CredentialVerifier
from agent.controller.inputs import CredentialShown, FaultCleared, FaultRaised
from agent.credentials.documents.card_hash import card_hasher
from agent.domain.credential.holder import HolderId
from agent.domain.credential.presented import CardPresented
from agent.domain.credential.reason import Reason
from agent.domain.reader.card_format import BUILT_IN, CardNumber
from agent.domain.reader.decoder import ReaderTerms

FORM = BUILT_IN["h10301"]
BITS = FORM.written(17, 4711)


class OnClock(SimulatedLines):
    """Wires whose waiting moves the clock."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout_s: float) -> None:
        self.clock.advance(timeout_s)


@pytest.fixture
def stage(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "_RETRY_S", 0.0)
    registry = open_registry(tmp_path / "registry.sqlite")
    registry.put(holder(HolderId("ann")), by=BY, now=NOW)
    said: list[Any] = []
    clock = ManualClock()
    lines = OnClock(clock)
    reader = WiegandReader("pillar", lines, ReaderTerms((FORM,), "4bit"), clock)
    verifier = CredentialVerifier(lambda: pytest.fail("no symbol is shown"))
    watcher = CardWatcher(
        "pillar", "north-entry", reader, registry.document_key, verifier, clock, said.append
    )

    def send(bits=BITS):
        lines.send(train(bits, int(clock.now().monotonic_s * 1e9)))
        watcher.look()

    yield SimpleNamespace(
        send=send,
        look=watcher.look,
        said=said,
        clock=clock,
        lines=lines,
        key=registry.document_key,
        reader=reader,
    )
    registry.close()


def shown(stage) -> list[CardPresented]:
    presented = [one.presented for one in stage.said if isinstance(one, CredentialShown)]
    return [one for one in presented if isinstance(one, CardPresented)]


def test_a_card_becomes_a_hash_and_nothing_else(stage) -> None:
    stage.send()
    (card,) = shown(stage)
    assert card.card_hash == card_hasher(stage.key()).of(CardNumber("h10301", 17, 4711))
    assert card.reason is None
    assert "4711" not in repr(stage.said)


def test_a_card_that_is_held_there_is_one_presentation_and_shown_again_another(stage) -> None:
    for _ in range(3):
        stage.send()
    assert len({one.id for one in shown(stage)}) == 1
    stage.clock.advance(2.0)
    stage.send()
    assert len({one.id for one in shown(stage)}) == 2


def test_a_bit_that_is_wrong_is_a_denial_and_a_knock_on_the_cable_is_none(stage) -> None:
    stage.send([*BITS[:-1], 1 - BITS[-1]])
    (card,) = shown(stage)
    assert (card.reason, card.card_hash, card.credential) == (Reason.OTHER, "", None)
    stage.send([1, 0, 1])
    stage.send([0, 1, 0, 1])
    assert len(shown(stage)) == 1
    assert stage.reader.counts == {"parity": 1, "length": 1, "keys": 1}


def test_wires_that_oscillate_are_a_fault_until_they_are_silent(stage) -> None:
    now_s = stage.clock.now().monotonic_s
    for one in hum(int(now_s * 1e9), 3.0, 100.0):
        stage.lines.send([one])
        stage.clock.advance(0.005)
        if one.bit:
            stage.reader._decoder.pulse(one, stage.clock.now().monotonic_s)
    stage.look()
    (fault,) = stage.said
    assert isinstance(fault, FaultRaised)
    assert fault.part == "reader:pillar"
    stage.clock.advance(1.0)
    stage.look()
    assert isinstance(stage.said[-1], FaultCleared)
    stage.send()
    assert len(shown(stage)) == 1
