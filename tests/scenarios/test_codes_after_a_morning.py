"""A gate that knew many passes, or sees more codes than it remembers: a new pass still opens."""

import pytest
from wall_parts import KINDS, Wall, WalledGate, symbol

from agent.domain.sight.symbol import Symbol
from agent.domain.sight.track import Box

RESIDENTS, USUAL_S = 70, 0.35


class Screen:
    """A sheet of small codes, and a film of larger ones: others in every frame."""

    def __init__(self, wall: Wall, sheet: int, film: int, kind: str = "rubbish") -> None:
        self.wall, self.sheet, self.film = wall, sheet, film
        self.make, self.frame = KINDS[kind], 0

    def __call__(self) -> list[Symbol]:
        self.frame += 1
        first = 1_000_000 + 100 * self.frame
        found = [
            symbol(self.make(n), Box(10 + 40 * (n % 30), 10 + 45 * (n // 30), 38, 38))
            for n in range(self.sheet)
        ]
        found += [
            symbol(self.make(first + number), Box(100 + 110 * number, 400, 200, 200))
            for number in range(self.film)
        ]
        if self.wall.phone is not None:
            found.append(symbol(self.wall.phone, Box(500, 500, 150, 150)))
        return found


@pytest.mark.parametrize("kind", ["rubbish", "unknown issuer"])
def test_a_film_stops_no_pass_after_a_morning_of_passes(kind: str) -> None:
    """As many as are remembered were believed: what is not yet looked at needs a place too."""
    wall = Wall(None)
    gate = WalledGate(wall)
    assert all(gate.visit(number) is not None for number in range(RESIDENTS))
    wall.picture = Screen(wall, sheet=16, film=3, kind=kind)
    for number in range(6):
        took_s = gate.visit(RESIDENTS + number)
        assert took_s is not None
        assert took_s <= USUAL_S


@pytest.mark.parametrize(("sheet", "film"), [(61, 3), (70, 3), (100, 3), (70, 8)])
def test_more_codes_than_are_remembered_stop_no_pass(sheet: int, film: int) -> None:
    wall = Wall(None)
    gate = WalledGate(wall)
    wall.picture = Screen(wall, sheet, film)
    gate.see(2.0)
    for number in range(10):
        took_s = gate.visit(number)
        assert took_s is not None
        assert took_s <= USUAL_S


def test_whatever_is_gone_is_forgotten() -> None:
    gate = WalledGate(Wall(None))
    for number in range(5):
        gate.visit(number)
    gate.see(11.0)
    assert gate.codes() == []
