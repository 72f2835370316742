"""A health certificate of either kind: which it is, and whether it is valid."""

from datetime import datetime

from agent.credentials.errors import unreadable
from agent.credentials.health import eu_dcc, smart_health_card
from agent.credentials.health.eu_dcc_rules import AcceptanceRules
from agent.credentials.health.health import (
    HealthKind,
    HealthVerdict,
    Steps,
    refused,
)
from agent.credentials.health.trust import TrustList
from agent.domain.foreign.boundary import read_or


def kind_of(text: str) -> HealthKind | None:
    """By the prefix; None for any other text."""
    if text.startswith(eu_dcc.PREFIX):
        return HealthKind.EU_DCC
    if text.startswith(smart_health_card.PREFIX):
        return HealthKind.SMART_HEALTH_CARD
    return None


def verify_health(
    text: str, trust: TrustList, at: datetime, rules: AcceptanceRules | None = None
) -> HealthVerdict:
    """Check ``text`` by ``trust`` at ``at``, which has a zone; never raises, whatever it holds.

    ``rules`` binds EU certificates only. A text with neither prefix is no health certificate:
    ``Other``, with the step ``prefix`` failed.
    """
    kind = kind_of(text)
    unread = refused("the certificate cannot be read", kind)
    return read_or("health certificate", unread, lambda: _verdict(kind, text, trust, at, rules))


def _verdict(
    kind: HealthKind | None,
    text: str,
    trust: TrustList,
    at: datetime,
    rules: AcceptanceRules | None,
) -> HealthVerdict:
    if kind is HealthKind.EU_DCC:
        return eu_dcc.verify_dcc(text, trust, at, rules)
    if kind is HealthKind.SMART_HEALTH_CARD:
        return smart_health_card.verify_card(text, trust, at)
    steps = Steps(None)
    steps.note("prefix", unreadable("prefix: of no health certificate"))
    return steps.verdict()
