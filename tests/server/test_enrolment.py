"""Enrolment: a code, a key, a token."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobilebench.server import enrolment as codes
from mobilebench.server.database import now_ms
from mobilebench.server.listen import opened
from mobilebench.server.tables import ENROLMENTS, TOKENS
from tests.server.running import Server, enrolled, enrolment, problem, running


def _code(server: Server, **wanted: Any) -> dict[str, str]:
    with server.client(server.token("admin")) as admin:
        answer = admin.post("/v1/enrolments", json=wanted)
    assert answer.status_code == 201
    document: dict[str, str] = answer.json()
    return document


def _enrol(server: Server, document: dict[str, Any]) -> httpx.Response:
    with server.client() as http:
        return http.post("/v1/enrol", json=document)


def test_a_code_has_no_letters_that_look_alike_and_its_text_leads_to_the_server(
    server: Server,
) -> None:
    made = _code(server)
    assert len(made["code"]) == 8 and set(made["code"]) <= set(codes.LETTERS)
    assert not set("01ILOU") & set(codes.LETTERS)
    parts = urlsplit(made["url"])
    assert (parts.scheme, parts.netloc) == ("mobilebench", "enrol")
    assert parse_qs(parts.query) == {"server": [server.url], "code": [made["code"]]}


def test_a_device_gets_a_token_for_its_alias(server: Server) -> None:
    phone = enrolled(server, "shelf-1")
    assert phone.alias == "shelf-1"
    me = phone.http.get("/v1/me").json()
    assert me["device"] == "shelf-1" and me["scopes"] == ["jobs", "submit"]


def test_an_alias_is_made_of_the_model_where_nobody_chose(server: Server) -> None:
    first = enrolled(server, model="Pixel 8 / Pro")
    second = enrolled(server, model="Pixel 8 / Pro")
    assert (first.alias, second.alias) == ("pixel-8-pro-1", "pixel-8-pro-2")


def test_a_code_may_be_typed_in_small_letters_and_groups(server: Server) -> None:
    made = _code(server)
    document = enrolment(made["code"], Ed25519PrivateKey.generate())
    document["code"] = f"{made['code'][:4].lower()}-{made['code'][4:].lower()}"
    assert _enrol(server, document).status_code == 201


def test_a_code_is_for_one_device(server: Server) -> None:
    code = _code(server)["code"]
    assert _enrol(server, enrolment(code, Ed25519PrivateKey.generate())).status_code == 201
    again = _enrol(server, enrolment(code, Ed25519PrivateKey.generate()))
    assert (again.status_code, problem(again)) == (410, "code_over")


def test_a_device_whose_answer_was_lost_asks_again_and_the_first_token_ends(
    server: Server,
) -> None:
    code, key = _code(server)["code"], Ed25519PrivateKey.generate()
    first, second = (_enrol(server, enrolment(code, key)).json() for _ in range(2))
    assert first["device"] == second["device"]
    assert problem(server.client(first["token"]).get("/v1/me")) == "revoked_token"
    assert server.client(second["token"]).get("/v1/me").status_code == 200


def test_a_code_that_expired_or_never_was_is_refused(server: Server) -> None:
    code = _code(server)["code"]
    with opened(server.settings) as database, database.writing() as connection:
        connection.execute(ENROLMENTS.update().values(expires=now_ms() - 1))
    late = _enrol(server, enrolment(code, Ed25519PrivateKey.generate()))
    assert (late.status_code, problem(late)) == (410, "code_over")
    never = _enrol(server, enrolment("22222222", Ed25519PrivateKey.generate()))
    assert (never.status_code, problem(never)) == (404, "no_code")


def test_a_key_that_its_sender_does_not_hold_is_refused_and_the_code_stays(
    server: Server,
) -> None:
    code, key = _code(server)["code"], Ed25519PrivateKey.generate()
    document = enrolment(code, key)
    stolen = enrolment(code, Ed25519PrivateKey.generate())
    refused = _enrol(server, {**document, "signature": stolen["signature"]})
    assert (refused.status_code, problem(refused)) == (422, "invalid")
    other = enrolment("22222222", key)
    assert problem(_enrol(server, {**document, "signature": other["signature"]})) == "invalid"
    assert _enrol(server, document).status_code == 201


def test_an_alias_keeps_its_key_until_an_administrator_removes_the_device(server: Server) -> None:
    phone = enrolled(server, "shelf-9")
    admin = server.client(server.token("admin"))
    taken = admin.post("/v1/enrolments", json={"alias": "shelf-9"})
    assert (taken.status_code, problem(taken)) == (409, "alias_taken")
    assert admin.delete("/v1/devices/shelf-9").status_code == 204
    assert problem(phone.http.get("/v1/me")) == "revoked_token"
    assert enrolled(server, "shelf-9").alias == "shelf-9"


def test_only_an_administrator_makes_codes(server: Server) -> None:
    for scopes in (("submit",), ("jobs",), ("submit", "jobs")):
        answer = server.client(server.token(*scopes)).post("/v1/enrolments", json={})
        assert (answer.status_code, problem(answer)) == (403, "scope")
    assert problem(server.client().post("/v1/enrolments", json={})) == "no_token"


def test_guessing_codes_is_limited_by_address(tmp_path: Any) -> None:
    from mobilebench.server.settings import Limits

    with running(tmp_path, limits=Limits(failures_per_minute=3)) as server:
        document = enrolment("22222222", Ed25519PrivateKey.generate())
        answers = [_enrol(server, document) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [404, 404, 404, 429, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1
        # A token that is good is not in the way of those who guess.
        assert server.client(server.token("admin")).get("/v1/me").status_code == 200


def test_only_hashes_of_codes_and_tokens_are_kept(server: Server) -> None:
    code = _code(server)["code"]
    token = server.token("submit")
    with opened(server.settings) as database, database.reading() as connection:
        rows = [*connection.execute(ENROLMENTS.select()), *connection.execute(TOKENS.select())]
    kept = " ".join(str(column) for row in rows for column in row)
    assert code not in kept and token.split("_", 2)[2] not in kept


@pytest.mark.parametrize("alias", ["UPPER", "../etc", "a b", "", "x" * 41, "-first", "ünï", 5])
def test_an_alias_of_other_characters_is_refused(server: Server, alias: object) -> None:
    answer = server.client(server.token("admin")).post("/v1/enrolments", json={"alias": alias})
    assert (answer.status_code, problem(answer)) == (422, "invalid")
