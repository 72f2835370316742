"""What the office asks, on the command line and on the page, of a database with something in it."""

import contextlib
import http.client
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from backend import kiosks
from backend.commands import main, moment, parser, seconds
from backend.config import signing_key
from backend.failures import MissingError
from backend.page import Server
from backend_parts import Kiosk, count, find_gaps, look_over, put, put_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@pytest.fixture
def said(capsys):
    """The command line: its exit code, and its answer as JSON or text."""

    def run(*arguments):
        code = main([str(one) for one in arguments])
        out = capsys.readouterr().out
        return (code, json.loads(out)) if "--json" in arguments else (code, out)

    return run


@pytest.fixture
def busy(store):
    """Two kiosks: one with a gap and a broken chain, one of which nothing is heard any more."""
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    one, other = Kiosk(began=now), Kiosk("lakeside/g4/south-1", began=now)
    kiosks.pin(store, one.keys())
    one.says(holder="anna")
    one.says(holder="bert")
    one.says("access.denied", holder=None, reason="NoMatch")
    one.says("door.forced", access_point="north-entry")
    one.says(holder="anna", name="<script>alert(1)</script>\x1b[31m")
    one.says()
    broken = {**one.events[4], "previous": "1" * 64}
    put(store, *one.events[:3], one.events[3], broken)
    put(store, *other.several(2), {**other.several(3)[2]})
    put_raw(store, (f"{one.topics.base}/health", json.dumps(one.health(1)).encode()))
    put_raw(store, (f"{one.topics.base}/health", b"{"))
    store.execute("UPDATE kiosks SET last_seen = now() - interval '2 hours' WHERE grid = 'g4'")
    store.execute("UPDATE touched SET at = now() - interval '2 hours' WHERE stream > 0")
    look_over(store)
    find_gaps(store)
    return one, other


def test_who_passed_when(said, busy):
    code, rows = said("passages", "--json")
    assert code == 0
    assert [row["holder"] for row in rows if row["kiosk"] == busy[0].place] == [
        *("anna", "bert", "anna"),
    ]
    code, rows = said("passages", "--grid", "g3", "--denied", "--since", "1h", "--json")
    assert [(row["holder"], row["granted"], row["reason"]) for row in rows] == [
        *(("anna", True, None), (None, False, "NoMatch")),
        *(("bert", True, None), ("anna", True, None)),
    ]
    # The chain is broken at the last of them, and nobody signed any.
    assert [(row["unflawed"], row["signed"]) for row in rows] == [
        *((False, False), (True, False), (True, False), (True, False)),
    ]
    assert said("passages", "--kiosk", "north-9", "--json") == (0, [])
    assert said("passages", "--kiosk", "north-9")[1] == "none\n"
    assert said("passages", "--since", "2999-01-01", "--json")[1] == []


def test_a_checkpoint_vouches_back_to_what_breaks_the_chain(said, store):
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    events = [*kiosk.several(9), kiosk.checkpoint(), kiosk.says()]
    true, events[3] = events[3], {**events[3], "time": "2026-11-23T00:00:00.000Z"}
    put(store, *events)
    look_over(store)
    find_gaps(store)
    store.execute("UPDATE gaps SET state = 'gone'")
    find_gaps(store)
    signed = {row["sequence"]: row["signed"] for row in said("passages", "--json")[1]}
    # The fourth was changed, which the checkpoint shows, and what is before it hangs on that.
    assert [number for number, good in sorted(signed.items()) if good] == [5, 6, 7, 8, 9]
    assert 4 not in signed
    put(store, true)
    look_over(store)
    assert all(row["signed"] and row["unflawed"] for row in said("passages", "--json")[1][1:])


@pytest.mark.parametrize("state", ["gone", "waiting"])
def test_a_checkpoint_vouches_for_nothing_behind_a_gap(said, store, state):
    kiosk = Kiosk()
    kiosks.pin(store, kiosk.keys())
    events = [*kiosk.several(9), kiosk.checkpoint()]
    put(store, *events[:3], *events[4:])
    look_over(store)
    find_gaps(store)
    if state == "gone":
        store.execute("UPDATE gaps SET state = 'gone'")
        find_gaps(store)
    signed = {row["sequence"]: row["signed"] for row in said("passages", "--json")[1]}
    good = [number for number, good in sorted(signed.items()) if good]
    assert good == ([5, 6, 7, 8, 9] if state == "gone" else [])


def test_whose_passages(said, busy):
    _, rows = said("who", "bert", "--json")
    assert [(row["holder"], row["access_point"]) for row in rows] == [("bert", "north-entry")]
    _, text = said("who", "bert")
    head, line = text.splitlines()
    assert head.split()[:3] == ["when", "kiosk", "access"]
    assert "lakeside/g3/north-1" in line


def test_who_is_out_of_reach(said, busy):
    _, rows = said("unreachable", "--json")
    assert [(row["kiosk"], round(row["silent_s"] / 3600)) for row in rows] == [
        ("lakeside/g4/south-1", 2)
    ]
    assert len(said("unreachable", "--all", "--json")[1]) == 2
    assert said("unreachable", "--for", "3h", "--json")[1] == []
    (one,) = said("unreachable", "--all", "--grid", "g3", "--json")[1]
    assert (one["waiting"], one["pinned"], one["flaws"]) == (1, True, 1)


def test_what_is_missing_and_what_cannot_be_trusted(said, busy):
    (gap,) = said("gaps", "--json")[1]
    assert (gap["kiosk"], gap["first"], gap["last"], gap["state"]) == (
        *("lakeside/g4/south-1", 3, 4, "waiting"),
    )
    assert [row["kind"] for row in said("flaws", "--json")[1]] == ["chain_broken"]
    assert [row["reason"] for row in said("refusals", "--json")[1]] == ["not_json"]


def test_a_limit_is_kept(said, busy, capsys):
    assert len(said("passages", "--limit", "1", "--json")[1]) == 1
    assert main(["passages", "--limit", "0"]) == 2
    assert main(["passages", "--limit", "99999999"]) == 2


@pytest.mark.parametrize(
    ("text", "found"), [("90s", 90), ("5m", 300), ("2h", 7200), ("1.5d", 129_600), ("7", 7)]
)
def test_lengths_of_time(text, found):
    assert seconds(text) == found


@pytest.mark.parametrize("text", ["x", "", "-1s", "nan", "1e400", "5 parsecs"])
def test_what_is_no_time_is_usage(text, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["passages", f"--since={text}"])
    assert ended.value.code == 2


def test_a_date_is_utc():
    assert moment("2026-11-28") == datetime(2026, 11, 28, tzinfo=UTC)
    assert moment("2026-11-28T09:00+02:00") == datetime(2026, 11, 28, 7, tzinfo=UTC)


def test_a_database_that_is_away_or_empty_is_said(cluster, monkeypatch, capsys):
    monkeypatch.setenv("GATE_BACKEND_DSN", "host=127.0.0.1 port=1 user=gate dbname=x")
    assert main(["passages"]) == 69
    assert "does not answer" in capsys.readouterr().err
    monkeypatch.setenv("GATE_BACKEND_DSN", cluster.dsn(cluster.database()))
    assert main(["passages"]) == 69
    assert "backend migrate" in capsys.readouterr().err
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == "0001_events.sql\n0002_registry.sql\n0003_truth.sql\n"
    assert main(["migrate"]) == 0
    assert main(["passages"]) == 0


def test_a_database_of_a_newer_backend_is_left_alone(store, capsys):
    store.execute("INSERT INTO migrations (number, name) VALUES (9999, 'later')")
    try:
        assert main(["migrate"]) == 1
        assert main(["passages"]) == 69
    finally:
        store.execute("DELETE FROM migrations WHERE number = 9999")


def test_the_config_says_where_and_every_finding_at_once(tmp_path, monkeypatch, dsn, capsys):
    monkeypatch.delenv("GATE_BACKEND_DSN")
    path = tmp_path / "backend.toml"
    path.write_text(f'[store]\ndsn = "{dsn}"\n')
    assert main(["--config", str(path), "gaps"]) == 0
    path.write_text('[store]\ndns = "secret"\n[broker]\nport = 99999\n')
    assert main(["--config", str(path), "gaps"]) == 78
    shown = capsys.readouterr().err
    assert "store.dns" in shown
    assert "broker.port" in shown
    assert "secret" not in shown
    hidden = tmp_path / "dsn"
    hidden.write_text(f"{dsn}\n")
    path.write_text(f'[store]\ndsn_file = "{hidden}"\n')
    hidden.chmod(0o644)
    assert main(["--config", str(path), "gaps"]) == 69
    hidden.chmod(0o600)
    assert main(["--config", str(path), "gaps"]) == 0
    assert main(["--config", str(tmp_path / "none"), "gaps"]) == 78


def test_a_key_to_sign_with_is_pem_or_digits(tmp_path):
    key = Ed25519PrivateKey.generate()
    path = tmp_path / "key"
    path.touch(0o600)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for text in (pem.decode(), key.private_bytes_raw().hex()):
        path.write_text(text)
        assert signing_key(path, "command").private_bytes_raw() == key.private_bytes_raw()
    foreign = X25519PrivateKey.generate()
    pem = foreign.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for text in (pem.decode(), "", "00", "-----BEGIN PRIVATE KEY-----"):
        path.write_text(text)
        with pytest.raises(MissingError, match="no Ed25519 private key"):
            signing_key(path, "command")


def test_pinning_a_key(store, tmp_path, said, capsys):
    kiosk = Kiosk()
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(kiosk.keys()))
    assert said("kiosks", "pin", path) == (0, f"pinned: {kiosk.place}\n")
    assert said("kiosks", "pin", path)[0] == 0
    path.write_text(json.dumps(Kiosk().keys()))
    assert said("kiosks", "pin", path)[0] == 1
    assert said("kiosks", "pin", path, "--replace")[0] == 0
    for text in ("{", "[]", "{}", json.dumps({**kiosk.keys(), "kiosk": "x"})):
        path.write_text(text)
        assert said("kiosks", "pin", path)[0] == 2
    assert said("kiosks", "pin", tmp_path / "none")[0] == 2
    assert count(store, "kiosks") == 1


def test_every_verb_has_help_with_examples(capsys):
    verbs = next(one for one in parser()._actions if one.dest == "verb").choices or ()
    assert {"consume", "passages", "unreachable", "gaps", "who", "command"} <= set(verbs)
    for verb in verbs:
        with pytest.raises(SystemExit) as ended:
            main([verb, "--help"])
        assert ended.value.code == 0
        assert "examples:\n  backend " in capsys.readouterr().out


# --- the page ------------------------------------------------------------------------------------


@contextlib.contextmanager
def served(dsn):
    server = Server("127.0.0.1:0", dsn)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.address
    finally:
        server.close()
        thread.join(60)


def fetch(address, path, method="GET", **headers):
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, dict(answer.getheaders())


def test_the_page_shows_what_the_office_asks(busy, dsn):
    with served(dsn) as address:
        status, today, headers = fetch(address, "/")
        passages = fetch(address, "/passages?grid=g3&hours=48")[1]
        only = fetch(address, "/passages?holder=bert")[1]
        overview = fetch(address, "/kiosks")[1]
        trust = fetch(address, "/trust")[1]
    assert status == 200
    assert "lakeside/g4/south-1" in today
    assert "gate.door.forced" in today
    assert "chain_broken" in today
    assert passages.count("<tr>") == 5
    assert "anna" in passages
    assert "anna" not in only
    assert overview.count("lakeside/") == 2
    assert "not_json" in trust
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_page_escapes_what_others_said(store, dsn):
    kiosk = Kiosk(began=datetime.now(UTC))
    put(store, kiosk.says("access.denied", reason='<b onload="x">&\x1b[31m'))
    with served(dsn) as address:
        body = fetch(address, "/passages?grid=%3Cscript%3E%22&kiosk=")[1]
        assert "<script>" not in body
        assert "&lt;script&gt;&quot;" in body
        body = fetch(address, "/passages")[1]
    assert "<b onload" not in body
    assert "&lt;b onload=&quot;x&quot;&gt;&amp;?[31m" in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_the_page_has_no_verb_that_writes(store, dsn, method):
    with served(dsn) as address:
        assert fetch(address, "/", method)[0] == 501


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/../etc/passwd", 404),
        ("/?" + "a" * 600, 400),
        ("/passages?hours=-1&holder=%00&grid=%ff", 200),
        ("/passages?" + "&".join(f"a{n}=1" for n in range(30)), 400),
    ],
)
def test_odd_addresses(store, dsn, path, status):
    with served(dsn) as address:
        assert fetch(address, path)[0] == status


def test_another_hosts_name_reads_nothing(busy, dsn):
    with served(dsn) as address:
        status, body, _ = fetch(address, "/passages", Host="rebound.example:8088")
        assert fetch(address, "/passages", Host=f"localhost:{address.rpartition(':')[2]}")[0] == 200
    assert status == 421
    assert "anna" not in body


def test_a_head_has_no_body(store, dsn):
    with served(dsn) as address:
        status, body, headers = fetch(address, "/", "HEAD")
    assert (status, body) == (200, "")
    assert int(headers["Content-Length"]) > 0


def test_the_pages_log_says_neither_who_nor_what(busy, dsn, caplog):
    caplog.set_level("INFO")
    with served(dsn) as address:
        fetch(address, "/passages?holder=anna")
        fetch(address, "/anna")
    assert [one.getMessage() for one in caplog.records if one.name == "backend.page"] == [
        "GET /passages 200",
        "GET another path 404",
    ]


def test_without_a_database_the_page_says_so(cluster, dsn):
    with served("host=127.0.0.1 port=1 user=gate dbname=x") as address:
        status, body, _ = fetch(address, "/")
    assert status == 503
    assert "does not answer" in body


@pytest.mark.parametrize("listen", ["", "8088", "localhost:80", "127.0.0.1:x", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_said(store, listen, capsys):
    assert main(["page", "--listen", listen]) in {2, 69}
