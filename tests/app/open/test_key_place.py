"""Where the gallery's key lies decides what a stolen card tells."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from agent.app.open.files import key_place
from agent.app.open.files.key_place import KeyPlace, key_lies
from agent.app.open.site import Site, site_of

ALL = "every name and every face"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    (tmp_path / "state").mkdir()
    return site_of(tmp_path / "state", None)


@pytest.fixture
def disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a card of two parts and a stick of one; a place is named after its part."""
    numbers = {"boot": (179, 1), "data": (179, 2), "stick": (8, 1), "net": (0, 40)}
    for name, (major, minor) in numbers.items():
        (tmp_path / name).mkdir()
        if major:
            disk = "sda" if major == 8 else "mmcblk0"
            part = tmp_path / "block" / disk / f"{disk}p{minor}"
            part.mkdir(parents=True)
            (part / "partition").touch()
            (tmp_path / "dev").mkdir(exist_ok=True)
            (tmp_path / "dev" / f"{major}:{minor}").symlink_to(part)
    monkeypatch.setattr(key_place, "_DEVICES", tmp_path / "dev")
    monkeypatch.setattr(
        key_place,
        "_device",
        lambda path: os.makedev(*numbers[path.relative_to(tmp_path).parts[0]]),
    )
    return tmp_path


def test_by_default_the_key_lies_beside_what_it_opens(site: Site) -> None:
    lies = key_lies(site)
    assert (lies.place, ALL in str(lies)) == (KeyPlace.BESIDE, True)


def test_a_link_does_not_hide_it(site: Site, tmp_path: Path) -> None:
    (site.state / "real.key").touch()
    link = tmp_path / "link.key"
    link.symlink_to(site.state / "real.key")
    assert key_lies(replace(site, key_file=link)).place is KeyPlace.BESIDE


def test_another_folder_of_one_file_system_is_the_same_card(site: Site, tmp_path: Path) -> None:
    lies = key_lies(replace(site, key_file=tmp_path / "etc" / "gallery.key"))
    assert (lies.place, ALL in str(lies)) == (KeyPlace.SAME_CARD, True)


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("boot", KeyPlace.SAME_CARD),
        ("stick", KeyPlace.ELSEWHERE),
        ("net", KeyPlace.UNKNOWN),
    ],
)
def test_another_part_is_not_another_disk(
    site: Site, disks: Path, where: str, place: KeyPlace
) -> None:
    moved = replace(site, state=disks / "data", key_file=disks / where / "gallery.key")
    lies = key_lies(moved)
    assert lies.place is place
    assert (ALL in str(lies)) is (place is not KeyPlace.ELSEWHERE)


def test_what_systemd_hands_over_came_from_somewhere(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    lies = key_lies(replace(site, key_file=tmp_path / "gallery.key"))
    assert lies.place is KeyPlace.HANDED_OVER
    assert "LoadCredential" in str(lies)
