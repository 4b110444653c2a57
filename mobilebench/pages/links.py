"""Where other pages are, as seen from a page: at a server, in a folder, or nowhere."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urlencode

_PLAIN = re.compile(r"[0-9a-z]{1,64}")
"""Ids that are file names on every system, as they are."""
_WORD = re.compile(r"[^0-9a-z]+")
_LONGEST = 60


class Form(StrEnum):
    """What a page is a part of."""

    LIVE = "live"
    """Pages of a server: filters are a form, and sorting is a link."""
    SITE = "site"
    """A folder of files with relative links."""
    FILE = "file"
    """One file by itself, with its scripts inside."""


class Page(StrEnum):
    """The pages, by the first word of their address."""

    BOARD = "board"
    GROUP = "group"
    RECORD = "record"
    COMPARE = "compare"
    RANKING = "ranking"
    HISTORY = "history"
    DEVICES = "devices"
    RECORDS = "records"


def slug(text: str) -> str:
    """Return a file name for a text: its words, and a digest that tells it from all others."""
    words = _WORD.sub("-", text.lower()).strip("-")[:_LONGEST].rstrip("-")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{words}-{digest}" if words else digest


@dataclass(frozen=True)
class Links:
    """The addresses that a page may name; None where there is no such page."""

    form: Form
    root: str = ""
    """What leads from the page to the first one: `/` at a server, `` or `../` in a folder."""
    records: frozenset[str] | None = None
    """The ids of records that have a page; None for all."""
    pages: frozenset[str] | None = None
    """The files that a folder has, without their ending; None for all."""

    @property
    def live(self) -> bool:
        """True where a server answers questions."""
        return self.form is Form.LIVE

    @property
    def alone(self) -> bool:
        """True for a file by itself."""
        return self.form is Form.FILE

    def static(self, name: str) -> str:
        """Return the address of a script or a style."""
        return f"{self.root}static/{name}"

    def home(self, query: str = "") -> str | None:
        """Return the address of the board, which may have filters."""
        if self.form is Form.FILE:
            return None
        return self._asked("", query) if self.live else f"{self.root}index.html"

    def group(self, name: str, query: str = "") -> str | None:
        """Return the address of a group of comparable rows."""
        return self._page(Page.GROUP, name, query)

    def board_of(self, device: str) -> str | None:
        """Return the address of the board of one device; only a server has it."""
        return self.home(urlencode({"device": device})) if self.live else None

    def record(self, record_id: str) -> str | None:
        """Return the address of a record."""
        if self.records is not None and record_id not in self.records:
            return None
        if self.live:
            return f"{self.root}{Page.RECORD}/{quote(record_id, safe='')}"
        return self._page(Page.RECORD, record_file(record_id))

    def document(self, record_id: str) -> str | None:
        """Return the address of a record's document, as it came."""
        if self.live:
            return f"{self.root}v1/records/{quote(record_id, safe='')}"
        if self.form is Form.FILE or self.record(record_id) is None:
            return None
        return f"{self.root}{Page.RECORD}/{record_file(record_id)}.json"

    def compare(self, kind: str, a: str, b: str) -> str | None:
        """Return the address of two models or two devices side by side."""
        if self.live:
            return self._asked(Page.COMPARE, urlencode({"kind": kind, "a": a, "b": b}))
        return self._page(Page.COMPARE, pair_file(kind, a, b))

    def history(self, record_id: str) -> str | None:
        """Return the address of the history of a record's cell."""
        if self.live:
            return self._asked(Page.HISTORY, urlencode({"of": record_id}))
        return self._page(Page.HISTORY, record_file(record_id))

    def list(self, page: Page, query: str = "") -> str | None:
        """Return the address of a page that there is once."""
        if self.live:
            return self._asked(page, query)
        if self.form is Form.FILE or (self.pages is not None and page not in self.pages):
            return None
        return f"{self.root}{page}.html"

    def _page(self, page: Page, name: str, query: str = "") -> str | None:
        if self.live:
            return self._asked(f"{page}/{name}", query)
        file = f"{page}/{name}"
        if self.form is Form.FILE or (self.pages is not None and file not in self.pages):
            return None
        return f"{self.root}{file}.html"

    def _asked(self, path: str, query: str) -> str:
        return f"{self.root}{path}" + (f"?{query}" if query else "")


def record_file(record_id: str) -> str:
    """Return the name of a record's file, without its ending; ids of others may be any text."""
    return record_id if _PLAIN.fullmatch(record_id) else slug(record_id)


def pair_file(kind: str, a: str, b: str) -> str:
    """Return the name of a comparison's file, the same for both orders."""
    return slug(f"{kind} {' with '.join(sorted((a, b)))}")
