"""ID documents through the commands: bound, moved, forgotten, read, and never told."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from gate_command import Gate
from id_parts import NAME, OTHER, RESIDENT, number, wide

from agent.adapters.id_reader.simulated import Ga467Simulator, SimulatedCard

SECRETS = (RESIDENT, RESIDENT[6:14], OTHER, NAME, NAME.encode("unicode_escape").decode())


@pytest.fixture
def part() -> Iterator[Ga467Simulator]:
    simulator = Ga467Simulator()
    yield simulator
    simulator.close()


@pytest.fixture
def people(gate: Gate, tmp_path: Path) -> Gate:
    file = tmp_path / "people.jsonl"
    lines = [{"id": name, "name": name, "category": "resident"} for name in ("ann", "bob")]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert gate("key", "init").code == 0
    assert gate("holders", "import", file).code == 0
    return gate


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, people: Gate) -> Gate:
    """``holders bind-document --stdin`` with what is typed as its last argument."""

    def run(holder: str, text: str, *more: str):
        stream = io.TextIOWrapper(io.BytesIO(text.encode("utf-8", "surrogateescape")), "utf-8")
        monkeypatch.setattr("sys.stdin", stream)
        return people("holders", "bind-document", holder, "--stdin", "--json", *more)

    return run


def test_a_typed_number_is_bound_in_whatever_writing(typed: Gate) -> None:
    assert typed("ann", RESIDENT + "\n").json == {"id": "ann", "changed": True, "warnings": []}
    for text in (RESIDENT, RESIDENT.lower(), wide(RESIDENT), f"{RESIDENT}\nsecond line"):
        assert typed("ann", text).json["changed"] is False


def test_a_document_of_another_is_taken_only_by_force(typed: Gate, people: Gate) -> None:
    typed("ann", RESIDENT)
    refused = typed("bob", RESIDENT)
    assert (refused.code, refused.json["reason"]) == (1, "document_taken")
    assert typed("bob", RESIDENT, "--force").json["changed"] is True
    assert people("holders", "unbind-document", "ann", "--json").json["changed"] is False
    assert people("holders", "unbind-document", "bob", "--json").json["changed"] is True
    told = people("events", "list", "--type", "holder.changed", "--json").lines
    changes = [event["data"]["holder"] for event in told if "name" not in event["data"]["fields"]]
    assert changes == ["ann", "ann", "bob", "bob"]
    assert all(event["data"]["fields"] == ["id_document"] for event in told[2:])


def test_an_old_number_is_taken_with_a_warning(typed: Gate) -> None:
    answer = typed("ann", "110105491231002")
    assert answer.json["changed"] is True
    [warning] = answer.json["warnings"]
    assert "no check digit" in warning
    assert typed("ann", "11010519491231002X").json["changed"] is False


@pytest.mark.parametrize(
    "text",
    ["", "\n", RESIDENT[:17], "1" * 100_000, "\udcff\udcfe", number(birth="20010230"), "x" * 18],
    ids=range(7),
)
def test_what_is_no_number_is_refused_and_not_quoted(typed: Gate, text: str) -> None:
    answer = typed("ann", text)
    assert (answer.code, answer.json["reason"]) == (1, "id_number")
    assert not text.strip() or text.strip() not in answer.out + answer.err


def test_an_unknown_holder_is_1(typed: Gate, people: Gate) -> None:
    assert typed("zed", RESIDENT).json["reason"] == "no_such_holder"
    assert people("holders", "unbind-document", "zed", "--json").json["reason"] == "no_such_holder"


def test_without_a_key_the_fix_is_said(gate: Gate, state_dir: Path, typed: Gate) -> None:
    (state_dir / "gallery.key").unlink()
    answer = typed("ann", RESIDENT)
    assert (answer.code, answer.json["fix"]) == (69, "gate-agent key init")


@pytest.mark.parametrize("words", [[], ["--stdin", "--port", "/dev/null"]])
def test_where_the_number_is_must_be_said_once(people: Gate, words: list[str]) -> None:
    answer = people("holders", "bind-document", "ann", *words, "--json")
    assert (answer.code, answer.json["reason"]) == (1, "no_number")


def test_a_number_is_never_an_argument(people: Gate) -> None:
    assert people("holders", "bind-document", "ann", RESIDENT).code == 2
    assert RESIDENT not in people("holders", "bind-document", "--help").out


# --- the reader ----------------------------------------------------------------------------------


def test_a_card_is_bound_and_known_again(people: Gate, part: Ga467Simulator) -> None:
    port = ("--port", part.path)
    part.lay(SimulatedCard(RESIDENT, NAME, valid_from="20200101", valid_until="20991231"))
    answer = people("id-document", "read", *port, "--json")
    assert answer.json | {"valid": None} == {
        "kind": "resident_identity_card",
        "valid_from": "2020-01-01",
        "valid_until": "2099-12-31",
        "valid": None,
        "bound": False,
        "holder": None,
        "photo_bytes": 1024,
    }
    part.lay(SimulatedCard(RESIDENT, NAME))
    bound = people("holders", "bind-document", "ann", *port, "--json")
    assert bound.json == {"id": "ann", "changed": True, "warnings": []}
    part.lay(SimulatedCard(RESIDENT, NAME))
    again = people("id-document", "read", *port, "--json").json
    assert (again["bound"], again["holder"], again["valid_until"]) == (True, "ann", None)


def test_a_card_is_told_in_words(people: Gate, part: Ga467Simulator) -> None:
    port = ("--port", part.path)
    part.lay(SimulatedCard(RESIDENT, NAME, valid_from="20200101", valid_until="20991231"))
    rows = [
        line.split(maxsplit=1) for line in people("id-document", "read", *port).out.splitlines()
    ]
    assert rows[0] == ["kind", "resident identity card"]
    assert rows[2] == ["valid", "until  2099-12-31"]
    assert rows[4][1].startswith("nobody's here; gate-agent holders bind-document")
    assert rows[5] == ["photograph", "1024 bytes"]
    part.lay(SimulatedCard(RESIDENT, NAME))
    assert people("holders", "bind-document", "ann", *port).code == 0
    part.lay(SimulatedCard(RESIDENT, NAME))
    told = people("id-document", "read", *port).out
    assert "for life" in told
    assert told.splitlines()[4].split() == ["whose", "ann"]


def test_without_a_key_the_reader_is_tested_all_the_same(
    gate: Gate, part: Ga467Simulator, state_dir: Path
) -> None:
    part.lay(SimulatedCard(RESIDENT, NAME))
    answer = gate("id-document", "read", "--port", part.path, "--json")
    assert (answer.json["bound"], answer.json["holder"]) == (None, None)
    assert "no key" in answer.err
    assert not state_dir.exists()


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        (None, "no_document"),
        (SimulatedCard(RESIDENT, NAME, refusal=0x33), "not_authentic"),
        (SimulatedCard(RESIDENT, NAME, refusal=0x40), "not_an_id_card"),
        (SimulatedCard(OTHER[:17] + "Z", NAME), "unreadable_document"),
    ],
    ids=["none", "33", "40", "no number"],
)
def test_what_lies_there_is_said(
    people: Gate, part: Ga467Simulator, card: SimulatedCard | None, reason: str
) -> None:
    if card is not None:
        part.lay(card)
    for words in (["id-document", "read"], ["holders", "bind-document", "ann"]):
        if card is not None:
            part.lay(card)
        answer = people(*words, "--port", part.path, "--wait", "0.2", "--json")
        assert (answer.code, answer.json["reason"]) == (1, reason)


def test_a_reader_that_is_none_is_69(people: Gate, tmp_path: Path) -> None:
    for words in (["id-document", "read"], ["holders", "bind-document", "ann"]):
        answer = people(*words, "--port", tmp_path / "ttyUSB0", "--json")
        assert answer.code == 69
        assert "dialout" in answer.json["fix"]


# --- what is told --------------------------------------------------------------------------------


def test_no_number_and_no_name_of_a_document_is_told_or_kept(
    typed: Gate, people: Gate, part: Ga467Simulator, state_dir: Path, tmp_path: Path
) -> None:
    answers = [typed("ann", RESIDENT), typed("bob", RESIDENT), typed("bob", OTHER + "1")]
    for words in (
        ["id-document", "read"],
        ["id-document", "read", "--json"],
        ["holders", "bind-document", "bob", "--force"],
        ["holders", "bind-document", "ann", "--json"],
    ):
        part.lay(SimulatedCard(RESIDENT, NAME))
        answers.append(people("--debug", *words, "--port", part.path))
    export = tmp_path / "export.jsonl"
    answers += [
        people("holders", "show", "bob", "--json"),
        people("holders", "export", "--references", export),
        people("events", "export", "-"),
    ]
    assert "id_document" in export.read_text()
    told = "".join(answer.out + answer.err for answer in answers) + export.read_text()
    kept = b"".join(file.read_bytes() for file in state_dir.rglob("*") if file.is_file())
    for secret in SECRETS:
        assert secret not in told
        assert secret.encode() not in kept
