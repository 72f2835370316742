"""scripts/flash on images: what stands on the card afterwards, and what is refused before."""

import json
import lzma
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from card import disk, onto
from card.commands import main
from card.fat import Fat
from card_parts import CMDLINE, SIZE, START, make_image, needs_mtools
from places import ROOT

from agent.errors import RefusedError, UnavailableError

pytestmark = needs_mtools

GATE = """\
[kiosk]
community = "lakeside"
grid = "g1"
id = "North_1"

[[camera]]
id = "front"
kind = "picamera2"

[[door]]
id = "gate"
kind = "gpio"
pin = 17
active_high = true

[[access_point]]
id = "entry"
direction = "entry"
camera = "front"
door = "gate"

[[indicator]]
access_point = "entry"
kind = "gpio"
red_pin = 22
green_pin = 27
active_high = false

[[rule]]
categories = ["resident"]
factors = ["pass"]

[broker]
host = "broker.example"
username = "north"
password = "s3cret"
"""


@dataclass
class Work:
    folder: Path
    image: Path

    @property
    def config(self) -> Path:
        return self.folder / "kiosk.toml"

    @property
    def target(self) -> Path:
        return self.folder / "card.img"

    def flash(self, *words: object) -> int:
        return main(
            [str(self.image), str(self.target), "--config", str(self.config), *map(str, words)]
        )


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of each kind, made once."""
    folder = tmp_path_factory.mktemp("images")
    make_image(folder / "bookworm.img")
    make_image(folder / "trixie.img", trixie=True)
    make_image(folder / "gpt.img", gpt=True)
    return folder


@pytest.fixture
def work(tmp_path: Path, images: Path) -> Work:
    (tmp_path / "kiosk.toml").write_text(GATE)
    (tmp_path / "deb").mkdir()
    (tmp_path / "gate-agent_1_arm64.deb").write_bytes(b"a package")
    (tmp_path / "packs" / "retail").mkdir(parents=True)
    (tmp_path / "packs" / "retail" / "net.bin").write_bytes(b"weights" * 1000)
    return Work(tmp_path, images / "bookworm.img")


def loaded(work: Work) -> list[object]:
    return ["--deb", work.folder / "gate-agent_1_arm64.deb", "--packs", work.folder / "packs"]


@pytest.mark.parametrize("kind", ["bookworm", "trixie", "gpt"])
def test_a_card_has_all_that_the_first_boot_needs(
    work: Work, images: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    work.image = images / f"{kind}.img"
    assert work.flash(*loaded(work), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    fat = Fat(work.target, START)
    assert fat.read("gate.toml") == GATE.encode()
    assert fat.read("gate/deb/gate-agent_1_arm64.deb") == b"a package"
    assert fat.read("gate/packs/retail/net.bin") == b"weights" * 1000
    assert fat.read("gate/host") == b"north-1\n"
    assert fat.read("gate/lights") == b"27 dl\n"
    script = fat.read("gate/first-boot.sh")
    assert script == (ROOT / "scripts" / "card" / "first-boot.sh").read_bytes()
    begun = fat.read("cmdline.txt")
    if kind == "trixie":
        assert begun == CMDLINE
        assert b"first-boot.sh, arm" in (fat.read("user-data") or b"")
        assert b"optional: true" in (fat.read("network-config") or b"")
        assert fat.read("meta-data") == b"instance-id: rpios-image\n"
    else:
        assert begun is not None
        assert begun.startswith(CMDLINE.strip() + b" systemd.run=/boot/firmware/gate/first-boot.sh")
        assert begun.count(b"\n") == 1
        assert fat.read("user-data") is None
    assert set(said["files"]) >= {"gate.toml", "gate/first-boot.sh"}
    # What is no boot partition is the image, byte by byte.
    made, source = work.target.read_bytes(), work.image.read_bytes()
    assert (made[:START], made[START + SIZE :]) == (source[:START], source[START + SIZE :])
    assert not list(work.folder.glob("*.part"))


def test_a_packed_image_gives_the_same_card_and_the_script_runs_as_a_program(work: Work) -> None:
    packed = work.folder / "raspios.img.xz"
    packed.write_bytes(lzma.compress(work.image.read_bytes(), preset=0))
    assert work.flash(*loaded(work)) == 0
    plain = work.folder / "card2.img"
    words = [packed, plain, "--config", work.config, *loaded(work), "--json"]
    done = subprocess.run(
        [str(ROOT / "scripts" / "flash"), *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    names = json.loads(done.stdout)["files"]
    one, other = Fat(work.target, START), Fat(plain, START)
    assert [one.read(name) for name in names] == [other.read(name) for name in names]


def _cut(work: Work) -> None:
    work.image = work.folder / "cut.img"
    work.image.write_bytes((make_image(work.folder / "whole.img")).read_bytes()[: START + 4096])


def _blank(work: Work) -> None:
    work.image = work.folder / "blank.img"
    work.image.write_bytes(bytes(8_000_000))


def _tiny(work: Work) -> None:
    work.image = work.folder / "tiny.img"
    work.image.write_bytes(b"\0" * 510 + b"\x55\xaa")


def _no_fat(work: Work) -> None:
    raw = bytearray((make_image(work.folder / "whole.img")).read_bytes())
    raw[446 + 4] = 0x83
    work.image = work.folder / "linux.img"
    work.image.write_bytes(raw)


def _no_pi(work: Work) -> None:
    work.image = make_image(work.folder / "other.img")
    subprocess.run(
        ["mdel", "-i", f"{work.image}@@{START}", "::/cmdline.txt"], check=True, timeout=60
    )


def _customised(work: Work) -> None:
    work.image = make_image(work.folder / "mine.img", trixie=True)
    Fat(work.image, START).write("user-data", b"#cloud-config\nhostname: mine\n")


def _too_much(work: Work) -> None:
    (work.folder / "packs" / "big.bin").write_bytes(bytes(20 * 1024 * 1024))


def _cut_xz(work: Work) -> None:
    whole = lzma.compress(work.image.read_bytes(), preset=0)
    work.image = work.folder / "cut.img.xz"
    work.image.write_bytes(whole[: len(whole) - 100_000])


def _spoilt_xz(work: Work) -> None:
    whole = bytearray(lzma.compress(work.image.read_bytes(), preset=0))
    whole[len(whole) // 2] ^= 0xFF
    work.image = work.folder / "spoilt.img.xz"
    work.image.write_bytes(whole)


def _wrong_config(work: Work) -> None:
    work.config.write_text(GATE.replace("pin = 17", "pin = 99"))


def _kept(work: Work) -> None:
    work.config.write_text(GATE.replace("s3cret", "(kept on this kiosk)"))


def _there(work: Work) -> None:
    work.target.write_bytes(b"mine")


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (_cut, 69, "is cut off"),
        (_blank, 69, "has no partition table"),
        (_tiny, 69, "too small"),
        (_no_fat, 69, "no FAT partition"),
        (_no_pi, 69, "no cmdline.txt"),
        (_customised, 1, "was set up already"),
        (_too_much, 69, "left, and"),
        (_cut_xz, 69, "is a broken .xz"),
        (_spoilt_xz, 69, "is a broken .xz"),
        (_wrong_config, 78, "door[0].pin: should be a whole number from 0 to 27"),
        (_kept, 78, "was kept on another kiosk"),
        (_there, 1, "is there already"),
    ],
)
def test_what_makes_no_kiosk_is_refused(
    work: Work, spoil: Callable[[Work], None], code: int, said: str, capsys: Any
) -> None:
    spoil(work)
    before = work.target.read_bytes() if work.target.exists() else None
    assert work.flash(*loaded(work)) == code
    assert said in capsys.readouterr().err
    # No card that looks whole.
    assert (work.target.read_bytes() if work.target.exists() else None) == before
    assert not list(work.folder.glob("*.part"))


@pytest.mark.parametrize(
    ("name", "said"),
    [("gate_1_amd64.deb", "for another machine"), ("gone.deb", "is no .deb")],
)
def test_a_package_of_another_machine_is_refused(
    work: Work, name: str, said: str, capsys: Any
) -> None:
    if "gone" not in name:
        (work.folder / name).write_bytes(b"x")
    assert work.flash("--deb", work.folder / name) == 69
    assert said in capsys.readouterr().err


def test_wheels_of_another_machine_are_refused(work: Work, capsys: Any) -> None:
    wheels = work.folder / "wheels"
    wheels.mkdir()
    (wheels / "lgpio-0.2-cp311-cp311-manylinux_2_34_aarch64.whl").write_bytes(b"x")
    (wheels / "segno-1-py3-none-any.whl").write_bytes(b"x")
    assert work.flash("--wheelhouse", wheels) == 0
    work.target.unlink()
    (wheels / "numpy-2-cp311-cp311-manylinux_2_28_x86_64.whl").write_bytes(b"x")
    assert work.flash("--wheelhouse", wheels) == 69
    assert "numpy-2" in capsys.readouterr().err


def test_what_does_not_read_back_is_no_card(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    fat = Fat(make_image(work.folder / "one.img"), START)
    load = onto.Load({"gate.toml": b"right"})
    onto.put(fat, load, lambda *_: None)
    fat.write("gate.toml", b"wrong")
    with pytest.raises(UnavailableError, match="not what was written"):
        onto.check(fat, load, lambda *_: None)


def test_a_cut_short_run_is_begun_anew(work: Work) -> None:
    (work.folder / "card.img.part").write_bytes(b"half of a card")
    assert work.flash(*loaded(work)) == 0
    assert Fat(work.target, START).read("gate.toml") == GATE.encode()


def _sys(folder: Path, name: str, *, removable: str, number: str = "8:16") -> Path:
    """What the kernel tells of a disk with one partition."""
    made = folder / "block" / name
    (made / f"{name}1").mkdir(parents=True)
    (made / "removable").write_text(f"{removable}\n")
    (made / "dev").write_text(f"{number}\n")
    (made / f"{name}1" / "partition").write_text("1\n")
    (made / f"{name}1" / "dev").write_text("8:17\n")
    return made


@pytest.mark.parametrize(
    ("removable", "mounts", "swaps", "any_disk", "reason"),
    [
        ("1", "", "", False, None),
        ("0", "", "", False, "no_card"),
        ("0", "", "", True, None),
        ("1", "36 35 8:17 / /media/card rw - vfat /dev/sdb1 rw", "", False, "mounted"),
        ("0", "36 35 8:17 / / rw - ext4 /dev/sdb1 rw", "", True, "mounted"),
        ("1", "", "/dev/sdb1 partition 1 0 -2", False, "mounted"),
    ],
)
def test_only_a_card_that_nobody_uses_is_written(
    tmp_path: Path, removable: str, mounts: str, swaps: str, *, any_disk: bool, reason: str | None
) -> None:
    folder = _sys(tmp_path, "sdb", removable=removable)
    told = {"mounts": tmp_path / "mounts", "swaps": tmp_path / "swaps"}
    told["mounts"].write_text(mounts)
    told["swaps"].write_text(swaps)
    if reason is None:
        disk.check_disk(folder, "/dev/sdb", any_disk=any_disk, **told)
        return
    with pytest.raises(RefusedError) as refused:
        disk.check_disk(folder, "/dev/sdb", any_disk=any_disk, **told)
    assert refused.value.reason == reason
    with pytest.raises(RefusedError) as refused:
        disk.check_disk(folder / "sdb1", "/dev/sdb1", any_disk=True, **told)
    assert refused.value.reason == "part_of_a_disk"


def test_without_mtools_it_says_how_to_get_them(work: Work, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    assert work.flash() == 69
    assert "apt-get install mtools" in capsys.readouterr().err
