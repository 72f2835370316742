"""The command line: it parses and prints; what it does stands in ``--help``."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from agent.cli.progress import progress
from agent.config import ConfigFile, GateConfig
from agent.config.load import config_in
from agent.errors import ConfigError, GateAgentError, RefusedError, UnavailableError
from agent.operations.config.boot_adopt import judged
from agent.operations.config.boot_file import NAME, BootFile, read_boot_file
from agent.operations.config.boot_kept import Keeper
from card import onto
from card.batch import LABELS, make_batch
from card.disk import (
    Advance,
    Written,
    check_device,
    flush,
    is_device,
    is_packed,
    opened,
    write_image,
)
from card.fat import Fat, need_mtools
from card.partitions import fat_partition

_ABOUT = """\
Prepares the card of a kiosk from an image of Raspberry Pi OS Lite (64 bit; Bookworm or Trixie,
.img or .img.xz): the Pi that starts from it installs itself without a network. TARGET is a card's
reader (/dev/sdX), which is written whole, or a file. Or, with --batch, the configs and labels of
many kiosks.

  scripts/flash raspios-lite.img.xz /dev/sdX --config kiosk.toml --deb gate-agent.deb --packs DIR
  scripts/flash raspios-lite.img.xz card.img --config kiosk.toml --deb gate-agent.deb
  scripts/flash --batch kiosks.csv --out kiosks

exit codes: 0 done, 1 refused, 2 usage, 69 something is missing, 78 the config is wrong
"""


def main(arguments: Sequence[str]) -> int:
    """Prepare a card or a batch; the exit code."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        if asked.batch is not None:
            if asked.image or asked.config or asked.out is None:
                parser.error("--batch goes with --out DIR, and with no image")
            return _batch(asked)
        if not (asked.image and asked.target and asked.config):
            parser.error("needs IMAGE, TARGET and --config FILE; or --batch FILE")
        return _flash(asked)
    except ConfigError as error:
        return _failed(error, "\n".join(error.findings), as_json=asked.json)
    except GateAgentError as error:
        return _failed(error, str(error), as_json=asked.json)
    except KeyboardInterrupt:
        sys.stderr.write("scripts/flash: interrupted; run it again, it begins anew\n")
        return 130


def _failed(error: GateAgentError, message: str, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"ok": False, "error": message}))
    sys.stderr.write(f"scripts/flash: {message}\n")
    return error.exit_code


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="scripts/flash",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("image", nargs="?", type=Path, metavar="IMAGE", help="Raspberry Pi OS Lite")
    made.add_argument("target", nargs="?", type=Path, metavar="TARGET", help="a card, or a file")
    made.add_argument("--config", type=Path, metavar="FILE", help="the kiosk's gate.toml")
    made.add_argument(
        "--deb",
        type=Path,
        metavar="FILE",
        action="append",
        default=[],
        help="the package of scripts/deb, and others that it needs; as often as there are",
    )
    made.add_argument("--wheelhouse", type=Path, metavar="DIR", help="wheels for aarch64 beside it")
    made.add_argument("--packs", type=Path, metavar="DIR", help="the model packs' files")
    made.add_argument("--any-disk", action="store_true", help="also a disk that is no card")
    made.add_argument("--batch", type=Path, metavar="CSV", help="a row a kiosk")
    made.add_argument(
        "--template", type=Path, metavar="FILE", help="--batch: a config with ${name}"
    )
    made.add_argument("--out", type=Path, metavar="DIR", help="--batch: where all goes")
    made.add_argument("--json", action="store_true", help="JSON on stdout, and nothing else there")
    return made


def _flash(asked: argparse.Namespace) -> int:
    need_mtools()
    # Everything that can be refused is, before the first byte is written.
    file, config = _config(asked.config)
    text: dict[str, bytes | Path] = {NAME: file.raw}
    text |= {one.name: file.folder / one.name for one in file.beside if one.is_here}
    load = onto.load_of(config.config, text, asked.deb, asked.wheelhouse, asked.packs)
    if not asked.image.is_file():
        raise UnavailableError(f"there is no image {asked.image}", "download Raspberry Pi OS Lite")
    _look_at(asked.image, config.config)
    target = asked.target
    on_device = is_device(target)
    if on_device:
        check_device(target, any_disk=asked.any_disk)
    elif str(target).startswith("/dev/"):
        raise UnavailableError(f"{target} is no disk", "lsblk lists them; is the card in?")
    elif target.exists():
        message = f"{target} is there already\nFix: name another file, or remove it"
        raise RefusedError("file_exists", message)
    draft = target if on_device else target.with_name(f"{target.name}.part")
    try:
        with progress(wanted=not asked.json) as advance:
            written = _write(asked.image, draft, load, config.config, advance)
    except GateAgentError:
        if not on_device:
            draft.unlink(missing_ok=True)
        raise
    if not on_device:
        os.replace(draft, target)  # noqa: PTH105 - a file that is whole, or none
    if asked.json:
        answer = {"target": str(target), "bytes": written.size, "sha256": written.digest}
        print(json.dumps({"ok": True, **answer, "files": sorted(load.files)}))
    else:
        print(f"{target}: {len(load.files)} files beside the image, written and read back")
        if not asked.deb:
            print("No --deb: the kiosk installs nothing, it only finds its config.")
    return 0


def _write(
    image: Path, draft: Path, load: onto.Load, config: GateConfig, advance: Advance
) -> Written:
    """The image and all that goes onto it, read back."""
    written = write_image(image, draft, advance)
    with draft.open("rb") as made:
        part = fat_partition(made, draft.name, written.size)
    fat = Fat(draft, part.start)
    load.files |= onto.start_files(fat, config)
    onto.put(fat, load, advance)
    flush(draft)
    onto.check(fat, load, advance)
    return written


def _look_at(image: Path, config: GateConfig) -> None:
    """See that it can be made a kiosk's before a card is written over.

    Of what is packed only the partition table is looked at: the rest is looked at when it is there.
    """
    packed = is_packed(image)
    with opened(image) as file:
        part = fat_partition(file, image.name, None if packed else image.stat().st_size)
    if not packed:
        onto.start_files(Fat(image, part.start), config)


def _config(path: Path) -> tuple[BootFile, ConfigFile]:
    """The config that was given, judged as the kiosk will; and as it will then be."""
    path = path.absolute()
    file = read_boot_file(path.parent, path.name)
    if file is None:
        raise UnavailableError(f"there is no config {path}", "gate-agent init --boot DIR makes one")
    # A kiosk of which nothing is known yet: it has no packs and keeps no secrets.
    nowhere = path.parent / ".no-kiosk"
    text = judged(file, nowhere / NAME, None, Keeper(nowhere))
    return file, config_in(text, path)


def _batch(asked: argparse.Namespace) -> int:
    made = make_batch(asked.batch.absolute(), asked.template, asked.out)
    if asked.json:
        kiosks = [{"kiosk": kiosk, "config": str(file)} for kiosk, file in made]
        print(json.dumps({"ok": True, "kiosks": kiosks, "labels": str(asked.out / LABELS)}))
        return 0
    for kiosk, file in made:
        print(f"{kiosk}: {file}")
    print(f"labels: {asked.out / LABELS}")
    return 0
