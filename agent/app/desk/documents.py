"""Opens an ID card reader for a command, and the registry beside it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from agent.adapters.id_reader.ga467 import Ga467Reader
from agent.app.open.files.stores import Key, open_registry, read_registry
from agent.app.open.site import Site, instant
from agent.errors import KeyUnavailableError
from agent.operations.people.documents import (
    Bound,
    bind,
    describe,
    expiry_warning,
    unbind,
    wait_for_document,
)


@contextmanager
def open_reader(port: str) -> Iterator[Ga467Reader]:
    """The reader at ``port``.

    Raises:
        UnavailableError: it is not there, in use, or no working reader answers.
    """
    reader = Ga467Reader(port)
    try:
        yield reader
    finally:
        reader.close()


def bind_number(site: Site, holder: str, number: str, *, by: str, move: bool) -> Bound:
    """Bind the document of a number that somebody typed.

    Raises:
        RefusedError: there is no such holder, it is no number, or another holder's.
        KeyUnavailableError: there is no key to hash with.
        StoreError: the registry is locked, damaged or not writable.
    """
    with open_registry(site, Key.NEEDED) as registry:
        return bind(registry, holder, number, _today(site), by=by, now=instant(site), move=move)


def bind_laid(site: Site, holder: str, port: str, wait_s: float, *, by: str, move: bool) -> Bound:
    """Bind the document that is laid on the reader at ``port``.

    Raises:
        RefusedError: as ``bind_number``; or nothing readable was laid on.
        UnavailableError: the reader or the key is missing.
        StoreError: the registry is locked, damaged or not writable.
    """
    with open_reader(port) as reader:
        document = wait_for_document(reader, wait_s)
    made = bind_number(site, holder, document.number, by=by, move=move)
    warning = expiry_warning(document, _today(site))
    more = () if warning is None else (warning,)
    return Bound(made.holder, made.changed, made.warnings + more)


def unbind_document(site: Site, holder: str, *, by: str) -> Bound:
    """Forget a holder's document.

    Raises:
        RefusedError: there is no such holder.
        StoreError: the registry is locked, damaged or not writable.
    """
    with open_registry(site) as registry:
        return unbind(registry, holder, by=by, now=instant(site))


def describe_laid(site: Site, port: str, wait_s: float, warn: Callable[[str], None]) -> Any:
    """What lies on the reader, as JSON values; without a key not whose it is, and ``warn`` says so.

    Raises:
        RefusedError: nothing readable was laid on.
        UnavailableError: the reader is missing, or the registry cannot be read.
    """
    with open_reader(port) as reader:
        document = wait_for_document(reader, wait_s)
    today = _today(site)
    try:
        with read_registry(site, Key.NEEDED) as registry:
            return describe(document, today, registry)
    except KeyUnavailableError as error:
        warn(f"whose it is cannot be told: {str(error).splitlines()[0]}")
        return describe(document, today, None)


def _today(site: Site) -> date | None:
    now = instant(site)
    return now.utc.astimezone(site.zone).date() if now.utc_trusted else None
