"""What lies in the state folder: its table knows every file and its mode, nobody else a name."""

import ast
import importlib
import os
import stat
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path, PurePath

import pytest
from health_parts import signer
from house_rules import absolute, modules, tree_of
from store_parts import NOW, event, holder, reference
from sync_kiosk import half_an_update

from agent.adapters.store.commands import SqliteCommands
from agent.adapters.store.keys import init_next_key
from agent.adapters.store.latches import SqliteLatches
from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.adapters.store.verdicts import EMPTY
from agent.app.open.files import state as table
from agent.app.open.files.backups import keep_backup
from agent.app.open.files.installation import installation_of
from agent.app.open.files.keys import make_missing
from agent.app.open.files.running import held
from agent.app.open.files.state import ROWS, Copy, row_of
from agent.app.open.files.stores import Key, open_journal, open_registry
from agent.app.open.files.written import keep_day
from agent.app.open.paths import control_socket
from agent.app.open.site import Site, site_of
from agent.app.threads.control.socket import ControlServer
from agent.domain.record.backup import KeptBackup
from agent.domain.record.wear import Day
from agent.errors import UnavailableError
from agent.operations.files import write_lines
from agent.operations.health import trust_lists
from agent.operations.packs.choice import keep_first
from agent.operations.packs.install import install
from agent.operations.secure_outputs import OutputLine, record_outputs
from agent.operations.voice.prepare import VoiceFiles, write_file

TABLE = "agent.app.open.files.state"
# A word that means another thing there: a command, a key of JSON, a folder of the tree.
ANOTHER_THING = {
    ("agent.cli.running.models", "models"),
    ("agent.cli.passes.passes", "trust"),
    ("agent.cli.passes.trust", "trust"),
    ("agent.lab.bench.peer", "models"),
    ("agent.lab.evaluate.playback", "models"),
    ("agent.operations.health.verify_health", "trust"),
    ("agent.operations.people.registry_lines", "trust"),
    ("agent.lab.servers", "trust"),
    ("agent.operations.voice.texts", "voices"),
    # Examples of what events say, and a default that is asked for before there is any state.
    ("agent.lab.contract.examples", "latches.sqlite"),
    ("agent.lab.contract.examples", "registry.sqlite"),
    ("agent.operations.config.first_questions", "gallery.key"),
}


@cache
def texts() -> dict[str, Counter[str]]:
    """Of every text in the agent's code, how often each module has it."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for module, path in modules().items():
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found[node.value][module] += 1
    return found


def said(name: str) -> Counter[str]:
    """How often each module has ``name`` as a text of its own."""
    return texts().get(name, Counter())


def sources() -> set[str]:
    """The table's module, and those that it has names from."""
    tree = tree_of(modules()[TABLE])
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {TABLE, *(absolute(node, TABLE, is_package=False) for node in imports)}


@pytest.mark.parametrize("name", [row.name for row in ROWS])
def test_a_name_is_written_once_in_the_agent(name: str) -> None:
    found = {
        module: count for module, count in said(name).items() if (module, name) not in ANOTHER_THING
    }
    assert sum(found.values()) <= 1, found
    assert set(found) <= sources()
    # One that is put together of others is written nowhere.
    assert found or any(
        name.startswith(row.name) and name != row.name for row in ROWS if said(row.name)
    )


def test_every_exception_is_one() -> None:
    assert {(module, name) for module, name in ANOTHER_THING if not said(name)[module]} == set()


def test_every_row_is_whole() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert list(ROWS) == [row for row in vars(table).values() if isinstance(row, table.Row)]
    for row in ROWS:
        assert row.name, row
        assert "/" not in row.name, row
        assert row.loss.endswith("."), row
        assert "\n" not in row.loss, row
        assert importlib.import_module(f"agent.{row.owner}"), row
        assert not (row.secret and row.mode & 0o077), row


def test_a_row_holds_what_is_its_own() -> None:
    def of(place: str) -> table.Row | None:
        return row_of(PurePath(place))

    assert of("journal.sqlite-wal") is of("journal.sqlite-shm") is table.JOURNAL
    assert of("journal.sqlite-stream") is table.JOURNAL_MARK
    aside = "journal.sqlite.broken-20260506T120000Z-12ab"
    assert {of(f"{aside}{end}") for end in ("", "-wal", "-shm", ".unfinished")} == {
        table.JOURNAL_BROKEN
    }
    assert of("models/dlib/chip.onnx") is of("models/.lock") is table.MODELS
    assert of(".outputs.json.new") is table.DRAFTS
    strangers = ("notes.txt", "gallery.key-wal", "registry.sqlite.old", "sub/registry.sqlite")
    assert [of(stranger) for stranger in strangers] == [None] * len(strangers)


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """022, under which a mode that nobody asked for is open to all."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def work(stack: ExitStack, site: Site, tmp_path: Path, brought: Path) -> None:
    """One of everything that writes into the state folder; databases stay open."""
    state = site.state
    stack.enter_context(held(state, UnavailableError("held")))
    server = ControlServer(control_socket(None, state), {})
    # Stopped before it works, it only lets its socket go.
    stack.callback(server.work)
    stack.callback(server.stop)
    make_missing(site)
    _damage(site)
    # What is left of a file that was taken away.
    (state / f"{table.LEDGER.name}-wal").write_bytes(b"log")
    (state / f"{table.LEDGER.name}-wal").chmod(table.LEDGER.mode)
    assert installation_of(site).judge() == {table.LEDGER.name: EMPTY}
    with open_registry(site, Key.NEEDED) as registry:
        registry.enrol(holder(), [reference()], by="uid:0 root", now=NOW)
        registry.remove(holder().id, by="uid:0 root", now=NOW)
    stack.enter_context(open_registry(site, Key.NEEDED))
    stack.enter_context(open_journal(site, may_set_aside=True)).append(event())
    ledger = SqlitePassLedger(table.LEDGER.at(state))
    stack.callback(ledger.close)
    ledger.note_trusted(NOW.utc)
    ledger.note_trusted(NOW.utc + timedelta(minutes=5))
    stack.callback(SqliteLatches(table.LATCHES.at(state)).close)
    stack.callback(SqliteCommands(table.COMMANDS.at(state)).close)
    record_outputs(state, [OutputLine("gate", 17, active_high=True, pin_factory="mock")])
    write_lines(["0" * 64], table.RULES.at(state))
    write_lines(["{}"], table.ANNOUNCED.at(state))
    keep_backup(site.state, KeptBackup())
    keep_day(state, Day())
    half_an_update(table.REGISTRY_INCOMING.at(state))
    install("little", state, brought)
    keep_first(state, "little")
    trusted = tmp_path / "eu.pem"
    trusted.write_text(signer().pem)
    trust_lists.install(trusted, state, datetime.now(UTC))
    voices = VoiceFiles(state)
    for place in (voices.synthesised("en", "granted"), voices.recorded("en", "granted")):
        write_file(b"RIFF", place)
    # As a change of the key and a write leave it that were cut short.
    init_next_key(site.key_file)
    init_next_key(table.SIGNING_KEY.at(state))
    (state / ".outputs.json.new").touch(table.DRAFTS.mode)
    (state / ".restore").mkdir()
    (state / ".restore" / "ready.json").touch(table.RESTORE.mode)


def _damage(site: Site) -> None:
    """A journal that is set aside when the agent opens it."""
    with open_journal(site) as journal:
        journal.append(event())
    table.JOURNAL.at(site.state).write_bytes(b"no database" * 1000)
    with open_journal(site, may_set_aside=True):
        pass


@pytest.mark.usefixtures("manifests", "usual_umask")
def test_all_that_is_written_is_in_the_table_with_its_mode(tmp_path: Path, brought: Path) -> None:
    state = tmp_path / "state"
    with ExitStack() as stack:
        work(stack, site_of(state, None), tmp_path, brought)
        places = [path for path in state.rglob("*") if not path.is_dir()]
        rows = {path: row_of(path.relative_to(state)) for path in places}
        modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in places}
    assert [path for path, row in rows.items() if row is None] == []
    wrong = {
        path: oct(modes[path]) for path, row in rows.items() if row and row.mode != modes[path]
    }
    assert wrong == {}
    assert set(rows.values()) == set(ROWS)
    for row in ROWS:
        if row.copy is Copy.DATABASE:
            assert {f"{row.name}-wal", f"{row.name}-shm"} <= {path.name for path in places}
    assert stat.S_IMODE(state.stat().st_mode) == table.FOLDER_MODE
