"""``verify health`` and ``trust``: one certificate, many, and the lists that a kiosk keeps."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from gate_command import PROGRAM, Gate
from health_parts import NOW, card_text, certificate_text, jwk, signer

from agent.credentials.health.health_certificate import verify_health
from agent.domain.credential.reason import Reason
from agent.errors import RefusedError, UnavailableError
from agent.operations.health import trust_lists
from agent.operations.health.trust_lists import InstalledList, usable_trust
from agent.operations.moments import parse_moment

Words = tuple[str, ...]
KEYS = [
    *("kind", "prefix", "base45", "zlib", "cbor", "cose", "signature", "valid_at", "rules"),
    *("valid", "reason", "detail"),
]
AT = NOW.isoformat()
ISSUER, OTHER = "https://issuer.example/cards", "https://other.example"
TWO_MINUTES = timedelta(minutes=2)


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    path = tmp_path / "issuers.pem"
    path.write_text(signer().pem)
    return path


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    path = tmp_path / "keys.jwks"
    path.write_text(json.dumps({"keys": [jwk()]}))
    return path


def test_a_valid_certificate_is_told_step_by_step(gate: Gate, trust: Path, jwks: Path) -> None:
    told = gate("verify", "health", "--text", certificate_text(), "--trust", trust, "--at", AT,
                "--json")  # fmt: skip
    assert told.code == 0
    assert list(told.json) == KEYS
    assert told.json == dict.fromkeys(KEYS, True) | {
        "kind": "eu_dcc",
        "reason": None,
        "detail": None,
    }
    card = gate("verify", "health", "--text", card_text(), "--trust", jwks, "--at", AT, "--json")
    assert card.code == 0
    assert card.json == told.json | {
        "kind": "smart_health_card",
        "base45": None,
        "cbor": None,
        "cose": None,
    }


def test_it_is_told_to_people_too(gate: Gate, trust: Path) -> None:
    told = gate("verify", "health", "--text", certificate_text(), "--trust", trust)
    assert told.code == 1
    assert "in its time  no\n" in told.out
    assert "signature    yes\n" in told.out
    assert told.out.startswith("not valid: credential expired (")


def test_a_file_ends_with_its_line(gate: Gate, trust: Path, tmp_path: Path) -> None:
    code = tmp_path / "code.txt"
    for end in ("", "\n", "\r\n"):
        code.write_bytes(certificate_text().encode() + end.encode())
        assert gate("verify", "health", "--file", code, "--trust", trust, "--at", AT).code == 0
    code.write_bytes(b"HC1:\xff")
    assert gate("verify", "health", "--file", code, "--trust", trust, "--json").code == 1
    code.write_bytes(b"HC1:" + b"A" * 2_000_000)
    assert gate("verify", "health", "--file", code, "--trust", trust, "--json").code == 1


def test_rules_of_travel_can_be_asked(gate: Gate, trust: Path) -> None:
    later = (NOW + timedelta(days=1)).isoformat()
    text = certificate_text(
        {
            "ver": "1.3.0",
            "nam": {"fnt": "X"},
            "dob": "",
            "v": [
                {
                    **dict.fromkeys(("vp", "mp", "ma", "co", "is", "ci"), "x"),
                    "tg": "840539006",
                    "dn": 1,
                    "sd": 2,
                    "dt": "2026-03-01",
                }
            ],
        }
    )
    asked = ("verify", "health", "--text", text, "--trust", trust, "--at", later, "--json")
    assert gate(*asked).json["rules"] is True
    strict = gate(*asked, "--rules", "eu-travel")
    assert strict.code == 1
    assert strict.json["rules"] is False
    assert strict.json["reason"] == Reason.HEALTH_CERTIFICATE_INVALID


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 2),
        (("--text", "x"), 2),
        (("--text", "x", "--file", "y"), 2),
        (("--text", "x", "--trust", "absent"), 69),
        (("--file", "absent", "--trust", "absent"), 69),
        (("--batch", "absent"), 69),
        (("--text", "x", "--trust", "absent", "--at", "noon"), 1),
        (("--text", "x", "--trust", "absent", "--at", "0001-01-01T00:00:00+14:00"), 1),
        (("--text", "x", "--trust", "absent", "--rules", "none"), 2),
    ],
)
def test_what_cannot_be_done_says_so(gate: Gate, arguments, code: int) -> None:
    told = gate("verify", "health", *arguments, "--json")
    assert told.code == code
    assert told.json["exit_code"] == code


def test_a_trust_file_that_is_none_says_so(gate: Gate, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    for content in (b"", b"nothing", b"\xff\xfe", b"0\x82\x00"):
        bad.write_bytes(content)
        told = gate("verify", "health", "--text", "x", "--trust", bad, "--json")
        assert (told.code, told.json["reason"]) == (1, "trust_list")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2021-05-03T20:00:00+02:00", "2021-05-03T18:00:00+00:00"),
        ("2021-05-03T18:00:00Z", "2021-05-03T18:00:00+00:00"),
        ("2021-05-03T18:00:00", "2021-05-03T18:00:00+00:00"),
        ("2021-05-18T13:12:44.197519Z", "2021-05-18T13:12:44.197519+00:00"),
        ("2021-05-03", "2021-05-03T00:00:00+00:00"),
        ("2021-05-03t20:00:00+2", "2021-05-03T18:00:00+00:00"),
        ("2021-05-03T18:00:00z", "2021-05-03T18:00:00+00:00"),
    ],
)
def test_times_are_read_with_and_without_zone(text: str, utc: str) -> None:
    assert parse_moment(text) == datetime.fromisoformat(utc)


def test_a_batch_answers_each_line_in_its_place(gate: Gate, tmp_path: Path) -> None:
    good = {"text": certificate_text(), "trust": signer().pem, "at": AT}
    card = {"text": card_text(), "trust": json.dumps(jwk()), "at": AT}
    lines = [
        (good, True, "eu_dcc", None),
        (card, True, "smart_health_card", None),
        (good | {"at": "2030-01-01"}, False, "eu_dcc", Reason.CREDENTIAL_EXPIRED),
        ("{", False, None, Reason.OTHER),
        ("", False, None, Reason.OTHER),
        ("[]", False, None, Reason.OTHER),
        ("[" * 100_000, False, None, Reason.OTHER),
        ("9" * 9000, False, None, Reason.OTHER),
        ({}, False, None, Reason.OTHER),
        (good | {"text": 5}, False, None, Reason.OTHER),
        (good | {"trust": None}, False, None, Reason.OTHER),
        (good | {"trust": "nothing"}, False, "eu_dcc", Reason.HEALTH_CERTIFICATE_INVALID),
        (good | {"trust": "\ud800"}, False, "eu_dcc", Reason.HEALTH_CERTIFICATE_INVALID),
        (good | {"at": "noon"}, False, "eu_dcc", Reason.OTHER),
        (good | {"at": 5}, False, "eu_dcc", Reason.OTHER),
        (good | {"text": "HC1:\ud800"}, False, "eu_dcc", Reason.OTHER),
        (good | {"text": "HC1:" + "A" * 1_000_000}, False, "eu_dcc", Reason.OTHER),
        (card | {"trust": good["trust"]}, False, "smart_health_card", Reason.CREDENTIAL_FORGED),
        (card | {"issuer": ISSUER}, True, "smart_health_card", None),
        (card | {"issuer": OTHER}, False, "smart_health_card", Reason.CREDENTIAL_FORGED),
        (card | {"issuer": 5}, False, "smart_health_card", Reason.HEALTH_CERTIFICATE_INVALID),
        (good, True, "eu_dcc", None),
    ]
    batch = tmp_path / "codes.jsonl"
    asked = [line if isinstance(line, str) else json.dumps(line) for line, *_ in lines]
    batch.write_bytes("\n".join(asked).encode() + b"\n\xff\xfe\n")
    told = gate("verify", "health", "--batch", batch, "--json")
    assert told.code == 0
    assert [list(each) for each in told.lines] == [KEYS] * (len(lines) + 1)
    expected = [rest for _, *rest in lines] + [[False, None, Reason.OTHER]]
    assert [[each["valid"], each["kind"], each["reason"]] for each in told.lines] == expected


def test_a_line_without_end_costs_no_memory(gate: Gate, tmp_path: Path) -> None:
    good = json.dumps({"text": certificate_text(), "trust": signer().pem, "at": AT})
    batch = tmp_path / "codes.jsonl"
    with batch.open("wb") as stream:
        for _ in range(45):
            stream.write(b'"' * 1_000_000)
        stream.write(f"\n{good}".encode())
    told = gate("verify", "health", "--batch", batch)
    assert [each["valid"] for each in told.lines] == [False, True]


def test_nothing_of_a_certificate_is_said(gate: Gate, trust: Path) -> None:
    for text in (certificate_text(), certificate_text(exp=1)):
        told = gate("verify", "health", "--text", text, "--trust", trust, "--at", AT, "--json")
        assert "xample" not in told.out + told.err
        assert "EXAMPLE" not in told.out + told.err


@pytest.mark.parametrize(
    ("install", "list_", "remove"),
    [
        (("health", "trust"), ("health", "issuers"), ("health", "distrust")),
        (("trust", "install"), ("trust", "list"), ("trust", "remove")),
    ],
    ids=["health", "as once"],
)
def test_lists_are_installed_replaced_and_removed(
    install: Words, list_: Words, remove: Words, gate: Gate, trust: Path, jwks: Path
) -> None:
    assert gate(*list_, "--json").json == []
    made = gate(*install, trust, "--json")
    assert (made.code, made.json["name"], made.json["keys"]) == (0, "issuers", 1)
    assert gate(*install, jwks, "--name", "cards").code == 0
    assert [each["name"] for each in gate(*list_, "--json").json] == ["cards", "issuers"]
    trust.write_text(signer().pem + signer("p384").pem)
    assert gate(*install, trust, "--json").json["keys"] == 2
    listed = gate(*list_, "--json").json
    assert [each["keys"] for each in listed] == [1, 2]
    assert all(each["problem"] is None for each in listed)
    assert "issuers" in gate(*list_).out
    assert gate(*remove, "issuers", "--json").json == {"name": "issuers", "removed": True}
    assert gate(*remove, "issuers").code == 1
    assert [each["name"] for each in gate(*list_, "--json").json] == ["cards"]


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        ("nothing", None, "trust_list"),
        (json.dumps(jwk() | {"d": "AA"}), None, "trust_list"),
        (signer().pem, "../escape", "name"),
        (signer().pem, ".hidden", "name"),
        (signer().pem, "", "name"),
        (signer().pem, "a" * 65, "name"),
    ],
)
def test_what_is_no_list_is_not_installed(
    gate: Gate, tmp_path: Path, state_dir: Path, content: str, name, reason: str
) -> None:
    file = tmp_path / "list.pem"
    file.write_text(content)
    named = () if name is None else ("--name", name)
    told = gate("trust", "install", file, *named, "--json")
    assert (told.code, told.json["reason"]) == (1, reason)
    assert not list(state_dir.glob("**/*.trust"))


def test_an_old_list_is_not_trusted(tmp_path: Path, trust: Path) -> None:
    state, limit = tmp_path / "state", timedelta(days=30)
    trust_lists.install(trust, state, NOW - timedelta(days=30))
    text = certificate_text()
    assert verify_health(text, usable_trust(state, NOW, limit), NOW).valid
    later = NOW + timedelta(seconds=1)
    verdict = verify_health(text, usable_trust(state, later, limit), later)
    assert (verdict.signature, verdict.reason) == (False, Reason.HEALTH_CERTIFICATE_INVALID)
    assert verdict.detail == "signature: an installed trust list is too old"
    assert verify_health(text, usable_trust(state, later, None), later).valid
    # A clock that was set back makes no list young again.
    assert not usable_trust(state, NOW - timedelta(days=32), limit).keys
    trust_lists.install(trust, state, later)
    assert verify_health(text, usable_trust(state, later, limit), later).valid


def test_without_a_list_nobody_is_trusted(tmp_path: Path) -> None:
    verdict = verify_health(certificate_text(), usable_trust(tmp_path, NOW, None), NOW)
    assert verdict.detail == "signature: no trust list is installed"


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "array", "content", "folder"])
def test_a_damaged_list_is_shown_and_not_trusted(tmp_path: Path, trust: Path, damage: str) -> None:
    state = tmp_path / "state"
    trust_lists.install(trust, state, NOW)
    path = state / "trust" / "issuers.trust"
    whole = path.read_bytes()
    other = json.loads(whole) | {"content": signer("p384").pem}
    path.unlink()
    match damage:
        case "folder":
            path.mkdir()
        case _:
            contents = {
                "cut": whole[:-20],
                "changed": json.dumps(other).encode(),
                "empty": b"",
                "array": b"[]",
                "content": json.dumps(json.loads(whole) | {"installed": 5}).encode(),
            }
            path.write_bytes(contents[damage])
    listed: list[InstalledList] = trust_lists.installed(state)
    assert [each.problem is not None for each in listed] == [True]
    found = usable_trust(state, NOW, None)
    assert (found.keys, found.gap) == ((), "signature: an installed trust list is damaged")


def test_the_files_are_their_owners(tmp_path: Path, trust: Path) -> None:
    state = tmp_path / "state"
    trust_lists.install(trust, state, NOW)
    path = state / "trust" / "issuers.trust"
    assert path.stat().st_mode & 0o077 == 0
    (state / "trust" / ".issuers.trust.half").write_text("left behind")
    assert [each.name for each in trust_lists.installed(state)] == ["issuers"]


def test_what_cannot_be_read_or_written_says_so(tmp_path: Path, trust: Path) -> None:
    with pytest.raises(UnavailableError):
        trust_lists.install(tmp_path / "absent", tmp_path, NOW)
    blocked = tmp_path / "state"
    blocked.write_text("a file")
    with pytest.raises(UnavailableError):
        trust_lists.install(trust, blocked, NOW)
    with pytest.raises(UnavailableError):
        trust_lists.installed(blocked)
    with pytest.raises(RefusedError):
        trust_lists.remove("absent", tmp_path)


def test_a_kill_leaves_the_old_list_or_the_new_one(tmp_path: Path, trust: Path) -> None:
    state = tmp_path / "state"
    bigger = tmp_path / "bigger.pem"
    bigger.write_text("".join(signer("p256", serial=serial).pem for serial in range(1, 40)))
    trust_lists.install(trust, state, NOW, "issuers")
    program = (
        "import sys\nfrom datetime import UTC, datetime\nfrom pathlib import Path\n"
        "from agent.operations.health.trust_lists import install\n"
        "state, *files = map(Path, sys.argv[1:])\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    for file in files: install(file, state, datetime.now(UTC), 'issuers')\n"
    )
    for delay_ms in (1, 7, 20, 45):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(state), str(trust), str(bigger)],
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            try:
                process.wait(delay_ms / 1000)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        listed = trust_lists.installed(state)
        assert [(each.name, each.problem) for each in listed] == [("issuers", None)]
        assert len(listed[0].trust.keys) in (1, 39)


def test_the_installed_program_needs_neither_config_nor_key(tmp_path: Path, trust: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run(
        [PROGRAM, "verify", "health", "--text", "-", "--trust", trust, "--at", AT],
        input=certificate_text(),
        env=environment,
        capture_output=True,
        text=True,
        timeout=TWO_MINUTES.total_seconds(),
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(tmp_path.glob(".local/**/*"))


def test_now_is_the_time_where_none_is_given(gate: Gate, trust: Path) -> None:
    begin, end = datetime.now(UTC) - TWO_MINUTES, datetime.now(UTC) + 60 * TWO_MINUTES
    by = signer("p384", begin=begin, end=end)
    trust.write_text(by.pem)
    text = certificate_text(by=by, iat=begin.timestamp(), exp=end.timestamp())
    told = gate("verify", "health", "--text", text, "--trust", trust, "--json")
    assert told.json["valid_at"] is True
