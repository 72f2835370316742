"""What waits is bounded by key and lane and holds up no lockdown; none is gone without a trace."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from pass_parts import KEY, OTHER_KEY
from signed_parts import KIOSK, Kiosk

from agent.adapters.broker.listener import Incoming
from agent.credentials.signed.command import sign_command
from agent.credentials.signed.reply import verify_reply


@pytest.fixture
def kiosk(tmp_path: Path) -> Iterator[Kiosk]:
    made = Kiosk(tmp_path / "commands.sqlite")
    with closing(made.store):
        yield made


def _flooded(kiosk: Kiosk, verb: str, many: int = 200) -> None:
    for number in range(many):
        command = replace(kiosk.made(verb), id=number.to_bytes(8).ljust(16, verb[:1].encode()))
        kiosk.signed.hear(Incoming(sign_command(command, KEY)))


@pytest.mark.parametrize("flood", ["announce", "remove", "disable", "lockdown"])
@pytest.mark.parametrize("verb", ["lockdown", "disable"])
def test_a_flood_of_its_own_key_holds_up_no_lockdown_and_no_disable(kiosk, flood, verb) -> None:
    if flood == verb:
        pytest.skip("of one verb it is first come, first served, and busy is said")
    _flooded(kiosk, flood)
    wanted = kiosk.made(verb)
    kiosk.signed.hear(Incoming(sign_command(wanted, KEY)))
    position = 0
    while wanted.id.hex() not in kiosk.ran:
        heard = kiosk.signed._waiting.take()
        assert heard is not None
        kiosk.signed.carry_out(heard)
        position += 1
    assert position <= 9
    kiosk.drain()
    # Each was carried out, answered, or counted: none is gone without a trace.
    assert len(kiosk.ran) + sum(kiosk.counts.read().values()) == 201
    assert kiosk.counts.read()["busy"] >= 168


def test_a_flood_of_lockdowns_does_not_keep_an_unlock_from_another_key(kiosk: Kiosk) -> None:
    _flooded(kiosk, "lockdown")
    _flooded(kiosk, "disable")
    kiosk.clock.advance(2)
    wanted = kiosk.made("unlock")
    kiosk.signed.hear(Incoming(sign_command(wanted, OTHER_KEY)))
    for _ in range(13):
        heard = kiosk.signed._waiting.take()
        assert heard is not None
        kiosk.signed.carry_out(heard)
    assert wanted.id.hex() in kiosk.ran


def test_what_is_repeated_takes_no_lockdowns_place(kiosk: Kiosk) -> None:
    old = [replace(kiosk.made("lockdown"), id=bytes([number]) * 16) for number in range(40)]
    for command in old:
        kiosk.ask(command)
    for command in old * 3:
        kiosk.signed.hear(Incoming(sign_command(command, KEY)))
    wanted = kiosk.made("lockdown")
    kiosk.signed.hear(Incoming(sign_command(wanted, KEY)))
    heard = kiosk.signed._waiting.take()
    assert heard is not None
    assert heard.command_id == wanted.id
    kiosk.signed.carry_out(heard)
    kiosk.drain()
    # Since it began a lockdown may be repeated as often as anybody likes: each is counted so.
    assert kiosk.counts.read() == {"replayed": 120}


def test_forged_ones_take_no_place_at_all(kiosk: Kiosk) -> None:
    forged = bytearray(sign_command(kiosk.made("lockdown"), KEY))
    for number in range(500):
        forged[-1 - number % 60] ^= 1 + number % 255
        kiosk.signed.hear(Incoming(bytes(forged)))
    assert not kiosk.signed._waiting
    kiosk.ask(kiosk.made("lockdown"))
    assert kiosk.reasons() == [("done", None)]


def test_a_lockdown_is_answered_first_and_never_pushed_out(kiosk: Kiosk) -> None:
    kiosk.ask(kiosk.made("lockdown"))
    kiosk.clock.advance(2)
    for number in range(300):
        kiosk.ask(replace(kiosk.made(), id=number.to_bytes(16)))
    kiosk.replies.round()
    (first, *_) = kiosk.published
    assert verify_reply(first[1], KIOSK.public_key()).verb == "lockdown"
    assert len(kiosk.answers()) == 201
