"""Debian's own kernel for arm64, what its packages leave out, and the smallest initramfs.

gpio-sim (the pins) and i2c-virtio (the bus) are built from the same source package as the kernel.
"""

import gzip
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from agent.errors import UnavailableError
from emulated import work
from emulated.places import FILES

VERSION = "6.1.0-50"
NAME = f"{VERSION}-arm64"
_PACKAGES = (
    f"linux-image-{NAME}-unsigned:arm64",
    f"linux-headers-{NAME}:arm64",
    "busybox-static:arm64",
    f"linux-headers-{VERSION}-common",
    "linux-source-6.1",
    "linux-kbuild-6.1:amd64",
)
_SOURCES = (
    "drivers/gpio/gpio-sim.c",
    "drivers/gpio/gpiolib.h",
    "kernel/irq/irq_sim.c",
    "drivers/i2c/busses/i2c-virtio.c",
)
KBUILD = "obj-m := gpio-sim.o i2c-virtio.o\ngpio-sim-y := gpio_sim_main.o irq_sim.o\n"
FIRST_MODULES = ("virtio_pci", "virtio_mmio", "virtio_blk", "ext4", "crc32c_generic")
# No screens, wireless or switches in the rig.
_LEFT_OUT = (
    *("drivers/gpu", "drivers/net/wireless", "drivers/net/ethernet", "drivers/infiniband"),
    *("drivers/scsi", "drivers/isdn", "drivers/staging", "drivers/iio", "drivers/ata"),
    *("drivers/mtd", "drivers/target", "sound/soc", "fs/xfs", "fs/btrfs", "fs/ocfs2", "fs/f2fs"),
    *("fs/ceph", "fs/nfs", "fs/nfsd"),
)


def identity() -> list[str]:
    """What the kernel's part is made of."""
    return [*_PACKAGES, KBUILD, *FIRST_MODULES, *_LEFT_OUT, (FILES / "init").read_text()]


def build(folder: Path, log: Path, mirror: str) -> None:
    """Make ``vmlinuz``, ``initrd.gz`` and ``modules/`` in ``folder``: half a minute and 215 MB.

    Raises:
        UnavailableError: a package cannot be had, or a program fails.
    """
    packages = folder / "packages"
    packages.mkdir(parents=True)
    _fetch(packages, folder / "apt", log, mirror)
    trees = folder / "trees"
    for package in packages.glob("linux-*.deb"):
        work.run(["dpkg-deb", "-x", package, trees], log, within_s=120)
    busybox = folder / "busybox"
    work.run(
        ["dpkg-deb", "-x", next(packages.glob("busybox-static_*.deb")), busybox], log, within_s=60
    )
    shutil.copy(trees / "boot" / f"vmlinuz-{NAME}", folder / "vmlinuz")
    modules = folder / "modules" / "lib" / "modules" / NAME
    shutil.copytree(
        trees / "lib" / "modules" / NAME,
        modules,
        symlinks=True,
        ignore=lambda at, names: _unwanted(trees / "lib" / "modules" / NAME, Path(at), names),
    )
    _build_modules(trees, folder / "build", modules / "extra", log)
    work.run(["depmod", "-b", folder / "modules", NAME], log, within_s=120)
    _initramfs(folder, modules, busybox, log)
    for name in (packages, folder / "apt", trees, busybox, folder / "build"):
        shutil.rmtree(name)


def _unwanted(top: Path, at: Path, names: list[str]) -> set[str]:
    here = at.relative_to(top)
    left_out = {Path("kernel") / one for one in _LEFT_OUT}
    return {name for name in names if here / name in left_out or name in {"build", "source"}}


def _fetch(into: Path, apt: Path, log: Path, mirror: str) -> None:
    """The packages, by an apt with folders of its own: this machine's stays as it is."""
    for name in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "var/lib/apt/lists/partial"):
        (apt / name).mkdir(parents=True)
    for name in ("var/cache/apt/archives/partial", "var/lib/dpkg"):
        (apt / name).mkdir(parents=True)
    (apt / "var/lib/dpkg/status").touch()
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (apt / "etc/apt/sources.list").write_text(f"deb [signed-by={keys}] {mirror} bookworm main\n")
    (apt / "apt.conf").write_text(
        f'Dir "{apt}";\nDir::State::status "{apt}/var/lib/dpkg/status";\n'
        'APT::Architecture "arm64";\nAPT::Architectures {"arm64";"amd64";};\n'
        'APT::Sandbox::User "root";\nAcquire::Languages "none";\n'
    )
    own = {"APT_CONFIG": str(apt / "apt.conf")}
    work.run(["apt-get", "-q", "update"], log, within_s=300, environment=own)
    work.run(
        ["apt-get", "-q", "download", *_PACKAGES], log, within_s=600, environment=own, cwd=into
    )


def _build_modules(trees: Path, build: Path, out: Path, log: Path) -> None:
    source = trees / "usr/src/linux-source-6.1.tar.xz"
    build.mkdir()
    work.run(
        [
            *("tar", "-C", build, "--strip-components=1", "-xf", source),
            *(f"linux-source-6.1/{name}" for name in _SOURCES),
        ],
        log,
        within_s=300,
    )
    for name in _SOURCES:
        (build / name).rename(build / Path(name).name)
    (build / "gpio-sim.c").rename(build / "gpio_sim_main.c")
    irq = build / "irq_sim.c"
    irq.write_text(without_private_symbol(irq.read_text()))
    (build / "Kbuild").write_text(KBUILD)
    headers = trees / "usr/src" / f"linux-headers-{NAME}"
    makefile = headers / "Makefile"
    makefile.write_text(makefile.read_text().replace("/usr/src/", f"{trees}/usr/src/"))
    for link in headers.iterdir():
        # The packages' links lead out of their own tree into this machine's /usr.
        if link.is_symlink() and not link.exists():
            target = (
                trees / link.readlink().relative_to("/") if link.readlink().is_absolute() else None
            )
            if target is not None and target.exists():
                link.unlink()
                link.symlink_to(target)
    work.run(
        [
            *("make", "-s", "-C", headers, "DEB_BUILD_ARCH=amd64", "DEB_HOST_ARCH=arm64"),
            *("DEB_HOST_GNU_TYPE=aarch64-linux-gnu", f"M={build}", "modules"),
        ],
        log,
        within_s=600,
    )
    out.mkdir(parents=True)
    for module in build.glob("*.ko"):
        shutil.copy(module, out)


def without_private_symbol(source: str) -> str:
    """irq_sim.c as a module may have it: irq_to_desc is not exported, what it is made of is.

    Raises:
        UnavailableError: the kernel's source is another than the one this was written for.
    """
    before, after = "irq_to_desc(irqnum)", "irq_data_to_desc(irq_get_irq_data(irqnum))"
    if before not in source:
        raise UnavailableError("irq_sim.c is another one", "fit emulated/kernel.py to it")
    return source.replace(before, after)


def load_order(wanted: Iterable[str], dependencies: Mapping[str, list[str]]) -> list[str]:
    """The modules' files in the order in which they can be loaded; built-in ones are left out.

    ``dependencies`` is modules.dep: a file, and all files that it needs, the last needed first.
    """
    named = {Path(path).name.split(".")[0].replace("-", "_"): path for path in dependencies}
    order: list[str] = []
    for name in wanted:
        if path := named.get(name.replace("-", "_")):
            order += [*reversed(dependencies[path]), path]
    return list(dict.fromkeys(order))


def parsed_dependencies(text: str) -> dict[str, list[str]]:
    """modules.dep as a table."""
    lines = (line.partition(":") for line in text.splitlines())
    return {path: rest.split() for path, _, rest in lines}


def _initramfs(folder: Path, modules: Path, busybox: Path, log: Path) -> None:
    stage = folder / "build" / "initramfs"
    for name in ("bin", "dev", "proc", "sys", "root", "m"):
        (stage / name).mkdir(parents=True)
    shutil.copy(busybox / "bin/busybox", stage / "bin/busybox")
    (stage / "bin/sh").symlink_to("busybox")
    table = parsed_dependencies((modules / "modules.dep").read_text())
    order = load_order(FIRST_MODULES, table)
    for path in order:
        shutil.copy(modules / path, stage / "m")
    (stage / "m/order").write_text("".join(f"{Path(path).name}\n" for path in order))
    shutil.copy(FILES / "init", stage / "init")
    (stage / "init").chmod(0o755)
    packed = folder / "initrd"
    names = "\n".join(str(path.relative_to(stage)) for path in [stage, *sorted(stage.rglob("*"))])
    work.run(
        ["cpio", "--quiet", "-o", "-H", "newc", "-F", packed],
        log,
        within_s=60,
        cwd=stage,
        feed=names.encode(),
    )
    (folder / "initrd.gz").write_bytes(gzip.compress(packed.read_bytes(), 1))
    packed.unlink()
