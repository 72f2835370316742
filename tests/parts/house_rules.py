"""The rules of the house as functions over sources; test_house.py applies them to the tree."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from places import ROOT

AGENT = ROOT / "agent"
BACKEND = ROOT / "scripts" / "backend"

LAYERS = frozenset(
    {
        *("adapters", "app", "cli", "config", "controller", "credentials", "domain", "lab"),
        *("lifecycle", "logs", "operations", "ports", "technician", "vision"),
    }
)
# Besides itself and errors, which all may import.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "domain": frozenset(),
    "config": frozenset({"domain"}),
    "lifecycle": frozenset({"domain"}),
    "logs": frozenset(),
    "ports": frozenset({"domain"}),
    "credentials": frozenset({"domain"}),
    "vision": frozenset({"domain"}),
    "controller": frozenset({"domain"}),
    "adapters": frozenset({"domain", "ports", "config", "vision", "credentials"}),
    "operations": LAYERS - {"app", "adapters", "cli", "lab"},
    "technician": LAYERS - {"app", "adapters", "cli", "lab"},
    "app": LAYERS - {"cli", "lab", "technician"},
    "lab": LAYERS - {"cli", "technician"},
    "cli": frozenset({"app", "lab", "operations", "technician", "domain", "config", "lifecycle"}),
    "__main__": frozenset({"cli"}),
}
# Rooms of one floor, each with the rooms of that floor that it may import besides itself. A floor
# that is not named has rooms without an order; a room that its floor doesn't know may import none.
_FIRST = ("hours", "credential")
_JUDGED = (*_FIRST, "sight", "door", "skin")
ROOMS: dict[str, dict[str, tuple[str, ...]]] = {
    "domain": {
        "foreign": (),
        "hours": (),
        "credential": ("hours",),
        "sight": _FIRST,
        "door": _FIRST,
        "skin": _FIRST,
        "reader": _FIRST,
        "access": _JUDGED,
        "record": (*_JUDGED, "access"),
        "registers": (*_JUDGED, "access", "record"),
    },
    "app": {
        "open": (),
        "threads": ("open",),
        "gate": ("open", "threads"),
        "desk": ("open",),
    },
}
# Ports without a contract suite, each with the reason.
WITHOUT_SUITE = {
    "PeopleStore": "joins DocumentStore and Gallery, which have theirs, and adds nothing",
}
# Whoever checks the gate must not have been told by it what is right.
UNTOLD = frozenset(
    f"agent.lab.simulate.{name}"
    for name in (
        "checker",
        "checker_chain",
        "checker_events",
        "checker_probes",
        "checker_signs",
        "truth",
    )
)


# The backend is of another house: it knows what kiosks say and sign, and nothing of how.
BACKEND_MAY_IMPORT = ("agent.credentials", "agent.domain.record")


def layer(module: str) -> str:
    """``agent.domain.access.policy`` lies in ``domain``; the root package in none."""
    return module.partition(".")[2].partition(".")[0]


def module_name(path: Path) -> str:
    """The dotted name by which ``path`` under agent/ is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def tree_of(path: Path) -> ast.Module:
    """The parsed source of ``path``."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def modules() -> dict[str, Path]:
    """Every module of the agent by its dotted name."""
    return {module_name(path): path for path in sorted(AGENT.rglob("*.py"))}


def absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    """The absolute name of what ``node`` imports from."""
    if not node.level:
        return node.module or ""
    package = module.split(".") if is_package else module.split(".")[:-1]
    base = package[: len(package) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def imports_of(
    tree: ast.Module, module: str, known: frozenset[str], *, is_package: bool = False
) -> set[str]:
    """Every module that ``tree`` names in an import, in functions and type blocks too."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(names=names):
                base = absolute(node, module, is_package=is_package)
                for alias in names:
                    inner = f"{base}.{alias.name}"
                    found.add(inner if inner in known else base)
            case ast.Call(
                func=ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                found.add(name)
    return found


def breaches(module: str, imported: set[str]) -> list[str]:
    """What ``module`` imports and may not."""
    here = layer(module)
    found = []
    for name in sorted(imported):
        if name == "agent" or name.startswith("agent."):
            there = layer(name)
            if there in {"", "errors"}:
                continue
            # A layer that the table doesn't know may import nothing until somebody decides.
            allowed = MAY_IMPORT.get(here, frozenset()) | {here}
            if there not in allowed or not _rooms_allow(module, name):
                found.append(f"{module} imports {name}")
        elif here == "domain" and name.partition(".")[0] not in {
            *sys.stdlib_module_names,
            "numpy",
        }:
            found.append(f"{module} imports {name}")
    return found


@cache
def backend_modules() -> dict[str, Path]:
    """Every module of scripts/backend by its dotted name."""
    found = sorted(BACKEND.rglob("*.py"))
    parts = {path: path.relative_to(BACKEND.parent).with_suffix("").parts for path in found}
    return {".".join(names).removesuffix(".__init__"): path for path, names in parts.items()}


def backend_breaches(module: str, imported: set[str]) -> list[str]:
    """What a ``module`` of the backend imports of the agent and may not."""
    return [
        f"{module} imports {name}"
        for name in sorted(imported)
        if name == "agent" or name.startswith("agent.")
        if not any(f"{name}.".startswith(f"{known}.") for known in BACKEND_MAY_IMPORT)
    ]


def _rooms_allow(module: str, name: str) -> bool:
    """Whether the order of rooms within a floor lets ``module`` import ``name``."""
    here = layer(module)
    if module in UNTOLD:
        return name in UNTOLD
    if here != layer(name) or here not in ROOMS:
        return True
    room, other = (one.split(".")[2:3] for one in (module, name))
    return room == other or (bool(room and other) and other[0] in ROOMS[here].get(room[0], ()))


@cache
def import_graph() -> dict[str, set[str]]:
    """Each module of the agent and all that it imports."""
    known = frozenset(modules())
    return {
        name: imports_of(tree_of(path), name, known, is_package=path.name == "__init__.py")
        for name, path in modules().items()
    }


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Import circles, each as the modules on its way and back to the first."""
    done: set[str] = set()
    found: list[list[str]] = []

    def visit(name: str, trail: list[str]) -> None:
        if name in trail:
            found.append([*trail[trail.index(name) :], name])
        elif name not in done:
            for other in sorted(graph[name] & graph.keys() - {name}):
                visit(other, [*trail, name])
            done.add(name)

    for name in graph:
        visit(name, [])
    return found


def protocols(trees: Iterable[ast.Module]) -> dict[str, set[str]]:
    """The protocols that modules define, each with the names that it derives from."""
    return {
        node.name: bases
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and "Protocol" in (bases := {ast.unparse(base).partition("[")[0] for base in node.bases})
    }


def port_trees() -> list[ast.Module]:
    """The sources of ``agent.ports``."""
    return [tree_of(path) for name, path in modules().items() if layer(name) == "ports"]


def ports_in_use() -> set[str]:
    """What the agent beside ``agent.ports`` takes from there, with all that it derives from."""
    used = {
        alias.name
        for name, path in modules().items()
        if layer(name) != "ports"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom) and layer(node.module or "") == "ports"
        for alias in node.names
    }
    known, pending = protocols(port_trees()), list(used)
    while pending:
        bases = known.get(pending.pop(), set()) - used
        used |= bases
        pending += bases
    return used


_NAMED_PORT = re.compile(r"``ports\.(\w+)``")


def ports_with_suites() -> dict[str, str]:
    """The ports that a suite's first docstring names, each with the file that does."""
    return {
        port: relative(path)
        for path in sorted((ROOT / "tests" / "contract").glob("test_*.py"))
        for port in _NAMED_PORT.findall(ast.get_docstring(tree_of(path)) or "")
    }


@cache
def tracked() -> tuple[Path, ...]:
    """The files under version control; all but the ignored ones where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode == 0 and listed.stdout:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        ignored = {
            line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line
        }
        paths = [
            path
            for path in ROOT.rglob("*")
            if not any(part in ignored or part.endswith(".egg-info") for part in path.parts)
        ]
    return tuple(path for path in paths if path.is_file())


def python_files() -> list[Path]:
    """Tracked Python sources."""
    return [path for path in tracked() if path.suffix == ".py"]


def relative(path: Path) -> str:
    """``path`` as it is written in a report."""
    return path.relative_to(ROOT).as_posix()


def undocumented(tree: ast.Module, module: str) -> Iterator[str]:
    """Public modules, classes, functions and methods without a docstring."""
    if ast.get_docstring(tree) is None and tree.body:
        yield module
    pending: list[tuple[str, ast.stmt]] = [(module, node) for node in tree.body]
    while pending:
        owner, node = pending.pop()
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if node.name.startswith("_") or has_decorator(node, "overload", "override", "setter"):
            continue
        name = f"{owner}.{node.name}"
        if ast.get_docstring(node) is None:
            yield name
        if isinstance(node, ast.ClassDef):
            pending += [(name, child) for child in node.body]


def has_decorator(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, *names: str) -> bool:
    """Whether one of ``names`` decorates ``node``, bare or as an attribute."""
    return any(ast.unparse(part).rpartition(".")[2] in names for part in node.decorator_list)


_SILENCER = re.compile(
    r"#\s*(?:noqa(?P<codes>:\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)?"
    r"|type:\s*ignore(?P<kind>\[[\w, -]+\])?)"
)


def unexplained(source: str) -> Iterator[int]:
    """Lines with a noqa or type: ignore that names no rule, or has no reason beside or above it."""
    comments = [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    ]
    alone = {c.start[0] for c in comments if not c.line[: c.start[1]].strip()}
    for comment in comments:
        match = _SILENCER.search(comment.string)
        if match is None:
            continue
        named = match["codes"] or match["kind"]
        reason = re.sub(r"[^A-Za-z]", "", _SILENCER.sub("", comment.string))
        if not named or (len(reason) < 6 and comment.start[0] - 1 not in alone):
            yield comment.start[0]
