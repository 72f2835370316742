"""What registry sync says and hears: signed bytes, which docs/registry-sync.md describes."""

from typing import Any

from agent.domain.record.registry_sync import SyncReason
from agent.lab.contract.schema import Schema, by_name, integer, moment, or_null, table, text

_CBOR, _COSE = "application/cbor", "application/cose"


def _bytes(says: str) -> Schema:
    return {"type": "string", "description": says}


MESSAGES: dict[str, Any] = {
    "registry.update": {
        "summary": "A part of an update: its head, a chunk of it, or a word about receipts.",
        "contentType": _CBOR,
        "payload": _bytes(
            "CBOR array: [1, head], [2, update, part, chunk, bytes] or [3, acknowledgement];"
            " at most 4096 bytes"
        ),
    },
    "registry.request": {
        "summary": "How far the kiosk is, and what it lacks.",
        "contentType": _COSE,
        "payload": _bytes('COSE_Sign1 by the kiosk\'s signing key, external_aad "gate/request/1"'),
    },
    "registry.receipt": {
        "summary": "What became of a holder: erased, kept, enrolled or not.",
        "contentType": _COSE,
        "payload": _bytes('COSE_Sign1 by the kiosk\'s signing key, external_aad "gate/receipt/1"'),
    },
}

STATUS = or_null(
    table(
        {
            "version": integer("of the registry; 0: there was no update yet"),
            "since": or_null(moment("since when it has that")),
            "key_id": or_null(text("of the key that signed it")),
            "last": or_null(
                table(
                    {
                        "result": text("updated or refused"),
                        "at": moment(),
                        "version": integer(),
                        "reason": text(),
                    },
                    ("version", "reason"),
                    "what became of the last that came; null since the start nothing did",
                )
            ),
            "waiting": table(
                {
                    "parts": integer("of an update that is on its way, whole"),
                    "of": integer("parts it has; 0 where none is on its way"),
                    "receipts": integer("not acknowledged yet"),
                }
            ),
            "refused": by_name(
                integer(), f"how often by reason: {', '.join(one.value for one in SyncReason)}"
            ),
        }
    ),
    "null without [registry]",
)
