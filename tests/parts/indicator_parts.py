"""Indicators under test, and what people get of them: seen on pins, heard at a loudspeaker."""

import threading
from collections.abc import Callable, Hashable, Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Protocol

from mosquitto import wait_until

from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.indicator import GpioIndicator, IndicatorPins
from agent.adapters.voice.player import Player
from agent.adapters.voice.simulated import SimulatedLoudspeaker
from agent.adapters.voice.voice import VoiceIndicator
from agent.domain.access.hints import Hint
from agent.domain.access.indication import Indication, Outcome
from agent.ports import Indicator

RED, GREEN, BUZZER, BLUE = 23, 24, 25, 22
WAITING = Indication("north-entry", Outcome.WAITING, ("face",))
GRANTED = Indication("north-entry", Outcome.GRANTED)
DENIED = Indication("north-entry", Outcome.DENIED)
RGB = IndicatorPins(RED, GREEN, BUZZER, blue=BLUE)


class Stage(Protocol):
    """An indicator, and what people get of it from now on."""

    @property
    def indicator(self) -> Indicator: ...

    @property
    def apart(self) -> int:
        """How many denials can be told from one another, at most."""

    def told(self) -> Hashable:
        """Over two seconds, or until it is silent."""

    def later(self) -> None:
        """So much later that nobody is being told anything."""


class Lights:
    """An eye on the pins: red, green, blue, buzzer."""

    apart = 1

    def __init__(
        self, pins: Any, level: Callable[[int], bool], wanted: IndicatorPins = RGB
    ) -> None:
        self.clock = ManualClock()
        self.indicator = GpioIndicator(pins, wanted, self.clock)
        self._level = level

    def seen(self) -> tuple[bool, ...]:
        return tuple(self._level(pin) for pin in (RED, GREEN, BLUE, BUZZER))

    def told(self) -> tuple[tuple[bool, ...], ...]:
        return tuple(seen for seen, _ in groupby(self._watch(2.0)))

    def later(self) -> None:
        self.clock.advance(200)

    def lit(self) -> str:
        return "".join(name for name, on in zip("RGB", self.seen()[:3], strict=True) if on)

    def beeps(self, seconds: float) -> int:
        heard = [False, *(seen[3] for seen in self._watch(seconds))]
        return sum(now and not before for before, now in pairwise(heard))

    def _watch(self, seconds: float) -> Iterator[tuple[bool, ...]]:
        # Between the ticks of the timers, so that nothing hangs on the last bit of a sum.
        self.clock.advance(0.005)
        for _ in range(round(seconds / 0.01)):
            yield self.seen()
            self.clock.advance(0.01)


class Voice:
    """An ear at the loudspeaker: which messages it said to their end."""

    apart = len(Hint)

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.loudspeaker = SimulatedLoudspeaker(self.clock, holding=True)
        self.player = Player(self.loudspeaker, self.clock)
        self.thread = threading.Thread(target=self.player.work)
        self.thread.start()
        self.indicator = VoiceIndicator(
            self.player, lambda language, key: Path(language, f"{key}.wav"), ["en"], self.clock
        )
        self._told = 0

    def told(self) -> tuple[str, ...]:
        while True:
            assert wait_until(lambda: self._idle() or self._speaks())
            if self._idle():
                break
            self.loudspeaker.finish()
        played = [one for one in self.loudspeaker.played[self._told :] if one.ended == "played"]
        self._told = len(self.loudspeaker.played)
        return tuple(one.file.stem for one in played)

    def later(self) -> None:
        self.told()

    def close(self) -> None:
        self.player.stop()
        self.thread.join(60)

    def _idle(self) -> bool:
        with self.player._condition:
            return self.player._playing is None and not self.player._waiting

    def _speaks(self) -> bool:
        with self.player._condition:
            return self.loudspeaker.playing is not None and not self.player._cut
