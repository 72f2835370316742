"""``gate-agent pass``: from the issuer's key to the card in somebody's hand."""

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gate_command import PROGRAM, Gate
from id_parts import RESIDENT

from agent.adapters.store.keys import load_key
from agent.credentials.documents.id_hash import community_hash
from agent.credentials.passes.gate_pass import read_claims
from agent.vision.stills.images import read_image
from agent.vision.symbols.symbols import read_symbols

ISSUE = {
    "--issuer": "office",
    "--category": "resident",
    "--community": "lakeside",
    "--valid-until": "2099-05-31",
}


@pytest.fixture
def office(gate: Gate, tmp_path: Path) -> Path:
    """An issuer's key."""
    made = gate("pass", "keygen", tmp_path / "office.pem", "--json")
    assert set(made.json) == {"key_id", "file", "public"}
    return tmp_path / "office.pem"


@pytest.fixture
def issue(gate: Gate, office: Path):
    def issue(*more: str, holder: str = "r-1", **changes: str) -> Any:
        wanted = ISSUE | {f"--{name.replace('_', '-')}": word for name, word in changes.items()}
        words = [word for pair in wanted.items() for word in pair]
        return gate("pass", "issue", holder, "--key", office, *words, *more, "--json")

    return issue


def test_the_private_key_is_its_owners_alone_and_never_replaced(gate: Gate, office: Path) -> None:
    assert office.stat().st_mode & 0o777 == 0o600
    before = office.read_bytes()
    again = gate("pass", "keygen", office, "--json")
    assert (again.code, again.json["reason"]) == (1, "key_exists")
    assert office.read_bytes() == before
    assert b"PRIVATE" not in office.with_name("office.pem.pub").read_bytes()


def test_a_key_open_to_others_signs_nothing(issue, office: Path) -> None:
    office.chmod(0o644)
    answer = issue()
    assert (answer.code, "chmod 600" in answer.json["fix"]) == (69, True)


def test_a_pass_is_issued_and_verified(gate: Gate, issue, office: Path) -> None:
    made = issue("--access-point", "north-entry").json
    assert made["text"].startswith("GP1:")
    assert (made["holder"], made["access_points"]) == ("r-1", ["north-entry"])
    assert made["valid_until"].startswith("2099-06-01T00:00")
    assert made["qr_version"] <= 10
    issued = datetime.fromisoformat(made["issued_at"])
    assert abs(datetime.now(UTC) - issued) < timedelta(minutes=5)
    public = office.with_name("office.pem.pub")
    by = ("--trust", public, "--issuer", "office")
    checked = gate("pass", "verify", "--text", made["text"], *by)
    assert (checked.code, checked.out.splitlines()[0]) == (0, "valid")
    early = gate(
        *("pass", "verify", "--text", made["text"], *by, "--at", "2026-01-01T00:00:00Z", "--json")
    )
    assert (early.code, early.json["reason"]) == (1, "CredentialNotActive")
    late = gate(
        *("pass", "verify", "--text", made["text"], *by, "--at", "2100-01-01T00:00:00Z", "--json")
    )
    assert (late.code, late.json["reason"]) == (1, "CredentialExpired")
    assert late.json["claims"]["pass"] == made["pass"]


def test_trust_comes_and_goes(gate: Gate, issue, office: Path) -> None:
    made = issue().json

    def verdict() -> str | None:
        reason: str | None = gate("pass", "verify", "--text", made["text"], "--json").json["reason"]
        return reason

    assert verdict() == "CredentialForged"
    public = office.with_name("office.pem.pub")
    assert gate("pass", "trust", office, "--issuer", "office").code == 1
    trusted = gate("pass", "trust", public, "--issuer", "office", "--json").json
    assert gate("pass", "issuers", "--json").json == [trusted]
    assert verdict() is None
    assert gate("pass", "revoke", made["pass"], "--json").json["changed"] is True
    assert gate("pass", "revoke", made["text"], "--json").json["changed"] is False
    assert verdict() == "CredentialRevoked"
    ends = ("--valid-until", "2001-01-01")
    assert gate("pass", "trust", public, "--issuer", "office", *ends).code == 0
    assert verdict() == "CredentialExpired"
    assert gate("pass", "distrust", trusted["key_id"]).code == 0
    assert gate("pass", "distrust", trusted["key_id"]).code == 1
    assert verdict() == "CredentialForged"
    kinds = [line["type"] for line in gate("events", "list", "--json").lines]
    assert kinds.count("gate.issuer.changed") == 3
    assert kinds.count("gate.pass.revoked") == 1


def test_people_read_no_python(gate: Gate, issue, office: Path) -> None:
    by = ("--trust", office.with_name("office.pem.pub"), "--issuer", "office")
    shown = gate("pass", "verify", "--text", issue().json["text"], *by).out
    said = dict(re.split("  +", line) for line in shown.splitlines()[1:])
    told = (said["communities"], said["access points"], said["uses"], said["face template"])
    assert told == ("lakeside", "all", "any number", "no")


def test_a_pass_beyond_its_issuers_limits_is_revoked_by_its_text(
    gate: Gate, issue, office: Path, tmp_path: Path
) -> None:
    desk, given = tmp_path / "desk.pem", tmp_path / "desk.delegation"
    assert gate("pass", "keygen", desk).code == 0
    public = office.with_name("office.pem.pub")
    assert gate("pass", "trust", public, "--issuer", "office").code == 0
    by = ("--key", office, "--issuer", "office", "--category", "visitor", "--out", given)
    assert gate("pass", "delegate", f"{desk}.pub", "--to", "desk", *by).code == 0
    assert gate("pass", "trust", given).code == 0
    made = issue("--key", str(desk), issuer="desk").json
    text = made["text"]
    assert gate("pass", "verify", "--text", text, "--json").json["reason"] == "Unauthorized"
    assert gate("pass", "revoke", text, "--json").json["pass"] == made["pass"]


@pytest.mark.parametrize(
    ("more", "changes", "said"),
    [
        (["--uses", "1"], {}, "one kiosk"),
        (["--kiosk", "g3/n"], {}, "one kiosk"),
        (["--uses", "0", "--kiosk", "g3/n"], {}, "uses are"),
        (["--uses", "1", "--kiosk", "g3/n", "--community", "hillside"], {}, "one community"),
        ([], {"category": "a resident"}, "A-Z"),
        ([], {"valid_until": "tomorrow"}, "no date"),
        (["--valid-from", "2099-07-01"], {}, "begins before"),
    ],
)
def test_what_contradicts_itself_is_refused(issue, more, changes, said: str) -> None:
    answer = issue(*more, **changes)
    assert (answer.code, said in answer.json["error"]) == (1, True)


def test_an_id_number_is_no_holder(issue) -> None:
    answer = issue(holder="11010519491231002X")
    assert answer.code == 1
    assert "11010519491231002X" not in answer.out + answer.err


def test_a_face_goes_onto_a_pass_sealed(gate: Gate, issue, pack_state, faces, tmp_path) -> None:
    assert gate("pass", "keygen", "--community", tmp_path / "community.key").code == 0
    photograph = str(faces / "gallery" / "miranda.png")
    sizes = {}
    for bits in ("8", "4", "1"):
        made = issue(
            *("--photograph", photograph, "--bits", bits),
            *("--community-key", str(tmp_path / "community.key")),
        )
        assert made.json["template"] is True
        sizes[bits] = made.json["bytes"]
    assert sizes["8"] > sizes["4"] > sizes["1"]
    nobody = issue(
        *("--photograph", str(faces / "hard" / "no_face.png")),
        *("--community-key", str(tmp_path / "community.key")),
    )
    assert nobody.code == 1
    assert issue("--photograph", photograph).code == 2


def test_an_id_number_goes_onto_a_pass_as_a_keyed_hash(gate: Gate, office, tmp_path) -> None:
    assert gate("pass", "keygen", "--community", tmp_path / "community.key").code == 0
    words = [word for pair in ISSUE.items() for word in pair]
    command = [
        *(PROGRAM, "pass", "issue", "r-1", "--key", office, *words, "--json"),
        *("--id-number-stdin", "--community-key", tmp_path / "community.key"),
    ]

    def issued(number: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in command],
            input=number,
            capture_output=True,
            text=True,
            check=False,
        )

    done = issued(f"{RESIDENT}\n")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["document"] is True
    key = load_key(tmp_path / "community.key")
    assert read_claims(made["text"]).document == community_hash(key, RESIDENT)
    assert RESIDENT not in done.stdout
    wrong = issued(f"{RESIDENT[:-1]}Y\n")
    assert wrong.returncode == 1
    assert RESIDENT[:-1] not in wrong.stdout + wrong.stderr


def test_a_drawn_code_is_read_back(issue, tmp_path: Path) -> None:
    made = issue("--png", str(tmp_path / "code.png")).json
    found = read_symbols(read_image(tmp_path / "code.png"))
    assert [symbol.text for symbol in found] == [made["text"]]
