"""A dead kiosk's successor: that all speak of the same kiosk, and what a person has left to do."""

from typing import Any

from agent.app.desk.care.restore import Restored
from agent.app.open.files.state import LEDGER
from agent.app.open.site import Site
from agent.errors import RefusedError
from agent.operations.care.config_files import LEFT_OUT
from agent.operations.care.label import Label


def check_names(site: Site, dead: Label) -> None:
    """Nothing, where the config is that of the kiosk on the label, or the backup's is to come.

    Raises:
        RefusedError: ``other_kiosk``.
    """
    if site.place is None:
        return
    here = site.source.removeprefix("/gate/")
    if here != dead.kiosk:
        fix = "take the config, or the label, of the kiosk that is replaced"
        said = f"the label is of {dead.kiosk}, and the config of {here}"
        raise RefusedError("other_kiosk", f"{said}\nFix: {fix}")


def left_to_do(done: Restored, dead: Label) -> list[str]:
    """What is left to a person, in the order in which it is done."""
    keys = done.keys or {}
    pinned = ", ".join(f"{one} {keys[one]['key_id']}" for one in ("signing", "sealing"))
    told = [
        f"In the backend, pin this kiosk's keys ({pinned}): gate-agent key show --json",
        f"There too, believe the dead kiosk's signing key {_old(done, dead)} no more.",
        "At the broker, revoke the dead kiosk's certificate or password; this one has its own.",
        "Start it, and look it over: systemctl start gate-agent; gate-agent doctor",
        f"Passes of limited uses count as used up: gate-agent state accept {LEDGER.name} ends it.",
        "Stand before it, press the exit button, and see the door open and close.",
        "Make a backup of this one, and a label: gate-agent key show --label FILE",
    ]
    own = [str(one.belongs) for one in done.config if one.outcome == LEFT_OUT]
    if own:
        told.insert(3, f"Lay this one's own there: {', '.join(own)}")
    others = [name for name in done.doubted if name != LEDGER.name]
    if others:
        told.insert(-2, f"In fault as well: {', '.join(others)}. See gate-agent state show")
    return told


def _old(done: Restored, dead: Label) -> str:
    """The id that the backup has; the label's may be older."""
    keys: Any = done.about.keys or {}
    signing = keys.get("signing")
    known = signing.get("key_id") if isinstance(signing, dict) else None
    return str(known or dead.signing or "(unknown)")
