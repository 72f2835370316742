"""Says at one access point how it stands there, by prepared files and one loudspeaker.

    what                        priority  channel       goes when
    granted, denied, waiting    attempt   attempt       a newer one comes; unsaid after five seconds
    signs before a decision     guidance  guidance      a decision or a newer one; unsaid after six
    alarm                       urgent    standing      the standing ends
    other standings             routine   standing      the standing ends

In quiet hours none of it is said: the lights go on. Which message stands for a reason, and what a
bystander may hear of it, is ``domain.access.hints``'s.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from agent.adapters.voice.player import Player, Utterance
from agent.domain.access.hints import STANDINGS, Priority, messages_of
from agent.domain.access.indication import Indication, Standing
from agent.domain.access.signs import SIGNS, Guidance
from agent.ports import Clock

_STALE_S, _GUIDANCE_STALE_S = 5.0, 6.0
_ATTEMPT, _GUIDANCE, _STANDING = "attempt", "guidance", "standing"


class VoiceIndicator:
    """Implements ``ports.Indicator``; nothing of it waits for the loudspeaker."""

    def __init__(
        self,
        player: Player,
        find: Callable[[str, str], Path | None],
        languages: Sequence[str],
        clock: Clock,
        *,
        quiet: Callable[[], bool] = lambda: False,
    ) -> None:
        """``find`` gives the file of a language and a key, None where there is none."""
        self._player = player
        self._find = find
        self._languages = tuple(languages)
        self._clock = clock
        self._quiet = quiet
        self._standing: Standing | None = None
        self._closed = False

    def show(self, told: Indication | Guidance) -> None:
        """Say it now, in the place of what was said before; returns at once.

        A sign before a decision waits for what is being said, and is unsaid where that takes long.
        """
        if self._closed:
            return
        if isinstance(told, Guidance):
            self._guide(told)
            return
        self._player.hush(_GUIDANCE)
        if self._quiet():
            self._player.hush(_ATTEMPT)
            return
        until_s = self._clock.now().monotonic_s + _STALE_S
        keys = messages_of(told)
        self._player.say(Utterance(Priority.ATTEMPT, self._files(keys), _ATTEMPT, until_s))

    def stand(self, standing: Standing) -> None:
        """Say it once when it begins; returns at once."""
        if self._closed or standing is self._standing:
            return
        self._standing = standing
        self._player.hush(_STANDING)
        key = STANDINGS[standing]
        if key is None or self._quiet():
            return
        priority = Priority.URGENT if standing is Standing.ALARM else Priority.ROUTINE
        self._player.say(Utterance(priority, self._files((key,)), _STANDING, again=True))

    def _guide(self, told: Guidance) -> None:
        keys = SIGNS[told.state].messages
        if not told.aloud or not keys or self._quiet():
            return
        until_s = self._clock.now().monotonic_s + _GUIDANCE_STALE_S
        self._player.say(Utterance(Priority.GUIDANCE, self._files(keys), _GUIDANCE, until_s))

    def close(self) -> None:
        """Silent from now on; safe to call twice."""
        self._closed = True
        self._player.hush(_GUIDANCE)
        self._player.hush(_ATTEMPT)
        self._player.hush(_STANDING)

    def _files(self, keys: Sequence[str]) -> Callable[[], list[Path]]:
        def files() -> list[Path]:
            places = (self._find(language, key) for language in self._languages for key in keys)
            return [place for place in places if place is not None]

        return files
