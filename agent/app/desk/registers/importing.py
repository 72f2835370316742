"""Imports a file of people at the desk, and writes what is wrong with it into another one."""

import contextlib
import csv
import io
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.adapters.store.seal import KEY_BYTES, Sealer
from agent.app.open.files.keys import first_key
from agent.app.open.files.stores import Key, open_registry, read_registry
from agent.app.open.site import Site, instant
from agent.domain.credential.holder import HolderId
from agent.errors import RefusedError
from agent.operations.files import check_place, replacing
from agent.operations.registers.columns import Head, find_head
from agent.operations.registers.importing import Fault, Preview, Table, look_through, write
from agent.operations.registers.rows import Terms
from agent.operations.registers.source import rows_of
from agent.operations.registers.spool import Spool

MOST_FINDINGS = 20
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Advance = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of an import: the file, its sheet, the notice, where faulty rows go."""

    file: Path
    sheet: str | None = None
    notice: str | None = None
    faults: Path | None = None
    preview: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What an import did, or would do: ``changed`` is None where nothing was written."""

    preview: Preview
    changed: int | None
    notes: tuple[str, ...]
    findings: tuple[str, ...]
    made_key: Path | None


def new_holder_id() -> HolderId:
    """An id drawn at random, which tells nothing of whose it is."""
    return HolderId("p-" + "".join(secrets.choice(_ALPHABET) for _ in range(12)))


def import_register(
    site: Site,
    asked: Asked,
    *,
    by: str,
    advance: Advance,
    confirm: Callable[[Preview], None],
) -> Done:
    """Look through the file, ask ``confirm``, then write; a preview writes nothing.

    Faulty rows go to ``asked.faults`` with their reasons, and all others are imported; without such
    a file one faulty row keeps everything out.

    Raises:
        RefusedError: ``table``: the file is refused as a whole; ``import``: rows are faulty.
        KeyUnavailableError: what is sealed needs a key that is missing.
        StoreError: the registry is locked, damaged or not writable.
        UnavailableError: a file cannot be read or written.
    """
    now, notes, findings = instant(site), list[str](), list[str]()
    terms = Terms(site.zone, site.archives, asked.notice, now.utc)
    if asked.faults is not None:
        check_place(asked.faults)
    with contextlib.ExitStack() as stack:
        rows = stack.enter_context(rows_of(asked.file, asked.sheet, notes))
        head = find_head(rows, site.columns)
        seals = Sealer(secrets.token_bytes(KEY_BYTES))
        folder = site.state if site.state.is_dir() else None
        spool, faults = (stack.enter_context(Spool(folder, seals)) for _ in range(2))

        def faulty(one: Fault) -> None:
            if len(findings) < MOST_FINDINGS:
                findings.append(f"{asked.file}:{one.number}: {one.why}")
            if asked.faults is not None:
                faults.add({"why": f"{one.number}: {one.why}", "cells": list(one.cells)})

        with read_registry(site, Key.IF_ANY) as registry:
            preview = look_through(
                Table(head, rows),
                terms,
                registry,
                spool,
                new_id=new_holder_id,
                faulty=faulty,
                advance=lambda done: advance("read", done, 0),
            )
        more = preview.counts["faulty"] - len(findings)
        findings += [f"and {more} more"] if more > 0 else []
        if asked.preview:
            return Done(preview, None, tuple(notes), tuple(findings), None)
        _settle(asked, head, faults, findings)
        confirm(preview)
        made_key = None if os.path.lexists(site.key_file) else first_key(site)
        with open_registry(site, Key.NEEDED) as written:
            changed = write(
                spool,
                terms,
                written,
                by=by,
                now=now,
                advance=lambda done: advance("written", done, spool.count),
            )
    return Done(preview, changed, tuple(notes), tuple(findings), made_key)


def _settle(asked: Asked, head: Head, faults: Spool, findings: Sequence[str]) -> None:
    """Write the faulty rows, where there is a file for them.

    Raises:
        RefusedError: ``import``: there is none, and nothing is imported.
    """
    if not findings:
        return
    if asked.faults is None:
        said = "\n".join(("nothing was imported", *findings))
        fix = "correct them; or --faults FILE, which gets them while all others are imported"
        raise RefusedError("import", f"{said}\nFix: {fix}")
    with replacing(asked.faults, "name a file") as stream:
        # The mark tells a sheet that this is UTF-8.
        stream.write(b"\xef\xbb\xbf")
        for line in _lines(head, faults):
            stream.write(line.encode())


def _lines(head: Head, faults: Spool) -> Iterator[str]:
    width = len(head.words)
    yield _line([*head.words, "原因"])
    for one in faults:
        cells = [*one["cells"], *[""] * width][:width]
        yield _line([*map(_safe, cells), one["why"]])


def _line(cells: Sequence[Any]) -> str:
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerow(cells)
    return made.getvalue()


def _safe(cell: str) -> str:
    """Whatever a sheet would take for a formula has an apostrophe before it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
