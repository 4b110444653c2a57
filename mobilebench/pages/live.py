"""Answer the requests for pages of a server: a path and a query become a page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlencode

from mobilebench.errors import OutputError, SchemaError, UserError
from mobilebench.leaderboard.view import View
from mobilebench.pages import board
from mobilebench.pages.compare import Side, compare
from mobilebench.pages.devices import devices
from mobilebench.pages.history import history
from mobilebench.pages.links import Form, Links
from mobilebench.pages.ranking import ranking
from mobilebench.pages.record import record
from mobilebench.pages.records import records
from mobilebench.pages.source import Source
from mobilebench.pages.templates import STATIC, Shell, render

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""The Content-Security-Policy that the pages work under."""
_KINDS = {".js": "text/javascript", ".css": "text/css", ".txt": "text/plain", ".html": "text/html"}
_PER_PAGE = 100
_PAGE = ("after", "kind", "a", "b", "of", "as")
"""Parameters that are no part of a view."""
_AT_FAULT = (
    "The server could not read its store; its log says why. Whoever runs it finds a record that is "
    "damaged with `mobilebench store check`."
)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What a server sends back."""

    status: int
    kind: str
    """The media type."""
    body: bytes
    lasting: bool = False
    """True for a script or a style, which a browser may keep."""


def answer(source: Source, path: str, query: str, title: str = "mobilebench leaderboard") -> Answer:
    """Return the page of a path such as `record/ID`, or what is wrong with the request.

    `path` has no slash at its beginning, `query` no question mark. Addresses in pages are
    relative, so that a server may have its pages below any path.
    """
    links = Links(Form.LIVE, root="../" * path.count("/") or "./")
    shell = Shell.now(links, title)
    first, _, rest = path.partition("/")
    try:
        if first == "static":
            return _static(rest) or _missing(shell)
        view = View.parse(query, also=_PAGE)
        about = {name: texts[-1] for name, texts in parse_qs(query).items() if name in _PAGE}
        page = _pages(source, shell, view, about, unquote(rest)).get(first)
        text = page() if page is not None and bool(rest) == (first in _WITH_NAME) else None
    except (OutputError, SchemaError) as error:  # they name the store's place
        _LOG.error("A page was not shown: %s", error)
        return _sentence(500, shell, "Not shown", _AT_FAULT)
    except UserError as error:
        return _sentence(400, shell, "Not shown", str(error))
    return _missing(shell) if text is None else _page(200, text)


_WITH_NAME = ("group", "record")


def _pages(
    source: Source, shell: Shell, view: View, about: Mapping[str, str], name: str
) -> dict[str, Callable[[], str | None]]:
    """Return what makes each page; nothing is read before it is called."""
    return {
        "": lambda: board.overview(source.rows(view), shell, view, source.reported()),
        "group": lambda: _group(source, shell, view, name),
        "record": lambda: _record(source, shell, name),
        "compare": lambda: _compare(source, shell, about),
        "ranking": lambda: _ranking(source, shell, view),
        "history": lambda: _history(source, shell, about.get("of", "")),
        "devices": lambda: devices(source.devices(), shell),
        "records": lambda: _records(source, shell, view, about.get("after", "")),
    }


def _group(source: Source, shell: Shell, view: View, name: str) -> str | None:
    wished = view.filtered("group", [] if name == board.FAILED else [name])
    rows = [row for row in source.rows(wished) if (row.group or board.FAILED) == name]
    return board.group(rows, shell, view) if rows else None


def _record(source: Source, shell: Shell, record_id: str) -> str | None:
    found_record = source.record(record_id)
    if found_record is None:
        return None
    facts = found_record.artifact
    return record(found_record, shell, source.accuracies(facts.sha256) if facts else ())


def _compare(source: Source, shell: Shell, about: Mapping[str, str]) -> str:
    kind = about.get("kind", Side.MODEL)
    if kind not in set(Side):
        raise UserError(f"Two of the kind {kind!r} cannot be compared; give model or device.")
    return compare(source.rows(View()), Side(kind), about.get("a", ""), about.get("b", ""), shell)


def _ranking(source: Source, shell: Shell, view: View) -> str:
    rows = source.rows(view)
    return ranking(rows, source.entries(rows), shell)


def _history(source: Source, shell: Shell, record_id: str) -> str | None:
    if not record_id:
        return history((), shell, source.cells())
    series = source.histories(record_id)
    return history(series, shell) if series else None


def _records(source: Source, shell: Shell, view: View, after: str) -> str:
    lines, following = source.records(view, after, _PER_PAGE)
    here = f"{shell.links.root}records"
    query = f"{view.query}&" if view.query else ""
    return records(
        lines,
        shell,
        view,
        first=f"{here}?{view.query}" if after else "",
        following=f"{here}?{query}{urlencode({'after': following})}" if following else "",
    )


def _static(name: str) -> Answer | None:
    """Return a file of the folder of scripts; only names that are in it are looked at."""
    known = {path.name: path for path in STATIC.iterdir() if path.is_file()}
    if name not in known:
        return None
    kind = _KINDS.get(known[name].suffix, "application/octet-stream")
    return Answer(200, f"{kind}; charset=utf-8", known[name].read_bytes(), lasting=True)


def _missing(shell: Shell) -> Answer:
    sentence = "There is no page at this address, or what it was about has been removed."
    return _sentence(404, shell, "Not found", sentence)


def _sentence(status: int, shell: Shell, heading: str, sentence: str) -> Answer:
    text = render(
        "error.html.j2", shell, page="", heading=heading, sentence=sentence, charted=False
    )
    return _page(status, text)


def _page(status: int, text: str) -> Answer:
    return Answer(status, "text/html; charset=utf-8", text.encode())
