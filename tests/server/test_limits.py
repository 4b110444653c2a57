"""Limits: sizes, bombs, levels, slowness, and how often one may ask."""

from __future__ import annotations

import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
import zstandard

from mobilebench.server.limits import Buckets, require_shallow
from mobilebench.server.problems import Refused
from mobilebench.server.settings import MIB, Limits
from mobilebench.values import wire
from tests.server.running import Device, Server, enrolled, post_record, problem, running

SMALL = Limits(
    sent_bytes=2 * MIB,
    document_bytes=4 * MIB,
    batch_bytes=6 * MIB,
    request_bytes=20_000,
    wait_s=1,
    failures_per_minute=10_000,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server with small limits."""
    with running(tmp_path_factory.mktemp("limits"), limits=SMALL) as server:
        yield server


def _resident(server: Server) -> int:
    assert server.process is not None
    return int(psutil.Process(server.process.pid).memory_info().rss)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_a_bomb_is_stopped_while_it_unpacks(
    server: Server, phone: Device, name: str, kind: str
) -> None:
    pack = gzip.compress if name == "gzip" else zstandard.ZstdCompressor(level=19).compress
    bomb = pack(b" " * (512 * MIB)) if name == "zstd" else _gzip_of_spaces(512)
    assert len(bomb) < SMALL.sent_bytes
    before = _resident(server)
    headers = {"Content-Type": kind, "Content-Encoding": name}
    answer = phone.http.post("/v1/records", content=bomb, headers=headers)
    assert (answer.status_code, problem(answer)) == (413, "too_large")
    assert _resident(server) - before < 60 * MIB


def _gzip_of_spaces(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(b" " * MIB) for _ in range(mebibytes)]
    return b"".join(parts) + packer.flush()


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_bomb_is_stopped_before_any_route_reads_it(server: Server, name: str) -> None:
    bomb = _gzip_of_spaces(64) if name == "gzip" else zstandard.compress(b" " * (64 * MIB))
    headers = {"Content-Type": "application/json", "Content-Encoding": name}
    answer = server.client().post("/v1/enrol", content=bomb, headers=headers)
    assert (answer.status_code, problem(answer)) == (413, "too_large")


def test_a_body_that_is_too_large_as_sent_is_refused(phone: Device) -> None:
    answer = post_record(phone.http, b" " * (SMALL.sent_bytes + 1))
    assert (answer.status_code, problem(answer)) == (413, "too_large")


def test_a_body_of_unknown_length_is_refused_when_it_is_too_large(phone: Device) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * (SMALL.sent_bytes // 20)

    headers = {"Content-Type": "application/json"}
    try:
        answer = phone.http.post("/v1/records", content=pieces(), headers=headers)
    except httpx.WriteError:  # the server has answered and closed
        return
    assert (answer.status_code, problem(answer)) == (413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 5_000,
        b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}",
        b'["\\"", ' + b"[" * 70 + b"]" * 71,
    ],
    ids=["lists", "objects", "closed", "after a quote"],
)
def test_deep_json_is_refused_before_it_is_parsed(
    server: Server, phone: Device, body: bytes
) -> None:
    answer = post_record(phone.http, body)
    assert (answer.status_code, problem(answer)) == (413, "too_deep")
    if len(body) < SMALL.request_bytes:
        headers = {"Content-Type": "application/json"}
        answer = server.client().post("/v1/enrol", content=body, headers=headers)
        assert (answer.status_code, problem(answer)) == (413, "too_deep")


def test_brackets_in_texts_are_not_levels() -> None:
    for text in ("[" * 200, '"' + "[" * 200, "\\" + "{" * 200, "\\\\[[" * 100):
        require_shallow(json.dumps({text: [text]}).encode(), 3)
        with pytest.raises(Refused, match="too_deep"):
            require_shallow(json.dumps({text: [[[text]]]}).encode(), 3)


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 2_000_000, b'"' * 4_000_000, b"\\" * 4_000_000])
def test_no_text_makes_counting_levels_slow(body: bytes) -> None:
    # A quadratic count of these would take hours: this test ends because it is linear.
    require_shallow(body, 64)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("gzip", b"not gzip"),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4]),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"more"),
        ("zstd", b"not zstd"),
        ("zstd", zstandard.compress(b"{}" * 100)[:-4]),
        ("zstd", zstandard.compress(b"{}") + b"more"),
    ],
)
def test_a_broken_packing_is_refused(phone: Device, name: str, body: bytes) -> None:
    answer = post_record(phone.http, body, **{"Content-Encoding": name})
    assert (answer.status_code, problem(answer)) == (400, "bad_encoding")


def test_a_zstd_frame_with_a_large_window_is_refused(phone: Device) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = packer.compress(b"{}" * 1000) + packer.flush()
    answer = post_record(phone.http, body, **{"Content-Encoding": "zstd"})
    assert (answer.status_code, problem(answer)) == (400, "bad_encoding")


@pytest.mark.parametrize("name", ["br", "gzip, gzip", "deflate", "x" * 200])
def test_an_unknown_encoding_is_refused(phone: Device, name: str) -> None:
    answer = post_record(phone.http, b"{}", **{"Content-Encoding": name})
    assert (answer.status_code, problem(answer)) == (415, "encoding")


def test_a_line_of_a_batch_that_is_too_large_is_refused(phone: Device) -> None:
    body = gzip.compress(b"\n" + b" " * (SMALL.document_bytes + MIB))
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    answer = phone.http.post("/v1/records", content=body, headers=headers)
    assert (answer.status_code, problem(answer)) == (413, "too_large")


def test_a_body_that_pauses_is_given_up(server: Server, phone: Device) -> None:
    with socket.create_connection(("127.0.0.1", server.settings.port), timeout=20) as peer:
        token = phone.http.headers["authorization"]
        peer.sendall(
            f"POST /v1/records HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{".encode()
        )
        answer = b"".join(iter(lambda: peer.recv(65536), b"")).decode()
    assert answer.startswith("HTTP/1.1 408") and '"slow"' in answer


def test_those_who_ask_too_often_wait(tmp_path: Path) -> None:
    limits = Limits(requests_per_s=5, requests_at_once=3, failures_per_minute=100)
    with running(tmp_path, limits=limits) as server:
        phone, other = enrolled(server), enrolled(server)
        answers = [phone.http.get("/v1/me") for _ in range(6)]
        late = next(answer for answer in answers if answer.status_code == 429)
        assert problem(late) == "too_many"
        assert other.http.get("/v1/me").status_code == 200, "each token has its own count"
        time.sleep(int(late.headers["retry-after"]))
        assert phone.http.get("/v1/me").status_code == 200


def test_a_bucket_holds_no_more_than_it_may() -> None:
    buckets = Buckets(rate_s=0.001, most=3)
    for _ in range(3):
        buckets.take("a")
    with pytest.raises(Refused) as refused:
        buckets.take("a")
    assert 900 <= int(refused.value.headers["Retry-After"]) <= 1001
    for number in range(20_000):
        buckets.take(f"other {number}")


def test_a_large_record_within_the_limits_is_taken(phone: Device) -> None:
    from tests.server.running import with_more_samples

    record = phone.signed(with_more_samples(phone.record(), 60_000))
    assert SMALL.request_bytes < len(wire.dumps(record)) < SMALL.document_bytes
    assert phone.submit(record).status_code == 201
