"""The rules of the house, checked on the tree as it is tracked."""

import ast

import pytest
from house_rules import (
    WITHOUT_SUITE,
    backend_breaches,
    backend_modules,
    breaches,
    circles,
    import_graph,
    imports_of,
    modules,
    port_trees,
    ports_in_use,
    ports_with_suites,
    protocols,
    python_files,
    relative,
    tree_of,
    undocumented,
    unexplained,
)

MAX_LINES = 400

# --- imports -------------------------------------------------------------------------------------


def test_every_import_keeps_to_the_rule() -> None:
    found = [line for name, names in import_graph().items() for line in breaches(name, names)]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    ("module", "source", "allowed"),
    [
        ("agent.domain.access.policy", "import json, numpy.typing", True),
        ("agent.domain.access.policy", "import pydantic", False),
        ("agent.domain.access.policy", "from .. import ports", False),
        ("agent.domain.access.policy", "from .holder import Holder", True),
        ("agent.domain.access.policy", "from agent.errors import InternalError", True),
        ("agent.domain.access.policy", "def f():\n    from cv2 import imread", False),
        ("agent.controller.kiosk", "from agent.ports import Door", False),
        ("agent.controller.kiosk", "from agent import ports", False),
        ("agent.vision.face.embed", "import onnxruntime", True),
        ("agent.vision.face.embed", "from agent.config import GateConfig", False),
        ("agent.ports", "from agent.vision.packs.packs import load_pack", False),
        ("agent.adapters.camera.video", "from agent.vision import detect", True),
        ("agent.adapters.camera.video", "from agent.operations import enrol", False),
        ("agent.operations.people.enrol", "import agent.adapters.store", False),
        ("agent.operations.people.enrol", "from agent.ports import Gallery", True),
        (
            "agent.technician.doctor",
            "import importlib\nimportlib.import_module('agent.app')",
            False,
        ),
        ("agent.app.gate.build", "from agent.cli.main import main", False),
        ("agent.app.gate.build", "from agent.adapters.broker.mqtt import Broker", True),
        ("agent.cli.main", "from agent.app.gate import build", True),
        ("agent.cli.main", "from agent.adapters.broker.mqtt import Broker", False),
        ("agent.app.gate.build", "from agent.lab.bench import frame", False),
        ("agent.domain.skin.spot", "from agent.domain.hours.instant import Instant", True),
        ("agent.domain.skin.spot", "from agent.domain.sight.track import Box", False),
        ("agent.domain.sight.track", "from agent.domain.access import policy", False),
        ("agent.domain.somewhere", "from agent.domain.sight.track import Box", False),
        ("agent.app.open.doors", "from agent.app.gate.run import run", False),
        ("agent.app.threads.inbox", "from agent.app.open.doors import open_doors", True),
        ("agent.app.desk.people", "from agent.app.threads.inbox import Inbox", False),
        ("agent.app.somewhere", "from agent.app.open.doors import open_doors", False),
        ("agent.operations.people.enrol", "from agent.lab.bench import frame", False),
        ("agent.lab.bench.frame", "from agent.app.gate import build", True),
        ("agent.lab.bench.frame", "from agent.cli import main", False),
        ("agent.lab.simulate.truth", "from agent.domain import policy", False),
        ("agent.lab.simulate.checker", "from agent.lab.simulate.truth import Person", True),
        ("agent.unheard_of", "from agent.domain import policy", False),
    ],
)
def test_the_import_rule_tells_right_from_wrong(module: str, source: str, *, allowed: bool) -> None:
    known = frozenset(
        {
            "agent.ports",
            "agent.app.gate.build",
            "agent.vision.face.detect",
            "agent.domain.access.policy",
        }
    )
    assert (breaches(module, imports_of(ast.parse(source), module, known)) == []) is allowed


def test_the_backend_knows_the_contract_only() -> None:
    found = [
        line
        for name, path in backend_modules().items()
        for line in backend_breaches(name, imports_of(tree_of(path), name, frozenset(modules())))
    ]
    assert backend_modules()
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("from agent.domain.record.chain import link", True),
        ("from agent.domain.record import chain", True),
        ("import psycopg, backend.heard", True),
        ("from agent.credentials.formats import cose", True),
        ("from agent.domain.credential.holder import Holder", False),
        ("from agent.domain import recorder", False),
        ("def f():\n    import agent.config", False),
        ("import agent", False),
    ],
)
def test_the_backends_rule_tells_right_from_wrong(source: str, *, allowed: bool) -> None:
    known = frozenset({"agent.domain.record.chain", "agent.credentials.formats.cose"})
    assert (backend_breaches("b", imports_of(ast.parse(source), "b", known)) == []) is allowed


def test_no_import_circle() -> None:
    assert circles(import_graph()) == []
    own = backend_modules()
    known = frozenset(own)
    assert circles({name: imports_of(tree_of(own[name]), name, known) for name in own}) == []


def test_a_circle_would_be_found() -> None:
    graph = {"a": {"b", "os"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}
    assert circles(graph) == [["a", "b", "c", "a"]]


# --- ports ---------------------------------------------------------------------------------------


def test_every_port_has_its_contract_suite() -> None:
    ports, suites = protocols(port_trees()).keys(), ports_with_suites().keys()
    assert ports - suites == WITHOUT_SUITE.keys()
    assert suites - ports == set()


def test_every_port_is_asked_for_by_somebody() -> None:
    assert protocols(port_trees()).keys() - ports_in_use() == set()


def test_only_who_opens_a_store_knows_which_it_is() -> None:
    found = [
        f"{name} names {alias.name}"
        for name, path in modules().items()
        if name.startswith("agent.app.") and name != "agent.app.gate.parts"
        if not name.startswith("agent.app.open.")
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("Sqlite")
    ]
    assert found == []


def test_a_port_is_a_protocol_and_nothing_else() -> None:
    source = "class A(Protocol): ...\nclass B(A, Protocol[T]): ...\nclass C(A): ...\nclass D: ...\n"
    assert protocols([ast.parse(source)]) == {"A": {"Protocol"}, "B": {"A", "Protocol"}}


# --- modules -------------------------------------------------------------------------------------


def test_no_module_is_too_long() -> None:
    lengths = {relative(p): len(p.read_text().splitlines()) for p in python_files()}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_everything_public_has_a_docstring() -> None:
    own = {**modules(), **backend_modules()}
    found = [line for name, path in own.items() for line in undocumented(tree_of(path), name)]
    assert found == [], "\n".join(found)


def test_a_missing_docstring_would_be_found() -> None:
    source = '"""M."""\nclass A:\n    """A."""\n    def f(self): ...\n    def _g(self): ...\n'
    assert list(undocumented(ast.parse(source), "m")) == ["m.A.f"]


# --- silenced findings ---------------------------------------------------------------------------


def test_every_silenced_finding_has_its_reason() -> None:
    found = [f"{relative(p)}:{line}" for p in python_files() for line in unexplained(p.read_text())]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize(
    ("line", "explained"),
    [
        ("x = 1  # noqa: E501 - a table reads best unbroken", True),
        ("# A table reads best unbroken.\nx = 1  # noqa: E501", True),
        ("x = 1  # noqa: E501", False),
        ("x = 1  # noqa - for some reason or other", False),
        ("x = 1  # type: ignore[attr-defined]  # the stubs lack it", True),
        ("x = 1  # type: ignore[attr-defined]", False),
        ("x = '# noqa: E501'", True),
    ],
)
def test_a_silenced_finding_without_reason_would_be_found(line: str, *, explained: bool) -> None:
    assert (list(unexplained(line)) == []) is explained
