"""``gate-agent scan`` on inputs that went wrong, and on cards in several codes."""

import json
from pathlib import Path
from typing import Any

import pytest
import segno
from gate_command import Gate
from health_parts import card_text, chunks, jwk
from places import SHARED

CASES = SHARED / "cases"


def case(name: str) -> str:
    if not (CASES / name).exists():
        pytest.skip(f"{name} is not beside the project")
    return str(CASES / name)


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def draw(tmp_path: Path):
    def draw(name: str, text: str) -> str:
        path = tmp_path / name
        segno.make(text, micro=False, error="l").save(str(path), scale=4, border=4)
        return str(path)

    return draw


@pytest.fixture
def trust(gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "cards.jwks"
    file.write_text(json.dumps({"keys": [jwk()]}))
    assert gate("trust", "install", file).code == 0


def verdicts(line: dict[str, Any]) -> list[tuple[bool, str | None]]:
    return [(one["verdict"]["valid"], one["verdict"]["reason"]) for one in line["symbols"]]


def test_a_structured_append_part_does_not_end_the_batch(gate: Gate, draw) -> None:
    files = [case("part0.png"), case("part1.png"), case("live-frame.png"), draw("x.png", "last")]
    answer = gate("scan", "--json", *files)
    assert answer.code == 0
    found = lines(answer.out)
    assert [line["file"] for line in found] == files
    assert found[-1]["symbols"][0]["text"] == "last"


def test_gb18030_is_no_mojibake(gate: Gate) -> None:
    (line,) = lines(gate("scan", "--json", case("gb18030_noeci.png")).out)
    assert line["symbols"][0]["text"] == "访客张三 浦东新区 12号楼"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_the_parts_of_one_card_are_judged_as_one(gate: Gate, draw, order) -> None:
    assert gate("trust", "install", case("shc_parts_jwks.json")).code == 0
    files = [case(f"chunk{number}.png") for number in order]
    files.insert(1, draw("x.png", "between"))
    found = lines(gate("scan", "--json", *files).out)
    assert [line["file"] for line in found] == files
    between = found.pop(1)
    assert (between["symbols"][0]["kind"], verdicts(between)) == ("text", [(False, "Other")])
    assert [verdicts(line) for line in found] == [[(True, None)]] * 3
    assert [line["symbols"][0]["part"] for line in found] == [
        {"number": number + 1, "count": 3} for number in order
    ]
    assert not any(line["symbols"][0]["waiting"] for line in found)


def test_a_part_alone_is_waiting_and_no_failure(gate: Gate) -> None:
    answer = gate("scan", "--json", case("chunk1.png"))
    (symbol,) = lines(answer.out)[0]["symbols"]
    assert (answer.code, symbol["verdict"]) == (0, {"valid": False, "reason": None})
    assert (symbol["waiting"], symbol["kind"]) == (True, "smart_health_card")
    told = gate("scan", case("chunk1.png")).out
    assert "part 2 of 3, waiting for the others" in told


@pytest.mark.usefixtures("trust")
def test_two_cards_in_one_call_hold_both(gate: Gate, draw) -> None:
    texts = [chunks(card_text(nbf=1_700_000_000 + number)) for number in range(2)]
    assert len(texts[0]) == len(texts[1]) > 1
    mixed = [text for pair in zip(*texts, strict=True) for text in pair]
    found = lines(gate("scan", "--json", *(draw(f"{n}.png", t) for n, t in enumerate(mixed))).out)
    assert [verdicts(line) for line in found] == [[(True, None)]] * len(mixed)


@pytest.mark.usefixtures("trust")
def test_a_card_of_a_wrong_signature_fails_whole(gate: Gate, draw) -> None:
    first, *rest = chunks(card_text(nbf=1_700_000_000))
    rest[-1] = rest[-1][:-4] + ("1111" if rest[-1][-4:] != "1111" else "2222")
    files = [draw(f"{n}.png", t) for n, t in enumerate([first, *rest])]
    found = lines(gate("scan", "--json", *files).out)
    assert {one for line in found for one in verdicts(line)} == {(False, "CredentialForged")}
