"""The pages for people at a real server, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from mobilebench.pages.live import POLICY
from mobilebench.store import RecordStore
from tests.pages.browser import Watched, launched, needs_browser
from tests.pages.examples import example
from tests.server.running import Server, running


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server")) as server:
        with RecordStore(server.settings.store) as store:
            store.add_all(example())
        yield server


@pytest.mark.parametrize("path", ["", "records", "devices", "compare", "ranking", "history"])
def test_a_page_comes_with_the_policy_that_it_works_under(lab: Server, path: str) -> None:
    reply = httpx.get(f"{lab.url}/{path}")
    assert reply.status_code == 200 and reply.headers["content-type"].startswith("text/html")
    assert reply.headers["content-security-policy"] == POLICY
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "://" not in reply.text.replace("https://vega.github.io", "")


@pytest.mark.parametrize(
    "path", ["nothing", "record/none", "record/a%2Fb", "static/..%2Flive.py", "group/x"]
)
def test_what_is_not_there_is_a_page_that_says_so(lab: Server, path: str) -> None:
    reply = httpx.get(f"{lab.url}/{path}")
    assert reply.status_code == 404, reply.text[:200]


def test_what_programs_ask_for_is_answered_as_before(lab: Server) -> None:
    assert httpx.get(f"{lab.url}/health").json()["status"] == "ok"
    assert httpx.get(f"{lab.url}/v1/records").json()["records"]
    missing = httpx.get(f"{lab.url}/v1/records/none")
    assert missing.headers["content-type"] == "application/problem+json"


@needs_browser
def test_a_reader_walks_from_the_board_to_a_document_and_back(lab: Server) -> None:
    with launched() as browser:
        window = Watched(browser.new_page(), (lab.url,))
        page = window.page
        page.goto(lab.url)
        page.get_by_role("link", name="Example Phone 9").first.click()
        page.get_by_role("link", name="mobilevit_xxs").first.click()
        window.draw()
        page.get_by_role("link", name="The record as JSON").click()
        assert '"record_id"' in page.locator("body").inner_text()
        page.go_back()
        page.get_by_role("link", name="Its group").click()
        window.draw()
        assert window.accessible() == [] and window.faults == []
