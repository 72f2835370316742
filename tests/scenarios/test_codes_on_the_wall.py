"""Whatever codes strangers hang up, hold up or play a film of: a genuine pass opens as ever."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from gate_parts import BOTH, DOOR, LANE, LIN
from health_parts import NOW as HEALTH_NOW
from health_parts import card_text, chunks
from pass_parts import claims, text
from wall_parts import BY_PASS, KINDS, WALL, Wall, WalledGate

from agent.controller.kiosk import Kiosk
from agent.domain.access.rule import Rule
from agent.domain.credential.gate_pass import PassId
from agent.lab.bench.wall import frame_of
from agent.vision.symbols.symbols import SymbolWatch

USUAL_S = 0.35
BY_BOTH = Rule(frozenset({"resident"}), factors=BOTH)


@pytest.mark.parametrize("missed", [0.0, 0.5], ids=["steady", "flickering"])
@pytest.mark.parametrize("kind", KINDS)
def test_nine_of_nine_genuine_passes_open_amid_sixteen(kind, missed) -> None:
    gate = WalledGate(Wall(kind, missed=missed))
    gate.see(5.0)
    took = [gate.visit(number) for number in range(9)]
    assert all(one is not None and one <= USUAL_S for one in took), took


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"expired", "elsewhere", "revoked"}))
def test_and_amid_a_film_of_ever_other_codes(kind) -> None:
    gate = WalledGate(Wall(kind, film=True))
    gate.see(5.0)
    took = [gate.visit(number) for number in range(9)]
    assert all(one is not None and one <= USUAL_S for one in took), took


def test_and_where_the_pass_hangs_still_outside_the_zone_amid_the_film() -> None:
    gate = WalledGate(Wall("unknown issuer", film=True))
    gate.wall.phone_at = gate.wall.look(None)[0].box
    gate.see(5.0)
    took = [gate.visit(number) for number in range(9)]
    assert all(one is not None and one <= USUAL_S for one in took), took


@pytest.mark.parametrize("kind", KINDS)
def test_a_pass_and_a_face_open_together_nine_of_nine(kind) -> None:
    gate = WalledGate(Wall(kind, missed=0.3), BY_BOTH)
    gate.see(5.0)
    for number in range(9):
        gate.wall.phone = text(claims(id=PassId(f"{0xF000 + number:016x}")))
        gate.see(1.0)
        assert gate.claim is not None
        gate.wall.phone = None
        gate.see(2.0)
        gate.stand(LIN, 0.6)
        assert gate.opened() == number + 1
        gate.see(0.5)
        gate.wait(3.5)


def test_text_costs_nothing_at_all() -> None:
    gate = WalledGate(Wall("text", film=True))
    before = gate.verifier.next_id()
    gate.see(30.0)
    assert gate.log == []
    assert gate.verifier.next_id() == before + 1
    assert gate.codes() == []


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"text", "part of a card"}))
@pytest.mark.parametrize(
    "film", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["wall", "film"]
)
def test_a_wall_is_told_now_and_then_and_is_no_storm(kind, film) -> None:
    gate = WalledGate(Wall(kind, film=film, missed=0.5))
    for _ in range(32):
        gate.see(0.4)
        gate.wait(1.6)
    assert 1 <= len(gate.outcomes()) <= 64 / 16 + 4
    assert gate.opened() == 0


def test_a_part_of_a_card_is_no_denial() -> None:
    gate = WalledGate(Wall("part of a card"))
    gate.see(30.0)
    assert gate.outcomes() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_code_that_stays_is_looked_at_once(kind) -> None:
    gate = WalledGate(Wall(kind, missed=0.5))
    gate.see(5.0)
    before = gate.verifier.next_id()
    gate.see(30.0)
    assert gate.verifier.next_id() == before + 1


def test_rubbish_at_the_entry_does_not_slow_the_exit() -> None:
    entry, phone = Wall("revoked", missed=0.3), Wall(None)
    gate = WalledGate(entry)
    lanes = (LANE, replace(LANE, access_point="north-exit", direction="exit", door="out"))
    doors = (DOOR, replace(DOOR, door="out"))
    gate.settings = replace(gate.settings, lanes=lanes, doors=doors)
    gate.kiosk = Kiosk(gate.settings, gate.registry)
    gate.watchers["north-exit"] = gate.watcher("north-exit", phone)
    gate.see(20.0)
    gate.wall = phone
    took = [gate.visit(number) for number in range(9)]
    assert all(one is not None and one <= USUAL_S for one in took), took


@pytest.mark.parametrize("kind", KINDS)
def test_a_stray_code_ends_nobodys_half_finished_pass_and_face(kind) -> None:
    gate = WalledGate(Wall(None), BY_BOTH)
    gate.wall.phone = text(claims())
    gate.see(1.0)
    claim = gate.claim
    assert claim is not None
    for number in range(WALL):
        gate.wall.phone = KINDS[kind](number)
        gate.see(0.5)
    assert gate.claim == claim
    gate.stand(LIN, 0.6)
    assert gate.opened() == 1


def test_another_genuine_pass_begins_anew() -> None:
    gate = WalledGate(Wall(None), BY_BOTH)
    gate.wall.phone = text(claims())
    gate.see(1.0)
    gate.wall.phone = text(claims(id=PassId("ab" * 8)))
    gate.see(1.0)
    assert gate.outcomes() == ["FactorMissing"]


@pytest.mark.slow
def test_no_film_pushes_out_what_is_believed_and_all_of_it_is_bounded() -> None:
    gate = WalledGate(Wall("unknown issuer", film=True), BY_BOTH)
    gate.wall.phone = text(claims(), bits=8)
    gate.see(1.0)
    claim = gate.claim
    assert claim is not None
    gate.see(20.0)
    codes = gate.codes()
    assert len(codes) <= 64
    assert sum(code.believed for code in codes) == 1
    assert gate.verifier.template_of(claim.id) is not None
    lane = gate.kiosk._lanes[0].presentations
    assert (len(lane._pacers), len(lane._refused)) <= (1, 64)


def test_the_same_pass_in_another_symbol_is_the_same_presentation() -> None:
    """By what was verified: the bytes of a symbol may say the same text in another encoding."""
    gate = WalledGate(Wall(None), BY_BOTH)
    gate.wall.phone = text(claims())
    gate.see(0.5)
    claim = gate.claim
    gate.wall.encoding = "utf-16"
    gate.see(0.5)
    assert gate.claim == claim
    assert len({code.presented.id for code in gate.codes() if code.presented}) == 1


def test_a_photograph_of_a_pass_on_the_wall_does_not_keep_its_holder_out() -> None:
    gate = WalledGate(Wall(None), BY_BOTH)
    gate.wall.hang(text(claims()))
    gate.see(16.0)
    assert gate.outcomes() == ["FactorMissing"]
    gate.see(20.0)
    assert gate.outcomes() == ["FactorMissing"]
    gate.wall.phone = text(claims())
    gate.see(1.0)
    assert gate.claim is not None
    gate.stand(LIN, 0.6)
    assert gate.opened() == 1


def test_parts_of_one_card_collect_amid_strangers_parts() -> None:
    rule = replace(BY_PASS, health_certificate=True)
    gate = WalledGate(Wall("part of a card"), rule, utc=HEALTH_NOW)
    gate.see(2.0)
    gate.wall.phone = text(claims(valid_from=None, valid_until=HEALTH_NOW + timedelta(days=1)))
    gate.see(0.5)
    parts = chunks(card_text())
    assert len(parts) > 1
    for part in reversed(parts):
        assert gate.said()[-1] == ("waiting", ("health_certificate",))
        gate.wall.phone = part
        gate.see(1.0)
    assert (gate.outcomes(), gate.opened()) == (["granted"], 1)


def test_parts_that_lie_further_apart_than_the_window_are_no_card() -> None:
    gate = WalledGate(Wall(None), replace(BY_PASS, health_certificate=True), utc=HEALTH_NOW)
    *first, last = chunks(card_text())
    for part in first:
        gate.wall.phone = part
        gate.see(1.0)
    gate.wall.phone = None
    gate.wait(16.0)
    gate.wall.phone = last
    gate.see(1.0)
    assert (gate.outcomes(), gate.said()) == ([], [])


def test_by_the_real_decoder_a_pass_amid_fifteen_forged_ones_opens() -> None:
    """From the picture: what the camera sees is read, verified and judged."""
    gate = WalledGate(Wall(None))
    reader = SymbolWatch()
    wall = [KINDS["unknown issuer"](number) for number in range(WALL)]
    for number in range(9):
        genuine = text(claims(id=PassId(f"{0xF000 + number:016x}")))
        image = frame_of([*wall[:number], genuine, *wall[number + 1 :]])
        gate.wall.picture = partial(reader.look, image)
        assert gate.opens(1.0) <= USUAL_S
        gate.wait(4.0)
    assert gate.opened() == 9
