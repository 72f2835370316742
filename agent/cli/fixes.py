"""Makes a fix that names a command fit the command that failed: for the same state and config.

``Fix: gate-agent key init`` would make a key somewhere else where the failed command had a
``--state-dir``; followed to the letter, it must help.
"""

import re
import shlex
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

_PLACES = ("--config", "--state-dir")
# The words of a command and nothing else: a sentence about commands stays as it is.
_COMMAND = re.compile(r"gate-agent(?: [\w.-]+)+")


def fitted(fix: str, given: Sequence[str], program: Any) -> str:
    """``fix`` with the places of ``given`` (a command line), where its command takes them.

    ``program`` is the root of the commands.
    """
    if not _COMMAND.fullmatch(fix):
        return fix
    command = program
    for word in fix.split()[1:]:
        command = getattr(command, "commands", {}).get(word, command)
    known = {option for parameter in command.params for option in parameter.opts}
    places = [(option, _value(option, given)) for option in _PLACES if option in known]
    return " ".join(
        [fix, *(f"{option} {shlex.quote(value)}" for option, value in places if value is not None)]
    )


def _value(option: str, given: Sequence[str]) -> str | None:
    """What stands behind the option the last time it is given."""
    found = None
    for word, following in pairwise([*given, None]):
        if word == option:
            found = following
        elif word is not None and word.startswith(f"{option}="):
            found = word.partition("=")[2]
    return found
