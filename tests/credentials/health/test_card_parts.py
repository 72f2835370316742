"""Parts of a SMART Health Card collect in any order, whatever lies between and beside them."""

import itertools

import pytest

from agent.credentials.health.card_parts import Part, PartCollector, Whole, part_of

WINDOW_S = 20.0


def part(number: int, count: int, digits: str = "") -> Part:
    found = part_of(f"shc:/{number}/{count}/{digits or 10 * number}")
    assert found is not None
    return found


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_parts_in_any_order_make_one_whole(order: tuple[int, ...]) -> None:
    collector = PartCollector(WINDOW_S)
    *before, last = [collector.add(part(number, 3), at) for at, number in enumerate(order)]
    assert [(one.have, one.waiting, one.wholes) for one in before] == [
        (1, True, ()),
        (2, True, ()),
    ]
    assert not last.waiting
    [whole] = last.wholes
    assert whole.text == "shc:/1/3/10 shc:/2/3/20 shc:/3/3/30"
    assert whole.parts == tuple(whole.text.split())


def test_a_part_that_lies_there_makes_its_whole_once() -> None:
    collector = PartCollector(WINDOW_S)
    collector.add(part(1, 2), 0.0)
    assert len(collector.add(part(2, 2), 1.0).wholes) == 1
    again = collector.add(part(2, 2), 2.0)
    assert (again.waiting, again.wholes) == (False, ())


def test_a_part_is_forgotten_after_the_window() -> None:
    collector = PartCollector(WINDOW_S)
    collector.add(part(1, 2), 0.0)
    assert collector.add(part(2, 2), WINDOW_S + 0.1).waiting
    assert len(collector.add(part(1, 2), WINDOW_S + 0.2).wholes) == 1


def test_what_was_judged_is_forgotten() -> None:
    collector = PartCollector(WINDOW_S)
    collector.add(part(1, 2), 0.0)
    [whole] = collector.add(part(2, 2), 0.0).wholes
    collector.forget(whole)
    assert collector.add(part(2, 2), 0.1) == collector.add(part(2, 2), 0.2)
    assert collector.add(part(2, 2), 0.3).have == 1


def test_rubbish_beside_a_card_does_not_keep_it_from_being_whole() -> None:
    collector = PartCollector(WINDOW_S)
    for number in (1, 2, 3):
        collector.add(part(number, 3, "666"), 0.0)
    wholes: list[Whole] = []
    for number in (1, 2, 3):
        wholes += collector.add(part(number, 3), 1.0).wholes
        wholes += collector.add(part(number, 3, "666"), 1.0).wholes
    assert "shc:/1/3/10 shc:/2/3/20 shc:/3/3/30" in [one.text for one in wholes]


def test_two_cards_of_as_many_parts_are_both_among_the_wholes() -> None:
    collector = PartCollector(WINDOW_S)
    wholes: list[Whole] = []
    for digits in ("11", "22"):
        for number in (1, 2, 3, 4):
            wholes += collector.add(part(number, 4, digits + str(number)), 1.0).wholes
    texts = [one.text for one in wholes]
    assert " ".join(f"shc:/{n}/4/11{n}" for n in (1, 2, 3, 4)) in texts
    assert " ".join(f"shc:/{n}/4/22{n}" for n in (1, 2, 3, 4)) in texts


def test_a_stranger_fills_neither_memory_nor_time() -> None:
    collector = PartCollector(WINDOW_S)
    most = 0
    for count in range(2, 33):
        for number in range(1, count + 1):
            for digits in range(9):
                most = max(most, len(collector.add(part(number, count, str(digits)), 0.0).wholes))
    assert most <= 32
    places = collector._places
    kept = [text for card in places.values() for seen in card.values() for text in seen]
    assert len(kept) <= 8 * 32 * 4


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "shc:/123456",
        "shc:/1/1/1234",
        "shc:/0/3/1234",
        "shc:/4/3/1234",
        "shc:/1/33/1234",
        "shc:/1/3/",
        "shc:/1/3/12x4",
        "shc:/1/3/\u0661\u0662",
        "HC1:/1/3/1234",
        "shc:/1/3/" + "1" * 32_768,
    ],
)
def test_all_other_texts_are_no_parts(text: str | None) -> None:
    assert part_of(text) is None


def test_no_digit_of_a_part_is_shown() -> None:
    collector = PartCollector(WINDOW_S)
    collector.add(part(1, 2, "777"), 0.0)
    shown = repr((part(1, 2, "777"), collector.add(part(2, 2, "777"), 0.0)))
    assert "777" not in shown
