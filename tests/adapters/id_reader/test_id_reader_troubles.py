"""The ID card reader's driver and the part at its worst: noise, refusals, silence, hasty hands.

What takes time takes it by the part's own clock. Terminals are real only where they matter, and
then the reader may take as long as it likes.
"""

from collections.abc import Iterator
from contextlib import closing

import pytest
from id_parts import BRISK, LEISURELY, NAME, OTHER, RESIDENT

from agent.adapters.id_reader.frames import PREAMBLE, frame
from agent.adapters.id_reader.ga467 import Ga467Reader, Timing
from agent.adapters.id_reader.simulated import (
    Ga467Part,
    Ga467Simulator,
    SimulatedCard,
    Spoil,
    babbled,
    corrupted,
    nack,
    silence,
    truncated,
)
from agent.adapters.id_reader.simulated_line import Ga467OnClock
from agent.errors import InternalError, RefusedError, UnavailableError

CARD = SimulatedCard(RESIDENT, NAME)
STATUS, FIND, SELECT, READ = b"\x11\xff", b"\x20\x01", b"\x20\x02", b"\x30\x01"
A_WHILE_S = 10.0
BRIEF = Timing(reply_s=0.15, read_s=0.5, retries=1, poll_s=0.02)


@pytest.fixture
def part() -> Ga467OnClock:
    return Ga467OnClock()


@pytest.fixture
def reader(part: Ga467OnClock) -> Iterator[Ga467Reader]:
    with closing(part.reader(BRIEF)) as driver:
        yield driver


@pytest.fixture
def terminal() -> Iterator[Ga467Simulator]:
    simulator = Ga467Simulator()
    yield simulator
    simulator.close()


@pytest.fixture
def at_terminal(terminal: Ga467Simulator) -> Iterator[Ga467Reader]:
    with closing(Ga467Reader(str(terminal.path), LEISURELY)) as driver:
        yield driver


def read_reply(card: SimulatedCard) -> bytes:
    return frame(b"\0\0\x90\x01\0\x04\0" + card.block() + card.photo)


ONCE: list[tuple[str, Spoil]] = [
    ("nothing", silence()),
    ("one byte", truncated(1)),
    ("half a preamble", truncated(3)),
    ("a preamble", truncated(5)),
    ("a head", truncated(7)),
    ("all but the checksum", lambda reply: reply[:-1]),
    ("a wrong checksum", corrupted()),
    ("a wrong length", corrupted(6)),
    ("a wrong code", corrupted(9)),
    ("a wrong preamble", corrupted(0)),
    ("checksum error heard", nack(0x10)),
    ("length error heard", nack(0x11)),
    ("babble", lambda _reply: b"\xaa" * 500),
]


@pytest.mark.parametrize("spoil", [spoil for _, spoil in ONCE], ids=[name for name, _ in ONCE])
@pytest.mark.parametrize("command", [FIND, SELECT, READ], ids=["find", "select", "read"])
def test_what_goes_wrong_once_is_tried_again(
    reader: Ga467Reader, part: Ga467OnClock, command: bytes, spoil: Spoil
) -> None:
    def spoil_once(body: bytes) -> None:
        if body == command:
            part.on_command = lambda _body: None
            part.next.append(spoil)

    part.on_command = spoil_once
    part.lay(CARD)
    document = reader.read(A_WHILE_S)
    assert document is not None
    assert (document.number, document.photo) == (RESIDENT, CARD.photo)


@pytest.mark.parametrize("code", [0x80, 0x81, 0x41])
def test_another_commands_refusal_is_no_answer(
    reader: Ga467Reader, part: Ga467OnClock, code: int
) -> None:
    left = [FIND, SELECT, READ]
    left.remove({0x80: FIND, 0x81: SELECT, 0x41: READ}[code])

    def spoil_once(body: bytes) -> None:
        if body in left:
            left.remove(body)
            part.next.append(nack(code))

    part.on_command = spoil_once
    part.lay(CARD)
    assert reader.read(A_WHILE_S) is not None
    assert left == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"\0" * 300,
        b"\xaa" * 301,
        PREAMBLE,
        PREAMBLE + b"\x05\x08",
        PREAMBLE + b"\xff\xff",
        frame(b"\0\0\x80"),
        frame(b"\0\0\x81"),
        frame(b"\0\0\x41"),
        frame(b"\0\0\x9f" + bytes(4))[:-1],
        frame(b"\0\0\x90"),
        frame(b"\0\0"),
        read_reply(SimulatedCard(OTHER))[:-7],
    ],
    ids=lambda garbage: garbage[:9].hex(),
)
def test_garbage_before_every_reply_changes_nothing(part: Ga467OnClock, garbage: bytes) -> None:
    # Refusals by themselves are no answers but to their own commands.
    only = {0x80: (SELECT, READ), 0x81: (FIND, READ), 0x41: (FIND, SELECT)}.get(garbage[-2])

    def babble(body: bytes) -> None:
        if only is None or body in only:
            part.next.append(babbled(garbage))

    with closing(part.reader(BRISK)) as reader:
        part.on_command = babble
        part.lay(CARD)
        document = reader.read(A_WHILE_S)
    assert document is not None
    assert document.number == RESIDENT


@pytest.mark.parametrize("command", [FIND, SELECT], ids=["find", "select"])
def test_a_late_reading_of_another_card_is_never_this_ones(
    reader: Ga467Reader, part: Ga467OnClock, command: bytes
) -> None:
    late = read_reply(SimulatedCard(OTHER))
    part.on_command = lambda body: part.next.append(babbled(late) if body == command else None)
    part.lay(CARD)
    document = reader.read(A_WHILE_S)
    assert document is not None
    assert document.number == RESIDENT


def test_it_reads_from_a_line_that_brings_one_byte_at_a_time(
    reader: Ga467Reader, part: Ga467OnClock
) -> None:
    part.byte_gap_s = 0.0002
    one_byte_at_a_time(reader, part)


def test_it_reads_from_a_terminal_that_brings_one_byte_at_a_time(
    at_terminal: Ga467Reader, terminal: Ga467Simulator
) -> None:
    terminal.byte_gap_s = 0.0002
    one_byte_at_a_time(at_terminal, terminal)


def one_byte_at_a_time(reader: Ga467Reader, part: Ga467Part) -> None:
    part.lay(CARD)
    document = reader.read(A_WHILE_S)
    assert document is not None
    assert document.photo == CARD.photo
    assert part.commands == [STATUS, FIND, SELECT, READ]


@pytest.mark.parametrize("found_again", [False, True])
def test_each_reading_finds_and_selects_before_it_reads(
    reader: Ga467Reader, part: Ga467OnClock, *, found_again: bool
) -> None:
    part.found_again = found_again
    part.lay(CARD)
    assert reader.read(A_WHILE_S) is not None
    assert part.commands == [STATUS, FIND, SELECT, READ]
    again = reader.read(0.0)
    assert (again is not None) is found_again


# --- hands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [SELECT, READ], ids=["select", "read"])
def test_a_card_that_is_taken_away_in_between_is_no_document(
    reader: Ga467Reader, part: Ga467OnClock, command: bytes
) -> None:
    part.on_command = lambda body: part.take_away() if body == command else None
    part.lay(CARD)
    assert reader.read(0.0) is None
    part.on_command = lambda _body: None
    part.lay(CARD)
    assert reader.read(A_WHILE_S) is not None


def test_a_card_that_is_changed_in_between_is_the_one_that_lies_there(
    reader: Ga467Reader, part: Ga467OnClock
) -> None:
    def change(body: bytes) -> None:
        if body == READ:
            part.on_command = lambda _body: None
            part.lay(SimulatedCard(OTHER))

    part.on_command = change
    part.lay(CARD)
    document = reader.read(A_WHILE_S)
    assert document is not None
    assert document.number == OTHER


def test_a_card_that_comes_later_ends_the_wait(reader: Ga467Reader, part: Ga467OnClock) -> None:
    part.clock.after(0.2, lambda: part.lay(CARD))
    assert reader.read(A_WHILE_S) is not None


@pytest.mark.parametrize("command", [FIND, SELECT, READ], ids=["find", "select", "read"])
def test_pulling_the_plug_in_between_is_unavailable_and_mends(
    at_terminal: Ga467Reader, terminal: Ga467Simulator, command: bytes
) -> None:
    terminal.on_command = lambda body: terminal.unplug() if body == command else None
    terminal.lay(CARD)
    with pytest.raises(UnavailableError) as failure:
        at_terminal.read(A_WHILE_S)
    assert failure.value.fix
    terminal.on_command = lambda _body: None
    terminal.plug_in()
    terminal.lay(CARD)
    assert at_terminal.read(A_WHILE_S) is not None


# --- for good ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (0x31, "not_authentic"),
        (0x32, "not_authentic"),
        (0x33, "not_authentic"),
        (0x40, "not_an_id_card"),
        (0x41, "unreadable_document"),
    ],
)
def test_a_card_that_the_reader_refuses(
    reader: Ga467Reader, part: Ga467OnClock, code: int, reason: str
) -> None:
    part.lay(SimulatedCard(RESIDENT, refusal=code))
    with pytest.raises(RefusedError) as refusal:
        reader.read(A_WHILE_S)
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0x21, "does not know a command"),
        (0x60, "fails its own test"),
        (0x66, "is not authorised"),
        (0x24, "answers with code 24"),
        (0x10, "cannot be understood"),
        (0x11, "cannot be understood"),
    ],
)
def test_a_reader_that_cannot_work_is_said_at_the_start_and_later(
    part: Ga467OnClock, code: int, said: str
) -> None:
    with closing(part.reader(BRISK)) as reader:
        part.unable = code
        with pytest.raises(UnavailableError, match=said):
            reader.read(0.0)
    with pytest.raises(UnavailableError, match=said):
        part.reader(BRISK)
    part.unable = None
    with closing(part.reader(BRISK)) as reader:
        assert reader.read(0.0) is None


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (silence(), "does not answer"),
        (corrupted(), "cannot be understood"),
        (truncated(6), "cannot be understood"),
        (lambda _reply: b"\xaa" * 3000, "cannot be understood"),
        (lambda _reply: frame(b"\0\0\x90\0\0\0\0"), "cannot be understood"),
    ],
)
def test_a_reader_that_never_answers_well_is_given_up(
    part: Ga467OnClock, spoil: Spoil, said: str
) -> None:
    part.next.extend([spoil] * 20)
    with pytest.raises(UnavailableError, match=said):
        part.reader(BRIEF)
    assert part.commands == [STATUS] * 2


@pytest.mark.parametrize("command", [SELECT, READ], ids=["select", "read"])
def test_all_tries_together_have_an_end(part: Ga467OnClock, command: bytes) -> None:
    timing = Timing(reply_s=0.2, read_s=0.2, retries=1000, look_s=0.5)
    with closing(part.reader(timing)) as reader:
        part.on_command = lambda body: part.next.append(silence() if body == command else None)
        part.lay(CARD)
        with pytest.raises(UnavailableError, match="does not answer"):
            reader.read(0.0)
    assert part.commands.count(command) <= 4


def test_sizes_that_are_none_are_refused(reader: Ga467Reader, part: Ga467OnClock) -> None:
    def lie(reply: bytes) -> bytes:
        return frame(b"\0\0\x90\x04\0\x01\0" + reply[14:-1])

    part.on_command = lambda body: part.next.append(lie if body == READ else None)
    part.lay(CARD)
    with pytest.raises(RefusedError) as refusal:
        reader.read(A_WHILE_S)
    assert refusal.value.reason == "unreadable_document"


@pytest.mark.parametrize("kind", ["missing", "a file", "a folder"])
def test_a_port_that_is_none_is_said_with_the_fix(tmp_path, kind: str) -> None:
    port = tmp_path / "ttyUSB0"
    if kind == "a file":
        port.write_bytes(b"")
    elif kind == "a folder":
        port.mkdir()
    with pytest.raises(UnavailableError, match="cannot be opened") as failure:
        Ga467Reader(str(port))
    assert "dialout" in str(failure.value.fix)


def test_a_port_in_use_is_refused(at_terminal: Ga467Reader, terminal: Ga467Simulator) -> None:
    assert at_terminal.read(0.0) is None
    with pytest.raises(UnavailableError, match="cannot be opened") as failure:
        Ga467Reader(str(terminal.path), BRISK)
    assert f"fuser {terminal.path}" in str(failure.value.fix)


def test_the_reader_names_its_security_module(reader: Ga467Reader) -> None:
    assert reader.sam_id() == bytes(range(16)).hex()


# --- what is told --------------------------------------------------------------------------------


def test_nothing_that_a_card_says_is_logged(
    part: Ga467OnClock, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with closing(part.reader(BRISK)) as reader:
        part.lay(CARD)
        assert reader.read(A_WHILE_S) is not None
        part.lay(SimulatedCard(RESIDENT, NAME, valid_until="never"))
        with pytest.raises(RefusedError) as refusal:
            reader.read(A_WHILE_S)
    said = capsys.readouterr()
    told = said.out + said.err + caplog.text + str(refusal.value)
    assert "id_reader_opened" in told
    assert not any(secret in told for secret in (RESIDENT, RESIDENT[6:14], NAME))


def test_a_simulator_that_dies_does_not_die_unseen() -> None:
    part = Ga467Simulator()
    nothing: dict[bytes, SimulatedCard] = {}
    part.on_command = lambda body: part.lay(nothing[body])
    with pytest.raises(UnavailableError):
        Ga467Reader(str(part.path), BRIEF)
    with pytest.raises(InternalError):
        part.close()
