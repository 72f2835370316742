"""``gate-agent pass``: the issuers of passes, what each may sign, and who is trusted no longer."""

from collections.abc import Mapping
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli import completion
from agent.cli.common import (
    Config,
    Csv,
    Json,
    Panel,
    StateDir,
    emit,
    examples,
    file_option,
    name_option,
    one_form,
    say,
    user,
    warn,
)
from agent.cli.people.holders_text import validity
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import line, table

AccessPoints = Annotated[
    list[str] | None,
    name_option(
        "--access-point", "ID", "Only there; repeatable.", completion.access_points, Panel.WHERE
    ),
]


def add_to(group: typer.Typer) -> None:
    """Hang the commands into ``group``."""
    group.command(
        "delegate",
        epilog=examples(
            "pass delegate desk.pem.pub --to visitors-desk --category visitor --longest 24h"
            " --access-point north-entry --key office.pem --issuer office --out desk.delegation"
        ),
    )(delegate)
    group.command("distrust", epilog=examples("pass distrust 5647a1c2f3b4d5e6"))(distrust)
    group.command("issuers", epilog=examples("pass issuers --json"))(issuers)


def delegate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The other's public key.", readable=False)
    ],
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="NAME", help="As on the other's passes.", rich_help_panel=Panel.SAYS
        ),
    ],
    key: Annotated[Path, file_option("--key", "The private key that hands on.", panel=Panel.SAYS)],
    issuer: Annotated[
        str, name_option("--issuer", "NAME", "Whose that is.", completion.issuers, Panel.SAYS)
    ],
    out: Annotated[Path, file_option("--out", "Where the delegation goes.", panel=Panel.OUTPUT)],
    category: Annotated[
        list[str] | None,
        name_option(
            "--category", "CAT", "Only this one; repeatable.", completion.categories, Panel.SAYS
        ),
    ] = None,
    longest: Annotated[
        str | None,
        typer.Option(
            "--longest", metavar="TIME", help="Of a pass: 8h, 7d.", rich_help_panel=Panel.SAYS
        ),
    ] = None,
    access_point: AccessPoints = None,
    valid_from: Annotated[
        str | None,
        typer.Option(
            "--valid-from", metavar="WHEN", help="A date, or a time.", rich_help_panel=Panel.WHERE
        ),
    ] = None,
    valid_until: Annotated[
        str | None,
        typer.Option(
            "--valid-until",
            metavar="WHEN",
            help="A date with its day, or a time.",
            rich_help_panel=Panel.WHERE,
        ),
    ] = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Let another issuer sign passes within limits.

    The delegation goes to pass trust on each kiosk that trusts the key which signed it. A pass
    beyond the limits is denied as Unauthorized.
    """
    from agent.app.desk.passes import known_here
    from agent.app.open.site import command_site, instant
    from agent.operations.files import write_whole
    from agent.operations.moments import parse_bound, parse_duration
    from agent.operations.passes.delegate import Handing, hand_on
    from agent.operations.passes.doubts import handing_doubts
    from agent.operations.passes.keys import read_issuer_key, read_public_key

    site = command_site(state_dir(state), given_config_path(config))
    handing = Handing(
        issuer=issuer,
        to=to,
        categories=category or (),
        longest=None if longest is None else parse_duration(longest),
        access_points=access_point or (),
        valid_from=parse_bound(valid_from or "none", site.zone, ends=False),
        valid_until=parse_bound(valid_until or "none", site.zone, ends=True),
    )
    now = instant(site).utc
    text, said = hand_on(handing, read_public_key(file), read_issuer_key(key), now)
    for doubt in handing_doubts(handing, known_here(site, []), now):
        warn(doubt)
    write_whole(text.encode() + b"\n", out)
    if as_json:
        emit({"file": str(out), **said})
    else:
        line(f"{to} may sign passes within limits: {limits_text(said['limits'])}")


def distrust(
    key_id: Annotated[
        str,
        typer.Argument(
            metavar="KEYID",
            help="As gate-agent pass issuers.",
            autocompletion=completion.issuer_keys,
        ),
    ],
    *,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Believe passes of a key no longer, nor of keys that it let sign.

    Asks first, at a terminal.
    """
    from agent.app.desk import passes as pass_office
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))
    issuer = pass_office.issuer_of(site, key_id)
    confirm(f"Believe passes of {issuer} signed by {key_id} no longer?", yes=yes)
    pass_office.distrust(site, key_id, by=user())
    if as_json:
        emit({"key_id": key_id, "removed": True})
    else:
        say(f"{key_id} is trusted no longer")


def issuers(
    *, config: Config = None, state: StateDir = None, as_json: Json = False, as_csv: Csv = False
) -> None:
    """List the keys whose passes are believed, with their limits."""
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.app.desk import passes as pass_office
    from agent.app.open.site import command_site, instant

    site = command_site(state_dir(state), given_config_path(config))
    found = pass_office.issuers(site)
    if as_json:
        emit(found)
        return
    columns = ("key_id", "issuer", "valid_from", "valid_until")
    if as_csv:
        sheet_of((*columns, "limits"), found)
        return
    now = instant(site).utc
    table(
        ("key id", "issuer", "valid", "limits"),
        [
            (
                each["key_id"],
                Cell(each["issuer"], Meaning.STRONG),
                _valid(each["valid_from"], each["valid_until"], now, site.zone),
                limits_text(each["limits"]),
            )
            for each in found
        ],
        empty="no key is trusted yet; gate-agent pass trust FILE --issuer NAME",
    )


def _valid(first: str | None, last: str | None, now: datetime, zone: tzinfo) -> Cell:
    """When a key counts: what has ended opens nothing, what begins later nothing yet."""
    start, end = (None if one is None else datetime.fromisoformat(one) for one in (first, last))
    meaning = None
    if end is not None and end <= now:
        meaning = Meaning.BAD
    elif start is not None and now < start:
        meaning = Meaning.DOUBT
    return Cell(validity(start, end, zone), meaning)


def limits_text(limits: Mapping[str, Any] | None) -> str:
    """Limits on one line."""
    if limits is None:
        return "none"
    said = [
        ("", limits["categories"]),
        ("at ", limits["access_points"]),
    ]
    words = [before + " ".join(listed) for before, listed in said if listed is not None]
    if limits["longest_s"] is not None:
        words.append(f"at most {limits['longest_s'] / 3600:g} h")
    return f"{', '.join(words)} (by {limits['by']})"
