"""What each verb does; what it needs beyond the parser is imported where it runs."""

import argparse
import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.credentials.formats import cbor
from agent.domain.record.command import in_words
from backend import config, database, migrations, questions, show
from backend.failures import MissingError, UsageError

Args = argparse.Namespace
_PASSAGES = {
    "at": "when",
    "kiosk": "kiosk",
    "access_point": "access point",
    "direction": "",
    "holder": "holder",
    "granted": "passed",
    "reason": "reason",
    "clock_synced": "clock set",
    "unflawed": "chain holds",
    "signed": "signed",
}


def _read(args: Args) -> database.Connection:
    return migrations.to_read(config.load(args.config).dsn())


def _where(args: Args) -> questions.Where:
    if not 0 < args.limit <= questions.MOST:
        raise UsageError(f"--limit is between 1 and {questions.MOST}")
    since = getattr(args, "since", None)
    return questions.Where(args.community, args.grid, args.kiosk, since, args.limit)


def migrate(args: Args) -> int:
    """Make the tables."""
    with database.connect(config.load(args.config).dsn()) as connection:
        applied = migrations.apply(connection)
    print("\n".join(migrations.files()[one].name for one in applied) or "nothing to do")
    return 0


def consume(args: Args) -> int:
    """Run one instance."""
    from backend import consume as consuming  # noqa: PLC0415 - this verb only

    consuming.consume(config.load(args.config))
    return 0


def kiosks(args: Args) -> int:
    """Pin kiosks' keys, all or none."""
    from backend import kiosks as pins  # noqa: PLC0415 - this verb only

    found = show.read_objects(args.file)
    with database.connect(config.load(args.config).dsn()) as connection:
        pinned = pins.pin_all(connection, found, replace=args.replace)
    print("\n".join(f"pinned: {kiosk}" for kiosk in pinned))
    return 0


def passages(args: Args) -> int:
    """Who passed when."""
    with _read(args) as connection:
        rows = questions.passages(connection, _where(args), denied=args.denied)
    return show.answer(rows, _PASSAGES, as_json=args.json)


def who(args: Args) -> int:
    """One holder's passages."""
    with _read(args) as connection:
        rows = questions.passages(connection, _where(args), holder=args.holder)
    return show.answer(rows, _PASSAGES, as_json=args.json)


def unreachable(args: Args) -> int:
    """Kiosks of which nothing is heard."""
    with _read(args) as connection:
        silent_s = None if args.all else args.silent
        rows = questions.kiosks(connection, _where(args), silent_s=silent_s)
    columns = {
        "kiosk": "kiosk",
        "last_seen": "last heard",
        "silent_s": "silent for s",
        "online": "online",
        "reason": "why",
        "waiting": "waiting",
        "faults": "faults",
        "pinned": "key pinned",
        "flaws": "flaws",
        "version": "version",
    }
    return show.answer(rows, columns, as_json=args.json)


def gaps(args: Args) -> int:
    """What is missing."""
    with _read(args) as connection:
        rows = questions.gaps(connection, _where(args), closed=args.all)
    columns = {
        "kiosk": "kiosk",
        "epoch": "epoch",
        "first": "first",
        "last": "last",
        "events": "events",
        "state": "state",
        "reason": "reason",
        "found": "found",
        "attempts": "asked",
    }
    return show.answer(rows, columns, as_json=args.json)


def flaws(args: Args) -> int:
    """What cannot be trusted."""
    with _read(args) as connection:
        rows = questions.flaws(connection, _where(args))
    columns = {
        "found": "found",
        "kiosk": "kiosk",
        "kind": "what",
        "epoch": "epoch",
        "sequence": "sequence",
    }
    return show.answer(rows, columns, as_json=args.json)


def receipts(args: Args) -> int:
    """What kiosks answered about holders."""
    with _read(args) as connection:
        rows = questions.receipts(connection, _where(args), holder=args.holder)
    columns = {
        "received": "received",
        "kiosk": "kiosk",
        "holder": "holder",
        "outcome": "outcome",
        "reason": "reason",
        "counts": "what",
        "version": "version",
        "time": "kiosk's time",
    }
    return show.answer(rows, columns, as_json=args.json)


def register(args: Args) -> int:
    """Add to the registry, and send it to the kiosks that it concerns."""
    from backend import link  # noqa: PLC0415 - this verb only
    from backend.registry import lines, updates  # noqa: PLC0415 - this verb only

    settings = config.load(args.config)
    key = config.signing_key(settings.keys.registry, "registry")
    folder = Path() if args.file == "-" else Path(args.file).parent
    found = lines.lines_of(show.read_json(args.file), folder)
    with database.connect(settings.dsn()) as connection:
        migrations.check(connection)
        version = lines.add(connection, found)
        with link.sending(settings.broker) as publish:
            sent = updates.push(connection, key, publish)
        without = [
            str(kiosk)
            for (kiosk,) in connection.execute(
                "SELECT kiosk FROM kiosks WHERE sealing_key IS NULL ORDER BY kiosk"
            )
        ]
    said = {"version": version, "entries": len(found), "sent_to": sent, "without_key": without}
    if args.json:
        print(json.dumps(said))
    else:
        columns = {
            "version": "version",
            "entries": "entries",
            "sent_to": "handed to the broker for",
        }
        show.answer([said], {**columns, "without_key": "not sent: no key pinned"}, as_json=False)
        if sent:
            print(
                "Not yet in effect: each takes it once it hears it; `backend receipts` has answers."
            )
    return 0


def refusals(args: Args) -> int:
    """What came and was nothing."""
    with _read(args) as connection:
        rows = questions.refusals(connection)
    columns = {"kiosk": "kiosk", "reason": "reason", "times": "times", "last_at": "last"}
    return show.answer(rows, columns, as_json=args.json)


def page(args: Args) -> int:
    """Serve the page until SIGINT or SIGTERM."""
    from backend import page as served  # noqa: PLC0415 - this verb only

    dsn = config.load(args.config).dsn()
    migrations.to_read(dsn).close()
    server = served.Server(args.listen, dsn)
    logging.getLogger("backend").info("http://%s", server.address)
    server.serve()
    return 0


def command(args: Args) -> int:
    """Send a signed command; 1 where the kiosk did not do it, 69 where it did not answer."""
    from backend import orders  # noqa: PLC0415 - this verb only

    settings = config.load(args.config)
    key = config.signing_key(settings.keys.command, "command")
    try:
        nonce = None if args.nonce is None else bytes.fromhex(args.nonce)
    except ValueError:
        raise UsageError("--nonce is hexadecimal digits") from None
    made = orders.new_command(
        args.what, args.to, orders.arguments_of(args.arguments), args.expires, nonce
    )
    pinned = None
    if args.wait and not args.to.endswith("/*"):
        with _read(args) as connection:
            row = connection.execute(
                "SELECT signing_key FROM kiosks WHERE kiosk = %s", (args.to,)
            ).fetchone()
        pinned = None if row is None or row[0] is None else bytes(row[0])
    sent = orders.send(settings.broker, made, key, pinned, args.wait)
    said: dict[str, Any] = {"id": made.id.hex(), "to": made.to, "verb": made.verb}
    if sent.reply is not None:
        reply = sent.reply
        said |= {"outcome": reply.outcome.value, "reason": reply.reason}
        said |= {"result": cbor.as_json(reply.result), "clock_trusted": reply.clock_trusted}
        said["time"] = _utc(reply.utc_s)
    else:
        waited = args.wait and not args.to.endswith("/*")
        said |= {"outcome": "no_answer" if waited else "sent", "reason": None, "result": None}
    said["forged"] = sent.forged
    if args.json:
        print(json.dumps(said, ensure_ascii=False))
    else:
        words = {**said, "reason": in_words(said["reason"])}
        show.answer([words], {one: one for one in said}, as_json=False)
    return {"done": 0, "sent": 0, "no_answer": MissingError.exit_code}.get(said["outcome"], 1)


def _utc(seconds: int) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None
