"""Fixtures of what is written down and sent."""

import pytest
from outbox_parts import Sender, event

from agent.adapters.store.record.journal import SqliteJournal


@pytest.fixture
def journal(tmp_path):
    journal = SqliteJournal(
        tmp_path / "journal.sqlite", lambda _: event(), source="/gate/lakeside/g3/north-1"
    )
    yield journal
    journal.close()


@pytest.fixture
def make_sender(journal):
    made = []

    def make(port, **settings):
        made.append(Sender(journal, port, **settings))
        return made[-1]

    yield make
    for sender in made:
        sender.close()
