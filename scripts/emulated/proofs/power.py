"""Power cuts in the middle of what is written: nothing is lost, and the gate is at rest after."""

import random
import time
from collections.abc import Callable

from emulated.proofs import serving
from emulated.proofs.kiosk import BUTTON, DOOR, SkippedError, prove
from emulated.proofs.run import Run

# By force: the face is one of somebody who is enrolled already, by another proof.
_ENROL = "enrol {who} --name Ann --category resident --force /opt/rig/photograph --json"


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
