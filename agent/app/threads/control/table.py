"""The one table of verbs, for the broker's signed commands and for the control socket.

    {"command": "unlock", "access_point": "north-entry"}
    {"command": "free_passage", "access_points": ["north-entry"], "until": 1796000000}

Whoever may use the socket may move doors and hear how the kiosk is, as ever; what changes people
and keys is for the owner of the files, and for signed commands.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agent.app.threads.control.deeds import Asked, Deed, Result, known_arguments
from agent.app.threads.control.socket import CommandHandler
from agent.domain.record.command import Verb

LOCAL = (
    *(Verb.UNLOCK, Verb.LOCKDOWN, Verb.FREE_PASSAGE, Verb.RESUME),
    *(Verb.ANNOUNCE, Verb.HEALTH),
)
_VALID_S = 300


def local_commands(
    deeds: Mapping[Verb, Deed], outdate: Callable[[Iterable[str]], None]
) -> Mapping[str, CommandHandler]:
    """The verbs that the control socket offers, as ``socket.ControlServer`` takes them.

    ``outdate`` makes late what was signed before and has not come yet.
    """
    return {verb.value: _handler(deeds[verb], outdate) for verb in LOCAL}


def _handler(deed: Deed, outdate: Callable[[Iterable[str]], None]) -> CommandHandler:
    def handle(request: Mapping[str, Any], caller: str) -> dict[str, Any]:
        arguments = {name: value for name, value in request.items() if name != "command"}
        expires = int(time.time()) + _VALID_S
        asked = Asked(arguments, caller, os.urandom(16).hex(), expires)
        known_arguments(asked, deed)
        plan = deed.plan(asked)
        if not plan.late:
            outdate(plan.subjects)
        result: Result = plan.run()
        return dict(result)

    return handle
