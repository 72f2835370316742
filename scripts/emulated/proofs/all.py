"""All proofs, in the order in which each builds on what those before have shown."""

import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from mosquitto import PROGRAM, Mosquitto, Subscriber

from agent.errors import GateAgentError, RefusedError, UnavailableError
from emulated.machine import Guest
from emulated.proofs import deaths, people, power, serving
from emulated.proofs.kiosk import Kiosk, SkippedError
from emulated.proofs.run import Run

Proof = Callable[[Run], str]
PROOFS: dict[str, Proof] = {
    "service": serving.service,
    "exit-button": serving.exit_button,
    "broker": serving.broker,
    "thermometers": serving.thermometers,
    "face": people.face,
    "watchdog": deaths.watchdog,
    "kill": deaths.killed,
    "cut-release": power.release,
    "cut-enrolment": power.enrolment,
    "cut-sync": power.sync,
    "cut-update": power.update,
    "clock": people.clock,
    "voice": people.voice,
}
Say = Callable[[str], None]


def chosen(names: Sequence[str]) -> dict[str, Proof]:
    """The proofs of these names, or all.

    Raises:
        RefusedError: there is none of a name.
    """
    if unknown := [name for name in names if name not in PROOFS]:
        raise RefusedError(
            "Unknown", f"no proof is called {', '.join(unknown)}: {', '.join(PROOFS)}"
        )
    return {name: proof for name, proof in PROOFS.items() if not names or name in names}


def prove_all(
    guest: Guest,
    proofs: dict[str, Proof],
    say: Say,
    *,
    photograph: Path | None,
    update: Path | None,
    times: int,
    here: bool,
) -> bool:
    """Run the proofs on a guest whose disk is there and whose power is off; whether all hold.

    ``photograph`` is of somebody to enrol, ``update`` the folder of a second, signed release.
    ``here``: the guest was put to the proof before, and has what it is given along.
    """
    if PROGRAM is None:
        raise UnavailableError("there is no broker", "apt-get install mosquitto")
    whole = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = Mosquitto(folder)
        server.start()
        try:
            subscriber = Subscriber(server.port)
            log = guest.logs / "proofs.log"
            kiosk = Kiosk(guest, server.port, folder)
            run = Run(kiosk, server, subscriber, folder, log, photograph, None, times)
            began = time.monotonic()
            if not here:
                _give(run, update)
            run.update = None if update is None else next(update.glob("*.deb"))
            kiosk.boot()
            say(f"booted, and the agent serves: {time.monotonic() - began:.0f} s")
            for one, proof in proofs.items():
                whole &= proven(one, proof, run, say)
            subscriber.close()
        finally:
            server.stop()
    return whole


def _give(run: Run, update: Path | None) -> None:
    if run.photograph is not None:
        film = people.film(run.photograph, run.folder / "film.avi")
        copy = run.folder / "photograph"
        copy.write_bytes(run.photograph.read_bytes())
        run.kiosk.give([film, copy])
    if update is not None:
        run.kiosk.give(sorted(update.iterdir()))


def proven(name: str, proof: Proof, run: Run, say: Say) -> bool:
    """Run one proof and say how it went; False where it does not hold."""
    began = time.monotonic()
    try:
        how, what = "ok", proof(run)
    except SkippedError as error:
        how, what = "skipped", str(error)
    except (GateAgentError, OSError, ValueError, LookupError) as error:
        how, what = "FAILED", f"{type(error).__name__}: {error}"
        with run.log.open("a") as log:
            traceback.print_exc(file=log)
    say(f"{how:7} {name:14} {time.monotonic() - began:4.0f} s  {what}")
    sys.stderr.flush()
    return how != "FAILED"
