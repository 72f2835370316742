"""Logs: one JSON object a line on stderr, which journald keeps; nobody's name in any of them."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET = ("password", "secret", "token", "passphrase", "credential")
_PERSONAL = ("name", "template", "photograph", "image", "id_number")
MASK = "***"


def mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask secrets and what would name a person, whatever field a caller put them into."""
    for key in event:
        word = key.lower()
        if word in _PERSONAL or any(secret in word for secret in _SECRET):
            event[key] = MASK
    return event


def configure(level: str = "info") -> None:
    """Route structlog and the libraries' own logging to stderr as JSON."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            mask,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
