"""What a symbol or a document is worth, before the policy hears of it.

Which symbols are looked at, and how often, is said beside it (``codes``). The template that came
with a credential stays here, where only the comparison asks for it; only a pass that is believed
has one, so no stranger fills the room for them.
"""

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agent.credentials.errors import CredentialError
from agent.credentials.health.eu_dcc_rules import AcceptanceRules
from agent.credentials.health.health_certificate import verify_health
from agent.credentials.health.trust import TrustList
from agent.credentials.kinds import kind_of
from agent.credentials.passes.gate_pass import SignedPass, verify
from agent.credentials.passes.issuers import Issuers
from agent.credentials.passes.pass_template import CommunityKey, PassTemplate
from agent.domain.credential.credential import CredentialKind
from agent.domain.credential.presented import HealthPresented, PassPresented
from agent.domain.credential.reason import Reason
from agent.domain.hours.instant import Instant
from agent.domain.hours.reckoning import Certainty, Reckoning
from agent.domain.sight.image import Template

_MOST_KEPT = 64


@dataclass(frozen=True, slots=True)
class Sources:
    """Whom to believe, as it stands on disk.

    ``trust`` are the keys of health certificates that may still be used at a time; ``rules`` what
    a health certificate must state.
    """

    issuers: Issuers
    community: CommunityKey | None
    trust: Callable[[datetime], TrustList]
    rules: AcceptanceRules
    pack: str
    pack_version: str
    components: int


class CredentialVerifier:
    """Verifies what is shown; used by the symbol readers' threads and the controller's."""

    def __init__(
        self, sources: Callable[[], Sources], reckoning: Callable[[], Reckoning] = Reckoning
    ) -> None:
        """``reckoning`` is what the controller knows of the time."""
        self._sources = sources
        self._reckoning = reckoning
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._templates: OrderedDict[int, Template] = OrderedDict()

    def next_id(self) -> int:
        """An id for a presentation that another reader takes."""
        return next(self._ids)

    def verify(self, text: str, now: Instant) -> PassPresented | HealthPresented:
        """What ``text`` is, as a new presentation; readers do not wait for each other.

        It never raises for what a stranger may show, and keeps nothing of it.
        """
        sources, number = self._sources(), next(self._ids)
        match kind_of(text):
            case CredentialKind.GATE_PASS:
                return self._pass(text, number, sources, now)
            case CredentialKind.EU_DCC | CredentialKind.SMART_HEALTH_CARD:
                return HealthPresented(number, now.monotonic_s, self._health(text, sources, now))
            case CredentialKind.TEXT:
                return PassPresented(number, now.monotonic_s, reason=Reason.OTHER)

    def template_of(self, presentation: int) -> Template | None:
        """The template that came with a presentation, None where none of this pack did."""
        with self._lock:
            return self._templates.get(presentation)

    def keep_template(self, presentation: int, template: Template) -> None:
        """Keep a template that came with a presentation of another reader."""
        with self._lock:
            self._templates[presentation] = template
            while len(self._templates) > _MOST_KEPT:
                self._templates.popitem(last=False)

    def _pass(self, text: str, number: int, sources: Sources, now: Instant) -> PassPresented:
        time = self._reckoning().heard(now)
        bounds = time.bounds(now)
        try:
            signed = verify(text, sources.issuers, None)
            for moment in () if bounds is None else bounds.both:
                signed = verify(text, sources.issuers, moment)
        except CredentialError as error:
            early = error.reason is Reason.CREDENTIAL_NOT_ACTIVE
            unknown = early and time.certainty is not Certainty.SETTLED
            reason = Reason.CLOCK_UNTRUSTED if unknown else error.reason
            return PassPresented(number, now.monotonic_s, reason=reason)
        template = _template(signed, sources)
        if template is not None:
            self.keep_template(number, template)
        return PassPresented(
            number, now.monotonic_s, gate_pass=signed.claims, comparable=template is not None
        )

    def _health(self, text: str, sources: Sources, now: Instant) -> Reason | None:
        time = self._reckoning().heard(now)
        bounds = time.bounds(now)
        for moment in (now.utc,) if bounds is None else bounds.both:
            found = verify_health(text, sources.trust(moment), moment, sources.rules)
            if not found.valid:
                return found.reason
        return None if time.holds else Reason.CLOCK_UNTRUSTED


def _template(signed: SignedPass, sources: Sources) -> Template | None:
    """The pass's template, where this kiosk can open and compare it."""
    if sources.community is None:
        return None
    try:
        found: PassTemplate | None = signed.template(sources.community)
    except CredentialError:
        return None
    if found is None or len(found.template) != sources.components:
        return None
    made_by = (found.pack, found.pack_version)
    return found.template if made_by == (sources.pack, sources.pack_version) else None
