"""What is made to last is doubted first: with the near match, and never a word too many."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gate_command import Answer, Gate

LATER = f"{datetime.now(UTC) + timedelta(days=365):%Y-%m-%d}"
FAR = f"{datetime.now(UTC) + timedelta(days=3650):%Y-%m-%d}"
Issue = Callable[..., Answer]


@pytest.fixture
def office(gate: Gate, tmp_path: Path) -> Path:
    """An issuer's key."""
    assert gate("pass", "keygen", tmp_path / "office.pem").code == 0
    return tmp_path / "office.pem"


@pytest.fixture
def issue(gate: Gate, office: Path) -> Issue:
    """``pass issue`` as it should be, but for what is changed."""

    def issue(holder: str, *more: object, **changes: str) -> Answer:
        wanted = {
            "issuer": "office",
            "category": "resident",
            "community": "lakeside",
            "valid_until": LATER,
        } | changes
        words = [w for k, v in wanted.items() for w in (f"--{k.replace('_', '-')}", v)]
        return gate("pass", "issue", holder, "--key", office, *words, *more)

    return issue


@pytest.fixture
def kiosk(gate: Gate, keyed: Path, office: Path, config_file: Path, tmp_path: Path) -> Path:
    """A kiosk with holders that trusts the office: its config."""
    assert keyed.is_file()
    (tmp_path / "people.csv").write_text(
        "id,name,category,enabled\nr-1042,Ann,resident,yes\nr-2000,Bob,resident,no\n"
        "s-7,Cay,staff,yes\n"
    )
    at = ("--config", config_file)
    assert gate("holders", "import", tmp_path / "people.csv", *at).code == 0
    assert gate("pass", "trust", f"{office}.pub", "--issuer", "office", *at).code == 0
    return config_file


def test_an_office_without_a_registry_is_asked_nothing(issue: Issue) -> None:
    assert (issue("r-9").code, issue("r-9").err) == (0, "")
    assert issue("r-9", "--json").json["warnings"] == []


def test_what_the_kiosk_knows_is_not_doubted(issue: Issue, kiosk: Path) -> None:
    more = ("--access-point", "north-entry", "--uses", "2", "--kiosk", "g3/north-1")
    answer = issue("r-1042", *more, "--config", kiosk)
    assert (answer.code, answer.err) == (0, "")


@pytest.mark.parametrize(
    ("holder", "changes", "more", "said"),
    [
        ("r-1024", {}, (), "no holder 'r-1024'; did you mean 'r-1042'?"),
        ("x", {}, (), "no holder 'x'\n"),
        ("r-2000", {}, (), "r-2000 is disabled: the gate refuses them"),
        ("s-7", {}, (), "enrolled as 'staff', not as 'resident'"),
        ("r-1042", {"community": "lakesid"}, (), "'lakesid'; did you mean 'lakeside'?"),
        ("r-1042", {"community": "hill"}, (), "'hill'; this kiosk is in 'lakeside'"),
        ("r-1042", {"category": "residnet"}, (), "did you mean 'resident'?"),
        ("r-1042", {}, ("--access-point", "noth-entry"), "did you mean 'north-entry'?"),
        ("r-1042", {}, ("--uses", 1, "--kiosk", "g3/north-l"), "did you mean 'g3/north-1'?"),
        ("r-1042", {"issuer": "ofice"}, (), "this key is trusted here as 'office', not as"),
        ("r-1042", {"valid_until": FAR}, (), f"until {FAR}, more than five years"),
    ],
)
def test_what_is_unknown_here_is_warned_of(
    issue: Issue, kiosk: Path, holder: str, changes: dict[str, str], more: Any, said: str
) -> None:
    answer = issue(holder, *more, "--config", kiosk, **changes)
    assert answer.code == 0
    assert answer.out.startswith("GP1:")
    assert answer.err.startswith("warning: ")
    assert said in answer.err
    as_json = issue(holder, *more, "--config", kiosk, "--json", **changes).json
    assert any(said.strip() in one for one in as_json["warnings"])


def test_a_visitor_is_known_to_nobody_here(issue: Issue, kiosk: Path, tmp_path: Path) -> None:
    text = kiosk.read_text().replace('["resident", "staff"]', '["visitor"]')
    (tmp_path / "visitors.toml").write_text(text)
    answer = issue("v-77", "--config", tmp_path / "visitors.toml", category="visitor")
    assert (answer.code, answer.err) == (0, "")


def test_a_key_that_this_kiosk_does_not_trust_is_told(
    gate: Gate, kiosk: Path, tmp_path: Path
) -> None:
    assert gate("pass", "keygen", tmp_path / "other.pem").code == 0
    words = ("--category", "resident", "--community", "lakeside", "--valid-until", LATER)

    def said(issuer: str) -> str:
        key = ("--key", tmp_path / "other.pem", "--issuer", issuer)
        return gate("pass", "issue", "r-1042", *key, *words, "--config", kiosk).err

    assert "trusts 'office' by another key" in said("office")
    assert "no issuer 'ofice'; did you mean 'office'?" in said("ofice")
    assert "Fix: gate-agent pass trust FILE --issuer ofice\n" in said("ofice")


def test_a_pass_that_has_ended_is_signed_by_force_only(issue: Issue) -> None:
    refused = issue("r-1", "--json", valid_until="2020-01-31")
    assert (refused.code, refused.json["reason"]) == (1, "past")
    assert "--force" in refused.json["fix"]
    assert "GP1:" not in refused.out
    forced = issue("r-1", "--force", valid_until="2020-01-31")
    assert (forced.code, forced.out.startswith("GP1:")) == (0, True)
    assert forced.err.startswith("warning: the pass has ended already: 2020-01-31; --force")


def test_force_makes_no_pass_that_ends_before_it_begins(issue: Issue) -> None:
    answer = issue("r-1", "--force", "--valid-from", FAR, "--json")
    assert (answer.code, "begins before" in answer.json["error"]) == (1, True)


def test_a_registry_that_cannot_be_read_does_not_hinder_the_office(
    issue: Issue, state_dir: Path
) -> None:
    state_dir.mkdir()
    (state_dir / "registry.sqlite").write_bytes(b"no database" * 100)
    answer = issue("r-1")
    assert (answer.code, answer.out.startswith("GP1:")) == (0, True)
    assert "holders and issuers were not looked up" in answer.err


def test_a_pass_of_an_unknown_issuer_is_not_called_forged(
    gate: Gate, issue: Issue, office: Path, tmp_path: Path
) -> None:
    text = issue("r-1", "--png", tmp_path / "code.png").out.strip()
    (tmp_path / "pass.txt").write_text(text)
    answer = gate("pass", "verify", "--file", tmp_path / "pass.txt")
    assert (answer.code, answer.out.splitlines()[0]) == (
        1,
        "not valid: unknown issuer office (pass: signed by a key that is not trusted)",
    )
    assert answer.err == "Fix: gate-agent pass trust FILE --issuer office\n"
    found = gate("pass", "verify", "--file", tmp_path / "pass.txt", "--json").json
    assert (found["reason"], found["unknown_issuer"]) == ("CredentialForged", "office")
    scanned = gate("scan", tmp_path / "code.png")
    assert "gate pass, not valid: unknown issuer office: GP1:" in scanned.out
    assert "Forged" not in scanned.out + answer.out
    (line,) = gate("scan", tmp_path / "code.png", "--json").lines
    (symbol,) = line["symbols"]
    assert symbol["unknown_issuer"] == "office"
    assert symbol["verdict"] == {"valid": False, "reason": "CredentialForged"}
    assert gate("pass", "trust", f"{office}.pub", "--issuer", "office").code == 0
    assert gate("pass", "verify", "--file", tmp_path / "pass.txt").code == 0


def test_a_changed_pass_of_a_trusted_key_stays_forged(
    gate: Gate, issue: Issue, office: Path
) -> None:
    assert gate("pass", "trust", f"{office}.pub", "--issuer", "office").code == 0
    text = issue("r-1").out.strip()
    changed = text[:-1] + ("0" if text[-1] != "0" else "1")
    found = gate("pass", "verify", "--text", changed, "--json").json
    assert found["valid"] is False
    assert found["unknown_issuer"] is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("holders set r-1042 --valid-until 2020-01-31", "of r-1042 has ended already"),
        ("holders set r-1042 --category stuff", "'stuff'; did you mean 'staff'?"),
        ("pass trust OTHER.pub --issuer offise", "'offise' is new here; did you mean 'office'?"),
        ("pass trust OFFICE.pub --issuer office --valid-until 2020-01-31", "has ended already"),
        (
            "pass delegate OTHER.pub --to d --issuer office --key OFFICE --out d --category stuff",
            "did you mean 'staff'?",
        ),
    ],
)
def test_the_like_elsewhere(
    gate: Gate, kiosk: Path, office: Path, tmp_path: Path, monkeypatch, words: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert gate("pass", "keygen", "other.pem").code == 0
    words = words.replace("OTHER", "other.pem").replace("OFFICE", str(office))
    answer = gate(*words.split(), "--config", kiosk)
    assert answer.code == 0, answer.err
    assert said in answer.err
    assert answer.err.startswith("warning: ")


def test_a_change_of_something_else_says_nothing_of_an_old_end(gate: Gate, kiosk: Path) -> None:
    at = ("--config", kiosk)
    assert gate("holders", "set", "r-1042", "--valid-until", "2020-01-31", *at).code == 0
    assert gate("holders", "set", "r-1042", "--name", "Anne", *at).err == ""


def test_an_issuers_name_finds_its_key(gate: Gate, kiosk: Path) -> None:
    (key,) = gate("pass", "issuers", "--json").json
    answer = gate("pass", "distrust", "office", "--config", kiosk, "--json")
    assert (answer.code, answer.json["reason"]) == (1, "no_such_issuer")
    assert f"'office' signs with {key['key_id']}" in answer.json["error"]
