"""A PostgreSQL of its own for these tests, a database for each of them."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from backend import database, migrations
from backend_parts import Cluster

EMPTIED = """
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE tablename ~ '^events_[0-9]' LOOP
        EXECUTE format('DROP TABLE %I', name);
    END LOOP;
    SELECT string_agg(quote_ident(tablename), ', ') INTO name FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'migrations';
    EXECUTE 'TRUNCATE ' || name;
END $$
"""


@pytest.fixture(scope="session")
def cluster():
    """The running server; where PostgreSQL is not installed, these tests are skipped by name."""
    if Cluster.programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="gate-postgres-"))
    made = Cluster(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def with_tables(cluster):
    """A database with the tables."""
    found = cluster.dsn(cluster.database())
    with database.connect(found) as connection:
        migrations.apply(connection)
    return found


@pytest.fixture
def dsn(with_tables, monkeypatch):
    """That database, as it was made: to make it anew for each test takes ten times as long."""
    with database.connect(with_tables) as connection:
        connection.execute(EMPTIED)
    monkeypatch.delenv("GATE_BACKEND_CONFIG", raising=False)
    monkeypatch.setenv("GATE_BACKEND_DSN", with_tables)
    return with_tables


@pytest.fixture
def store(dsn):
    """A connection to it."""
    with database.connect(dsn, by_index=True) as connection:
        yield connection


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch):
    """libpq's own variables of whoever runs the tests do not count."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
