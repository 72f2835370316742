"""The worked values of docs/events.md, checked from the page alone."""

import hashlib
import json
import re

import rfc8785
from places import ROOT

from agent.domain.record.chain import check, link

PAGE = (ROOT / "docs/events.md").read_text()


def drawn(name: str) -> str:
    found = re.search(rf"<!-- {name}: begin -->\n```\w+\n(.*?)\n```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def values(name: str) -> dict[str, str]:
    lines = drawn(name).splitlines()
    return {
        key.removesuffix(":"): one.strip() for key, one in zip(lines[::2], lines[1::2], strict=True)
    }


def shown(words: str) -> str:
    """The value of the page whose name begins so."""
    (found,) = [one for name, one in values("links").items() if name.startswith(words)]
    return found


def test_the_page_says_what_the_agent_finds() -> None:
    event = json.loads(drawn("event"))
    assert check(event) == "whole"
    assert link(event) == shown("link")


def test_each_value_follows_from_the_one_above_it() -> None:
    event = json.loads(drawn("event"))
    assert rfc8785.dumps(json.loads(shown("hashed for the link"))).decode() == shown(
        "hashed for the link"
    )
    assert hashlib.sha256(shown("hashed for the link").encode()).hexdigest() == shown("link")
    assert event["data"]["commitments"]["holder"] == shown("commitment")
    assert event["data"]["salts"]["holder"] == shown("salt of holder")
