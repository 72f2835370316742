"""Asking for a turn of the head where all else is well; its states stand in ``domain.access``.

    decide: all but the turn --> begin(side drawn) --frames, time--> passed: judged once more
                                                             '-----> failed: FactorMissing

One of a track is asked for at a time, and which side is drawn anew for each attempt. What was
passed counts for that track and that holder, until the attempt ends.
"""

from dataclasses import replace
from statistics import median

from agent.controller.effects import Effect, Indicate
from agent.controller.lane import Lane
from agent.controller.settings import KioskSettings
from agent.domain.access.challenge import CHALLENGE_S, Challenge
from agent.domain.access.evidence import Evidence, FaceEvidence
from agent.domain.access.indication import Indication, Outcome
from agent.domain.hours.instant import Instant


class Challenges:
    """The turns of the head that access points ask for."""

    def __init__(self, settings: KioskSettings) -> None:
        """The source of sides is the settings'.

        Raises:
            ValueError: a rule asks for a challenge, and there is no such source.
        """
        if settings.draw_side is None and any(rule.challenge for rule in settings.rules):
            raise ValueError("a rule asks for a challenge, and no source of sides is given")
        self._draw = settings.draw_side
        self._slack_s = settings.requirements.freshness_s

    def seen(self, lane: Lane, evidence: Evidence) -> Evidence:
        """``evidence`` with whether the face in it has turned as it was asked."""
        challenge, track, face = lane.challenge, lane.attempts.track, evidence.face
        turned = (
            challenge is not None
            and challenge.passed
            and face is not None
            and face.holder == challenge.holder
            and track is not None
            and track.id == challenge.track
        )
        return replace(evidence, turned=turned)

    def begin(self, lane: Lane, evidence: Evidence, now: Instant) -> list[Effect] | None:
        """Ask whoever stands there; None where nobody does who could be asked."""
        track, face, now_s = lane.attempts.track, evidence.face, now.monotonic_s
        if self._draw is None or track is None or not track.samples:
            return None
        if face is None or face.holder is None:
            return None
        yaws = [one.yaw_deg for one in track.samples if one.yaw_deg is not None]
        lane.challenge = Challenge(
            self._draw(),
            track.id,
            face.holder,
            median(yaws) if yaws else 0.0,
            track.samples[-1].captured_s,
            now_s + CHALLENGE_S,
            evidence,
        )
        if lane.combination.ends_s is not None:
            ends_s = lane.challenge.ends_s + self._slack_s
            lane.combination.ends_s = max(lane.combination.ends_s, ends_s)
        return [_asked(lane, lane.challenge)]

    def look(self, lane: Lane, face: FaceEvidence | None, now: Instant) -> list[Effect]:
        """The newest picture of whoever stands there, and what the frames agree on, if anything."""
        before = lane.challenge
        if before is None:
            return []
        challenge = before.seen(lane.attempts.track, now.monotonic_s)
        if face is not None:
            challenge = challenge.named(face.holder, face.newest_s)
        lane.challenge = challenge
        tells = challenge.open and challenge.asks != before.asks
        return [_asked(lane, challenge)] if tells else []


def _asked(lane: Lane, challenge: Challenge) -> Indicate:
    point = lane.settings.access_point
    return Indicate(Indication(point, Outcome.WAITING, (challenge.asks,)))
