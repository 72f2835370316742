"""What the shell offers where a command asks for a name.

Never an exception, never a made file, and within the time that a hand waits: what is not had by
then is not offered.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from agent.cli.terminal.offered import unmarked
from agent.cli.terminal.style import plain

if TYPE_CHECKING:
    from agent.app.desk.offers import Offer, Offers

_WAIT_S = 0.35
_LONGEST_HELP = 60
Completer = Callable[[typer.Context, str], list[Any]]


def _offering(find: "Callable[[Offers, str], Iterable[Offer]]") -> Completer:
    def complete(ctx: typer.Context, incomplete: str) -> list[Any]:
        found: list[Offer] = []

        def work() -> None:
            # Whatever stands in a file: the shell must not show a traceback for a key pressed.
            with contextlib.suppress(Exception):
                for offer in find(_offers(ctx), incomplete):
                    found.append(offer)  # noqa: PERF402 - what is there when the time is over counts

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        worker.join(_WAIT_S)
        offered = dict(list(found))
        return [(value, _help(said)) if said else value for value, said in offered.items()]

    return complete


def _offers(ctx: typer.Context) -> "Offers":
    from agent.app.desk.offers import Offers
    from agent.app.open.paths import given_config_path, state_dir

    config, state = _given(ctx, "config"), _given(ctx, "state")
    return Offers(state_dir(state), given_config_path(config))


def _given(ctx: typer.Context, name: str) -> Path | None:
    value = ctx.params.get(name)
    return None if value is None else Path(value).expanduser()


def _help(said: str) -> str:
    return unmarked(plain(said)[:_LONGEST_HELP])


def _names_are_shown() -> bool:
    """Whether the shell that asks shows more than the value: bash does not."""
    return not os.environ.get("_GATE_AGENT_COMPLETE", "").endswith("_bash")


def _event_types(_offers: "Offers", _start: str) -> "Iterable[Offer]":
    from agent.domain.record.events import type_words

    return [(word, "") for word in type_words()]


def ids_of(table: str) -> Completer:
    """The ids in ``[[table]]`` of the config."""
    return _offering(lambda offers, _: offers.ids(table))


holders = _offering(lambda offers, start: offers.holders(start, named=_names_are_shown()))
categories = _offering(lambda offers, start: offers.categories(start))
issuers = _offering(lambda offers, _: offers.issuers())
issuer_keys = _offering(lambda offers, _: offers.issuer_keys())
access_points = _offering(lambda offers, _: offers.access_points())
outputs = _offering(lambda offers, _: offers.outputs())
communities = _offering(lambda offers, _: offers.communities())
kiosks = _offering(lambda offers, _: offers.kiosks())
packs = _offering(lambda offers, _: offers.packs(installed=False))
installed_packs = _offering(lambda offers, _: offers.packs(installed=True))
trust_lists = _offering(lambda offers, _: offers.trust_lists())
languages = _offering(lambda offers, _: offers.languages())
messages = _offering(lambda offers, _: offers.messages())
state_files = _offering(lambda offers, _: offers.state_files())
faults = _offering(lambda offers, _: offers.faults())
event_types = _offering(_event_types)
