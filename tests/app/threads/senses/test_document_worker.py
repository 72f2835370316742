"""Documents from a reader on a real pseudo-terminal to a decision."""

import json
import re
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from id_parts import LEISURELY, NAME, RESIDENT
from store_parts import BY, NOW, holder, open_registry

from agent.adapters.id_reader.ga467 import Ga467Reader
from agent.adapters.id_reader.simulated import Ga467Simulator, SimulatedCard
from agent.adapters.manual_clock import ManualClock
from agent.app.open.id_reader import PhotoReader
from agent.app.threads.senses.documents import PART, DocumentKeys, DocumentWatcher
from agent.app.threads.senses.verifier import CredentialVerifier
from agent.controller.inputs import CredentialShown, FaultCleared, FaultRaised
from agent.credentials.documents.id_hash import community_hash, kiosk_hash
from agent.domain.credential.presented import DocumentPresented
from agent.domain.credential.reason import Reason

COMMUNITY = bytes(range(32))
"""A community's key."""


class Photographs:
    """Stands for the maker's decoder and the engine behind it."""

    def template(self, photo: bytes) -> Any:
        assert len(photo) == 1024
        return np.ones(128, np.float32)


@pytest.fixture
def simulator():
    simulator = Ga467Simulator()
    yield simulator
    simulator.close()


@pytest.fixture
def registry(tmp_path):
    return open_registry(tmp_path / "registry.sqlite")


@pytest.fixture
def stage(simulator, registry):
    """The watcher, what it said, and its verifier."""
    said: list[Any] = []
    verifier, clock = CredentialVerifier(lambda: pytest.fail("no symbol is shown")), ManualClock()
    reader = Ga467Reader(str(simulator.path), LEISURELY)
    watcher = DocumentWatcher(
        "north-entry",
        reader,
        DocumentKeys(registry.document_key, COMMUNITY),
        verifier,
        clock,
        said.append,
        photographs=cast(PhotoReader, Photographs()),
    )
    yield SimpleNamespace(look=watcher.look, clock=clock, verifier=verifier, said=said)
    reader.close()


def test_a_card_becomes_hashes_and_a_template_and_nothing_else(stage, simulator, registry) -> None:
    simulator.lay(SimulatedCard(RESIDENT, NAME, valid_until="20990101"))
    stage.look()
    (shown,) = stage.said
    assert isinstance(shown, CredentialShown)
    document = shown.presented
    assert isinstance(document, DocumentPresented)
    assert document.number_hash == kiosk_hash(registry.document_key(), RESIDENT)
    assert document.community_hash == community_hash(COMMUNITY, RESIDENT)
    assert document.valid_until == date(2099, 1, 1)
    assert (document.comparable, document.reason) == (True, None)
    assert stage.verifier.template_of(document.id) is not None
    everything = repr(shown) + json.dumps(str(shown))
    assert RESIDENT not in everything
    assert NAME not in everything


def test_a_card_that_stays_is_one_presentation_and_one_that_returns_another(
    stage, simulator
) -> None:
    simulator.found_again = True
    simulator.lay(SimulatedCard(RESIDENT, NAME))
    for _ in range(3):
        stage.look()
        stage.clock.advance(0.5)
    assert len({shown.presented.id for shown in stage.said}) == 1
    stage.clock.advance(3)
    stage.look()
    assert len({shown.presented.id for shown in stage.said}) == 2


@pytest.mark.parametrize(
    ("code", "reason"), [(0x31, Reason.CREDENTIAL_FORGED), (0x40, Reason.OTHER)]
)
def test_what_the_reader_does_not_believe_is_a_denial(stage, simulator, code, reason) -> None:
    simulator.lay(SimulatedCard(RESIDENT, NAME, refusal=code))
    stage.look()
    (shown,) = stage.said
    assert shown.presented.reason is reason


def test_a_reader_that_is_gone_is_a_fault_until_it_answers(stage, simulator, monkeypatch) -> None:
    monkeypatch.setattr("agent.app.threads.senses.documents._RETRY_S", 0.01)
    simulator.unplug()
    for _ in range(3):
        stage.look()
    (fault,) = stage.said
    assert isinstance(fault, FaultRaised)
    assert fault.part == PART
    simulator.plug_in()
    stage.look()
    assert stage.said[-1] == FaultCleared(PART, "agent")


def test_a_key_that_is_gone_is_a_fault_and_no_denial(simulator, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("agent.app.threads.senses.documents._RETRY_S", 0.01)
    said: list[Any] = []
    closed = open_registry(tmp_path / "registry.sqlite", None)
    reader = Ga467Reader(str(simulator.path), LEISURELY)
    keys = DocumentKeys(closed.document_key, None)
    verifier = CredentialVerifier(lambda: pytest.fail("no symbol is shown"))
    watcher = DocumentWatcher("north-entry", reader, keys, verifier, ManualClock(), said.append)
    simulator.lay(SimulatedCard(RESIDENT, NAME))
    watcher.look()
    assert [type(one) for one in said] == [FaultRaised]
    reader.close()


def test_a_bound_document_is_its_holders(stage, simulator, registry) -> None:
    registry.put(holder("lin.2"), by=BY, now=NOW)
    hashed = kiosk_hash(registry.document_key(), RESIDENT)
    registry.bind_document(holder("lin.2").id, hashed, by=BY, now=NOW)
    simulator.lay(SimulatedCard(RESIDENT, NAME))
    stage.look()
    (shown,) = stage.said
    assert registry.documents()[shown.presented.number_hash] == "lin.2"
    assert re.fullmatch(r"[0-9a-f]{64}", shown.presented.number_hash)
