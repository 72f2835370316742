"""Frames and text blocks of ID card readers: whatever arrives, and in whatever portions."""

import contextlib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from id_parts import NAME, RESIDENT, number

from agent.adapters.id_reader.frames import LONGEST_BODY, PREAMBLE, FrameParser, frame
from agent.adapters.id_reader.simulated import SimulatedCard
from agent.adapters.id_reader.text import decode_document
from agent.domain.credential.id_document import DocumentKind
from agent.domain.credential.name import is_line
from agent.errors import RefusedError

BODIES = st.binary(min_size=2, max_size=60)
GARBAGE = st.binary(max_size=40).filter(lambda data: PREAMBLE not in data)
BROKEN = st.builds(lambda body, cut: frame(body)[:cut], BODIES, st.integers(0, 30))
ABSURD = st.builds(lambda length: PREAMBLE + length.to_bytes(2, "big"), st.integers(0, 0xFFFF))
PIECES = st.one_of(st.binary(max_size=40), BODIES.map(frame), BROKEN, ABSURD, st.just(PREAMBLE[:3]))


def portions(data: bytes, sizes: list[int]) -> list[bytes]:
    found, at = [], 0
    for size in sizes:
        found.append(data[at : at + size])
        at += size
    return [*found, data[at:]]


# --- frames --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("11ff", "aaaaaa9669 0003 11ff ed"),
        ("12ff", "aaaaaa9669 0003 12ff ee"),
        ("2001", "aaaaaa9669 0003 2001 22"),
        ("2002", "aaaaaa9669 0003 2002 21"),
        ("3001", "aaaaaa9669 0003 3001 32"),
        ("00009f 00000000", "aaaaaa9669 0008 00009f 00000000 97"),
        ("000090 0000000000000000", "aaaaaa9669 000c 000090 0000000000000000 9c"),
        ("000041", "aaaaaa9669 0004 000041 45"),
        ("000032", "aaaaaa9669 0004 000032 36"),
    ],
)
def test_the_frames_are_those_of_the_interface(body: str, line: str) -> None:
    assert frame(bytes.fromhex(body)) == bytes.fromhex(line)
    assert FrameParser().feed(bytes.fromhex(line)) == [bytes.fromhex(body)]


@given(st.lists(st.tuples(GARBAGE, BODIES), max_size=6), st.lists(st.integers(0, 30), max_size=30))
def test_every_frame_is_found_in_any_portions_and_between_garbage(
    pairs: list[tuple[bytes, bytes]], sizes: list[int]
) -> None:
    data = b"".join(garbage + frame(body) for garbage, body in pairs)
    parser = FrameParser()
    found = [body for part in portions(data, sizes) for body in parser.feed(part)]
    assert found == [body for _, body in pairs]
    assert parser.broken == 0


@given(st.lists(PIECES, max_size=12), st.lists(st.integers(0, 50), max_size=40))
def test_portions_change_nothing_whatever_arrives(pieces: list[bytes], sizes: list[int]) -> None:
    data = b"".join(pieces)
    at_once, bit_by_bit = FrameParser(), FrameParser()
    expected = at_once.feed(data) + at_once.end()
    found: list[bytes] = []
    for part in portions(data, sizes):
        found += bit_by_bit.feed(part)
        assert len(bit_by_bit._held) <= LONGEST_BODY + 8
    assert found + bit_by_bit.end() == expected
    assert at_once.broken == bit_by_bit.broken


@given(BODIES, st.integers(0, 400), st.integers(1, 255), BODIES)
def test_a_frame_behind_a_spoilt_one_is_found(
    first: bytes, place: int, flip: int, second: bytes
) -> None:
    spoilt = bytearray(frame(first))
    spoilt[place % len(spoilt)] ^= flip
    parser = FrameParser()
    found = parser.feed(bytes(spoilt) + frame(second)) + parser.end()
    assert found[-1] == second or (place % len(spoilt)) in (5, 6)
    assert first not in found[:-1]


@pytest.mark.parametrize("length", [0, 1, 2, LONGEST_BODY + 2, 0xFFFF])
def test_an_impossible_length_is_given_up_at_once(length: int) -> None:
    parser = FrameParser()
    head = PREAMBLE + length.to_bytes(2, "big")
    assert parser.feed(head + frame(b"\x20\x01")) == [b"\x20\x01"]
    assert parser.broken == 1


def test_a_beginning_that_never_ends_hides_nothing_for_good() -> None:
    parser = FrameParser()
    assert parser.feed(PREAMBLE + b"\x05\x08" + frame(b"\x20\x01")) == []
    assert parser.end() == [b"\x20\x01"]
    assert parser.feed(frame(b"\x20\x02")) == [b"\x20\x02"]


# --- text ----------------------------------------------------------------------------------------


def card(**changes) -> SimulatedCard:
    return SimulatedCard(**{"number": RESIDENT, "name": NAME, "valid_until": "20400101", **changes})


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, DocumentKind.RESIDENT),
        ({"letter": "J", "number": number("810000")}, DocumentKind.HONG_KONG),
        ({"letter": "J", "number": number("820000")}, DocumentKind.MACAU),
        ({"letter": "J", "number": number("830000")}, DocumentKind.TAIWAN),
        ({"letter": "I", "number": "USA110000000000"}, DocumentKind.FOREIGNER),
        ({"letter": "Y", "number": "911124198108030024"}, DocumentKind.FOREIGNER),
    ],
)
def test_each_kind_of_card_is_read(changes: dict[str, str], kind: DocumentKind) -> None:
    laid = card(**changes)
    document = decode_document(laid.block(), b"photo")
    assert (document.kind, document.number, document.name) == (kind, laid.number, NAME)
    assert document.valid_from == date(2020, 1, 1)
    assert document.valid_until == date(2040, 1, 1)
    assert document.photo == b"photo"


def test_a_foreigner_without_a_chinese_name_has_the_other_one() -> None:
    block = bytearray(card(letter="I", number="USA110000000000", name="").block())
    block[:16] = "NO, BODY".encode("utf-16-le")
    assert decode_document(bytes(block), b"").name == "NO, BODY"
    block = bytearray(card(letter="Y", number="911124198108030024", name="").block())
    block[52:122] = ("N" * 35).encode("utf-16-le")
    block[220:226] = "OBO".encode("utf-16-le")
    assert decode_document(bytes(block), b"").name == "N" * 35 + "OBO"


def test_long_term_is_no_end() -> None:
    document = decode_document(card(valid_until="长期").block(), b"")
    assert document.valid_until is None
    assert document.valid_on(date(9999, 1, 1))
    assert not document.valid_on(date(2019, 12, 31))


def test_an_expired_card_is_read_and_says_so() -> None:
    document = decode_document(card(valid_until="20210203").block(), b"")
    assert document.valid_on(date(2021, 2, 3))
    assert not document.valid_on(date(2021, 2, 4))


def test_zeros_and_wide_spaces_end_a_field_as_well() -> None:
    for blank in ("\0", "\u3000"):
        block = card().block().replace(" ".encode("utf-16-le"), blank.encode("utf-16-le"))
        assert decode_document(block, b"").name == NAME


@pytest.mark.parametrize(
    "changes",
    [
        {"number": ""},
        {"number": RESIDENT[:17] + ("1" if RESIDENT[17] != "1" else "2")},
        {"number": "110105491231002"},
        {"number": "USA110000000000"},
        {"number": RESIDENT[:16] + "\ud800" + RESIDENT[17]},
        {"number": "\x1b[2J" + RESIDENT[:14]},
        {"valid_from": ""},
        {"valid_from": "长期"},
        {"valid_from": "20230229"},
        {"valid_from": "２０２００１０１".translate({0xFF10 + n: 0x0660 + n for n in range(10)})},
        {"valid_from": "2020-1-1"},
        {"valid_until": ""},
        {"valid_until": "永久"},
        {"valid_until": "00000000"},
        {"valid_until": "20191231"},
        {"valid_until": "99999999"},
        {"text": b""},
        {"text": card().block()[:-1]},
        {"text": card().block() + b"\0"},
        {"text": b"\xff" * 256},
        {"text": b"\x00\xd8" * 128},
    ],
    ids=repr,
)
def test_a_block_that_is_none_is_refused_and_not_quoted(changes) -> None:
    laid = card(**changes)
    with pytest.raises(RefusedError) as refusal:
        decode_document(laid.block(), b"")
    assert refusal.value.reason == "unreadable_document"
    told = f"{refusal.value} {refusal.value!r}"
    assert not any(secret and secret in told for secret in (laid.number, NAME, RESIDENT))


@pytest.mark.parametrize("name", ["\x1b[31m欧阳\x07\u202e无名\ud800", "\0\0", "\ud800"])
def test_nothing_of_a_name_moves_a_terminal(name: str) -> None:
    read = decode_document(card(name=name).block(), b"").name
    assert read == ""


@pytest.mark.parametrize(
    "name", ["某\ue863", "劉\U0002ebf0", "\U00030edd\U00030edd", "علی\u200cرضا", "葛\U000e0100城"]
)
def test_a_rare_character_of_a_name_stays(name: str) -> None:
    assert decode_document(card(name=name).block(), b"").name == name


def test_spaces_in_a_name_are_of_one_kind() -> None:
    assert decode_document(card(name="山田\u3000太郎").block(), b"").name == "山田 太郎"


@given(st.binary(max_size=300))
def test_whatever_a_card_says_is_a_document_or_one_refusal(block: bytes) -> None:
    with pytest.raises(RefusedError):
        decode_document(block, b"")


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), max_size=6))
def test_a_spoilt_block_is_a_document_or_one_refusal(changes: list[tuple[int, int]]) -> None:
    block = bytearray(card().block())
    for place, value in changes:
        block[place] = value
    with contextlib.suppress(RefusedError):
        document = decode_document(bytes(block), b"")
        assert is_line(document.name)
        assert document.number not in repr(document)
