"""Both apps' clients enrol at a real server, and refuse what would give the token away."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.clients.phone import Phone
from tests.clients.server import Server


def test_a_phone_enrols_by_the_text_of_a_qr_code_once(
    server: Server, phones: Callable[[], Phone]
) -> None:
    server.start()
    text = server.invite("shelf-1")
    first, second = phones(), phones()
    code, lines = first.do("enrol", text)
    assert code == 0 and lines[0]["enrolled"] == "shelf-1"
    assert set(lines[0]["scopes"].split()) == {"submit", "jobs"}
    [device] = server.ask("GET", "/v1/devices")["devices"]
    assert device["device"] == "shelf-1" and device["model"] == "Simulated Phone"
    assert device["kind"] == "simulated"
    assert (device["os"], device["os_build"]) == ("Simulated 1", "SIM.1")
    code, lines = second.do("enrol", text)
    assert code == 2 and lines[0]["code"] == "code_over"
    assert lines[0]["refused"].endswith(".")
    assert not (second.folder / "token").exists()


def test_a_phone_enrols_by_a_code_as_people_type_it(server: Server, phone: Phone) -> None:
    server.start()
    [typed] = parse_qs(urlsplit(server.invite()).query)["code"]
    code, lines = phone.do("code", f"{server.address}/", f"{typed[:4].lower()} {typed[4:]}")
    assert code == 0
    kept = json.loads((phone.folder / "enrolment.json").read_text())
    assert kept["server"] == server.address and kept["device"] == lines[0]["enrolled"]
    assert "mb_" not in (phone.folder / "enrolment.json").read_text()
    assert (phone.folder / "token").read_text().startswith("mb_")
    assert stat.S_ISREG((phone.folder / "token").stat().st_mode)


def test_a_code_that_nobody_gave_is_refused_with_the_sentence_of_the_server(
    server: Server, phone: Phone
) -> None:
    server.start()
    code, lines = phone.do("code", server.address, "22222222")
    assert code == 2 and lines[0]["code"] == "no_code"


@pytest.mark.parametrize("address", ["http://10.0.0.1:8400", "http://lab.example.org"])
def test_a_server_without_tls_elsewhere_is_refused_unasked(address: str, phone: Phone) -> None:
    code, lines = phone.do("code", address, "22222222")
    assert code == 2 and "is not encrypted" in lines[0]["refused"]


def test_many_wrong_codes_are_answered_with_a_wait(server: Server, phone: Phone) -> None:
    server.start()
    for _ in range(20):
        with pytest.raises(AssertionError):
            server.ask("POST", "/v1/enrol", {"code": "22222222"} | _ENROL)
    code, lines = phone.do("code", server.address, "22222222")
    assert code == 1 and "away" in lines[0]


_ENROL = {
    "public_key": "00" * 32,
    "signature": "00" * 64,
    "device": {"model": "a", "os": "b", "kind": "phone"},
}


class _Elsewhere(BaseHTTPRequestHandler):
    """Leads every request to another address, and keeps what came."""

    came: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.came.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(307)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_redirection_is_not_followed(phone: Phone) -> None:
    with HTTPServer(("127.0.0.1", 0), _Elsewhere) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        _Elsewhere.came.clear()
        code, lines = phone.do("code", f"http://127.0.0.1:{other.server_port}", "22222222")
        other.shutdown()
    assert code == 2 and "307" in lines[0]["refused"]
    assert _Elsewhere.came == ["/v1/enrol"]
