"""What this machine knows about symbols: issuers, trust lists and the community, as installed."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from agent.app.open.files.stores import read_registry
from agent.app.open.site import command_site, instant
from agent.credentials.health.health_certificate import verify_health
from agent.credentials.passes.issuers import Issuers
from agent.domain.credential.credential import CredentialKind, Verdict
from agent.domain.credential.reason import Reason
from agent.operations.health.trust_lists import usable_trust
from agent.operations.passes.issue import check_pass
from agent.operations.scan import Judge, Scanned, scan


def scan_files(files: Iterable[str], state: Path) -> Iterator[Scanned]:
    """``operations.scan.scan`` with what is installed in ``state``.

    Without anything there every credential is refused: nobody is known who could have signed it.

    Raises:
        StoreError: the registry is locked or damaged.
    """
    return scan(files, installed_judge(state))


def installed_judge(state: Path) -> Judge:
    """Judges by the signature and the dates; where and how often a pass opens is the gate's."""
    site = command_site(state, None)
    now = instant(site).utc
    with read_registry(site) as registry:
        issuers, revoked = Issuers(registry.issuers()), registry.revoked()
    trust = usable_trust(state, now, None)

    def judge(text: str, kind: CredentialKind) -> Verdict:
        if kind is CredentialKind.TEXT:
            return Verdict(valid=False, reason=Reason.OTHER)
        if kind is not CredentialKind.GATE_PASS:
            found = verify_health(text, trust, now)
            return Verdict(found.valid, found.reason)
        checked = check_pass(text, issuers, now, revoked)
        reason = checked["reason"]
        return Verdict(
            checked["valid"],
            None if reason is None else Reason(reason),
            checked["unknown_issuer"],
        )

    return judge
