"""What ``gate-agent events verify`` says to people."""

from agent.cli.common import advise, counted, say, warn
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import table
from agent.operations.verification import Flaw, Report

_MOST = 50


def show(report: Report) -> None:
    """The streams, what is wrong with them, and what could not be judged."""
    table(
        ("kiosk", "epoch", "events", "from", "to", "signed to", "forgotten", "before the chain"),
        [
            (
                *(one.place[0].removeprefix("/gate/"), one.place[1], one.events),
                *(one.first, one.last, one.signed, one.forgotten or None, one.unchained or None),
            )
            for one in report.streams
        ],
        empty="there are no events",
    )
    if report.findings:
        say()
        table(
            ("flaw", "epoch", "from", "to", "line", "what"),
            [
                (
                    *(
                        Cell(one.flaw.value, Meaning.BAD),
                        None if one.place is None else one.place[1],
                    ),
                    *(one.first, one.last, one.line, one.detail),
                )
                for one in report.findings[:_MOST]
            ],
        )
        if len(report.findings) > _MOST:
            say(f"and {counted(len(report.findings) - _MOST, 'flaw')} more, with --json")
        if any(one.flaw is Flaw.OUT_OF_ORDER for one in report.findings):
            advise("where the lines stand as they arrived, --any-order")
    elif report.streams:
        say()
        say("Nothing was removed, changed or put elsewhere.")
    if report.unjudged and not any(one.flaw is Flaw.CHECKPOINT for one in report.findings):
        warn(
            f"{counted(report.unjudged, 'checkpoint')} could not be judged: without the kiosk's key"
            " whoever can write all of the events can make them anew\n"
            "Fix: --key, with what gate-agent key show --json printed on the kiosk"
        )
