"""The kiosk's own two keys: made once, never replaced, and what others may know of them."""

import stat
from base64 import urlsafe_b64decode
from pathlib import Path

import pytest

from agent.app.open.files.kiosk_keys import (
    make_kiosk_keys,
    own_keys,
    public_keys,
    sealing_key,
    signing_key,
)
from agent.app.open.files.kiosk_rotation import abandon_rotation, begin_rotation, end_rotation
from agent.app.open.site import site_of
from agent.credentials.passes.issuers import key_id
from agent.credentials.shown_keys import shown_half
from agent.errors import KeyUnavailableError


def test_each_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    site = site_of(tmp_path, None)
    made = make_kiosk_keys(site)
    assert [one.name for one in made] == ["kiosk-signing.key", "kiosk-sealing.key"]
    assert [stat.S_IMODE(one.stat().st_mode) for one in made] == [0o600, 0o600]
    before = public_keys(site)
    assert (make_kiosk_keys(site), public_keys(site)) == ([], before)
    made[1].unlink()
    own_keys(site)
    after = public_keys(site)
    assert after["signing"] == before["signing"]
    assert after["sealing"] != before["sealing"]


def test_what_others_get_are_the_public_halves(tmp_path: Path) -> None:
    site = site_of(tmp_path, None)
    make_kiosk_keys(site)
    shown, private = public_keys(site), signing_key(site)
    raw = urlsafe_b64decode(shown["signing"]["public"] + "=")
    assert raw == private.public_key().public_bytes_raw()
    assert shown["signing"]["key_id"] == key_id(private.public_key()).hex()
    assert shown["sealing"] == shown_half(sealing_key(site).public_key())
    assert shown["kiosk"] == "local/local/kiosk"
    for one in (private.private_bytes_raw(), sealing_key(site).private_bytes_raw()):
        assert one.hex() not in str(shown)


@pytest.mark.parametrize("wrong", ["missing", "open", "broken"])
def test_a_key_that_cannot_be_trusted_is_not_used(tmp_path: Path, wrong: str) -> None:
    site = site_of(tmp_path, None)
    path = make_kiosk_keys(site)[0]
    if wrong == "missing":
        path.unlink()
    elif wrong == "open":
        path.chmod(0o644)
    else:
        path.write_text("00ff")
    with pytest.raises(KeyUnavailableError):
        signing_key(site)


def test_a_change_that_nobody_was_told_of_is_thrown_away(tmp_path: Path) -> None:
    site = site_of(tmp_path, None)
    make_kiosk_keys(site)
    before = public_keys(site)["signing"]
    told = shown_half(begin_rotation(site))
    assert shown_half(begin_rotation(site)) == told
    assert public_keys(site)["signing"] == before
    abandon_rotation(site)
    end_rotation(site)
    assert public_keys(site)["signing"] == before


def test_one_that_was_told_takes_the_old_ones_place(tmp_path: Path) -> None:
    site = site_of(tmp_path, None)
    make_kiosk_keys(site)
    before = public_keys(site)
    told = shown_half(begin_rotation(site))
    end_rotation(site)
    end_rotation(site)
    assert public_keys(site) == {**before, "signing": told}
    assert told != before["signing"]
