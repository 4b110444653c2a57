"""What others made and pages bring along is what its notice says, and calls nobody."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from mobilebench.pages.templates import STATIC

AXE = Path(__file__).parent / "axe"


@pytest.mark.parametrize("folder", [STATIC, AXE], ids=["pages", "tests"])
def test_every_script_of_others_is_the_one_of_the_notice(folder: Path) -> None:
    notice = (folder / "NOTICE.txt").read_text(encoding="utf-8")
    stated = dict(
        re.findall(r"(?:->|^) *([\w.-]+\.min\.js)\n +sha256 ([0-9a-f]{64})", notice, re.MULTILINE)
    )
    scripts = {path.name: path for path in folder.glob("*.min.js")}
    assert stated.keys() == scripts.keys() and scripts
    for name, path in scripts.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == stated[name], name


def test_templates_and_own_scripts_name_no_other_machine() -> None:
    own = [*STATIC.glob("*.css"), STATIC / "charts.js", STATIC / "tables.js"]
    own += (STATIC.parent / "templates").glob("*.j2")
    assert len(own) > 10
    for path in own:
        assert not re.search(r"https?:|//[a-z]+\.|@import|url\(", path.read_text()), path.name


def test_scripts_need_no_eval() -> None:
    """A policy that forbids it holds: charts are drawn by an interpreter of expressions."""
    assert "ast: true" in (STATIC / "charts.js").read_text()
