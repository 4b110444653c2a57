"""The index lists every page, and relative links of the documentation lead to files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
INDEX = DOCS / "index.md"
PAGES = sorted(page for page in DOCS.rglob("*.md") if page != INDEX)
TEXTS = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    INDEX,
    *PAGES,
    ROOT / "exporters" / "README.md",
)
_CODE = re.compile(r"^```.*?^```|`[^`]*`", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _linked_files(text: str, folder: Path) -> list[Path]:
    """Return the files that relative links name, without fragments; skip code and web links."""
    targets = [target.partition("#")[0] for target in _LINK.findall(_CODE.sub("", text))]
    return [(folder / target).resolve() for target in targets if target and "://" not in target]


def test_links_are_read_without_fragments_web_addresses_and_code() -> None:
    text = (
        "[a](one.md#part) [b](https://example.org/two.md) [c](#here) `[d](three.md)`\n"
        "```\n[e](four.md)\n```\n[two\nlines](sub/five.md)"
    )
    assert _linked_files(text, ROOT) == [ROOT / "one.md", ROOT / "sub" / "five.md"]


def test_the_index_lists_every_page_once() -> None:
    pages = [path for path in _linked_files(INDEX.read_text(), DOCS) if path.is_relative_to(DOCS)]
    assert sorted(pages) == PAGES


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_relative_links_point_to_files(page: Path) -> None:
    missing = [path for path in _linked_files(page.read_text(), page.parent) if not path.is_file()]
    assert missing == []
