"""What mkdocs asks for as it builds: navigation, files from beside docs/, Chinese to search by."""

import json
import re
from pathlib import Path
from typing import Any

from pages import links, origins

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


def on_config(config: Any) -> Any:
    """The navigation is what docs/README.md lists, under its headings."""
    config.nav = [{"Gate agent": "README.md"}] + [
        {heading: [{title: where} for title, where in pages]} for heading, pages in links.groups()
    ]
    return config


def on_files(files: Any, *, config: Any) -> Any:
    """Files of the project that pages link to stand in the site as well."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - links.py is tested without mkdocs

    for path in links.beside_docs():
        text = (links.ROOT / path).read_text()
        files.append(File.generated(config, links.place(path), content=text))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Links lead to where a file stands in the site."""
    return links.rewritten(markdown, _SOURCES.get(page.file.src_uri, f"docs/{page.file.src_uri}"))


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """A Chinese page says so, for whatever reads it aloud or hyphenates it."""
    if page.file.src_uri.endswith(".zh.md"):
        return output.replace('<html lang="en"', '<html lang="zh-Hans"', 1)
    return output


def on_post_build(config: Any) -> None:
    """Chinese has no spaces: each character is a word to the index, and a query is cut alike."""
    file = Path(config.site_dir, "search", "search_index.json")
    index = json.loads(file.read_text())
    for entry in index["docs"]:
        for key in ("title", "text"):
            entry[key] = _HAN.sub("\u200b\\g<0>\u200b", entry[key])
    file.write_text(json.dumps(index))
    if found := origins.foreign(Path(config.site_dir)):
        from mkdocs.exceptions import PluginError  # noqa: PLC0415 - as above

        raise PluginError("the pages would load from elsewhere:\n" + "\n".join(found))


_SOURCES = {links.place(path): path for path in links.beside_docs()}
