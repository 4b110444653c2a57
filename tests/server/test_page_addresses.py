"""Pages from the server: foreign text, odd addresses, and nothing from elsewhere."""

from __future__ import annotations

import dataclasses
import re

import pytest

from mobilebench.values import wire
from tests.server.running import Device, Server, plain, problem
from tests.server.test_records import TRICKS

PAGES = ("", "records", "devices", "compare", "ranking", "history")


def test_a_record_that_was_sent_is_on_the_pages(server: Server, phone: Device) -> None:
    record = phone.record()
    phone.submit(record)
    http = server.client()
    assert "mobilevig_ti" in http.get("/").text
    assert record.record_id in http.get("/records").text
    shown = http.get(f"/record/{record.record_id}")
    assert shown.status_code == 200 and "mobilevig_ti" in shown.text


@pytest.mark.parametrize("path", PAGES)
def test_a_page_lets_nothing_in_from_elsewhere(server: Server, phone: Device, path: str) -> None:
    phone.submit(phone.record())
    answer = server.client().get(f"/{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "'unsafe-eval'" not in policy and "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    for address in re.findall(r'(?:src|href|action)="([^"]*)"', answer.text):
        assert not re.match(r"(https?:)?//", address), address
        assert not address.startswith("javascript:")


def test_every_script_and_style_that_a_page_names_is_there(server: Server) -> None:
    http = server.client()
    for name in set(re.findall(r'(?:src|href)="\./(static/[^"]+)"', http.get("/").text)):
        answer = http.get(f"/{name}")
        assert answer.status_code == 200, name
        assert "max-age" in answer.headers["cache-control"]


@pytest.mark.parametrize("trick", TRICKS)
def test_foreign_text_is_text_on_every_page(server: Server, phone: Device, trick: str) -> None:
    record = phone.record()
    document = plain(dataclasses.replace(record, signature=None))
    document["model"]["name"] = trick
    document["device"]["model"] = trick
    named = phone.signed(wire.from_plain(type(record), document))
    assert phone.submit(named).status_code == 201
    http = server.client()
    for path in (*PAGES, f"record/{record.record_id}"):
        text = http.get(f"/{path}").text
        assert '<script>alert("x")</script>' not in text
        assert "\x1b" not in text and "\u202e" not in text and "\0" not in text
    if "{{" in trick:
        assert "{{ 7 * 7 }}" in text, "templates are not filled in twice"


@pytest.mark.parametrize(
    "path",
    ["nothing", "record/nothing", "static/../records.sqlite", "group/%00",
     "record/" + "x" * 300, "compare?kind=evil", "records?after=x", "?sort=evil", "record/"],
)  # fmt: skip
def test_an_address_that_leads_nowhere_is_a_page_that_says_so(server: Server, path: str) -> None:
    answer = server.client().get(f"/{path}")
    assert answer.status_code in (400, 404), answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert "content-security-policy" in answer.headers


def test_paths_of_the_contract_are_never_pages(server: Server) -> None:
    http = server.client()
    assert problem(http.get("/v1/nothing")) == "not_there"
    assert problem(http.get("/v1/enrol")) == "method"
    assert problem(http.post("/nothing")) == "method"


def test_no_list_shows_the_id_of_a_device(server: Server, phone: Device) -> None:
    record = phone.record()
    phone.submit(record)
    http = server.client()
    listed = http.get("/v1/records").json()["records"]
    assert phone.alias in {each["device"] for each in listed}
    for path in ("/v1/records", "/v1/devices", "/records"):
        assert record.device.id not in http.get(path).text, path
