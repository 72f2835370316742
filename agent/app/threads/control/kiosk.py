"""What may be asked of the kiosk itself: its voice, its clock, its health, and a start anew."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from agent.app.threads.control.deeds import Asked, Deed, DeedRefused, Plan, Result, bad
from agent.domain.hours.instant import utc_text
from agent.domain.record.command import CommandReason, Verb

_ASKED_S, _SPOKEN_S = 300, 7 * 86_400
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
_SAID = frozenset({"message", "text", "priority", "repeat", "language"})


class KioskDeeds:
    """Asked by the thread of signed commands and by the control socket's."""

    def __init__(
        self,
        *,
        announce: Callable[[bytes], bool | None],
        believe: Callable[[bytes, datetime], bool],
        health: Callable[[], Result],
        restart: Callable[[str], None],
    ) -> None:
        """``announce`` takes an announcement, None where nobody would say it.

        ``believe`` takes a nonce of this kiosk's and the time, and says whether it was asked for.
        """
        self._announce = announce
        self._believe = believe
        self._health = health
        self._restart = restart

    def deeds(self) -> Mapping[Verb, Deed]:
        """The verbs about the kiosk."""
        return {
            Verb.ANNOUNCE: Deed(self._said, _SAID, _SPOKEN_S),
            Verb.SET_TIME: Deed(self._time, frozenset({"utc"}), _ASKED_S, timeless=True),
            Verb.HEALTH: Deed(lambda _: Plan(self._health), frozenset(), _ASKED_S),
            Verb.RESTART: Deed(self._anew, frozenset(), _ASKED_S),
        }

    def _said(self, asked: Asked) -> Plan:
        expires = utc_text(datetime.fromtimestamp(asked.expires, UTC))
        said = {"priority": "routine", **asked.arguments, "id": asked.id, "expires": expires}
        try:
            payload = json.dumps(said).encode()
        except TypeError:
            raise bad("an announcement is words and numbers") from None

        def run() -> Result:
            heard = self._announce(payload)
            if heard is None:
                word, why = CommandReason.UNSUPPORTED, "this kiosk says no announcements"
                raise DeedRefused(word, why)
            if not heard:
                raise DeedRefused(CommandReason.REFUSED, "it may not be said: the log says why")
            return {}

        return Plan(run)

    def _time(self, asked: Asked) -> Plan:
        utc, nonce = asked.arguments.get("utc"), asked.nonce
        if not isinstance(utc, int) or isinstance(utc, bool) or not _EARLIEST <= utc <= _LATEST:
            raise bad("set_time names utc, in seconds")
        if nonce is None:
            raise DeedRefused(CommandReason.WRONG_NONCE, "set_time bears the kiosk's nonce")

        def run() -> Result:
            if not self._believe(nonce, datetime.fromtimestamp(utc, UTC)):
                said = "that nonce was not asked just now"
                raise DeedRefused(CommandReason.WRONG_NONCE, said)
            return {}

        return Plan(run)

    def _anew(self, asked: Asked) -> Plan:
        return Plan(dict, afterwards=lambda: self._restart(f"restart by {asked.by}"))
