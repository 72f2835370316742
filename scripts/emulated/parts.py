"""What a guest is made of, made where the cache lacks it: kernel, root, package, image."""

import hashlib
import tarfile
from collections.abc import Callable
from pathlib import Path

from agent.errors import UnavailableError
from emulated import kernel, places, root, work

Say = Callable[[str], None]


def kernel_at(cache: Path) -> Path:
    """Where the kernel's part lies or will lie."""
    return cache / f"kernel-{places.key(*kernel.identity())}"


def root_at(cache: Path, tree: Path = places.TREE) -> Path:
    """Where Debian's root lies or will lie."""
    return cache / f"root-{places.key(*root.identity(tree))}"


def built_package(cache: Path, say: Say) -> Path:
    """The package of the commit that is checked out.

    Raises:
        UnavailableError: it cannot be built.
    """
    out = cache / "gate-agent.deb"
    say("building the package of this commit (scripts/deb)")
    work.run(
        [places.TREE / "scripts/deb", "--arch", "arm64", "--release", root.SUITE, "-o", out],
        cache / "logs/build.log",
        within_s=1200,
    )
    return out


def image(cache: Path, package: Path, say: Say) -> Path:
    """A disk with this package installed, made where the cache has none.

    Raises:
        UnavailableError: something cannot be had, or a step fails.
    """
    if not package.is_file():
        raise UnavailableError(f"{package} is no file", "scripts/deb makes a package")
    log = cache / "logs/build.log"
    core, base = kernel_at(cache), root_at(cache)
    if not core.exists():
        say("fetching Debian's kernel and building two modules: about a minute")
        places.made(core, lambda new: kernel.build(new, log, root.mirror()))
    if not base.exists():
        say("making Debian's root: about five minutes, once")
        places.made(base, lambda new: root.bootstrap(new, log, root.mirror()))
    files = [path.read_bytes() for path in sorted(places.FILES.iterdir())]
    with package.open("rb") as data:
        found = hashlib.file_digest(data, "sha256").digest()
    recipe = Path(root.__file__).read_bytes()
    out = cache / f"image-{places.key(core.name, base.name, found, recipe, *files)}.img"
    if not out.exists():
        say("installing the package: about two minutes")
        for old in cache.glob("image-*"):
            places.remove(old)
        places.made(out, lambda new: root.image(base, core, package, new, log))
    return out


def packed(state: Path, out: Path) -> Path:
    """The model packs of a state folder, as the guest's ``hardware`` unpacks them.

    Raises:
        UnavailableError: none is installed there.
    """
    names = ("models", "pack.json")
    if not all((state / name).exists() for name in names):
        raise UnavailableError(f"no pack is installed in {state}", "gate-agent models install NAME")
    with tarfile.open(out, "w") as tar:
        for name in names:
            tar.add(state / name, name)
    return out
