"""``pass delegate``: the office hands a part of what it may do on to the visitors' desk."""

from pathlib import Path
from typing import Any

import pytest
from gate_command import Gate

LIMITS = ("--category", "visitor", "--longest", "24h", "--access-point", "north-entry")


@pytest.fixture
def desk(gate: Gate, tmp_path: Path) -> Path:
    """Where the delegation will lie; the office is trusted, the desk is not yet."""
    for name in ("office", "desk"):
        assert gate("pass", "keygen", tmp_path / f"{name}.pem").code == 0
    office = tmp_path / "office.pem.pub"
    assert gate("pass", "trust", office, "--issuer", "office").code == 0
    return tmp_path / "desk.delegation"


def delegate(gate: Gate, desk: Path, *more: str, by: str = "office", limits=LIMITS) -> Any:
    folder = desk.parent
    signer = ("--key", folder / f"{by}.pem", "--issuer", by, "--out", desk)
    public = folder / "desk.pem.pub"
    return gate("pass", "delegate", public, "--to", "desk", *signer, *limits, *more, "--json")


def issue(gate: Gate, desk: Path, **changes: str) -> str:
    wanted = {
        "--issuer": "desk",
        "--category": "visitor",
        "--community": "lakeside",
        "--valid-from": "2099-05-31T08:00",
        "--valid-until": "2099-05-31T20:00",
        "--access-point": "north-entry",
    } | {f"--{name.replace('_', '-')}": word for name, word in changes.items()}
    words = [word for pair in wanted.items() for word in pair]
    made = gate("pass", "issue", "v-7", "--key", desk.with_name("desk.pem"), *words, "--json")
    return str(made.json["text"])


def verdict(gate: Gate, desk: Path, **changes: str) -> tuple[bool, str | None]:
    text = issue(gate, desk, **changes)
    told = gate("pass", "verify", "--text", text, "--at", "2099-05-31T12:00:00Z", "--json").json
    return told["valid"], told["reason"]


def test_the_desk_signs_within_its_limits_only(gate: Gate, desk: Path) -> None:
    made = delegate(gate, desk)
    assert (made.code, made.json["issuer"]) == (0, "desk")
    assert verdict(gate, desk) == (False, "CredentialForged")
    trusted = gate("pass", "trust", desk, "--json")
    assert trusted.code == 0
    limits = trusted.json["limits"]
    assert limits == made.json["limits"]
    assert (limits["by"], limits["categories"], limits["longest_s"], limits["access_points"]) == (
        "office",
        ["visitor"],
        86400,
        ["north-entry"],
    )
    assert verdict(gate, desk) == (True, None)
    assert verdict(gate, desk, category="resident") == (False, "Unauthorized")
    assert verdict(gate, desk, valid_until="2099-06-02") == (False, "Unauthorized")
    assert verdict(gate, desk, access_point="office") == (False, "Unauthorized")
    listed = gate("pass", "issuers", "--json").json
    assert [(each["issuer"], each["limits"]) for each in listed] == [
        ("desk", limits),
        ("office", None),
    ]
    shown = gate("pass", "issuers").out
    assert "visitor, at north-entry, at most 24 h (by office)" in shown
    # Its limits are not lost by trusting the bare key.
    again = gate("pass", "trust", desk.with_name("desk.pem.pub"), "--issuer", "desk", "--json")
    assert (again.code, again.json["reason"]) == (1, "limited")
    assert gate("pass", "distrust", trusted.json["key_id"]).code == 0
    assert verdict(gate, desk) == (False, "CredentialForged")


def test_whose_limits_are_missing_is_the_unknown_issuer(gate: Gate, desk: Path) -> None:
    assert delegate(gate, desk).code == 0
    assert gate("pass", "trust", desk).code == 0
    office = next(one for one in gate("pass", "issuers", "--json").json if one["limits"] is None)
    assert gate("pass", "distrust", office["key_id"]).code == 0
    answer = gate("pass", "verify", "--text", issue(gate, desk))
    assert answer.out.startswith("not valid: unknown issuer office (pass: who limits")
    assert answer.err.endswith("Fix: gate-agent pass trust FILE --issuer office\n")


def test_a_pass_beyond_its_issuers_limits_is_doubted(gate: Gate, desk: Path) -> None:
    assert delegate(gate, desk).code == 0
    assert gate("pass", "trust", desk).code == 0
    words = ("--issuer", "desk", "--category", "courier", "--community", "lakeside")
    key = ("--key", desk.with_name("desk.pem"), "--valid-until", "2099-05-31", "--json")
    doubts = gate("pass", "issue", "v-7", *words, *key).json["warnings"]
    assert "its issuer goes beyond its limits: a category that its issuer may not give" in doubts


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ((), "delegation"),
        (("--category", "a visitor"), "delegation"),
        (("--longest", "soon"), "duration"),
        (("--longest", "0s"), "delegation"),
        (("--longest", "999999999d"), "delegation"),
        (("--category", "visitor", "--valid-from", "2027-01-02", "--valid-until", "2027-01-01"),
         "delegation"),
    ],
)  # fmt: skip
def test_what_limits_nothing_is_not_signed(gate: Gate, desk: Path, limits, reason: str) -> None:
    told = delegate(gate, desk, limits=limits)
    assert (told.code, told.json["reason"]) == (1, reason)
    assert not desk.exists()


def test_a_delegation_is_trusted_only_where_its_signer_is(gate: Gate, desk: Path) -> None:
    delegate(gate, desk)
    office = gate("pass", "issuers", "--json").json[0]["key_id"]
    gate("pass", "distrust", office)
    told = gate("pass", "trust", desk, "--json")
    assert (told.code, told.json["reason"]) == (1, "delegation")
    gate("pass", "trust", desk.with_name("office.pem.pub"), "--issuer", "office")
    other = gate("pass", "trust", desk, "--issuer", "somebody", "--json")
    assert (other.code, other.json["reason"]) == (1, "issuer")
    assert gate("pass", "trust", desk, "--issuer", "desk").code == 0


def test_a_limited_key_hands_nothing_on(gate: Gate, desk: Path) -> None:
    delegate(gate, desk)
    assert gate("pass", "trust", desk).code == 0
    gate("pass", "keygen", desk.with_name("third.pem"))
    third = desk.with_name("third.delegation")
    made = gate(
        "pass", "delegate", desk.with_name("third.pem.pub"), "--to", "third", "--issuer", "desk",
        "--key", desk.with_name("desk.pem"), "--category", "visitor", "--out", third,
    )  # fmt: skip
    assert made.code == 0
    told = gate("pass", "trust", third, "--json")
    assert (told.code, told.json["reason"]) == (1, "delegation")
    own = delegate(gate, desk, by="desk")
    assert (own.code, own.json["reason"]) == (1, "delegation")


def test_a_damaged_delegation_is_refused(gate: Gate, desk: Path) -> None:
    delegate(gate, desk)
    whole = desk.read_text()
    for damaged in (whole[:40], whole[:60] + "é" + whole[61:], "GD1:", whole + "AA"):
        desk.write_text(damaged)
        told = gate("pass", "trust", desk, "--json")
        assert (told.code, told.json["reason"]) == (1, "delegation")
    key = gate("pass", "trust", desk.with_name("office.pem.pub"), "--json")
    assert (key.code, key.json["reason"]) == (1, "issuer")
