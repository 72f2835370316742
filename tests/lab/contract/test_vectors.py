"""The worked values of docs/events.md, checked from the page alone and in another language."""

import hashlib
import json
import re
import shutil
import subprocess

import pytest
import rfc8785
from places import ROOT

from agent.domain.record.chain import check, link

PAGE = (ROOT / "docs/events.md").read_text()

NODE = """
const {createHash, createPublicKey, verify} = require('crypto');
const jcs = v => Array.isArray(v) ? `[${v.map(jcs)}]`
  : v === null || typeof v !== 'object' ? JSON.stringify(v)
  : `{${Object.keys(v).sort().map(k => `${JSON.stringify(k)}:${jcs(v[k])}`)}}`;
const sha = (v, as) => createHash('sha256').update(jcs(v)).digest(as);
const {event, checkpoint} = JSON.parse(require('fs').readFileSync(0));
const {salts, ...data} = event.data;
const said = {commitments: {}};
for (const [name, salt] of Object.entries(salts))
  said.commitments[name] = sha([salt, name, data[name]], 'base64url');
for (const name of Object.keys(data.commitments)) delete data[name];
said.link = sha({...event, data}, 'hex');
const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'),
  Buffer.from(checkpoint['the public key'], 'hex')]);
const key = createPublicKey({key: der, format: 'der', type: 'spki'});
const [signed, signature] = ['what is signed (Sig_structure of RFC 9052)',
  'the signature of that (Ed25519)'].map(name => Buffer.from(checkpoint[name], 'hex'));
said.signed = verify(null, signed, key, signature);
console.log(JSON.stringify(said));
"""


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


def test_another_language_finds_the_same_from_the_page_alone() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    event = json.loads(drawn("event"))
    asked = json.dumps({"event": event, "checkpoint": values("checkpoint")})
    done = subprocess.run(
        [node, "-e", NODE], input=asked, capture_output=True, text=True, timeout=60, check=True
    )
    assert json.loads(done.stdout) == {
        "commitments": event["data"]["commitments"],
        "link": shown("link"),
        "signed": True,
    }
