"""The command line: it parses and prints; what it answers with stands in ``--help``."""

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from backend import config
from backend import verbs as doing
from backend.failures import BackendError

Args = argparse.Namespace

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
EXITS = "exit codes: 0 done, 1 failed or refused, 2 usage, 69 database, broker, key\n\
or a signed reply is missing, 78 config"


class _Parser(argparse.ArgumentParser):
    def __init__(self, **named: Any) -> None:
        super().__init__(
            formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **named
        )


def parser() -> argparse.ArgumentParser:
    """Every verb with its options and examples."""
    made = _Parser(
        prog="backend",
        description="The community's side: stores, verifies and shows what kiosks publish.",
        epilog=f"config: --config, else {config.CONFIG_VARIABLE}, else {config.DEFAULT};\n"
        f"{config.DSN_VARIABLE} names the database alone.\n\n{EXITS}",
    )
    made.add_argument("--config", type=Path, metavar="FILE", help="the config, TOML")
    verbs = made.add_subparsers(metavar="VERB", required=True, dest="verb")

    def verb(
        name: str, run: Callable[[Args], int], said: str, *examples: str
    ) -> argparse.ArgumentParser:
        epilog = "\n".join(["examples:", *(f"  backend {one}" for one in examples)])
        one = verbs.add_parser(name, help=said, description=said, epilog=epilog)
        one.set_defaults(run=run)
        return one

    verb("migrate", doing.migrate, "Make the tables, or bring them up to date.", "migrate")
    verb(
        "consume",
        doing.consume,
        "Store and verify what kiosks publish, until SIGTERM; several instances share the load.",
        "consume",
        "--config two.toml consume",
    )
    pins = verb(
        "kiosks",
        doing.kiosks,
        "Pin a kiosk's public keys, as `gate-agent key show --json` prints them there; those of"
        " several in an array, all or none.",
        "kiosks pin north-1.json",
        "kiosks pin - < north-1.json",
    )
    pins.add_argument("what", choices=["pin"])
    pins.add_argument("file", help="JSON: one, or an array; - is standard input")
    pins.add_argument("--replace", action="store_true", help="the kiosk's keys were changed")

    asked = verb(
        "passages",
        doing.passages,
        "Who passed when, the newest first.",
        "passages --grid g3 --since 2h",
        "passages --kiosk lakeside/g3/north-1 --denied --json",
    )
    _where(asked)
    asked.add_argument("--denied", action="store_true", help="also who did not pass, and why")
    asked = verb(
        "who",
        doing.who,
        "The passages of one holder.",
        "who r-1042 --since 7d",
        "who r-1042 --json",
    )
    asked.add_argument("holder")
    _where(asked)
    asked = verb(
        "unreachable",
        doing.unreachable,
        "Kiosks of which nothing is heard, by their last sign of life.",
        "unreachable",
        "unreachable --for 1h --json",
        "unreachable --all",
    )
    _where(asked, since=False)
    asked.add_argument(
        "--for", dest="silent", default="5m", type=seconds, metavar="TIME", help="5m; 90s, 2h, 1d"
    )
    asked.add_argument("--all", action="store_true", help="every kiosk")
    asked = verb(
        "gaps",
        doing.gaps,
        "What is missing of the kiosks' streams, and what became of asking for it.",
        "gaps",
        "gaps --all --json",
    )
    _where(asked)
    asked.add_argument("--all", action="store_true", help="also what has come in the meantime")
    asked = verb(
        "receipts",
        doing.receipts,
        "What kiosks answered about holders, signed: what was erased, when, and what was not.",
        "receipts --holder r-1042",
        "receipts --since 1d --json",
    )
    _where(asked)
    asked.add_argument("--holder", help="about this holder only")
    asked = verb(
        "register",
        doing.register,
        "Add to the registry what a file says, and send it to the kiosks that it concerns.",
        "register new-residents.json",
        "register - --json < change.json",
    )
    asked.add_argument("file", help="JSON, as docs/backend.md has it; - is standard input")
    _json(asked)
    asked = verb(
        "flaws",
        doing.flaws,
        "What cannot be trusted: broken chains, altered events, keys and checkpoints of others.",
        "flaws --since 1d",
        "flaws --json",
    )
    _where(asked)
    asked = verb(
        "refusals",
        doing.refusals,
        "What came and was no message of the contract, counted by kiosk and reason.",
        "refusals --json",
    )
    _json(asked)
    asked = verb(
        "page",
        doing.page,
        "A page that only reads, for the office; it has no login.",
        "page",
        "page --listen 127.0.0.1:8088",
    )
    asked.add_argument("--listen", default="127.0.0.1:8088", metavar="ADDRESS:PORT")
    asked = verb(
        "command",
        doing.command,
        "Sign a command, send it, and wait for the kiosk's signed reply.",
        "command lakeside/g3/north-1 health",
        "command lakeside/g3/north-1 unlock access_point=north-entry",
        'command "lakeside/g3/*" lockdown --wait 0',
    )
    asked.add_argument("to", help="a kiosk, or a group: lakeside/g3/*, lakeside/*")
    asked.add_argument("what", metavar="COMMAND", help="a verb, as docs/commands.md has them")
    asked.add_argument(
        "arguments", nargs="*", metavar="NAME=VALUE", help="numbers, true and false as JSON"
    )
    asked.add_argument(
        "--expires",
        type=seconds,
        metavar="TIME",
        help="30s; of an unlock, which is short-lived, 8s",
    )
    asked.add_argument("--nonce", metavar="HEX", help="of set_time: the kiosk's own")
    asked.add_argument(
        "--wait", default="15s", type=seconds, metavar="TIME", help="15s; 0 sends and ends"
    )
    _json(asked)
    return made


def _json(asked: argparse.ArgumentParser) -> None:
    asked.add_argument("--json", action="store_true", help="JSON, times in UTC")


def _where(asked: argparse.ArgumentParser, *, since: bool = True) -> None:
    asked.add_argument("--community", help="of this community only")
    asked.add_argument("--grid", help="of this grid only")
    asked.add_argument("--kiosk", help="of this kiosk only: north-1 or lakeside/g3/north-1")
    if since:
        asked.add_argument(
            "--since", type=moment, metavar="TIME", help="2h, 7d, 2026-11-28, 2026-11-28T07:00Z"
        )
    asked.add_argument("--limit", type=int, default=100, help="100 at most, unless told otherwise")
    _json(asked)


def seconds(text: str) -> float:
    """``90s``, ``5m``, ``2h``, ``1d``; a number alone is seconds."""
    number, unit = (text[:-1], text[-1:]) if text[-1:] in _UNITS else (text, "s")
    try:
        found = float(number) * _UNITS[unit]
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a time: {text!r} (90s, 5m, 2h, 1d)") from None
    if not 0 <= found < 1e10:
        raise argparse.ArgumentTypeError(f"not a time: {text!r} (90s, 5m, 2h, 1d)")
    return found


def moment(text: str) -> datetime:
    """So long ago, or a date and time; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            return datetime.now(UTC) - timedelta(seconds=seconds(text))
        except OverflowError:
            raise argparse.ArgumentTypeError(f"not a time: {text!r}") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def main(arguments: Sequence[str]) -> int:
    """Run one verb; the exit code."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    args = parser().parse_args(arguments)
    try:
        run: Callable[[Args], int] = args.run
        return run(args)
    except BackendError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except psycopg.OperationalError as error:
        print(f"the database went away: {type(error).__name__}", file=sys.stderr)
        return 69
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
