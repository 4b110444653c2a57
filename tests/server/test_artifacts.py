"""Files of jobs: whole, in parts, in ranges, and never half there."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.server.running import Server, problem

CONTENT = os.urandom(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def author(server: Server) -> Iterator[httpx.Client]:
    """Return a client that sends files."""
    with server.client(server.token("jobs")) as http:
        yield http


def _new(size: int = 100_000) -> tuple[bytes, str]:
    content = os.urandom(size)
    return content, hashlib.sha256(content).hexdigest()


def _part(content: bytes, start: int, end: int) -> dict[str, str]:
    return {"Content-Range": f"bytes {start}-{end - 1}/{len(content)}"}


def test_a_file_is_sent_and_fetched(author: httpx.Client) -> None:
    content, sha256 = _new()
    assert author.head(f"/v1/artifacts/{sha256}").status_code == 404
    answer = author.put(f"/v1/artifacts/{sha256}", content=content)
    assert (answer.status_code, answer.json()["size_bytes"]) == (201, len(content))
    again = author.put(f"/v1/artifacts/{sha256}", content=content)
    assert (again.status_code, again.json()["status"]) == (200, "whole")
    head = author.head(f"/v1/artifacts/{sha256}")
    assert head.headers["upload-complete"] == "?1"
    assert head.headers["upload-offset"] == str(len(content)) == head.headers["content-length"]
    assert author.get(f"/v1/artifacts/{sha256}").content == content


def test_an_upload_goes_on_where_it_ended(author: httpx.Client) -> None:
    content, sha256 = _new()
    path = f"/v1/artifacts/{sha256}"
    first = author.put(path, content=content[:40_000], headers=_part(content, 0, 40_000))
    assert (first.status_code, first.json()["offset"]) == (202, 40_000)
    head = author.head(path)
    assert (head.headers["upload-offset"], head.headers["upload-complete"]) == ("40000", "?0")
    assert author.get(path).status_code == 404, "a part is not a file"
    wrong = author.put(path, content=content[50_000:], headers=_part(content, 50_000, 100_000))
    assert (wrong.status_code, problem(wrong)) == (409, "offset")
    assert wrong.headers["upload-offset"] == "40000"
    last = author.put(path, content=content[40_000:], headers=_part(content, 40_000, 100_000))
    assert last.status_code == 201
    assert author.get(path).content == content


def test_what_came_before_a_connection_broke_is_kept(server: Server, author: httpx.Client) -> None:
    content, sha256 = _new()
    token, path = author.headers["authorization"], f"/v1/artifacts/{sha256}"
    with socket.create_connection(("127.0.0.1", server.settings.port), timeout=20) as peer:
        head = (
            f"PUT /v1/artifacts/{sha256} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n"
        )
        peer.sendall(head.encode() + content[:60_000])
        while (answer := author.head(path)).status_code == 404:
            time.sleep(0.05)
    # The first connection may not be over yet: `busy`. `offset` says where to go on.
    offset = int(answer.headers["upload-offset"])
    while True:
        headers = _part(content, offset, len(content))
        answer = author.put(path, content=content[offset:], headers=headers)
        if answer.status_code == 201:
            break
        assert problem(answer) in ("offset", "busy")
        offset = int(answer.headers.get("upload-offset", offset))
    assert author.get(path).content == content


def test_a_file_with_another_hash_is_refused_and_removed(author: httpx.Client) -> None:
    content, sha256 = _new()
    path = f"/v1/artifacts/{sha256}"
    answer = author.put(path, content=content[::-1])
    assert (answer.status_code, problem(answer)) == (422, "wrong_hash")
    assert author.head(path).status_code == 404
    assert author.put(path, content=content).status_code == 201


@pytest.mark.parametrize(
    ("header", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=299990-", 299_990, 300_000),
        ("bytes=-10", 299_990, 300_000),
        ("bytes=299990-999999", 299_990, 300_000),
        ("bytes=-999999", 0, 300_000),
    ],
)
def test_a_range_is_given(author: httpx.Client, header: str, start: int, end: int) -> None:
    author.put(f"/v1/artifacts/{SHA256}", content=CONTENT)
    answer = author.get(f"/v1/artifacts/{SHA256}", headers={"Range": header})
    assert answer.status_code == 206
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{len(CONTENT)}"
    assert answer.content == CONTENT[start:end]


@pytest.mark.parametrize("header", ["bytes=300000-", "bytes=999999-", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(author: httpx.Client, header: str) -> None:
    author.put(f"/v1/artifacts/{SHA256}", content=CONTENT)
    answer = author.get(f"/v1/artifacts/{SHA256}", headers={"Range": header})
    assert (answer.status_code, problem(answer)) == (416, "range")
    assert answer.headers["content-range"] == "bytes */300000"


@pytest.mark.parametrize("header", ["bytes=5-1", "lines=1-2", "bytes=1-2,4-5", "bytes=-", "x"])
def test_a_range_of_another_form_is_ignored(author: httpx.Client, header: str) -> None:
    author.put(f"/v1/artifacts/{SHA256}", content=CONTENT)
    answer = author.get(f"/v1/artifacts/{SHA256}", headers={"Range": header})
    assert (answer.status_code, len(answer.content)) == (200, 300_000)


@pytest.mark.parametrize(
    "name",
    ["../records.sqlite", "..%2frecords.sqlite", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "parts",
     "A" * 64, "a" * 63, "a" * 65, "a" * 64 + "%00", "a" * 32 + "/" + "a" * 31],
)  # fmt: skip
def test_a_name_that_is_not_a_hash_leads_nowhere(
    server: Server, author: httpx.Client, name: str
) -> None:
    token = author.headers["authorization"]
    for method in ("GET", "PUT", "HEAD"):
        with socket.create_connection(("127.0.0.1", server.settings.port), timeout=20) as peer:
            # By hand: a client would mend the path before it sends it.
            peer.sendall(
                f"{method} /v1/artifacts/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                f"Authorization: {token}\r\nContent-Length: 0\r\n\r\n".encode()
            )
            answer = b"".join(iter(lambda: peer.recv(65536), b""))
        assert answer.split()[1] in (b"404", b"422", b"405"), answer


@pytest.mark.parametrize("header", ["bytes 5-1/10", "bytes 0-10/10", "x", "bytes */10", ""])
def test_a_part_of_another_form_is_refused(author: httpx.Client, header: str) -> None:
    content, sha256 = _new(100)
    answer = author.put(
        f"/v1/artifacts/{sha256}", content=content, headers={"Content-Range": header}
    )
    assert (answer.status_code, problem(answer)) == (400, "bad_request")


def test_an_empty_file_is_a_file(author: httpx.Client) -> None:
    sha256 = hashlib.sha256(b"").hexdigest()
    assert author.put(f"/v1/artifacts/{sha256}", content=b"").status_code == 201
    answer = author.get(f"/v1/artifacts/{sha256}")
    assert (answer.status_code, answer.content) == (200, b"")
