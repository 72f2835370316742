"""What is committed, the locks, and what the pages promise."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest
from house_rules import AGENT, LAYERS, MAY_IMPORT, ROOMS, relative, tracked
from places import ROOT

MAX_BYTES = 200_000

# --- files ---------------------------------------------------------------------------------------

REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("pythonhosted", "org"),
        ("deb", "debian", "org"),
        ("archive", "raspberrypi"),
        ("piwheels", "org"),
        ("registry", "npmjs"),
    ]
)
# Programs, images, films and weights: installed or made by code, never committed.
FOREIGN_SUFFIXES = re.compile(
    r"\.(?:a|avi|bin|bmp|bz2|caffemodel|dat|db|dll|dylib|egg|gif|gz|h5|ico|jar|jpe?g|mkv|mov|mp4"
    r"|np[yz]|o|onnx|pb|pdf|pgm|pkl|png|pth?|pyc|safetensors|so|sqlite|tar|tflite|tiff?|ttf|webm"
    r"|webp|whl|woff|xz|zip|zst)",
    re.IGNORECASE,
)


def test_no_registry_host_is_named() -> None:
    found = [
        f"{relative(path)}: {host}"
        for path in tracked()
        for host in REGISTRY_HOSTS
        if host.encode() in path.read_bytes()
    ]
    assert found == [], "\n".join(found)


def test_nothing_foreign_is_committed() -> None:
    found = [relative(p) for p in tracked() if FOREIGN_SUFFIXES.fullmatch(p.suffix)]
    found += [f"{relative(p)} is no text" for p in tracked() if b"\0" in p.read_bytes()]
    found += [f"{relative(p)} is large" for p in tracked() if p.stat().st_size > MAX_BYTES]
    assert found == [], "\n".join(found)


def test_no_page_leaves_anything_in_a_folder_that_all_share() -> None:
    pages = [path for path in tracked() if path.suffix == ".md"]
    found = [relative(p) for p in pages if re.search(r"(/var)?/tmp/|/dev/shm", p.read_text())]
    assert pages
    assert found == []


# --- set-up --------------------------------------------------------------------------------------


@cache
def project() -> dict[str, object]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def declared(*path: str) -> list[str]:
    """The requirement strings at ``path`` in pyproject.toml."""
    value: object = project()
    for key in path:
        assert isinstance(value, dict)
        value = value[key]
    assert isinstance(value, list)
    return [str(item) for item in value]


def canonical(requirement: str) -> str:
    """The name in ``requirement`` as an index compares it."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def locked(name: str) -> dict[str, str]:
    """Package to version, as requirements/``name``.txt pins it."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9.-]+)==([^ ;\\]+)", text, flags=re.MULTILINE))


def satisfies(version: str, requirement: str) -> bool:
    """Whether ``version`` meets the lower and upper bounds in ``requirement``."""

    def numbers(text: str) -> tuple[int, ...]:
        plain = takewhile(str.isdigit, text.split("."))
        return tuple(int(part) for part in plain)

    found = numbers(version)
    for operator, bound in re.findall(r"(>=|<)([\d.]+)", requirement):
        if (found >= numbers(bound)) is not (operator == ">="):
            return False
    return True


@pytest.mark.parametrize(
    ("lock", "sections"),
    [
        ("runtime", [("project", "dependencies")]),
        ("demo", [("project", "dependencies"), ("project", "optional-dependencies", "demo")]),
        ("console", [("project", "dependencies"), ("project", "optional-dependencies", "console")]),
        (
            "dev",
            [
                ("project", "dependencies"),
                ("project", "optional-dependencies", "console"),
                ("project", "optional-dependencies", "demo"),
                ("dependency-groups", "dev"),
            ],
        ),
        (
            "insightface",
            [("project", "dependencies"), ("project", "optional-dependencies", "insightface")],
        ),
    ],
)
def test_each_lock_holds_what_the_project_declares(
    lock: str, sections: list[tuple[str, ...]]
) -> None:
    pins = locked(lock)
    stale = [
        requirement
        for section in sections
        for requirement in declared(*section)
        if canonical(requirement) not in pins
        or not satisfies(pins[canonical(requirement)], requirement)
    ]
    assert stale == [], "run scripts/lock"


@pytest.mark.parametrize(
    ("version", "requirement", "met"),
    [
        ("4.14.0.94", "x>=4.10,<5", True),
        ("5.0.0.93", "x>=4.10,<5", False),
        ("4.9", "x>=4.10,<5", False),
        ("2.0.1.post3", "x>=2.0.1,<3", True),
        ("14", "x>=14", True),
    ],
)
def test_a_pin_out_of_bounds_would_be_found(version: str, requirement: str, *, met: bool) -> None:
    assert satisfies(version, requirement) is met


def test_a_package_has_one_version_in_all_locks() -> None:
    # The peer has an environment of its own; all others share .venv.
    locks = [p.stem for p in (ROOT / "requirements").glob("*.txt") if "peer" not in p.stem]
    versions: dict[str, set[str]] = {}
    for lock in locks:
        for name, version in locked(lock).items():
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.stem
)
def test_every_locked_package_has_hashes(path: Path) -> None:
    text = path.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines
    assert [line for line in lines if "--hash=sha256:" not in line or "==" not in line] == []


def test_the_commands_that_the_read_me_names_can_be_run() -> None:
    text = (ROOT / "README.md").read_text()
    commands = re.findall(r"^(scripts/[a-z_-]+)", text, flags=re.MULTILINE)
    assert commands[:2] == ["scripts/demo", "scripts/test"]
    modes = {name: (ROOT / name).stat().st_mode & 0o111 for name in set(commands)}
    assert [name for name, mode in modes.items() if not mode] == []


def test_the_change_log_has_this_version() -> None:
    data = project()["project"]
    assert isinstance(data, dict)
    assert f"\n## [{data['version']}]" in (ROOT / "CHANGELOG.md").read_text()


def broken_links(path: Path) -> Iterator[str]:
    """Links of a page to files that are not there."""
    for target in re.findall(r"\]\(([^)#\s]+)", path.read_text()):
        if "://" not in target and not (path.parent / target).exists():
            yield f"{relative(path)}: {target}"


def test_every_link_between_the_pages_leads_somewhere() -> None:
    pages = [path for path in tracked() if path.suffix == ".md"]
    assert [line for page in pages for line in broken_links(page)] == []


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md"])
def test_whoever_begins_finds_the_page(page: str) -> None:
    assert ROOT / page in tracked()
    linked = {
        (place.parent / target).resolve()
        for place in (ROOT / "README.md", ROOT / "docs" / "README.md")
        for target in re.findall(r"\]\(([^)#\s]+)", place.read_text())
    }
    assert ROOT / page in linked


def test_every_page_and_decision_is_linked_where_reading_begins() -> None:
    folder = ROOT / "docs"
    linked = set(re.findall(r"\]\(([^)#\s]+)", (folder / "README.md").read_text()))
    pages = {path.relative_to(folder).as_posix() for path in folder.rglob("*.md")} - {"README.md"}
    assert pages - linked == set()


def table_under(heading: str) -> list[list[str]]:
    """The cells of the first table under ``heading`` in docs/architecture.md, without its head."""
    _, _, text = (ROOT / "docs" / "architecture.md").read_text().partition(f"\n## {heading}\n")
    rows = takewhile(lambda line: line.startswith("|"), text[text.index("\n|") + 1 :].splitlines())
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in list(rows)[2:]]


def test_the_import_table_on_the_page_is_the_one_that_is_enforced() -> None:
    said: dict[str, frozenset[str]] = {}
    for packages, may in table_under("Who may import whom"):
        named = frozenset(re.findall(r"`(\w+)`", may))
        for package in re.findall(r"`(\w+)`", packages):
            said[package] = LAYERS - named if may.startswith("anything but") else named
    enforced = {name: MAY_IMPORT[name] - {name} for name in said}
    assert {name: may - {name} for name, may in said.items()} == enforced
    assert MAY_IMPORT.keys() - said.keys() == {"errors", "__main__"}


@pytest.mark.parametrize("floor", ROOMS)
def test_the_map_names_every_room_whose_order_is_kept(floor: str) -> None:
    (row,) = (cells for cells in table_under("Floors and rooms") if cells[0] == f"`{floor}`")
    rooms = {path.parent.name for path in (AGENT / floor).glob("*/__init__.py")}
    assert rooms - set(re.findall(r"`(\w+)`", row[2])) == set()


@pytest.mark.parametrize(("check", "test", "code"), [(0, 0, 0), (1, 0, 1), (0, 2, 2), (3, 2, 3)])
def test_ci_runs_the_check_and_the_tests_whatever_fails(
    tmp_path: Path, check: int, test: int, code: int
) -> None:
    for folder in (".ci", "scripts"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    for name, ends in (("check", check), ("test", test)):
        script = tmp_path / "scripts" / name
        script.write_text(f"#!/bin/sh\necho {name} $CI\nexit {ends}\n")
        script.chmod(0o755)
    ran = subprocess.run(
        ["bash", tmp_path / ".ci" / "run"], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (code, "check true\ntest true\n")


def test_the_hook_is_the_houses_own_check() -> None:
    hook = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"^ *(?:- )?(repo|entry): (.+)$", hook, flags=re.MULTILINE) == [
        ("repo", "local"),
        ("entry", "scripts/check"),
    ]


def test_no_tests_were_lost(collected: int) -> None:
    # A renamed folder or a broken import must not pass for a green run; raise it as tests come.
    assert collected >= int((ROOT / "tests" / "FLOOR").read_text())
