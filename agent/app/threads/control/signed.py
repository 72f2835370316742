"""Carries out signed commands: heard from the broker, each judged, noted, run, told and answered.

    heard (broker's thread): bounded, signature --not known, not true--> counted
      `--> the key's own lane (``waiting``) --> judged --refused--> told, reply owed
                                     `--> noted, durable --> run --> told, reply owed
    at the start: what was noted and never ended --> interrupted, told, reply owed

Nothing that a stranger sends makes an event or a row; what a known key sends is bounded for that
key. A command that came retained or again is not run, whoever signed it: the broker may delay.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.adapters.broker.listener import Incoming
from agent.app.open.community.command_keys import CommandKey
from agent.app.threads.control.answers import Answers, Ended
from agent.app.threads.control.counts import Paces
from agent.app.threads.control.deeds import (
    Asked,
    Deed,
    DeedRefused,
    Plan,
    Result,
    bad,
    known_arguments,
)
from agent.app.threads.control.judging import SKEW_S, Moment, objection
from agent.app.threads.control.replies import Replies
from agent.app.threads.control.waiting import Heard, Lane, Waiting, lane_of
from agent.credentials.signed.command import Command, CommandError, verify_command
from agent.domain.foreign.boundary import boundary
from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.command import CommandReason, Outcome, Verb
from agent.errors import GateAgentError, InternalError, RefusedError, StoreError
from agent.ports import CommandStore, Noted

_PRUNE_EVERY_S = 3600.0
_LONGEST_CORRELATION = 256
"""Nobody signs it, and it waits on the disk with its reply."""
_PENDING_S, _IDLE_S = 1.0, 60.0
_log = structlog.get_logger(__name__)


class ReckonedClock(Protocol):
    """A clock, and what is known of the time by it."""

    def reckoned(self) -> tuple[Instant, Reckoning]:
        """This moment, and the reckoning that has heard of it."""


class SignedCommands:
    """``hear`` is the broker's thread's, all else its own."""

    def __init__(
        self,
        keys: Mapping[bytes, CommandKey],
        store: CommandStore,
        deeds: Mapping[Verb, Deed],
        clock: ReckonedClock,
        answers: Answers,
        replies: Replies,
        running: Sequence[Noted],
    ) -> None:
        """``running`` is what the last agent began and did not end."""
        self._keys = keys
        self._store = store
        self._deeds = deeds
        self._clock = clock
        self._answers = answers
        self._replies = replies
        self._interrupted = running
        self.settle: Callable[[float], None] = lambda _: None
        """Hears now and then how late a trusted time may be, in UTC seconds."""
        self._paces = Paces()
        self._waiting = Waiting()
        self._condition = threading.Condition()
        self._stopping = False
        self._outdated: dict[str, float] = {}
        self._prune_s = float("-inf")
        self._began_s = clock.reckoned()[0].monotonic_s

    def hear(self, incoming: Incoming, *, of_group: bool = False) -> None:
        """A message on a topic of commands; never blocks, never raises."""
        if incoming.payload is None:
            self._answers.counts.add(CommandReason.TOO_LARGE)
            return
        try:
            command, key_id = verify_command(incoming.payload, self._key)
        except CommandError as error:
            if error.key_id is None:
                self._answers.counts.add(error.word)
                return
            heard = Heard(
                error.key_id,
                *self._way_back(incoming),
                wrong=error.word,
                command_id=error.command_id or b"",
            )
        else:
            if not command.is_for(self._answers.topics.kiosk_path):
                if of_group:
                    return  # for others of the community, who hear the same topic
                wrong: CommandReason | None = CommandReason.WRONG_KIOSK
            elif incoming.retained:
                wrong = CommandReason.RETAINED
            else:
                wrong = CommandReason.REPEATED if incoming.repeated else None
            heard = Heard(key_id, *self._way_back(incoming), command, wrong, command.id)
        with self._condition:
            lost = self._waiting.put(heard)
            self._condition.notify()
        if lost is not None:
            self._answers.counts.add(lost)

    def outdate(self, subjects: Iterable[str]) -> None:
        """Somebody at the gate says otherwise now: what was issued before is late.

        From any thread. Where no time is trusted it is settled once one is, also by the next agent;
        where the disk does not take it, it is written down once it can be.
        """
        now_s = self._clock.reckoned()[0].monotonic_s
        with self._condition:
            self._outdated.update(dict.fromkeys(subjects, now_s))
        try:
            self._settled()
        except StoreError as error:
            _log.error("commands_not_outdated", error=str(error))

    def work(self) -> None:
        """The thread's loop, until ``stop``."""
        for one in self._interrupted:
            self._told_interrupted(one)
        while True:
            pending = self._look()
            with self._condition:
                wait_s = _PENDING_S if pending else _IDLE_S
                self._condition.wait_for(lambda: self._stopping or bool(self._waiting), wait_s)
                if self._stopping:
                    return
                heard = self._waiting.take()
            if heard is not None:
                self.carry_out(heard)
            self._prune()

    def stop(self) -> None:
        """End ``work`` after the command that runs."""
        with self._condition:
            self._stopping = True
            self._condition.notify()

    def carry_out(self, heard: Heard) -> None:
        """Judge it, and run it where it may."""
        key = self._keys[heard.key_id]
        plan: Plan | None = None
        try:
            wrong = heard.wrong
            if heard.command is None or wrong is not None:
                self._refuse(heard, key, wrong or CommandReason.MALFORMED)
                return
            plan = self._planned(heard.command, key)
            noted = _noted(heard, heard.command)
            if (wrong := self._store.note(noted, plan.subjects, late=plan.late)) is not None:
                self._refuse(heard, key, wrong)
                return
            with self._condition:
                self._waiting.has_run(heard.command_id)
        except DeedRefused as error:
            self._refuse(heard, key, error.word)
            return
        except StoreError as error:
            _log.error("command_not_noted", error=str(error))
            self._refuse(heard, key, CommandReason.STORE)
            return
        # The disk may have taken its time.
        late = self._moment().expired(heard.command) and heard.command.verb != Verb.SET_TIME
        if plan.later is not None and not late:
            plan.later(lambda done: self._end_later(noted, key, done))
            return
        ended = Ended(Outcome.REFUSED, CommandReason.EXPIRED) if late else _run(plan)
        kept = self._end(noted, key, ended)
        if plan.afterwards is not None and kept and ended.outcome is Outcome.DONE:
            try:
                plan.afterwards()
            except GateAgentError as error:
                _log.error("command_not_ended", verb=noted.verb, error=str(error))

    def _key(self, named: bytes) -> Ed25519PublicKey | None:
        key = self._keys.get(named)
        return None if key is None else key.key

    def _way_back(self, incoming: Incoming) -> tuple[str, bytes | None]:
        said = incoming.correlation
        given_back = None if said is None or len(said) > _LONGEST_CORRELATION else said
        return self._answers.topic(incoming.response_topic), given_back

    def _moment(self) -> Moment:
        now, reckoning = self._clock.reckoned()
        return Moment(now, reckoning, self._store.horizon())

    def _look(self) -> bool:
        """Whether the horizon still waits for a trusted time."""
        try:
            return self._settled().horizon.pending
        except StoreError as error:
            _log.warning("commands_unread", error=str(error))
            return True

    def _settled(self) -> Moment:
        """This moment; what waits for a trusted time, as the horizon may, is written down in one.

        Raises:
            StoreError: the store cannot say, or be written.
        """
        moment = self._moment()
        latest_s = moment.latest_s if moment.settled else None
        with self._condition:
            outdated = list(self._outdated.items())
        for subject, at_s in outdated:
            if latest_s is None:
                self._store.outdate_unsettled(subject, at_s)
            else:
                utc_s = int(latest_s - (moment.now.monotonic_s - at_s)) + 1
                self._store.outdate(subject, utc_s)
            with self._condition:
                if self._outdated.get(subject) == at_s:
                    del self._outdated[subject]
        if latest_s is None:
            return moment
        self._store.settle(latest_s, moment.now.monotonic_s)
        if moment.horizon.pending:
            # When this agent began, however long nobody knew the time since.
            began_s = latest_s - (moment.now.monotonic_s - self._began_s)
            self._store.raise_horizon(int(began_s))
            return self._moment()
        return moment

    def _planned(self, command: Command, key: CommandKey) -> Plan:
        """Look at it, and change nothing.

        Raises:
            DeedRefused: it may not run.
            StoreError: the store cannot say.
        """
        moment = self._settled()
        deed = self._deeds.get(Verb(command.verb)) if command.verb in list(Verb) else None
        wrong = objection(command, key, deed, moment)
        if wrong is not None or deed is None:
            raise DeedRefused(wrong or CommandReason.UNSUPPORTED, "it may not run")
        named = command.id.hex()
        points, nonce = key.access_points, command.nonce
        times = (command.issued, moment.latest_s)
        asked = Asked(command.arguments, key.by, named, command.expires, points, nonce, *times)
        known_arguments(asked, deed)
        with boundary("command", lambda: bad("unreadable"), DeedRefused, StoreError, InternalError):
            return deed.plan(asked)

    def _refuse(self, heard: Heard, key: CommandKey, word: CommandReason) -> None:
        self._answers.counts.add(word)
        verb = None if heard.command is None else heard.command.verb
        first = lane_of(verb) is not Lane.OTHER
        if not self._paces.take(heard.key_id + bytes([first]), time.monotonic()):
            return  # counted only: whoever repeats them fills no journal
        ended = Ended(Outcome.REFUSED, word)
        self._answers.tell(heard.command_id, verb, key.name, ended)
        payload = self._answers.reply(heard.command_id, verb, ended)
        if payload is None:
            return
        try:
            self._store.owe(heard.key_id, heard.topic, heard.correlation, payload, first=first)
        except StoreError as error:
            _log.error("reply_not_kept", error=str(error))
        self._replies.notify()

    def _told_interrupted(self, one: Noted) -> None:
        key = self._keys.get(one.key_id)
        self._end(one, key, Ended(Outcome.INTERRUPTED, CommandReason.INTERRUPTED))

    def _end_later(self, one: Noted, key: CommandKey, done: Result | DeedRefused) -> None:
        self._end(one, key, _ended(done))

    def _end(self, one: Noted, key: CommandKey | None, ended: Ended) -> bool:
        """Tell of it, and whether that was written down."""
        if ended.reason is not None:
            self._answers.counts.add(ended.reason)
        name = None if key is None else key.name
        self._answers.tell(one.id, one.verb, name, ended)
        payload = self._answers.reply(one.id, one.verb, ended)
        try:
            self._store.end(one, ended.outcome, payload)
        except StoreError as error:
            # The next start calls it interrupted, which it then may be.
            _log.error("command_end_not_kept", error=str(error))
            return False
        self._replies.notify()
        return True

    def _prune(self) -> None:
        now_s = time.monotonic()
        if now_s < self._prune_s:
            return
        self._prune_s = now_s + _PRUNE_EVERY_S
        now, reckoning = self._clock.reckoned()
        surely = reckoning.confirmed(now.monotonic_s)
        if surely is None:
            return
        longest_s = max(deed.longest_s for deed in self._deeds.values())
        try:
            self._store.prune(int(surely.timestamp()), longest_s)
            moment = self._moment()
            if moment.settled and moment.latest_s is not None:
                self._store.at_most(int(moment.latest_s) + SKEW_S)
                self.settle(moment.latest_s)
            else:
                self._prune_s = now_s + _IDLE_S
        except StoreError as error:
            _log.warning("commands_not_pruned", error=str(error))


def _noted(heard: Heard, command: Command) -> Noted:
    return Noted(
        *(command.id, heard.key_id, command.verb, command.issued, command.expires),
        *(heard.topic, heard.correlation),
    )


def _ended(done: Result | DeedRefused) -> Ended:
    if isinstance(done, DeedRefused):
        return Ended(Outcome.FAILED, done.word)
    return Ended(Outcome.DONE, result=done)


def _run(plan: Plan) -> Ended:
    try:
        return Ended(Outcome.DONE, result=plan.run())
    except DeedRefused as error:
        return Ended(Outcome.FAILED, error.word)
    except StoreError as error:
        _log.error("command_failed", error=str(error))
        return Ended(Outcome.FAILED, CommandReason.STORE)
    except (RefusedError, ValueError) as error:
        # The class only: the text may name whom it was about.
        _log.warning("command_failed", error=type(error).__name__)
        return Ended(Outcome.FAILED, CommandReason.REFUSED)
    except GateAgentError as error:
        _log.error("command_failed", error=type(error).__name__)
        return Ended(Outcome.FAILED, CommandReason.FAULT)
