"""By which time the keys and dates behind a credential are judged, through the real verifier."""

from datetime import datetime, timedelta

import health_parts
import pytest
from health_parts import certificate_text, signer
from pass_parts import KEY, NOW, claims, text

from agent.adapters.manual_clock import ManualClock
from agent.app.threads.senses.verifier import CredentialVerifier, Sources
from agent.credentials.health.eu_dcc_rules import AcceptanceRules
from agent.credentials.health.trust import parse_trust
from agent.credentials.passes.issuers import IssuerKey, Issuers
from agent.domain.credential.gate_pass import GatePass
from agent.domain.hours.reckoning import Reckoning

DAY, HOUR = 86_400.0, 3_600.0
OLD = claims(
    issued_at=NOW - timedelta(days=60),
    valid_from=None,
    valid_until=NOW + timedelta(days=3000),
)


class Bench:
    """A verifier, its clock, and what the controller would have heard of it."""

    def __init__(
        self,
        latest: datetime | None,
        *,
        trusted: bool = True,
        key_until: datetime | None = None,
        key_from: datetime | None = None,
        utc: datetime = NOW,
    ) -> None:
        self.clock = ManualClock(utc=utc, trusted=trusted)
        self.reckoning = Reckoning.since(latest).heard(self.clock.now())
        issuer = IssuerKey("lakeside-office", KEY.public_key(), key_from, key_until)
        trust = parse_trust(signer().pem)
        sources = Sources(
            issuers=Issuers([issuer]),
            community=None,
            trust=lambda _: trust,
            rules=AcceptanceRules(),
            pack="dlib",
            pack_version="1",
            components=128,
        )
        self.verifier = CredentialVerifier(lambda: sources, lambda: self.reckoning)
        self.shown = 0

    def step(self, seconds: float) -> None:
        self.clock.step_utc(seconds)
        self.clock.advance(10.0)
        self.reckoning = self.reckoning.heard(self.clock.now())

    def reason(self, content: str) -> str | None:
        self.shown += 1
        presented = self.verifier.verify(content, self.clock.now())
        return None if presented.reason is None else presented.reason.value

    def verdict(self, one: GatePass = OLD) -> str | None:
        return self.reason(text(one))


@pytest.mark.parametrize(
    ("until_days", "verdict"), [(-1, "CredentialExpired"), (1, None), (None, None)]
)
@pytest.mark.parametrize("trusted", [True, False])
def test_a_retired_key_is_not_believed_whoever_vouches_for_the_clock(
    until_days: int | None, verdict: str | None, *, trusted: bool
) -> None:
    until = None if until_days is None else NOW + timedelta(days=until_days)
    assert Bench(NOW, trusted=trusted, key_until=until).verdict() == verdict


def test_a_key_that_has_begun_by_no_known_time_waits_for_the_clock() -> None:
    begins = NOW + timedelta(days=1)
    assert Bench(NOW, key_from=begins).verdict() == "CredentialNotActive"
    assert Bench(NOW, trusted=False, key_from=begins).verdict() == "ClockUntrusted"


def test_a_key_does_not_live_again_by_a_clock_that_goes_back() -> None:
    bench = Bench(NOW, key_until=NOW + timedelta(hours=1))
    assert bench.verdict() is None
    bench.step(2 * HOUR)
    assert bench.verdict() == "CredentialExpired"
    bench.step(-2 * HOUR)
    assert bench.verdict() == "CredentialExpired"


def test_a_leap_ends_keys_and_begins_none() -> None:
    later = NOW + timedelta(days=399)
    ends = Bench(NOW, key_until=NOW + timedelta(days=30))
    ends.step(400 * DAY)
    assert ends.verdict() == "CredentialExpired"
    begins = Bench(NOW, key_from=later)
    begins.step(400 * DAY)
    assert begins.verdict() == "ClockUntrusted"


def test_a_pass_that_was_issued_after_its_key_had_ended_is_refused() -> None:
    ended = NOW + timedelta(minutes=1)
    late = claims(issued_at=NOW + timedelta(minutes=3))
    assert Bench(NOW, key_until=ended).verdict(late) == "CredentialExpired"


def test_without_any_known_time_the_signature_alone_is_looked_at() -> None:
    assert Bench(None, trusted=False, key_until=NOW - timedelta(days=1)).verdict() is None


def test_a_health_certificate_is_judged_at_both_ends() -> None:
    valid = certificate_text()
    bench = Bench(health_parts.NOW, utc=health_parts.NOW)
    assert bench.reason(valid) is None
    bench.step(20 * DAY)
    assert bench.reason(valid) is not None
    bench.step(-20 * DAY)
    assert bench.reason(valid) is not None, "the leap has not been settled"


def test_a_health_certificate_does_not_hold_again_by_a_step_back() -> None:
    valid = certificate_text()
    bench = Bench(health_parts.NOW, utc=health_parts.NOW)
    for _ in range(12):
        bench.clock.advance(DAY)
        bench.step(0.0)
    assert bench.reason(valid) is not None
    bench.step(-12 * DAY)
    assert bench.reason(valid) is not None


def test_a_health_certificate_needs_a_time() -> None:
    bench = Bench(health_parts.NOW, utc=health_parts.NOW, trusted=False)
    assert bench.reason(certificate_text()) == "ClockUntrusted"
