"""Fill the templates of pages, so that every text of others stays text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mobilebench.machine import host
from mobilebench.notation import escapes
from mobilebench.pages import theme
from mobilebench.pages.figure import visible
from mobilebench.pages.links import Links

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("vega.min.js", "vega-lite.min.js", "vega-embed.min.js", "charts.js")
"""What a page with charts loads, in this order."""
TABLES = "tables.js"
STYLE = "pages.css"
_BETWEEN = re.compile(r"(?<=[-_/@])(?=\S)|(?<=\.)(?=[^\s\d])|(?<=\S{24})(?=\S)")
_SHORT = 16
"""Characters of a name that stays in one line."""
_END = re.compile(r"</(?=script)", re.IGNORECASE)


@dataclass(frozen=True)
class Shell:
    """What is around every page: its neighbours, and when it was written."""

    links: Links
    title: str = "mobilebench leaderboard"
    created: str = ""
    version: str = ""

    @classmethod
    def now(cls, links: Links, title: str = "mobilebench leaderboard") -> Shell:
        """Return a shell that is written at this moment."""
        return cls(
            links=links,
            title=title,
            created=f"{host.now()[:16].replace('T', ' ')} UTC",
            version=host.version(),
        )


def render(template: str, shell: Shell, **context: Any) -> str:
    """Fill a template of this package, and return the page."""
    return _environment().get_template(template).render(shell=shell, links=shell.links, **context)


@cache
def _environment() -> Environment:
    templates = Environment(
        loader=PackageLoader("mobilebench.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Every text of a page passes here, before the markup is escaped.
        finalize=lambda shown: escapes.visible(shown) if type(shown) is str else shown,
    )
    templates.filters["breaking"] = breaking
    templates.globals.update(
        content=content,
        scripts=SCRIPTS,
        table_script=TABLES,
        style=STYLE,
        themes={"light": theme.config(), "dark": theme.config(dark=True)},
        data=data,
    )
    return templates


def breaking(text: str) -> Markup:
    """Let a browser break a long name after its separators, and only there."""
    shown = escapes.visible(text)
    parts = _BETWEEN.split(shown) if len(shown) > _SHORT else [shown]
    return Markup("<wbr>").join(map(Markup.escape, parts))


@cache
def content(name: str) -> Markup:
    """Return a script or a style, to stand inside a page."""
    return Markup(_END.sub(r"<\\/", (STATIC / name).read_text(encoding="utf-8")))


def data(plain: Any) -> Markup:
    """Return JSON that no text in it can end, for a block of data in a page."""
    text = json.dumps(visible(plain), separators=(",", ":"), allow_nan=False)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
