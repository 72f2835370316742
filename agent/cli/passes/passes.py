"""``gate-agent pass``: gate passes, from the issuer's key to the revoked one."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli import completion
from agent.cli.common import (
    Commands,
    Config,
    Json,
    Panel,
    StateDir,
    Task,
    emit,
    examples,
    file_option,
    name_option,
    say,
    user,
    warn,
)
from agent.cli.passes import cards, issuers
from agent.cli.passes.credential_text import HELP, STDIN, given_text, one_text
from agent.cli.passes.issuers import AccessPoints, limits_text
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.table import line, record

app = Commands(
    "pass keygen office.pem",
    "pass trust office.pem.pub --issuer office",
    "pass verify --text - < pass.txt",
    "pass issuers",
)

KeyFile = Annotated[
    Path, file_option("--key", "The issuer's private key: pass keygen.", panel=Panel.SAYS)
]
Text = Annotated[str | None, typer.Option("--text", metavar="TEXT", help=HELP)]
File = Annotated[Path | None, file_option("--file", "A file with that text.")]


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    cards.add_to(app)
    issuers.add_to(app)
    parent.add_typer(
        app,
        rich_help_panel=Task.PASSES,
        name="pass",
        help="Gate passes: issue, verify, print, revoke.",
    )


@app.command(
    "keygen",
    epilog=examples("pass keygen office.pem", "pass keygen --community community.key"),
)
def keygen(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where the private key goes.", readable=False)
    ],
    *,
    community: Annotated[
        bool, typer.Option("--community", help="Make the key that kiosks open templates with.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make an issuer's key, or a community's.

    FILE keeps the private key (mode 0600), FILE.pub the public one for pass trust. Neither is ever
    overwritten.
    """
    from agent.operations.passes.keys import make_community_key, make_issuer_key, public_path

    if community:
        make_community_key(file)
        made: dict[str, Any] = {"file": str(file)}
    else:
        made = {
            "key_id": make_issuer_key(file),
            "file": str(file),
            "public": str(public_path(file)),
        }
    if as_json:
        emit(made)
    else:
        record({name.replace("_", " "): value for name, value in made.items()})


@app.command(
    "issue",
    epilog=examples(
        "pass issue r-1042 --key office.pem --issuer office --category resident"
        " --community lakeside --valid-until 2027-05-31",
        "pass issue v-77 --key office.pem --issuer office --category visitor --community lakeside"
        " --valid-until 2026-12-01T20:00 --uses 1 --kiosk g3/north-1",
        "pass issue r-1042 --key office.pem --issuer office --category resident"
        " --community lakeside --valid-until 2027-05-31 --photograph r-1042.jpg"
        " --community-key community.key",
    ),
)
def issue(
    holder: Annotated[
        str,
        typer.Argument(metavar="ID", help="The holder's id.", autocompletion=completion.holders),
    ],
    *,
    key: KeyFile,
    issuer: Annotated[
        str, name_option("--issuer", "NAME", "As kiosks trust it.", completion.issuers, Panel.SAYS)
    ],
    category: Annotated[
        str,
        name_option("--category", "CAT", "As rules name it.", completion.categories, Panel.SAYS),
    ],
    community: Annotated[
        list[str],
        name_option(
            "--community",
            "NAME",
            "Where it holds; repeatable.",
            completion.communities,
            Panel.WHERE,
        ),
    ],
    valid_until: Annotated[
        str,
        typer.Option(
            "--valid-until",
            metavar="WHEN",
            help="A date with its day, or a time.",
            rich_help_panel=Panel.SAYS,
        ),
    ],
    valid_from: Annotated[
        str | None,
        typer.Option(
            "--valid-from", metavar="WHEN", help="A date, or a time.", rich_help_panel=Panel.SAYS
        ),
    ] = None,
    access_point: AccessPoints = None,
    uses: Annotated[
        int | None,
        typer.Option(
            "--uses", metavar="N", help="So often, at --kiosk only.", rich_help_panel=Panel.WHERE
        ),
    ] = None,
    kiosk: Annotated[
        str | None,
        name_option(
            "--kiosk", "GRID/ID", "Which one counts the uses.", completion.kiosks, Panel.WHERE
        ),
    ] = None,
    photograph: Annotated[
        Path | None,
        file_option("--photograph", "Put this face's template on it.", "IMAGE", panel=Panel.FACE),
    ] = None,
    enrolled: Annotated[
        bool,
        typer.Option(
            "--enrolled",
            help="Put the holder's enrolled template on it.",
            rich_help_panel=Panel.FACE,
        ),
    ] = False,
    community_key: Annotated[
        Path | None,
        file_option("--community-key", "Seals the template for kiosks.", panel=Panel.FACE),
    ] = None,
    bits: Annotated[
        int,
        typer.Option(
            "--bits",
            metavar="8|4|1",
            help="Of the template's components.",
            rich_help_panel=Panel.FACE,
        ),
    ] = 8,
    id_number_stdin: Annotated[
        bool,
        typer.Option(
            "--id-number-stdin",
            help="Put a keyed hash of the ID number on stdin on it.",
            rich_help_panel=Panel.SAYS,
        ),
    ] = False,
    png: Annotated[
        Path | None, file_option("--png", "Also draw the QR code.", panel=Panel.OUTPUT)
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Sign also what has ended already.", rich_help_panel=Panel.ANYWAY
        ),
    ] = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Issue a pass.

    Prints its text for a QR code: a bearer credential, so mind where it goes. Names that config
    and registry of this machine do not know are warned of; a pass that has ended is refused.
    """
    from agent.app.desk import passes as pass_office
    from agent.app.open.site import command_site
    from agent.operations.moments import parse_bound
    from agent.operations.passes.issue import PassRequest, qr_code

    site = command_site(state_dir(state), given_config_path(config))
    if bits not in (8, 4, 1):
        raise typer.BadParameter("8, 4 or 1", param_hint="--bits")
    until = parse_bound(valid_until, site.zone, ends=True)
    if until is None:
        raise typer.BadParameter("a pass always ends", param_hint="--valid-until")
    template, document = None, None
    if community_key is None and (photograph is not None or enrolled or id_number_stdin):
        raise typer.BadParameter(
            "what kiosks alone may read needs it", param_hint="--community-key"
        )
    if id_number_stdin and community_key is not None:
        document = pass_office.document_hash(sys.stdin, community_key)
    if community_key is not None and (photograph is not None or enrolled):
        made = (
            pass_office.photographed_template(site, photograph)
            if photograph is not None
            else pass_office.enrolled_template(site, holder)
        )
        template = (made, bits, community_key)
    request = PassRequest(
        issuer=issuer,
        holder=holder,
        category=category,
        communities=tuple(community),
        valid_until=until,
        valid_from=None if valid_from is None else parse_bound(valid_from, site.zone, ends=False),
        access_points=tuple(access_point or ()),
        uses=uses,
        kiosk=kiosk,
        document=document,
    )
    issued, doubts = pass_office.issue(site, request, key, template, force=force)
    for doubt in doubts:
        warn(doubt)
    if png is not None:
        from io import BytesIO

        from agent.operations.files import write_whole

        drawn = BytesIO()
        qr_code(issued.text).save(drawn, kind="png", scale=6, border=4)
        write_whole(drawn.getvalue(), png)
    if as_json:
        emit({**issued.as_json(), "warnings": doubts})
        return
    say(issued.text)


@app.command(
    "verify",
    epilog=examples(
        "pass verify --text - < pass.txt",
        "pass verify --file pass.txt --trust office.pem.pub --issuer office --json",
    ),
)
def verify(
    *,
    text: Text = None,
    file: File = None,
    trust: Annotated[
        Path | None, file_option("--trust", "A public key [default: the trusted ones].")
    ] = None,
    issuer: Annotated[
        str, name_option("--issuer", "NAME", "Whose key --trust is.", completion.issuers)
    ] = "",
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="ISO 8601 [default: now].")
    ] = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Check a pass by its signature and dates.

    Where and how often it opens is the gate's to judge. Exit code 1 if it does not hold.
    """
    from agent.app.desk import passes as pass_office
    from agent.app.open.site import command_site
    from agent.operations.moments import parse_moment

    site = command_site(state_dir(state), None)
    trusted = None if trust is None else pass_office.issuer_key(trust, issuer, None, None)
    found = pass_office.check(
        site, one_text(text, file), None if at is None else parse_moment(at), trusted
    )
    if as_json:
        emit(found)
    else:
        from agent.cli.passes.verdict_text import show_pass

        show_pass(found)
    if not found["valid"]:
        raise typer.Exit(1)


@app.command("revoke", epilog=examples("pass revoke 3f9a0c1d2e4b5a67", "pass revoke - < pass.txt"))
def revoke(
    wanted: Annotated[
        str, typer.Argument(metavar="PASS", help="Its id; - reads its whole text from stdin.")
    ],
    *,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Let a pass open nothing on this kiosk.

    The running agent knows within two seconds. Other kiosks must be told as well. Asks first, at a
    terminal: nothing takes it back.
    """
    from agent.app.desk import passes as pass_office
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))
    if wanted == STDIN or pass_office.is_whole_pass(wanted):
        wanted = given_text(wanted, "pass revoke -")
    confirm("Revoke this pass, for good?", yes=yes)
    one, changed = pass_office.revoke(site, wanted, by=user())
    if as_json:
        emit({"pass": one, "revoked": True, "changed": changed})
    else:
        say(f"revoked {one}" if changed else f"{one} is revoked already; nothing to do")


@app.command(
    "trust",
    epilog=examples(
        "pass trust office.pem.pub --issuer office",
        "pass trust visitors.delegation",
        "pass trust office-2027.pem.pub --issuer office --valid-from 2026-12-01",
    ),
)
def trust(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="The issuer's public key, or a delegation.", readable=False
        ),
    ],
    *,
    issuer: Annotated[
        str | None, name_option("--issuer", "NAME", "As on its passes.", completion.issuers)
    ] = None,
    valid_from: Annotated[
        str | None, typer.Option("--valid-from", metavar="WHEN", help="A date, or a time.")
    ] = None,
    valid_until: Annotated[
        str | None,
        typer.Option("--valid-until", metavar="WHEN", help="A date with its day, or a time."),
    ] = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Believe passes that this key signed.

    Several keys may be trusted at once, each for its time. A delegation (pass delegate) names its
    issuer and limits it. The running agent knows within two seconds.
    """
    from agent.app.desk import passes as pass_office
    from agent.app.open.site import command_site
    from agent.operations.moments import parse_bound

    site = command_site(state_dir(state), given_config_path(config))
    start = parse_bound(valid_from or "none", site.zone, ends=False)
    end = parse_bound(valid_until or "none", site.zone, ends=True)
    found = pass_office.trusted_key(site, file, issuer, start, end)
    for doubt in pass_office.trust_doubts(site, found):
        warn(doubt)
    made = pass_office.trust(site, found, by=user())
    if as_json:
        emit(made)
    else:
        within = "" if made["limits"] is None else f" within limits: {limits_text(made['limits'])}"
        line(f"passes of {made['issuer']} signed by {made['key_id']} are believed{within}")
