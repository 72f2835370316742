"""Which codes of a frame are verified, in which order, and what is said of them."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from pass_parts import NOW, claims
from wall_parts import symbol

from agent.app.threads.senses.codes import Codes, Outlook
from agent.app.threads.senses.verifier import CredentialVerifier
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.presented import PassPresented
from agent.domain.credential.reason import Reason
from agent.domain.hours.instant import Instant
from agent.domain.sight.track import Box

SIZE = (1280, 960)


@dataclass
class Verifier:
    """Believes what begins with ``GP1:TRUE`` and notes whatever it is asked."""

    asked: list[str] = field(default_factory=list)

    def verify(self, text: str, now: Instant) -> PassPresented:
        self.asked.append(text)
        number, true = len(self.asked), text.startswith("GP1:TRUE")
        one = claims(id=PassId(f"{abs(hash(text)):016x}")) if true else None
        reason = None if true else Reason.CREDENTIAL_FORGED
        return PassPresented(number, now.monotonic_s, one, reason)


class Frames:
    """An access point whose zone is the right half of the frame."""

    def __init__(self) -> None:
        self.verifier = Verifier()
        zone = Outlook(lambda box, width, _: box.x >= width / 2)
        self.codes = Codes(cast(CredentialVerifier, self.verifier), zone)
        self.now_s = 100.0

    def see(self, **boxes: Box) -> list[int]:
        """A frame of codes, by what they say behind ``GP1:``; the presentations that are said."""
        symbols = [symbol(f"GP1:{text}", box) for text, box in boxes.items()]
        said = self.codes.look(symbols, SIZE, Instant(self.now_s, NOW, utc_trusted=True))
        self.now_s += 0.3
        return [one.id for one in said]

    def asked(self) -> list[str]:
        asked, self.verifier.asked[:] = [one[4:] for one in self.verifier.asked], []
        return asked


@pytest.fixture
def frames() -> Frames:
    return Frames()


def at(x: int, y: int = 0, side: int = 60) -> Box:
    return Box(x, y, side, side)


def test_a_code_is_verified_once_while_it_stays_and_anew_after_it_was_gone(frames: Frames) -> None:
    assert [frames.see(A=at(0)), frames.see(A=at(0)), frames.see(A=at(30))] == [[1]] * 3
    frames.now_s += 1.6
    assert frames.see(A=at(300)) == [2]


def test_where_it_was_a_gap_is_none(frames: Frames) -> None:
    frames.see(A=at(0))
    frames.now_s += 9.0
    assert frames.see(A=at(2)) == [1]
    frames.now_s += 10.0
    assert frames.see(A=at(2)) == [2]


def test_so_many_are_verified_in_one_frame_and_the_others_in_the_next(frames: Frames) -> None:
    wall: dict[str, Any] = {f"W{number}": at(70 * number) for number in range(9)}
    frames.see(**wall)
    assert len(frames.asked()) == 6
    frames.see(**wall)
    assert len(frames.asked()) == 3


def test_half_of_them_by_zone_and_half_by_how_long_they_wait(frames: Frames) -> None:
    crowd: dict[str, Any] = {f"Z{number}": at(700 + number) for number in range(20)}
    frames.see(**crowd, LATE=at(10))
    first = frames.asked()
    assert "LATE" not in first
    for film in range(7):
        crowd = {f"F{film}x{number}": at(700 + number) for number in range(20)}
        frames.see(**crowd, LATE=at(10))
        if "LATE" in frames.asked():
            break
    assert film == 0


def test_what_is_in_hand_is_said_before_what_hangs_and_what_is_believed_before_all(
    frames: Frames,
) -> None:
    frames.see(WALL=at(0), TRUE=at(70))
    frames.now_s += 5.0
    said = frames.see(WALL=at(0), TRUE=at(70), HAND=at(900))
    asked = frames.asked()
    assert [asked[number - 1] for number in said] == ["TRUE", "HAND", "WALL"]


def test_it_is_said_now_and_then_and_not_in_every_frame(frames: Frames) -> None:
    said = []
    for _ in range(10):
        said += frames.see(A=at(0))
        frames.now_s -= 0.2
    assert 3 <= len(said) <= 5
