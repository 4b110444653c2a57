"""Records through HTTP: what is taken, what is refused, and what is given."""

from __future__ import annotations

import dataclasses
import gzip
import json
import time
import uuid

import httpx
import pytest
import sqlalchemy as sa
import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobilebench.store import RecordStore, signing
from mobilebench.store.tables import ENTRIES
from mobilebench.values import wire
from mobilebench.values.device import DeviceKind, published
from tests.records import measured
from tests.server.running import Device, Server, enrolled, plain, post_record, problem

TRICKS = (
    "'; DROP TABLE records; --",
    '<script>alert("x")</script>',
    r"\input{/etc/passwd} $x^2$ %",
    '=HYPERLINK("http://example.org")',
    "{{ 7 * 7 }} {% raw %}",
    "\x1b[31m red \u202e detces",
    "\0 null",
    "🦊 é 中",
)


def _batch(http: httpx.Client, lines: list[bytes], **headers: str) -> httpx.Response:
    kind = {"Content-Type": "application/x-ndjson", **headers}
    return http.post("/v1/records", content=b"\n".join(lines) + b"\n", headers=kind)


def test_a_record_is_added_and_given_as_it_came(phone: Device) -> None:
    record = phone.record()
    answer = phone.submit(record)
    assert answer.status_code == 201
    assert answer.json() == {"record_id": record.record_id, "status": "added"}
    given = httpx.get(f"{str(phone.http.base_url).rstrip('/')}/v1/records/{record.record_id}")
    assert json.loads(given.text) == plain(record)
    signing.require_intact(given.json(), "it")


def test_the_figures_of_a_board_are_derived_while_no_record_comes(
    server: Server, phone: Device
) -> None:
    record = phone.record(model=f"network-{uuid.uuid4().hex[:8]}")
    phone.submit(record)

    def median() -> float | None:
        with RecordStore(server.settings.store) as store, store._database.snapshot() as connection:
            known: float | None = connection.execute(
                sa.select(ENTRIES.c.p50_ns).where(ENTRIES.c.record_id == record.record_id)
            ).scalar_one()
        return known

    deadline = time.monotonic() + 30
    while median() is None:
        assert time.monotonic() < deadline, "nobody derived them"
        time.sleep(0.2)


@pytest.mark.parametrize("kind", [DeviceKind.PHONE, DeviceKind.TABLET, DeviceKind.BOARD])
def test_a_record_with_a_serial_number_is_refused_and_one_with_a_digest_is_taken(
    phone: Device, kind: DeviceKind
) -> None:
    record = phone.record()
    named = dataclasses.replace(record.device, id="adb:R58M123ABCD", kind=kind)
    unsigned = dataclasses.replace(record, device=named, signature=None)
    answer = phone.submit(phone.signed(unsigned))
    assert (answer.status_code, problem(answer)) == (422, "invalid")
    assert "serial number" in answer.json()["detail"] and "R58M123ABCD" not in answer.text
    digest = dataclasses.replace(unsigned, device=published(named))
    assert phone.submit(phone.signed(digest)).status_code == 201


def test_a_record_sent_again_is_there(phone: Device) -> None:
    record = phone.record()
    assert phone.submit(record).status_code == 201
    again = phone.submit(record)
    assert (again.status_code, again.json()["status"]) == (200, "there")


def test_another_record_with_the_same_id_is_refused_and_the_first_stays(phone: Device) -> None:
    first = phone.record()
    phone.submit(first)
    other = phone.record(record_id=first.record_id, threads=2)
    answer = phone.submit(other)
    assert (answer.status_code, problem(answer)) == (409, "other_record")
    assert phone.http.get(f"/v1/records/{first.record_id}").json() == plain(first)


def test_a_record_that_is_signed_by_another_devices_key_is_refused(
    server: Server, phone: Device
) -> None:
    other = enrolled(server)
    answer = other.submit(phone.record())
    assert (answer.status_code, problem(answer)) == (403, "other_key")


def test_a_record_of_another_device_signed_anew_is_refused(server: Server, phone: Device) -> None:
    first = phone.record()
    phone.submit(first)
    thief = enrolled(server)
    answer = thief.submit(thief.signed(dataclasses.replace(first, signature=None)))
    assert (answer.status_code, problem(answer)) == (409, "other_record")


def test_a_record_that_was_changed_after_it_was_signed_is_refused(phone: Device) -> None:
    document = plain(phone.record())
    document["outcome"]["samples"]["latency_ns"][1] -= 1_000_000
    answer = post_record(phone.http, json.dumps(document).encode())
    assert (answer.status_code, problem(answer)) == (422, "invalid")
    assert "signature" in answer.json()["detail"]


def test_an_unsigned_record_of_a_device_is_refused(phone: Device) -> None:
    body = wire.dumps(measured(record_id=uuid.uuid4().hex)).encode()
    answer = post_record(phone.http, body)
    assert (answer.status_code, problem(answer)) == (422, "unsigned")


def test_a_token_without_a_device_takes_records_of_every_key(server: Server) -> None:
    http = server.client(server.token("submit"))
    for record in (
        measured(record_id=uuid.uuid4().hex),
        signing.sign(measured(record_id=uuid.uuid4().hex), Ed25519PrivateKey.generate()),
    ):
        assert post_record(http, wire.dumps(record).encode()).status_code == 201


def test_a_token_without_the_scope_takes_none(server: Server, phone: Device) -> None:
    http = server.client(server.token("jobs"))
    answer = post_record(http, wire.dumps(phone.record()).encode())
    assert (answer.status_code, problem(answer)) == (403, "scope")


def test_a_revoked_token_takes_none(server: Server, phone: Device) -> None:
    admin = server.client(server.token("admin"))
    token_id = phone.http.get("/v1/me").json()["id"]
    assert admin.delete(f"/v1/tokens/{token_id}").status_code == 204
    answer = phone.submit(phone.record())
    assert (answer.status_code, problem(answer)) == (401, "revoked_token")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic YTpi", "Bearer mb_aaaaaaaaaa_" + "a" * 43]
)
def test_what_is_not_a_token_is_refused(server: Server, header: str) -> None:
    answer = httpx.post(f"{server.url}/v1/records", headers={"Authorization": header}, content=b"")
    assert answer.status_code == 401
    assert problem(answer) in ("no_token", "bad_token")
    assert answer.headers["www-authenticate"] == 'Bearer realm="mobilebench"'


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_packed_record_is_unpacked(phone: Device, name: str) -> None:
    body = wire.dumps(phone.record()).encode()
    packed = gzip.compress(body) if name == "gzip" else zstandard.compress(body)
    assert post_record(phone.http, packed, **{"Content-Encoding": name}).status_code == 201


def test_a_batch_says_what_came_of_each_line(server: Server, phone: Device) -> None:
    there, new = phone.record(), phone.record()
    phone.submit(there)
    other = enrolled(server).record()
    clash = phone.record(record_id=there.record_id, threads=2)
    lines = [
        wire.dumps(there).encode(),
        b"",
        wire.dumps(new).encode(),
        b"{not json",
        wire.dumps(other).encode(),
        b'{"schema_version": 2}',
        wire.dumps(clash).encode(),
        wire.dumps(new).encode(),
    ]
    answer = _batch(phone.http, lines)
    assert answer.status_code == 200
    results = answer.json()["results"]
    outcomes = [
        (each["line"], each["problem"]["code"] if "problem" in each else each["status"])
        for each in results
    ]
    assert outcomes == [
        (1, "there"), (3, "added"), (4, "bad_json"), (5, "other_key"), (6, "invalid"),
        (7, "other_record"), (8, "there"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["identity", "gzip", "zstd"])
def test_a_batch_of_many_records_is_stored_whole(server: Server, phone: Device, name: str) -> None:
    records = [phone.record() for _ in range(70)]
    body = b"\n".join(wire.dumps(record).encode() for record in records)
    pack = {"identity": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}[name]
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": name}
    answer = phone.http.post("/v1/records", content=pack(body), headers=headers)
    assert {each["status"] for each in answer.json()["results"]} == {"added"}
    with RecordStore(server.settings.store) as store:
        ids = {record.record_id for record in store.find()}
    assert {record.record_id for record in records} <= ids


@pytest.mark.parametrize("trick", TRICKS)
def test_foreign_text_in_a_record_is_text(server: Server, phone: Device, trick: str) -> None:
    record = phone.record()
    document = plain(dataclasses.replace(record, signature=None))
    document["model"]["name"] = trick
    document["device"]["model"] = trick
    named = phone.signed(wire.from_plain(type(record), document))
    answer = phone.submit(named)
    assert answer.status_code in (201, 422), answer.text
    if answer.status_code == 201:
        assert phone.http.get(f"/v1/records/{record.record_id}").json() == plain(named)
    else:
        assert problem(answer) == "invalid"


@pytest.mark.parametrize("trick", TRICKS)
def test_foreign_text_in_an_id_finds_nothing(server: Server, trick: str) -> None:
    answer = server.client().get(f"/v1/records/{httpx.QueryParams({'x': trick})}"[:200])
    assert answer.status_code in (404, 422)
    assert problem(answer) in ("not_there", "invalid")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"5", b'"text"', b"{}", b"[1, 2", b"\xff\xfe", b'{"a": NaN}',
        b'{"schema_version": 99}', b'{"schema_version": "2"}', b"1" * 5000,
        b'{"schema_version": 2, "record_id": {"a": 1}}',
        b'{"schema_version": 2, "signature": 5}',
        b'{"schema_version": 2, "signature": {"public_key": 5}}',
        b'{"schema_version": 2, "signature": {"public_key": "zz", "algorithm": "ed25519-jcs"}}',
        b'{"a": "\\ud800"}',
    ],
)  # fmt: skip
def test_what_is_not_a_record_is_refused(phone: Device, body: bytes) -> None:
    answer = post_record(phone.http, body)
    assert answer.status_code in (400, 422), answer.text
    assert problem(answer) in ("bad_json", "invalid")


def test_fields_of_wrong_types_are_refused(phone: Device) -> None:
    document = plain(dataclasses.replace(phone.record(), signature=None))
    wrong: list[object] = [None, 5, -1, 1e400 if False else 2**70, "x" * 70, [], {}, True]
    for name in ("record_id", "created", "model", "device", "job", "outcome", "provenance"):
        for content in wrong:
            if name == "job" and content is None:
                continue
            answer = post_record(phone.http, json.dumps({**document, name: content}).encode())
            assert answer.status_code == 422, (name, content, answer.text)


def test_a_record_that_nobody_sent_is_not_there(server: Server) -> None:
    answer = server.client().get("/v1/records/nothing")
    assert (answer.status_code, problem(answer)) == (404, "not_there")


@pytest.mark.parametrize("kind", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_a_body_of_another_type_is_refused(phone: Device, kind: str) -> None:
    answer = phone.http.post("/v1/records", content=b"{}", headers={"Content-Type": kind})
    assert (answer.status_code, problem(answer)) == (415, "media_type")
