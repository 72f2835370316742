"""docs/ as a site: who comes finds each page, and nothing of it is loaded from elsewhere."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from pages import links, origins
from places import ROOT

PLACE = ROOT / ".cache" / "docs"
GROUPS = [
    "中文",
    "Technician",
    "Clerk and site owner",
    "Backend engineer",
    "Developer",
    "Decisions",
]


def test_the_navigation_has_a_heading_for_each_reader_and_each_page_once() -> None:
    groups = links.groups()
    assert [heading for heading, _ in groups] == GROUPS
    listed = [where for _, pages in groups for _, where in pages]
    assert len(listed) == len(set(listed))
    pages = {one.relative_to(ROOT / "docs").as_posix() for one in (ROOT / "docs").rglob("*.md")}
    assert pages - set(listed) == {"README.md"}
    assert [where for where in listed if where.startswith("project/")]


@pytest.mark.parametrize(
    ("page", "text", "shown"),
    [
        ("docs/a.md", "[b](b.md#c)", "[b](b.md#c)"),
        ("docs/a.md", "![b](img/b.svg)", "![b](img/b.svg)"),
        ("docs/a.md", "[b](https://b.example/c.md)", "[b](https://b.example/c.md)"),
        ("docs/decisions/a.md", "[s](../../SECURITY.md#x)", "[s](../project/SECURITY.md#x)"),
        ("docs/a.md", "[`[[rule]]`](../LICENSE)", "[`[[rule]]`](files/LICENSE.txt)"),
        ("SECURITY.md", "[d](docs/door.md)", "[d](../door.md)"),
        ("CONTRIBUTING.md", "see [tests](tests/docs) there", "see tests there"),
        ("docs/a.md", "[r](../README.md)", "[r](project/overview.md)"),
    ],
)
def test_a_link_leads_to_where_the_file_stands_in_the_site(
    page: str, text: str, shown: str
) -> None:
    assert links.rewritten(text, page) == shown


def test_what_pages_link_to_beside_docs_is_there_and_is_text() -> None:
    beside = links.beside_docs()
    assert {"SECURITY.md", "CONTRIBUTING.md", "config/gate.example.toml"} <= set(beside)
    assert all((ROOT / path).read_text() for path in beside)


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/a.css">',
        '<img alt="" srcset="https://a.example/b.png 2x">',
        "<style>@import 'https://a.example/b.css';</style>",
        '<p style="background: url(https://a.example/b.png)">',
        '<pre class="mermaid"><code>graph</code></pre>',
        '<form action="https://a.example/">',
    ],
)
def test_what_a_page_would_load_from_elsewhere_is_found(html: str, tmp_path: Path) -> None:
    page = tmp_path / "a" / "index.html"
    page.parent.mkdir()
    page.write_text(
        f'<script src="../a.js"></script><a href="https://b.example">b</a>{html}<p>url(http://x)'
    )
    assert len(origins.foreign(tmp_path)) == 1
    page.write_text(
        '<link rel="canonical" href="http://127.0.0.1:8000/a.html"><script src="../a.js"></script>'
        '<a href="https://b.example">b</a><p>url(http:'
    )
    assert origins.foreign(tmp_path) == []
    (tmp_path / "a.css").write_text("a{background:url(//x.example/y.png)}")
    assert len(origins.foreign(tmp_path)) == 1


@pytest.fixture(scope="module")
def site() -> Path:
    """The pages, built strictly now."""
    if not (PLACE / "stamp").exists():
        pytest.skip("what builds the pages is not installed: scripts/docs")
    built = subprocess.run(
        [ROOT / "scripts" / "docs"], capture_output=True, text=True, check=False, env=os.environ
    )
    assert built.returncode == 0, built.stderr
    return ROOT / "build" / "site"


def test_the_pages_are_built_without_a_warning_and_load_nothing_from_elsewhere(site: Path) -> None:
    assert origins.foreign(site) == []
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert (site / name.replace("README", "index")).is_file()
    assert '<html lang="zh-Hans"' in (site / "quick-start.zh.html").read_text()
    assert (site / "project" / "SECURITY.html").is_file()
    home = (site / "index.html").read_text()
    assert 'href="quick-start.zh.html"' in home
    assert all(heading in home for heading in GROUPS)


def test_every_page_can_be_searched_chinese_by_its_characters(site: Path) -> None:
    # The script is what a page that was opened from a stick reads, where nothing may be fetched.
    script = (site / "search" / "search_index.js").read_text()
    entries = json.loads(script.removeprefix("var __index = "))["docs"]
    found = {entry["location"].partition("#")[0] for entry in entries}
    assert {"troubleshooting.html", "wiring.zh.html", "project/SECURITY.html"} <= found
    titles = {entry["title"] for entry in entries if entry["location"] == "wiring.zh.html"}
    assert [re.findall(r"\w", title) for title in titles] == [["接", "线"]]
    assert all("\u200b" in title for title in titles)
