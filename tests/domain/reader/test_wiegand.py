"""Pulses to cards: every format, what goes wrong on a cable, and memory that has a bound."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.adapters.reader.simulated import Trouble, hum, train
from agent.domain.reader.card_format import (
    BUILT_IN,
    CardFormat,
    CardNumber,
    Parity,
    read_card_text,
)
from agent.domain.reader.decoder import Heard, ReaderTerms, Unread, Why, WiegandDecoder
from agent.domain.reader.pulses import SILENCE_S, STORM_S, Pulse, PulseCollector

H10301, W34 = BUILT_IN["h10301"], BUILT_IN["w34"]
TERMS = ReaderTerms((H10301, W34, BUILT_IN["h10302"]))


def heard(
    decoder: WiegandDecoder, pulses: list[Pulse], now_s: float = 10.0, silence_s: float = SILENCE_S
) -> list[Heard]:
    """What a decoder makes of pulses that all came by ``now_s``, after the silence."""
    for one in pulses:
        decoder.pulse(one, now_s)
    assert decoder.settle(now_s + silence_s / 2) == []
    return decoder.settle(now_s + silence_s)


def test_a_frame_of_26_bits_as_the_makers_print_it() -> None:
    # Facility 17, number 4711: even parity over the first twelve, odd over the last.
    bits = "1 00010001 0001001001100111 0".replace(" ", "")
    ones = [int(one) for one in bits]
    ones[0] = sum(ones[1:13]) % 2
    ones[25] = 1 - sum(ones[13:25]) % 2
    assert heard(WiegandDecoder(TERMS), train(ones, 0)) == [CardNumber("h10301", 17, 4711)]


@pytest.mark.parametrize("name", BUILT_IN)
@given(data=st.data())
def test_what_is_written_is_read(name: str, data: st.DataObject) -> None:
    form = BUILT_IN[name]
    number = data.draw(st.integers(0, 2 ** (form.number[1] - form.number[0] + 1) - 1))
    facility = None
    if form.facility is not None:
        facility = data.draw(st.integers(0, 2 ** (form.facility[1] - form.facility[0] + 1) - 1))
    bits = form.written(facility, number)
    decoder = WiegandDecoder(ReaderTerms((form,)))
    assert heard(decoder, train(bits, 5)) == [CardNumber(name, facility, number)]
    assert read_card_text(CardNumber(name, facility, number).text, [form]).number == number


@given(st.integers(0, 25), st.integers(0, 255), st.integers(0, 65535))
def test_one_bit_that_is_turned_is_no_other_card(at: int, facility: int, number: int) -> None:
    bits = [*H10301.written(facility, number)]
    bits[at] ^= 1
    decoder = WiegandDecoder(TERMS)
    assert heard(decoder, train(bits, 0)) == [Unread(Why.PARITY, 26)]
    assert decoder.counts == {"parity": 1}


@given(st.integers(0, 2**32), st.floats(0, 1500), st.floats(0, 0.1), st.floats(0, 0.1))
def test_jitter_ringing_lost_merged_and_stray_pulses_make_no_other_card(
    seed: int, jitter_us: float, loss: float, noise: float
) -> None:
    draw = random.Random(seed)
    facility, number = draw.randrange(256), draw.randrange(65536)
    trouble = Trouble(min(jitter_us, 900.0), loss, loss, 0.5, noise)
    bits = H10301.written(facility, number)
    pulses = train(bits, 10**12, interval_us=2000, trouble=trouble, draw=draw)
    if not pulses:
        return
    found = heard(WiegandDecoder(ReaderTerms((H10301,))), pulses)
    if loss == 0.0 and noise == 0.0:
        assert found == [CardNumber("h10301", facility, number)]
    # As many lost as added may give a frame of the right length: parity sees half of those.
    if len({(one.at_ns, one.bit) for one in pulses}) < 26:
        assert all(isinstance(one, Unread) for one in found)


def test_callbacks_out_of_order_are_put_right_by_the_kernels_times() -> None:
    pulses = train(H10301.written(1, 2), 0)
    random.Random(7).shuffle(pulses)
    assert heard(WiegandDecoder(TERMS), pulses) == [CardNumber("h10301", 1, 2)]


def test_two_frames_that_were_heard_together_are_two() -> None:
    first, second = train(H10301.written(1, 2), 0), train(H10301.written(1, 3), 200_000_000)
    found = heard(WiegandDecoder(TERMS), first + second)
    assert found == [CardNumber("h10301", 1, 2), CardNumber("h10301", 1, 3)]


def test_a_reader_unplugged_in_the_middle_is_a_short_frame_and_the_next_is_whole() -> None:
    decoder = WiegandDecoder(TERMS)
    assert heard(decoder, train(H10301.written(1, 2), 0)[:13]) == [Unread(Why.LENGTH, 13)]
    assert heard(decoder, train(H10301.written(1, 2), 10**9), 20.0) == [CardNumber("h10301", 1, 2)]


def test_both_wires_at_once_is_noise_whatever_else_fits() -> None:
    pulses = train(H10301.written(1, 2), 0)
    pulses.append(Pulse(pulses[4].at_ns + 10_000, 1 - pulses[4].bit))
    assert heard(WiegandDecoder(TERMS), pulses) == [Unread(Why.NOISE, 27)]


def test_bits_without_end_have_a_bound_and_end_with_the_silence() -> None:
    collector = PulseCollector()
    for number in range(100_000):
        collector.pulse(Pulse(number * 100_000, number % 2), number / 10_000)
        assert collector.settle(number / 10_000) == []
    assert len(collector._kept) < 300
    assert collector.stormy(10.0)
    (frame,) = collector.settle(10.0 + SILENCE_S)
    assert frame.noisy
    assert not collector.stormy(11.0)


@pytest.mark.parametrize("hertz", [50.0, 60.0, 100.0])
def test_the_hum_of_the_mains_is_a_storm_and_no_card(hertz: float) -> None:
    decoder = WiegandDecoder(TERMS)
    stormy = False
    for one in hum(0, 3.0, hertz):
        now_s = one.at_ns / 1e9
        decoder.pulse(one, now_s)
        assert not any(isinstance(found, CardNumber) for found in decoder.settle(now_s))
        stormy |= decoder.stormy(now_s)
    assert stormy
    assert STORM_S < 3.0
    assert [one.why for one in decoder.settle(4.0) if isinstance(one, Unread)] == [Why.NOISE]
    assert heard(decoder, train(H10301.written(1, 2), 10**10)) == [CardNumber("h10301", 1, 2)]


def test_two_readers_know_nothing_of_each_other() -> None:
    one, other = WiegandDecoder(TERMS), WiegandDecoder(TERMS)
    left, right = train(H10301.written(1, 2), 0), train(W34.written(3, 4), 300_000)
    for a, b in zip(left, right, strict=False):
        one.pulse(a, 1.0)
        other.pulse(b, 1.0)
    for b in right[len(left) :]:
        other.pulse(b, 1.0)
    assert one.settle(2.0) == [CardNumber("h10301", 1, 2)]
    assert other.settle(2.0) == [CardNumber("w34", 3, 4)]


def test_a_format_of_ones_own_with_masks_and_the_bytes_turned() -> None:
    over = frozenset(range(2, 34, 3)) | {40}
    own = CardFormat("own", 40, (2, 33), None, (Parity(1, over, odd=True),), "little")
    bits = own.written(None, 0x01020304)
    assert bits[1:33] == tuple(int(one) for one in f"{0x04030201:032b}")
    assert own.read(bits) == CardNumber("own", None, 0x01020304)
    assert own.faults() == []


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (CardFormat("a", 26, (10, 27)), "number is 10-27"),
        (CardFormat("a", 26, (10, 9)), "number is 10-9"),
        (CardFormat("a", 26, (10, 25), (2, 10)), "bits in common"),
        (CardFormat("a", 26, (10, 25), None, (Parity(27, frozenset({2})),)), "names bit 27"),
        (CardFormat("a", 26, (10, 25), None, (Parity(2, frozenset({2})),)), "among those"),
        (CardFormat("a", 26, (10, 24), None, (), "little"), "whole bytes"),
    ],
)
def test_a_format_that_cannot_be_read_says_why(form: CardFormat, said: str) -> None:
    assert any(said in one for one in form.faults())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("4711", "FORMAT:FACILITY:NUMBER"),
        ("h10301:256:1", "0 to 255"),
        ("h10301:1:65536", "0 to 65535"),
        ("h10301:4711", "facility"),
        ("h10302:1:4711", "no facility"),
        ("h10399:1:1", "no card format"),
        ("h10301:-1:1", "FORMAT"),
        ("h10301:1:" + "9" * 41, "FORMAT"),
        ("", "FORMAT"),
    ],
)
def test_what_is_no_card_says_why_and_never_the_number(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        read_card_text(text, BUILT_IN.values())
    assert "4711" not in str(caught.value)


def test_one_writing_for_one_card_and_none_in_repr() -> None:
    one = read_card_text(" H10301 : 017:04711\n", BUILT_IN.values())
    assert one.text == "h10301:17:4711"
    assert "4711" not in repr(one)
