"""Whatever stands in a config, it loads or says where it is wrong, and tells nobody a secret."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import ROOT

from agent.cli.terminal.excerpt import Screen, shown
from agent.config import load_config
from agent.errors import ConfigError, Fault

EXAMPLE = (ROOT / "config" / "gate.example.toml").read_text()
SECRET = "hunter2"
GUARDED = f"""
source = "rtsp://admin:{SECRET}@10.0.0.7/stream?token={SECRET}"
password = "{SECRET}"
"""
PIECES = [
    *("=", "[", "]", "[[", "]]", "{", "}", '"', "'", '"""', "\n", "\r\n", "\r", "\t", ",", "#"),
    *("0", "-", ".", ":", "x", "true", "nan", "3,0", "\\", "\0", "\x1b[2J", "\ufeff", "\u3000"),
    *("\u201c", "\u201d", "\u95e8", "\U0001f6aa", "\u202e", "[camera]", "[[kiosk]]", "a.b.c = 1\n"),
    *("<<<<<<< HEAD\n", "password", "=\n", "1979-05-27T07:32:00Z", "9" * 5000, "[" * 200),
]
CHANGES = st.lists(
    st.tuples(st.integers(0, len(EXAMPLE)), st.integers(0, 60), st.sampled_from(["", *PIECES])),
    min_size=1,
    max_size=4,
)


def changed(text: str, changes: list[tuple[int, int, str]]) -> str:
    for at, length, piece in changes:
        text = text[:at] + piece + text[at + length :]
    return text


def faults_of(text: str, folder: Path) -> tuple[Fault, ...]:
    path = folder / "odd.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load_config(path, pad=())
    except ConfigError as error:
        assert len(error.faults) == len(error.findings) > 0  # noqa: PT017 - either way is right
        return error.faults
    return ()


def said(fault: Fault) -> str:
    screens = [Screen(width, seen=True, encoding=code) for width, code in SCREENS]
    lines = [line for screen in screens for line in shown(fault, "odd.toml", screen)]
    return "\n".join([*lines, str(fault.as_json())])


SCREENS = [(20, "ascii"), (80, "utf-8")]


@given(CHANGES)
def test_every_fault_has_its_place_in_the_file(tmp_path_factory, changes) -> None:
    text = changed(EXAMPLE, changes)
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    tables = re.findall(r"^\s*\[+\s*(\w+)", text, re.MULTILINE)
    for fault in faults_of(text, tmp_path_factory.getbasetemp()):
        if fault.line is None:
            # It is about the whole, or about a table that the file does not have.
            assert fault.key is None or re.split(r"\W", fault.key)[0] not in tables
            continue
        assert 1 <= fault.line <= len(lines)
        assert fault.column is not None
        assert 1 <= fault.column <= len(lines[fault.line - 1]) + 1
        assert fault.excerpt is not None
        assert 0 <= fault.mark[0] <= fault.mark[1] <= len(fault.excerpt)
        assert "\x1b[2J" not in said(fault)
        assert "\u202e" not in said(fault)


@given(CHANGES)
def test_no_secret_is_told_whatever_is_wrong_around_it(tmp_path_factory, changes) -> None:
    head, camera, rest = EXAMPLE.partition("source = 0")
    text = changed(head, [(at % len(head), length, piece) for at, length, piece in changes])
    for fault in faults_of(f"{text}{GUARDED}{camera}{rest}", tmp_path_factory.getbasetemp()):
        assert SECRET not in said(fault)


@pytest.mark.parametrize(
    "text",
    [
        f'password = "{SECRET}\n',
        f"password = {SECRET}\n",
        f"password: {SECRET}\n",
        f"password {SECRET}\n",
        f"password = \u201c{SECRET}\u201d\n",
        f"broker = {{ host = 5, password = '{SECRET}' \n",
        f'password = """\n{SECRET}\n"""\nx =\n',
        f'password = """\n{SECRET}\n',
        f'api_key = ["a",\n"{SECRET}",\n{SECRET}]\n',
        f'[broker.login]\nvalue = "{SECRET}"\n',
        f'[[camera]]\nsource = "rtsp://admin:{SECRET}@h/x" y\n',
        f'[[camera]]\nsource = "rtsp://admin:{SECRET}@h/x\n',
        f"[[camera]]\nsource = rtsp://admin:{SECRET}@h/x\n",
        f"[[camera]]\nsource = \u2018rtsp://admin:{SECRET}@h/x\u2019\n",
        f"[[camera]]\nsource = 'rtsp://h/x?user=admin&password={SECRET}' , 5\n",
        f'[[camera]]\nsource = ["rtsp://a:{SECRET}@h", "rtsp://b:{SECRET}@h" 5]\n',
        f'[[camera]]\nsource = "admin:{SECRET}@h/x" = 5\n',
        f'[[camera]]\nid = "rtsp://admin:{SECRET}@h/x"\n',
        f'[[camera]]\n"rtsp://admin:{SECRET}@h/x" = 5\n',
        f'[[camera]]\nfps = "rtsp\\u003a//admin\\u003a{SECRET}\\u0040h"\n',
        f'[[camera]]\nsource = """rtsp://admin:\\\n{SECRET}@h""" 5\n',
    ],
)
def test_a_secret_is_hidden_where_it_stands(tmp_path, text: str) -> None:
    faults = faults_of(text, tmp_path)
    assert faults
    assert not [fault for fault in faults if SECRET in said(fault)]
    assert not [fault for fault in faults if SECRET in str(fault)]
