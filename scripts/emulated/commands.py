"""The command line: it parses and prints; what it does stands in ``--help``."""

import argparse
import sys
from collections.abc import Container, Sequence
from pathlib import Path

from agent.errors import GateAgentError
from emulated import parts, places, work
from emulated.machine import BOOT_S, Guest

_ABOUT = """\
An emulated Raspberry Pi in which the shipped package runs: arm64, systemd, simulated pins, bus,
camera and loudspeaker behind the kernel's own interfaces. It needs root, 4 GB of disk in
$XDG_CACHE_HOME/gate-agent-rig (or RIG=DIR), and no KVM. The first run takes some ten minutes.

  scripts/rig up                                  # build the package, boot a gate with it
  scripts/rig up --deb gate-agent.deb --fresh     # with this package, on a new disk
  scripts/rig up --fresh --models ~/.local/state/gate-agent   # with the packs installed there
  scripts/rig sh systemctl status gate-agent      # as root, on the serial console
  scripts/rig sh /opt/rig/pin 5 up                # press the exit button; pin 17 is the door
  scripts/rig cut                                 # the power fails; up boots the same disk again
  scripts/rig test --models DIR --face ann.jpg    # the proofs, on a new disk
  scripts/rig test kill watchdog --here           # these alone, on the disk that is there
  scripts/rig down                                # end it; the logs stay

exit codes: 0 done (of sh: the command's own), 1 refused, 2 usage, 69 something
is missing or took too long
"""


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; the exit code."""
    asked = _parser().parse_args(arguments)
    cache = places.cache()
    guest = Guest(cache, parts.kernel_at(cache))
    try:
        if asked.verb == "sh":
            return _sh(guest, asked)
        with places.alone(cache):
            return _act(asked, guest, cache)
    except GateAgentError as error:
        sys.stderr.write(f"scripts/rig: {error}\n")
        return error.exit_code


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="scripts/rig",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verbs = made.add_subparsers(dest="verb", required=True, metavar="up|sh|cut|test|down")
    up = verbs.add_parser("up", help="boot a gate, or the one whose power was cut")
    up.add_argument("--deb", type=Path, metavar="FILE", help="this package (else it is built)")
    up.add_argument("--fresh", action="store_true", help="on a new disk")
    up.add_argument("--slow", action="store_true", help="its clock counts instructions")
    up.add_argument(
        "--models",
        type=Path,
        metavar="DIR",
        help="a new disk gets the packs of this state folder: the agent starts with none without",
    )
    sh = verbs.add_parser("sh", help="run a command in it as root")
    sh.add_argument("--within", type=float, default=120.0, metavar="S", help="seconds (120)")
    sh.add_argument("command", nargs=argparse.REMAINDER, help="the words of one line")
    verbs.add_parser("cut", help="cut its power")
    test = verbs.add_parser("test", help="prove what the gate does, on a new disk")
    test.add_argument("proofs", nargs="*", metavar="PROOF", help="these alone")
    test.add_argument("--deb", type=Path, metavar="FILE", help="this package (else it is built)")
    test.add_argument("--models", type=Path, metavar="DIR", help="packs, as of up")
    test.add_argument("--face", type=Path, metavar="FILE", help="a photograph of one person")
    test.add_argument("--long", action="store_true", help="cut the power twenty times each")
    test.add_argument("--here", action="store_true", help="on the disk that was tested before")
    test.add_argument("--stay", action="store_true", help="leave the guest running")
    verbs.add_parser("down", help="end it, and remove all but the logs and the cache")
    return made


def _act(asked: argparse.Namespace, guest: Guest, cache: Path) -> int:
    if asked.verb == "down":
        guest.down()
        return 0
    if asked.verb == "cut":
        guest.cut()
        _say("the power is cut; scripts/rig up boots the same disk")
        return 0
    work.check()
    if asked.verb == "test":
        return _test(asked, guest, cache)
    return _up(asked, guest, cache)


def _test(asked: argparse.Namespace, guest: Guest, cache: Path) -> int:
    from emulated.proofs import all as proofs  # noqa: PLC0415 - up and sh need no OpenCV

    wanted = proofs.chosen(asked.proofs)
    if asked.here:
        if guest.running:
            guest.cut()
        guest.check()
    else:
        _new_disk(asked, guest, cache)
    try:
        whole = proofs.prove_all(
            guest,
            wanted,
            _say,
            photograph=asked.face,
            update=_next_release(wanted, cache),
            times=20 if asked.long else 1,
            here=asked.here,
        )
    finally:
        if guest.running and not asked.stay:
            guest.cut()
    return 0 if whole else 1


def _next_release(wanted: Container[str], cache: Path) -> Path | None:
    """A second release to update to, where that is wanted."""
    if "cut-update" not in wanted:
        return None
    return parts.next_release(cache, _say)


def _up(asked: argparse.Namespace, guest: Guest, cache: Path) -> int:
    if guest.running and not asked.fresh:
        _say("it runs already; --fresh begins anew")
        return 0
    if asked.fresh or asked.deb is not None or not guest.disk.exists():
        _new_disk(asked, guest, cache)
    guest.start(slow=asked.slow)
    took = guest.wait_for_login(BOOT_S)
    _say(f"a login after {took:.0f} s; scripts/rig sh COMMAND")
    return 0


def _new_disk(asked: argparse.Namespace, guest: Guest, cache: Path) -> None:
    package = asked.deb or parts.built_package(cache, _say)
    models = None if asked.models is None else parts.packed(asked.models, cache / "packs.tar")
    guest.make(parts.image(cache, package, _say))
    if models is not None:
        guest.put(models, "/opt/rig/packs.tar")


def _sh(guest: Guest, asked: argparse.Namespace) -> int:
    answer = guest.sh(" ".join(asked.command), asked.within)
    if answer.output:
        sys.stdout.write(f"{answer.output}\n")
    return answer.code


def _say(text: str) -> None:
    sys.stderr.write(f"rig: {text}\n")
