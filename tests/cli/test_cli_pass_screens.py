"""Screens of passes, health certificates and symbols, held as they are."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from gate_command import Gate
from golden import held
from health_parts import NOW as HEALTH_NOW
from health_parts import certificate_text, signer
from pass_parts import KEY, NOW, OTHER_KEY, claims, text
from screens import WIDTHS, golden_screen, screen

from agent.operations.health import trust_lists

GENUINE = text(claims(uses=None))
LATER = NOW + timedelta(days=2)
NOBODYS_KEY = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
UNKNOWN = text(claims(issuer="visitors-desk"), key=NOBODYS_KEY)
CASES = {
    "genuine": (GENUINE, NOW, 0),
    "expired": (GENUINE, LATER, 1),
    "unknown": (UNKNOWN, NOW, 1),
}


@pytest.fixture
def office(gate: Gate, config_file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A kiosk in Shanghai that trusts an office, and a key of it that has ended."""
    monkeypatch.setenv("GATE_AGENT_CONFIG", str(config_file))
    for name, key, more in (
        ("lakeside-office", KEY, ("--valid-until", "2099-05-31")),
        ("office-2025", OTHER_KEY, ("--valid-from", "2025-01-01", "--valid-until", "2025-12-31")),
    ):
        file = tmp_path / f"{name}.pub"
        file.write_bytes(public(key))
        made = gate("pass", "trust", file, "--issuer", name, *more)
        assert made.code == 0, made.err


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.usefixtures("office")
@pytest.mark.parametrize("width", WIDTHS)
def test_the_issuers_of_passes(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = golden_screen("pass-issuers", monkeypatch, width, "pass", "issuers")
    assert "2099-06-01 00:00" in " ".join(shown.split())


@pytest.mark.usefixtures("state_dir")
@pytest.mark.parametrize(
    ("words", "fix"),
    [("pass issuers", "gate-agent pass trust"), ("health issuers", "gate-agent health trust")],
)
def test_nobody_trusted_yet_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, words: str, fix: str
) -> None:
    shown = golden_screen(f"{words.replace(' ', '-')}-none", monkeypatch, 80, *words.split())
    assert fix in shown


@pytest.mark.usefixtures("office")
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("case", CASES)
def test_a_pass(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, case: str, width: int) -> None:
    shown = golden_screen(f"pass-verify-{case}", monkeypatch, width, *verify(tmp_path, case))
    assert "T12:00" not in shown
    assert "_" not in shown


@pytest.mark.usefixtures("office")
def test_a_pass_in_colour(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    words = verify(tmp_path, "expired")
    shown = golden_screen("pass-verify-expired", monkeypatch, 80, *words, colour=True)
    assert "\x1b[31mnot valid: credential expired" in shown
    assert "\x1b[32mvalid" in screen(monkeypatch, 80, *verify(tmp_path, "genuine"), colour=True)


def verify(folder: Path, case: str) -> tuple[object, ...]:
    content, moment, _ = CASES[case]
    (folder / "pass.txt").write_text(content)
    return ("pass", "verify", "--file", folder / "pass.txt", "--at", moment.isoformat())


@pytest.mark.usefixtures("office")
@pytest.mark.parametrize("case", CASES)
def test_a_pass_elsewhere(gate: Gate, tmp_path: Path, case: str) -> None:
    answer = gate(*verify(tmp_path, case))
    assert answer.code == CASES[case][2]
    held(answer.out, f"pass-verify-{case}-piped.txt")


@pytest.fixture
def in_berlin() -> Iterator[None]:
    """A machine there, as the C library has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_berlin")
def test_times_are_this_machines_where_no_config_can_be_read(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """``pass verify`` needs no config, so a broken one is no fault of its."""
    (tmp_path / "key.pub").write_bytes(public(KEY))
    by = ("--trust", tmp_path / "key.pub", "--issuer", "lakeside-office")
    for config in (None, tmp_path / "absent.toml"):
        if config is not None:
            monkeypatch.setenv("GATE_AGENT_CONFIG", str(config))
        answer = gate(*verify(tmp_path, "genuine"), *by)
        assert (answer.code, answer.err) == (0, "")
        assert re.search("valid until +2026-05-07 14:00:00", answer.out)


@pytest.fixture
def lists(state_dir: Path, config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trust list, and one that is damaged."""
    monkeypatch.setenv("GATE_AGENT_CONFIG", str(config_file))
    file = state_dir.parent / "eu.pem"
    file.write_text(signer().pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    trust_lists.install(file, state_dir, HEALTH_NOW, "eu-2026-05")
    trust_lists.install(file, state_dir, HEALTH_NOW, "eu-2026-06")
    (state_dir / "trust" / "eu-2026-06.trust").write_text("{")


@pytest.mark.usefixtures("lists")
@pytest.mark.parametrize("width", WIDTHS)
def test_the_trust_lists(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    shown = golden_screen("health-issuers", monkeypatch, width, "health", "issuers")
    assert "+00:00" not in shown


@pytest.mark.usefixtures("lists")
@pytest.mark.parametrize("width", WIDTHS)
def test_a_health_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, width: int) -> None:
    (tmp_path / "code.txt").write_text(certificate_text())
    (tmp_path / "one.pem").write_text(signer().pem)
    words = ("health", "verify", "--file", tmp_path / "code.txt", "--trust", tmp_path / "one.pem")
    after = (HEALTH_NOW + timedelta(days=60)).isoformat()
    shown = golden_screen("health-verify", monkeypatch, width, *words, "--at", after)
    assert "valid_at" not in shown


@pytest.fixture
def codes(tmp_path: Path) -> list[Path]:
    """Photographs of a pass, of one nobody knows, and of a text."""
    made = []
    for name, content in (("pass", GENUINE), ("other", UNKNOWN), ("text", "访客 12号楼")):
        made.append(tmp_path / f"{name}.png")
        segno.make(content, micro=False, error="m").save(str(made[-1]), scale=5, border=4)
    return made


@pytest.mark.usefixtures("office")
@pytest.mark.parametrize("width", WIDTHS)
def test_symbols(
    monkeypatch: pytest.MonkeyPatch, codes: list[Path], tmp_path: Path, width: int
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = screen(monkeypatch, width, "scan", *(code.name for code in codes))
    assert all(len(line) <= width for line in shown.splitlines())
    held(untimed(shown), f"scan-{width}.txt")


@pytest.mark.usefixtures("office")
def test_symbols_elsewhere_are_a_line_each(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, codes: list[Path], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = gate("scan", *(code.name for code in codes))
    assert len(answer.out.splitlines()) == len(codes)
    held(untimed(answer.out), "scan-piped.txt")


def untimed(shown: str) -> str:
    return re.sub(r"\d+ ms", "N ms", shown)
