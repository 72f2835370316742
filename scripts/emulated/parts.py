"""What a guest is made of, made where the cache lacks it: kernel, root, package, image."""

import hashlib
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from agent.errors import UnavailableError
from emulated import kernel, places, root, work

TREE = places.TREE
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


def next_release(cache: Path, say: Say) -> Path:
    """A folder with a signed release that is a commit later than this one, and its public key.

    Raises:
        UnavailableError: it cannot be built.
    """
    head = work.run(["git", "rev-parse", "HEAD"], cache / "logs/build.log", within_s=30, cwd=TREE)
    return places.made(cache / f"next-{places.key(head)}", lambda new: _build_next(cache, new, say))


def _build_next(cache: Path, out: Path, say: Say) -> None:
    say("building a second release, to update to")
    for old in cache.glob("next-*"):
        places.remove(old)
    out.mkdir(parents=True)
    log = cache / "logs/build.log"
    with tempfile.TemporaryDirectory() as name:
        tree, key = Path(name) / "tree", Path(name) / "release.pem"
        work.run(["git", "clone", "-q", "--shared", TREE, tree], log, within_s=120)
        for link in (".venv", ".cache"):
            (tree / link).symlink_to(TREE / link)
        who = ("-c", "user.name=rig", "-c", "user.email=rig@localhost")
        work.run(
            ["git", *who, "commit", "-q", "--allow-empty", "-m", "a later release"],
            log,
            within_s=30,
            cwd=tree,
        )
        work.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], log, within_s=30)
        public: list[str | Path] = [
            "openssl",
            "pkey",
            "-in",
            key,
            "-pubout",
            "-out",
            out / "release.pub.pem",
        ]
        work.run(public, log, within_s=30)
        key.chmod(0o600)
        build: list[str | Path] = [
            tree / "scripts/deb",
            "--arch",
            "arm64",
            "--release",
            root.SUITE,
            "--sign",
            key,
        ]
        work.run([*build, "-o", out / "next.deb"], log, within_s=1200)


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
