"""Debian's root for the guest, the package in it, and the image of both.

The foreign half of each step runs by qemu-user: four to six minutes of CPU for Debian, which is
why it is kept, and one for the package.
"""

import os
import shutil
import subprocess
from pathlib import Path

from agent.errors import UnavailableError
from emulated import work
from emulated.kernel import NAME
from emulated.places import FILES

SUITE = "bookworm"
PACKAGES = (
    *("adduser", "alsa-utils", "dbus", "iproute2", "kmod", "libzbar0"),
    *("logrotate", "procps", "python3", "systemd-sysv", "udev"),
)
LOCKS = ("requirements/runtime.txt", "requirements/pi.txt", "scripts/debian/pins.txt")
IMAGE_SIZE = "3G"
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_HANDLER = "qemu-aarch64"
_SLIM = "".join(f"path-exclude=/usr/share/{name}/*\n" for name in ("man", "locale"))
_FILES = {
    "hardware": ("opt/rig/hardware", 0o755),
    "pin": ("opt/rig/pin", 0o755),
    "agent": ("opt/rig/agent", 0o755),
    "gate.toml": ("etc/gate-agent/gate.toml", 0o644),
    "rig-hardware.service": ("etc/systemd/system/rig-hardware.service", 0o644),
    "console.conf": ("etc/systemd/system/serial-getty@.service.d/console.conf", 0o644),
}


def mirror() -> str:
    """Where this machine's own apt finds Debian."""
    for path in Path("/etc/apt/sources.list.d").glob("*.sources"):
        for line in path.read_text().splitlines():
            if line.startswith("URIs:"):
                return line.split()[1]
    sources = Path("/etc/apt/sources.list")
    for line in sources.read_text().splitlines() if sources.exists() else ():
        words = line.split()
        if words[:1] == ["deb"]:
            return next(word for word in words if "://" in word)
    raise UnavailableError("apt knows no mirror here", "name one in /etc/apt/sources.list")


def identity(tree: Path) -> list[str]:
    """What the root is made of: its packages, and the locks that say what shall run in it."""
    return [SUITE, *PACKAGES, _SLIM, *((tree / name).read_text() for name in LOCKS)]


def bootstrap(folder: Path, log: Path, source: str) -> None:
    """Make Debian in ``folder``.

    Raises:
        UnavailableError: a package cannot be had, or a step fails.
    """
    register(log)
    work.run(
        [
            *("debootstrap", "--variant=minbase", "--arch=arm64", "--foreign"),
            *(f"--include={','.join(PACKAGES)}", SUITE, folder, source),
        ],
        log,
        within_s=900,
    )
    _write(folder / "etc/dpkg/dpkg.cfg.d/rig", f"force-unsafe-io\n{_SLIM}")
    inside(folder, ["/debootstrap/debootstrap", "--second-stage"], log, within_s=2400)


def register(log: Path) -> None:
    """Let this kernel start arm64 programs by qemu-user, until it is booted anew."""
    if not (_BINFMT / "register").exists():
        work.run(["mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT], log, within_s=30)
    if not (_BINFMT / _HANDLER).exists():
        try:
            (_BINFMT / "register").write_text(
                Path(f"/usr/lib/binfmt.d/{_HANDLER}.conf").read_text().strip()
            )
        except OSError as error:
            raise UnavailableError(
                f"this kernel starts no arm64 programs: {error}", "modprobe binfmt_misc"
            ) from error


def inside(folder: Path, command: list[str], log: Path, *, within_s: float) -> str:
    """Run a command of the root in it, with its own mounts, which end with it."""
    clean = ["/usr/bin/env", "-i", "HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    clean += ["LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
    # A runtime that looks for the processor's abilities there must not find this machine's.
    script = (
        'd=$1; shift; mkdir -p "$d/proc" "$d/dev"; mount -t proc proc "$d/proc"; '
        'mount --rbind /dev "$d/dev"; mount --bind "$CPU" "$d/proc/cpuinfo"; exec chroot "$d" "$@"'
    )
    return work.run(
        [
            *("unshare", "-m", "--propagation", "private", "sh", "-c", script, "in", folder),
            *(*clean, *command),
        ],
        log,
        within_s=within_s,
        environment={"CPU": str(FILES / "cpuinfo")},
    )


def image(root: Path, kernel: Path, package: Path, out: Path, log: Path) -> None:
    """Make the disk: a copy of the root with the kernel's modules, the package and the rig's files.

    Raises:
        UnavailableError: a step fails.
    """
    register(log)
    stage = out.with_name(out.name + ".root")
    if stage.exists():
        shutil.rmtree(stage)
    try:
        work.run(["cp", "-a", root, stage], log, within_s=300)
        modules = stage / "usr/lib/modules"
        modules.mkdir(exist_ok=True)
        work.run(["cp", "-a", kernel / "modules/lib/modules" / NAME, modules], log, within_s=120)
        settle(stage)
        # Unpacked by this machine's own dpkg, ten times as fast; its scripts run in the root.
        unpack = ["dpkg", f"--root={stage}", "--force-architecture", "--force-depends", "--unpack"]
        overrides = stage / "var/lib/dpkg/statoverride"
        kept = overrides.read_text() if overrides.exists() else ""
        overrides.write_text("")  # they name groups of the root, which this machine has not
        work.run([*unpack, package], log, within_s=300)
        overrides.write_text(kept)
        inside(stage, ["dpkg", "--configure", "gate-agent"], log, within_s=900)
        inside(stage, ["sh", "-c", _FIRST], log, within_s=600)
        work.run(
            ["mke2fs", "-q", "-t", "ext4", "-L", "rig", "-d", stage, out, IMAGE_SIZE],
            log,
            within_s=600,
        )
    finally:
        shutil.rmtree(stage, ignore_errors=True)


_FIRST = """set -e
chown root:gate-agent /etc/gate-agent/gate.toml
chmod 640 /etc/gate-agent/gate.toml
cd /var/lib/gate-agent
setpriv --reuid gate-agent --regid gate-agent --init-groups env HOME=/var/lib/gate-agent \
  GATE_AGENT_STATE_DIR=/var/lib/gate-agent /usr/bin/gate-agent key init
systemctl enable rig-hardware.service gate-agent.service
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  fstrim.timer systemd-timesyncd.service e2scrub_reap.service
"""


def settle(root: Path) -> None:
    """Root at the serial console without a password, a name, a disk, and the rig's own files."""
    _write(root / "etc/hostname", "gate\n")
    _write(root / "etc/fstab", "/dev/vda / ext4 defaults,noatime 0 0\n")
    shadow = root / "etc/shadow"
    lines = shadow.read_text().splitlines()
    shadow.write_text(
        "".join(
            "root::" + line.split(":", 2)[2] + "\n" if line.startswith("root:") else f"{line}\n"
            for line in lines
        )
    )
    for name, (target, mode) in _FILES.items():
        _write(root / target, (FILES / name).read_text())
        (root / target).chmod(mode)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def checked(disk: Path) -> str:
    """What e2fsck says of a disk that no guest has open, after the journal is played back.

    Raises:
        UnavailableError: it is damaged beyond what a start mends by itself.
    """
    done = subprocess.run(  # noqa: S603 - our own arguments
        ["/sbin/e2fsck", "-p", str(disk)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "LC_ALL": "C"},
    )
    if done.returncode not in {0, 1}:
        raise UnavailableError(f"the disk is damaged: {done.stdout}{done.stderr}", "see the log")
    return done.stdout
