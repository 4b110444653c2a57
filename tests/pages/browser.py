"""A real browser for the tests of pages, and a server of pages for it."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from mobilebench.pages.live import POLICY, answer
from mobilebench.pages.source import Source

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WHY_NOT = (
    "needs a browser: `apt-get install chromium` (Debian), then `pip install playwright`; its own "
    "browsers are not needed"
)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or find_spec("playwright") is None, reason=WHY_NOT
)
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
WIDTHS = (390, 1400)


class Watched:
    """A page of a browser that notes what it should not do."""

    def __init__(self, page: Any, allowed: tuple[str, ...]) -> None:
        self.page = page
        self.faults: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((*allowed, "data:", "blob:"))
                else self.faults.append(f"outside request: {request.url}")
            ),
        )

    def _failed(self, request: Any) -> None:
        # What a click on the next link cuts off is no fault.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"not there: {request.url} ({request.failure})")

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"console: {message.text}")

    def draw(self) -> None:
        """Draw the charts that are far below, and wait until all are there."""
        self.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        self.wait(
            "[...document.querySelectorAll('.plot')].every((plot) => plot.querySelector('svg'))"
        )

    def wait(self, condition: str) -> None:
        """Wait until a condition holds; Playwright's own waiting needs eval, which pages forbid."""
        holds = self.page.evaluate(
            "() => new Promise((done) => { const end = Date.now() + 20000; const look = () => "
            f"({condition}) ? done(true) : Date.now() > end ? done(false) : setTimeout(look, 50); "
            "look(); })"
        )
        assert holds, condition

    def accessible(self) -> list[str]:
        """Return what axe finds wrong."""
        found = self.page.evaluate(
            AXE + "; axe.run({preload: false}).then((result) => JSON.stringify("
            "result.violations.map((each) => [each.id, each.nodes.map((node) => node.html)])))"
        )
        return [f"{name}: {nodes[:2]}" for name, nodes in json.loads(found)]

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        pixels: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return pixels


@contextmanager
def launched() -> Iterator[Any]:
    """Yield Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def serving(source: Source) -> Iterator[str]:
    """Yield the address of a server whose pages are those of a source, below a path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            reply = answer(source, path.removeprefix("/lab/"), query)
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body)))
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/lab/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
