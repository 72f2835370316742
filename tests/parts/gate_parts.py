"""A kiosk under a virtual clock, and people who stand before it with what they carry."""

from pass_parts import NOW, claims

from agent.adapters.manual_clock import ManualClock
from agent.controller.combination import Claim
from agent.controller.door import DoorSettings
from agent.controller.effects import Compare, Consume, Effect, Indicate, Record, Release
from agent.controller.inputs import CredentialShown, Observed, Tick
from agent.controller.kiosk import Kiosk
from agent.controller.lane import LaneSettings
from agent.controller.settings import KioskSettings
from agent.domain.access.registry import Registry
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import Factor
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.credential.presented import DocumentPresented, HealthPresented, PassPresented
from agent.domain.record.events import EventType
from agent.domain.sight.cues import UNSEEN
from agent.domain.sight.operating_point import OperatingPoint
from agent.domain.sight.track import Box, Candidate, ClaimScore, FaceSample, FaceTrack, Observation

LIN, ANNA, GUEST = HolderId("lin.2"), HolderId("anna"), HolderId("guest.7")
FACE, PASS, DOCUMENT = Factor.FACE, Factor.PASS, Factor.ID_DOCUMENT
DECISIONS = (EventType.ACCESS_GRANTED, EventType.ACCESS_DENIED)
BOTH = (frozenset({FACE, PASS}),)
ALONE_RULE = Rule(frozenset({"resident"}), factors=(frozenset({FACE}),))
LANE = LaneSettings("north-entry", "entry", "front", "turnstile")
DOOR = DoorSettings("turnstile", pulse_s=3.0, max_pulse_s=10.0)
REGISTRY = Registry(
    revision=1,
    holders={LIN: Holder(LIN, "Lin", "resident"), ANNA: Holder(ANNA, "Anna", "resident")},
    references=2,
    operating=OperatingPoint(-0.5, 1e-3, extrapolated=False, sufficient=True),
    too_close=frozenset(),
    pack="dlib",
    pack_version="1",
    claim_threshold=-0.5,
    documents={"lin-hash": LIN, "anna-hash": ANNA},
)


class Gate:
    """A kiosk, its clock, and people who stand before it with what they carry."""

    def __init__(self, *rules: Rule, registry: Registry = REGISTRY, utc=NOW, **settings):
        self.clock = ManualClock(utc=utc)
        self.registry = registry
        self.settings = KioskSettings(
            doors=(DOOR,),
            rules=rules or (Rule(frozenset({"resident"}), factors=BOTH),),
            boot_id="boot",
            community="lakeside",
            kiosk="g3/north-1",
            **{"accept_no_pad": True, "lanes": (LANE,), **settings},
        )
        self.kiosk = Kiosk(self.settings, registry)
        self.claim: Claim | None = None
        self.track = 0
        self.presentation = 100
        self.log: list[Effect] = []

    def tell(self, happened):
        effects = list(self.kiosk.handle(happened, self.clock.now()))
        for effect in effects:
            self.log += effect.counted if isinstance(effect, Consume) else [effect]
            if isinstance(effect, Compare):
                self.claim = effect.claim
        return effects

    def show(self, one=None, *, reason=None, again=False):
        if not again:
            self.presentation += 1
        now_s = self.clock.now().monotonic_s
        gate_pass = None if reason else one or claims()
        shown = PassPresented(self.presentation, now_s, gate_pass, reason)
        return self.tell(CredentialShown("north-entry", shown))

    def lay(self, number="lin-hash", **more):
        self.presentation += 1
        now_s = self.clock.now().monotonic_s
        shown = DocumentPresented(self.presentation, now_s, number, **more)
        return self.tell(CredentialShown("north-entry", shown))

    def certify(self, reason=None):
        self.presentation += 1
        shown = HealthPresented(self.presentation, self.clock.now().monotonic_s, reason)
        return self.tell(CredentialShown("north-entry", shown))

    def stand(self, who, seconds=1.0, *, known=True, step_in=True, pad=None, cues=UNSEEN, yaw=None):
        """``who`` stands there; the gallery knows them or not.

        ``pad`` is a model's word, ``cues`` those of what stands beside the models, ``yaw`` how far
        the head is turned to the person's left, in degrees.
        """
        if step_in:
            self.track += 1
            self.samples: list[FaceSample] = []
            self.came_s = self.clock.now().monotonic_s
        for _ in range(round(seconds * 10)):
            now_s = self.clock.now().monotonic_s
            claim = None
            if self.claim is not None:
                score = -0.3 if self.claim.holder == who else -0.8
                claim = ClaimScore(self.claim.id, score)
            best = Candidate(who, -0.3) if known and who in self.registry.holders else None
            content = f"{who} {now_s}".encode()
            sample = FaceSample(now_s, content, best, None, pad, claim, cues=cues, yaw_deg=yaw)
            self.samples = [*self.samples, sample][-12:]
            track = FaceTrack(
                self.track, Box(0, 0, 99, 99), self.came_s, now_s, tuple(self.samples)
            )
            self.tell(Observed(Observation("front", now_s, track, {}, self.registry.revision)))
            self.clock.advance(0.1)

    def wait(self, seconds):
        self.clock.advance(seconds)
        self.tell(Tick())

    def outcomes(self):
        events = [effect.draft for effect in self.log if isinstance(effect, Record)]
        return [(e.data.get("reason") or "granted") for e in events if e.type in DECISIONS]

    def opened(self):
        return sum(isinstance(effect, Release) for effect in self.log)

    def said(self):
        told = [one.indication for one in self.log if isinstance(one, Indicate)]
        return [(one.outcome, one.waiting_for) for one in told]

    def last(self):
        drafts = [effect.draft for effect in self.log if isinstance(effect, Record)]
        return [one for one in drafts if one.type is not EventType.ACCESS_UNJUDGED][-1].data
