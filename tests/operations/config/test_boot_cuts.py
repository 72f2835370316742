"""The boot partition's gate.toml with the power cut at any step, and with a TPM."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from boot_parts import LOGIN, PASSWORD, Kiosk, kiosk_at

from agent.config import load_config
from agent.operations.config.boot_adopt import ADOPTED, UNCHANGED
from agent.operations.config.boot_kept import Keeper


@pytest.fixture
def kiosk(tmp_path: Path) -> Kiosk:
    return kiosk_at(tmp_path)


STEPS = ("replace", "unlink", "fsync", "link", "mkdir")


def cut_at(kiosk: Kiosk, step: int) -> bool:
    """Boot in a process of its own that is gone before its ``step``-th call; whether it was."""
    child = os.fork()
    if child == 0:
        count = [0]

        def stopping(real: Any) -> Any:
            def call(*words: Any, **more: Any) -> Any:
                count[0] += 1
                if count[0] == step:
                    os._exit(9)
                return real(*words, **more)

            return call

        for name in STEPS:
            setattr(os, name, stopping(getattr(os, name)))
        try:
            kiosk.boot()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_killed_at_any_step_nothing_is_lost_and_the_next_boot_ends_it(kiosk: Kiosk) -> None:
    first = kiosk.card.parent
    step, cut = 0, True
    while cut:
        step += 1
        place = first / f"cut-{step}"
        shutil.copytree(kiosk.card, place / "card")
        (place / "own").mkdir()
        (place / "own" / "gate.toml").write_text("an older config")
        one = Kiosk(place / "card", place / "own", kiosk.state, Keeper(place / "own"))
        cut = cut_at(one, step)
        on_card = PASSWORD.encode() in (one.card / "gate.toml").read_bytes()
        kept = one.own / "broker.password"
        assert on_card or kept.read_text() == PASSWORD
        config = one.config.read_text()
        # Whole, the older or the new one; the new one never without its secret.
        assert config == "an older config" or kept.read_text() == PASSWORD
        assert one.boot().outcome in (ADOPTED, UNCHANGED)
        assert PASSWORD.encode() not in (one.card / "gate.toml").read_bytes()
        assert LOGIN in one.config.read_text()
        assert kept.read_text() == PASSWORD
        assert one.boot().outcome == UNCHANGED
        drafts = [draft.name for folder in (one.card, one.own) for draft in folder.glob(".*")]
        assert drafts == []
    assert step > 10


@pytest.mark.skipif(
    shutil.which("systemd-creds") is None or os.geteuid() != 0,
    reason="systemd-creds is not installed here, or this user may not seal",
)
def test_with_a_tpm_it_is_sealed_and_systemd_is_told_to_hand_it_over(
    kiosk: Kiosk, tmp_path: Path
) -> None:
    # No TPM is here: the real program seals by the machine's key instead, all else is the same.
    program = tmp_path / "creds"
    program.write_text('#!/bin/sh\nexec systemd-creds "$1" "$2" --with-key=host - -\n')
    program.chmod(0o755)
    reloaded = tmp_path / "reloaded"
    drop_in = tmp_path / "units" / "boot-credentials.conf"
    store = tmp_path / "sealed"
    tell = ["touch", str(reloaded)]
    kiosk.keeper = Keeper(kiosk.own, str(program), store, drop_in, tell)
    assert kiosk.boot().outcome == ADOPTED
    broker = load_config(kiosk.config).config.broker
    assert broker is not None
    assert str(broker.password_file) == "/run/credentials/gate-agent.service/broker.password"
    sealed = store / "gate-agent.broker.password"
    assert PASSWORD.encode() not in sealed.read_bytes()
    opened = subprocess.run(
        ["systemd-creds", "decrypt", "--name=broker.password", str(sealed), "-"],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert opened.stdout.decode() == PASSWORD
    assert f"LoadCredentialEncrypted=broker.password:{sealed}\n" in drop_in.read_text()
    assert reloaded.exists()
    assert not (kiosk.own / "broker.password").exists()
    kiosk.edit("broker.example", "other.example")
    assert kiosk.boot().outcome == ADOPTED
    assert load_config(kiosk.config).config.broker is not None
