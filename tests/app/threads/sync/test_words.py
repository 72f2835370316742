"""Rules, trust lists and delegations that come with the registry; of no person."""

from pathlib import Path

import pytest
from health_parts import signer
from pass_parts import KEY, OTHER_KEY
from sync_kiosk import SyncedKiosk
from sync_parts import NOW, messages, packed

from agent.credentials.passes.delegation import Limits, delegate, read_text
from agent.credentials.passes.issuers import IssuerKey, delegated_key, key_id
from agent.credentials.signed.entries import IssuerEntry
from agent.credentials.signed.word_entries import (
    RulesEntry,
    TrustListEntry,
    TrustListGone,
    in_pieces,
)
from agent.domain.record.registry_sync import ReceiptOutcome
from agent.operations.health.trust_lists import BroughtLists, install_text, installed

PASSES = '[{"factors": ["pass"]}]'


@pytest.fixture
def kiosk(tmp_path: Path) -> SyncedKiosk:
    return SyncedKiosk(tmp_path)


def refuses_moons(_category: str, text: str) -> None:
    if "moon" in text:
        raise ValueError("there is no moon here")


def ruled(kiosk: SyncedKiosk) -> dict[str, str | None]:
    return {one: said.text for one, said in kiosk.registry.said_rules()[0].items()}


def answers(kiosk: SyncedKiosk) -> list[tuple[ReceiptOutcome, str, str | None]]:
    return [(one.outcome, one.holder, one.reason) for one in kiosk.receipts]


def lists(kiosk: SyncedKiosk) -> list[str]:
    return [one.name for one in installed(kiosk.folder) if one.problem is None]


def test_rules_come_where_the_config_takes_them(kiosk) -> None:
    kiosk.read_rules = refuses_moons
    kiosk.start()
    said = [RulesEntry("courier", PASSES), RulesEntry("visitor", '[{"at": "moon"}]')]
    kiosk.hear(*messages(packed(said, (0, 1))))
    assert ruled(kiosk) == {"courier": PASSES}
    assert answers(kiosk) == [(ReceiptOutcome.RULES_REFUSED, "visitor", "cannot_be_kept")]
    kiosk.hear(*messages(packed([RulesEntry("courier", None)], (1, 2))))
    assert ruled(kiosk) == {}


def test_rules_come_to_nothing_where_the_config_takes_none(kiosk) -> None:
    kiosk.hear(*messages(packed([RulesEntry("courier", PASSES)], (0, 1))))
    assert (kiosk.version, ruled(kiosk)) == (1, {})
    assert answers(kiosk) == [(ReceiptOutcome.RULES_REFUSED, "courier", "not_allowed")]


def test_a_snapshot_takes_back_what_the_registry_gave_and_not_what_a_command_did(kiosk) -> None:
    kiosk.read_rules = refuses_moons
    kiosk.start()
    kiosk.hear(*messages(packed([RulesEntry("courier", PASSES)], (0, 1))))
    kiosk.registry.say_rules("visitor", PASSES, by="key:office", now=kiosk.clock.now())
    kiosk.hear(*messages(packed([], (0, 2))))
    assert ruled(kiosk) == {"visitor": PASSES}


def test_a_trust_list_comes_whole_however_long_and_goes(kiosk) -> None:
    pem = signer().pem
    long = in_pieces("issuers", pem + "\n" * 100_000)
    assert len(long) > 1
    kiosk.hear(*messages(packed(long, (0, 1))))
    assert lists(kiosk) == ["issuers"]
    kiosk.hear(*messages(packed([TrustListGone("issuers"), TrustListGone("never")], (1, 2))))
    assert lists(kiosk) == []
    assert answers(kiosk) == []


def test_what_is_no_list_is_answered_and_the_one_of_before_stays(kiosk) -> None:
    kiosk.hear(*messages(packed([TrustListEntry("issuers", signer().pem)], (0, 1))))
    bad = [
        TrustListEntry("issuers", "nothing of the kind"),
        TrustListEntry("cut", signer().pem, None, 1, 2),
    ]
    kiosk.hear(*messages(packed(bad, (1, 2))))
    assert lists(kiosk) == ["issuers"]
    assert answers(kiosk) == [
        (ReceiptOutcome.TRUST_LIST_REFUSED, "issuers", "no_trust_list"),
        (ReceiptOutcome.TRUST_LIST_REFUSED, "cut", "incomplete"),
    ]


def test_a_snapshot_takes_back_the_lists_it_brought_and_none_of_the_desks(kiosk) -> None:
    install_text(signer().pem, "desk", kiosk.folder, kiosk.clock.now().utc)
    kiosk.hear(*messages(packed([TrustListEntry("issuers", signer().pem)], (0, 1))))
    assert lists(kiosk) == ["desk", "issuers"]
    kiosk.hear(*messages(packed([], (0, 2))))
    assert lists(kiosk) == ["desk"]


def test_killed_between_the_update_and_its_lists_they_come_all_the_same(kiosk, monkeypatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_said: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(BroughtLists, "put", killed)
        with pytest.raises(Killed):
            kiosk.hear(*messages(packed([TrustListEntry("issuers", signer().pem)], (0, 1))))
    assert lists(kiosk) == []
    kiosk.registry.close()
    kiosk.start()
    kiosk.connect()
    assert (kiosk.version, lists(kiosk)) == (1, ["issuers"])


def test_the_age_of_a_list_counts_from_when_the_registry_said_it(kiosk) -> None:
    kiosk.wait(86_400)
    kiosk.hear(*messages(packed([TrustListEntry("issuers", signer().pem)], (0, 1))))
    (one,) = installed(kiosk.folder)
    assert one.installed is not None
    assert (kiosk.clock.now().utc - one.installed).days == 1


def test_a_delegated_key_is_believed_within_its_limits(kiosk) -> None:
    text = delegate(
        OTHER_KEY.public_key(),
        Limits(categories=frozenset({"visitor"})),
        issuers=("lakeside", "host"),
        signer=(KEY, key_id(KEY.public_key())),
        issued_at=NOW.utc,
    )
    limited = delegated_key(read_text(text), None, None)
    whole = IssuerKey("lakeside", KEY.public_key())
    kiosk.hear(*messages(packed([IssuerEntry(whole), IssuerEntry(limited)], (0, 1))))
    found = {one.key_id: one for one in kiosk.registry.issuers()}
    assert found[key_id(KEY.public_key())].delegation is None
    kept = found[key_id(OTHER_KEY.public_key())].delegation
    assert kept is not None
    assert kept.limits.categories == {"visitor"}
    kiosk.hear(*messages(packed([], (0, 2))))
    assert kiosk.registry.issuers() == []
