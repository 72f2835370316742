"""Tells people at each access point how it stands there: its lights, its buzzer, its voice.

    controller --Indicate, Guide, Stand--> Telling --> lights and buzzer of the access point
                                       |------> voice --> player (a thread of its own) --> aplay
    broker -------announcements--------'

What fails is a fault, told once (``indicator:<access point>``, ``voice``), and told again when it
works; it keeps nobody outside. Signed commands apart, nothing from the broker moves an
output: an announcement ends at the loudspeaker, and nothing here leads to a door.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import structlog

from agent.adapters.broker.listener import Listener
from agent.app.open.voice import Voice
from agent.app.threads.fault_line import FaultLine
from agent.app.threads.organ import Organ, Outlet, Task
from agent.app.threads.tell.speech import VOICE, Speech
from agent.controller.effects import Guide, Indicate, Stand
from agent.controller.inputs import Input
from agent.domain.access.indication import Standing
from agent.domain.access.part import Part, PartKind
from agent.domain.record.topics import Topics
from agent.errors import UnavailableError
from agent.ports import Clock, Indicator

_log = structlog.get_logger(__name__)


class Telling(Organ):
    """Owns what tells people; what its outlets take is called by the controller's thread."""

    def __init__(
        self,
        lights: Mapping[str, Indicator],
        voice: Voice | None,
        clock: Clock,
        post: Callable[[Input], None],
        topics: Topics,
    ) -> None:
        """``lights`` by access point; somebody else closes them."""
        self._topics = topics
        self._indicators: dict[str, dict[Part, Indicator]] = {
            point: {PartKind.INDICATOR.part(point): one} for point, one in lights.items()
        }
        self._speech = None if voice is None else Speech(voice, clock, post)
        if self._speech is not None:
            point = self._speech.voice.access_point
            self._indicators.setdefault(point, {})[VOICE] = self._speech.indicator
        # The fault may be one that outlived an earlier agent.
        self._faults = {
            part: FaultLine(part, post, may_stand_already=True)
            for parts in self._indicators.values()
            for part in parts
        }

    def indicate(self, effect: Indicate) -> None:
        """Tell whoever stands there; never waits, never raises."""
        said = effect.indication
        _log.info(
            "indicate",
            access_point=said.access_point,
            outcome=said.outcome.value,
            waiting_for=list(said.waiting_for),
        )
        for part, indicator in self._indicators.get(said.access_point, {}).items():
            self._try(part, partial(indicator.show, said))

    def guide(self, effect: Guide) -> None:
        """Tell whoever stands there what would help; never waits, never raises."""
        told = effect.guidance
        _log.info("guide", access_point=told.access_point, state=told.state.value, aloud=told.aloud)
        for part, indicator in self._indicators.get(told.access_point, {}).items():
            self._try(part, partial(indicator.show, told))

    def stand(self, effect: Stand) -> None:
        """How it stands there from now on; never waits, never raises."""
        _log.info("stand", access_point=effect.access_point, standing=effect.standing.value)
        for part, indicator in self._indicators.get(effect.access_point, {}).items():
            self._try(part, partial(indicator.stand, effect.standing))

    def tasks(self) -> Iterable[Task]:
        """The player's thread, where there is a voice."""
        if self._speech is not None:
            yield Task(VOICE, self._speech.player.work, self._speech.player.stop)

    def outlets(self) -> Mapping[type, Outlet]:
        """What people are told."""
        return {Indicate: self.indicate, Guide: self.guide, Stand: self.stand}

    def started(self) -> None:
        """Show that the gate is ready.

        It is the controller's to say otherwise, and its first word may follow at once.
        """
        for point in self._indicators:
            self.stand(Stand(point, Standing.READY))
        if self._speech is not None:
            self._speech.tell_what_is_missing()

    def listeners(self) -> Mapping[str, Listener]:
        """What it hears from the broker: announcements, where the config takes any."""
        speech = self._speech
        if speech is None or not speech.voice.settings.announcements:
            return {}

        def heard(payload: bytes) -> None:
            speech.announce(payload)

        # A retained one counts until it expires, so that who comes late to the broker says it too.
        listener = Listener(heard, retained=True)
        return {self._topics.announce: listener, self._topics.announce_to_all: listener}

    def announce(self, payload: bytes) -> bool | None:
        """An announcement that a signed command asks for; whether it will be said.

        None where this kiosk says none. Never waits, never raises, moves no output.
        """
        speech = self._speech
        if speech is None or not speech.voice.settings.announcements:
            return None
        return speech.announce(payload)

    def _try(self, part: Part, deed: Callable[[], None]) -> None:
        try:
            deed()
        except UnavailableError as error:
            # A light that fails keeps nobody outside.
            if not self._faults[part].failing:
                _log.error("indicator_failed", part=part, error=str(error))
            self._faults[part].failed(error)
        else:
            # That a voice takes what it is to say is no word of its loudspeaker.
            if part != VOICE:
                self._faults[part].works()
