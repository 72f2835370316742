"""Power cuts in the middle of what is written: nothing is lost, and the gate is at rest after."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable

from emulated.places import TREE
from emulated.proofs import serving
from emulated.proofs.kiosk import BUTTON, CONFIG, DOOR, SkippedError, prove
from emulated.proofs.run import Run
from emulated.work import run as program

_PEOPLE = 400
_ENROL = "enrol {who} --name Ann --category resident /opt/rig/photograph --json"


def _again(run: Run, once: Callable[[int], str]) -> str:
    """Do it as often as asked; how each ended, counted."""
    ends: dict[str, int] = {}
    for number in range(run.times):
        how = once(number)
        run.kiosk.at_rest()
        ends[how] = ends.get(how, 0) + 1
    return "; ".join(f"{how} ({count})" for how, count in sorted(ends.items()))


def _wait(until_s: float) -> None:
    time.sleep(random.uniform(0.0, until_s))  # noqa: S311 - where it hits, not who guesses it


def release(run: Run) -> str:
    """In mid-release: the door is at rest after, and the journal has what the pin did."""
    kiosk = run.kiosk

    def once(_number: int) -> str:
        before = set(serving.told(run))
        kiosk.pressed(BUTTON, DOOR, "1")
        prove(kiosk.level(DOOR) == "1", "it was not released when the power went")
        kiosk.cut()
        kiosk.at_rest()
        new = [one for one in serving.told(run) if one not in before]
        prove(len(new) == 1, f"the journal has {len(new)} releases more")
        ends = time.monotonic() + 120
        while new[0] not in [one["id"] for one in run.subscriber.events()]:
            prove(time.monotonic() < ends, "the broker never heard of the release")
            time.sleep(0.5)
        return "the release is in the journal and at the broker"

    return _again(run, once)


def enrolment(run: Run) -> str:
    """In mid-enrolment: the holder is there whole or not at all, and can be enrolled then."""
    kiosk = run.kiosk
    if run.photograph is None:
        raise SkippedError("no photograph was given: --face FILE")

    def once(number: int) -> str:
        who = f"cut-{number}"
        words = _ENROL.format(who=who)
        kiosk.sh(f"(setsid /opt/rig/agent {words} > /run/enrolled 2>&1 &)")
        _wait(45)
        kiosk.cut()
        there = [one for one in kiosk.agent_array("holders list --json") if one["id"] == who]
        if there:
            prove(sum(there[0]["references"].values()) == 1, f"half a holder is there: {there}")
            return "the holder was there whole"
        (made,) = kiosk.agent(words, 600)
        prove(made["references"] == 1, f"{made}")
        return "the holder was not there, and was enrolled then"

    return _again(run, once)


def sync(run: Run) -> str:
    """While the registry brings its people: the old version is there or the new one, whole."""
    kiosk, folder = run.kiosk, run.folder
    people = folder / "people.jsonl"
    people.write_text(
        "".join(
            json.dumps({"id": f"r-{i}", "name": f"Person {i}", "category": "visitor"}) + "\n"
            for i in range(_PEOPLE)
        )
    )
    key = folder / "registry.pem"
    if not key.exists():
        _host(run, "pass", "keygen", str(key))
    public = (folder / "registry.pem.pub").read_text().replace("\n", "\\n")
    kiosk.sh(f"printf '{public}' > /etc/gate-agent/registry.pem.pub")
    kiosk.sh(
        f"grep -q '^.registry' {CONFIG} || printf"
        f" '\\n[registry]\\nkey_files = [\"/etc/gate-agent/registry.pem.pub\"]\\n' >> {CONFIG};"
        " systemctl restart gate-agent",
        300,
    )
    kiosk.ready()
    halves = folder / "kiosk.json"
    halves.write_text(json.dumps(kiosk.agent("key show --json")[0]))
    send = ("registry", "send", str(people), "--kiosk", str(halves), "--key", str(key))
    where = ("--port", str(run.server.port), "--json")

    def once(number: int) -> str:
        before = kiosk.agent("registry show --json")[0]["version"]
        child = _started(run, *send, "--to", str(number + 1), *where, "--within", "60")
        _wait(30)
        kiosk.guest.cut()
        child.kill()
        child.wait()
        kiosk.guest.check()
        kiosk.boot()
        now = kiosk.agent("registry show --json")[0]["version"]
        prove(now in {before, number + 1}, f"version {now} is neither of both")
        here = [one for one in kiosk.agent_array("holders list --json") if one["id"][:2] == "r-"]
        prove(len(here) == (_PEOPLE if now else 0), f"{len(here)} people at version {now}")
        said = json.loads(_host(run, *send, "--to", str(number + 1), *where, "--within", "240"))
        prove(said["has"] == number + 1, f"{said}")
        here = [one for one in kiosk.agent_array("holders list --json") if one["id"][:2] == "r-"]
        prove(len(here) == _PEOPLE, f"{len(here)} people came")
        return "the new version was there" if now == number + 1 else "the old one was, then came"

    return _again(run, once)


def update(run: Run) -> str:
    """In mid-update: the release before runs, or the new one whole."""
    kiosk = run.kiosk
    if run.update is None:
        raise SkippedError("there is no second release")
    package = run.update.name
    kiosk.sh("install -m 644 /opt/rig/release.pub.pem /etc/gate-agent/release-key.pem")
    first = kiosk.sh("readlink /opt/gate-agent/current")

    def once(_number: int) -> str:
        kiosk.sh(f"(setsid gate-agent update /opt/rig/{package} --json > /run/updated 2>&1 &)")
        _wait(150)
        kiosk.cut()
        now = kiosk.sh("readlink /opt/gate-agent/current")
        kiosk.sh("[ ! -e /opt/gate-agent/pending ]")
        prove(now == first, f"{now} runs, which nobody confirmed")
        return "the release before runs"

    return _again(run, once)


def _words(words: tuple[str, ...]) -> list[str]:
    begin = "import sys; from agent.cli.main import main; sys.exit(main())"
    return [sys.executable, "-c", begin, *words]


def _host(run: Run, *words: str) -> str:
    return program(_words(words), run.log, within_s=300, cwd=TREE)


def _started(run: Run, *words: str) -> "subprocess.Popen[bytes]":
    with run.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - our own arguments
            _words(words), stdout=log, stderr=log, cwd=TREE
        )
