"""What a client sends, and what it does when the way or the server fails."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.message import Message
from functools import partial
from ipaddress import ip_address
from pathlib import Path

import pytest
import zstandard
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobilebench.errors import Cancelled, OutputError, ServerAway, ServerRefused
from mobilebench.submitting.address import Address
from mobilebench.submitting.answers import Lease, Status
from mobilebench.submitting.client import Compression, Server
from mobilebench.submitting.patience import Patience, Tries, retry_after_s
from mobilebench.values.device import Device, DeviceKind
from tests.submitting.scripted import QUICK, TOKEN, Answer, Asked, good, problem, scripted

ADDED = good({"record_id": "a", "status": "added"}, 201)
DEVICE = Device(
    id="adb:SERIAL123",
    kind=DeviceKind.PHONE,
    model="Google Pixel 8",
    os="Android",
    os_version="16",
    os_build="BP2A",
)


def _results(*statuses: str) -> Answer:
    results = [
        {
            "line": line,
            "record_id": str(line),
            "status": status,
            **({"problem": {"detail": "No.", "code": "invalid"}} if status == "refused" else {}),
        }
        for line, status in enumerate(statuses, start=1)
    ]
    return good({"results": results})


def test_a_record_goes_with_the_token_and_its_text_unchanged() -> None:
    text = '{"b": 1, "a":  2}'
    with scripted(ADDED) as server, server.client() as client:
        [taken] = client.submit([text])
    [asked] = server.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/v1/records", text.encode())
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Content-Type"] == "application/json"
    assert taken.status is Status.ADDED and "Mobilebench-Lease" not in asked.headers


@pytest.mark.parametrize("name", ["zstd", "gzip"])
def test_large_bodies_are_compressed(name: str) -> None:
    text = json.dumps({"samples": list(range(2000))})
    packings = {
        "zstd": Compression("zstd", zstandard.ZstdCompressor().compress),
        "gzip": Compression("gzip", partial(gzip.compress, mtime=0)),
    }
    with scripted(ADDED) as server, server.client(compression=packings[name]) as client:
        client.submit([text], lease="L1")
    [asked] = server.asked
    assert asked.headers["Content-Encoding"] == name and len(asked.body) < len(text) / 2
    assert asked.content.decode() == text and asked.headers["Mobilebench-Lease"] == "L1"


def test_a_server_that_unpacks_nothing_gets_plain_bodies_from_then_on() -> None:
    text = json.dumps({"samples": list(range(2000))})
    with scripted(problem(415, "encoding"), ADDED) as server, server.client() as client:
        assert client.submit([text])[0].status is Status.ADDED
        assert client.submit([text])[0].status is Status.ADDED
    assert [asked.headers.get("Content-Encoding") for asked in server.asked] == ["zstd", None, None]
    assert server.asked[1].body == text.encode()


def test_a_batch_is_a_record_on_each_line_and_one_refused_holds_up_no_other() -> None:
    with scripted(_results("added", "refused", "there")) as server, server.client() as client:
        taken = client.submit(["{}", "[]", "3"])
    assert server.asked[0].body == b"{}\n[]\n3\n"
    assert server.asked[0].headers["Content-Type"] == "application/x-ndjson"
    assert [each.status for each in taken] == [Status.ADDED, Status.REFUSED, Status.THERE]
    assert taken[1].why == "No." and taken[1].code == "invalid"


def test_a_batch_that_is_too_large_goes_in_parts_and_a_record_that_is_refused_alone() -> None:
    def answer(asked: Asked) -> Answer:
        lines = asked.body.splitlines()
        if len(lines) > 2 or b'"long"' in asked.body:
            return problem(413, "too_large", "It is too large; send less.")
        return ADDED if len(lines) == 1 else _results(*["added"] * len(lines))

    with scripted(answer) as server, server.client() as client:
        taken = client.submit(["1", "2", "3", "4", '{"long": 1}'])
    assert [each.status for each in taken] == [Status.ADDED] * 4 + [Status.REFUSED]
    assert taken[-1].code == "too_large"


def test_an_answer_about_fewer_records_settles_none() -> None:
    with (
        scripted(_results("added")) as server,
        server.client() as client,
        pytest.raises(ServerRefused, match="answered about 1"),
    ):
        client.submit(["1", "2"])


@pytest.mark.parametrize("code", ["other_record", "other_key", "invalid", "unsigned", "too_deep"])
def test_a_refusal_about_a_record_is_its_result(code: str) -> None:
    status = {"other_record": 409, "other_key": 403, "too_deep": 413}.get(code, 422)
    with scripted(problem(status, code, "Mend it.")) as server, server.client() as client:
        [taken] = client.submit(["{}"])
    assert taken.status is Status.REFUSED and taken.why.endswith("Mend it.") and taken.code == code
    assert len(server.asked) == 1, "it is not tried again"


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "revoked_token"), (403, "scope"), (404, "not_there"), (405, "method")],
)
def test_a_refusal_about_the_caller_is_no_result_of_a_record(status: int, code: str) -> None:
    with (
        scripted(problem(status, code)) as server,
        server.client() as client,
        pytest.raises(ServerRefused) as error,
    ):
        client.submit(["{}"])
    assert (error.value.status, error.value.code) == (status, code)
    assert TOKEN not in str(error.value) and len(server.asked) == 1
    assert status != 401 or "mobilebench enrol CODE" in str(error.value)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507])
def test_what_may_be_mended_by_waiting_is_tried_again(status: int) -> None:
    trouble = Answer(status, b"<html>nginx</html>")
    with scripted(trouble, trouble, ADDED) as server, server.client() as client:
        assert client.submit(["{}"])[0].status is Status.ADDED
    assert len(server.asked) == 3


def test_a_connection_that_breaks_is_made_again() -> None:
    lost = Answer(silent=True)
    with scripted(lost, ADDED, lost, lost, ADDED) as server, server.client() as client:
        for _ in range(2):
            assert client.submit(["{}"])[0].status is Status.ADDED
    assert len(server.asked) == 5


def test_an_answer_that_is_cut_off_is_not_taken_for_a_whole_one() -> None:
    cut = Answer(200, b'{"record_id": "a", "status": "added"}      ', cut=37)
    with scripted(cut, ADDED) as server, server.client() as client:
        assert client.submit(["{}"])[0].status is Status.ADDED
    assert len(server.asked) == 2


def test_a_server_that_stays_away_is_named_and_how_long_it_was_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    patience = Patience(total_s=0.2, first_s=0.01, most_s=0.05)
    began = time.monotonic()
    with (
        Server(Address("http", "127.0.0.1", port), TOKEN, patience) as client,
        pytest.raises(ServerAway, match=f"http://127.0.0.1:{port} does not answer: nothing"),
    ):
        client.submit(["{}"])
    assert time.monotonic() - began < 3


def test_a_server_that_says_nothing_is_left_after_its_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = Address("http", "127.0.0.1", mute.getsockname()[1])
        patience = Patience(total_s=0.0, answer_s=0.2)
        with (
            Server(address, TOKEN, patience) as client,
            pytest.raises(ServerAway, match="no answer came in time"),
        ):
            client.submit(["{}"])


def test_a_redirect_is_not_followed_with_the_token() -> None:
    moved = Answer(307, headers={"Location": "https://elsewhere.example.org/v1/records"})
    with (
        scripted(moved) as server,
        server.client() as client,
        pytest.raises(ServerRefused, match="elsewhere.example.org.*give that address"),
    ):
        client.submit(["{}"])
    assert len(server.asked) == 1


def test_a_page_of_something_else_is_no_answer() -> None:
    with (
        scripted(Answer(200, b"<html>log in</html>")) as server,
        server.client() as client,
        pytest.raises(ServerRefused, match="not from a server of mobilebench"),
    ):
        client.submit(["{}"])


def test_https_is_not_spoken_to_whoever_cannot_show_a_certificate() -> None:
    with scripted(ADDED) as server:
        address = Address("https", "127.0.0.1", server.address.port)
        with (
            Server(address, TOKEN, Patience(total_s=0.0)) as client,
            pytest.raises(ServerAway, match="TLS failed"),
        ):
            client.submit(["{}"])
    assert server.asked == []


def test_https_is_spoken_to_a_server_whose_authority_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = _certificate(tmp_path)
    with scripted(ADDED) as server:
        server.speak_tls(certificate)
        address = Address("https", "127.0.0.1", server.address.port)
        with (
            Server(address, TOKEN, QUICK) as stranger,
            pytest.raises(ServerRefused, match="certificate that is not accepted.*SSL_CERT_FILE"),
        ):
            stranger.submit(["{}"])
        assert server.asked == [], "the token was not sent"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with Server(address, TOKEN, QUICK) as client:
            assert client.submit(["{}"])[0].status is Status.ADDED


def _certificate(folder: Path) -> Path:
    """Write a certificate of 127.0.0.1 with its key, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=2))
        .not_valid_after(now + timedelta(hours=2))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


# How long is waited.


class _Waits:
    def __init__(self, patience: Patience, draw: float = 1.0) -> None:
        self.now = 0.0
        self.waited: list[float] = []
        self.tries = Tries(patience, threading.Event(), lambda: self.now, self._wait, lambda: draw)

    def _wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        self.now += seconds
        return False


def test_pauses_double_up_to_a_limit_and_end_with_the_patience() -> None:
    waits = _Waits(Patience(total_s=20, first_s=1, most_s=5))
    with pytest.raises(ServerAway, match="away"):
        while True:
            waits.tries.again(ServerAway("away"))
    assert waits.waited == [1, 2, 4, 5, 5]


def test_pauses_are_random_so_that_clients_do_not_come_back_together() -> None:
    waits = _Waits(Patience(total_s=20, first_s=1), draw=0.0)
    waits.tries.again(ServerAway("away"))
    assert waits.waited == [0.5]


def test_a_server_that_names_a_time_is_left_alone_until_then() -> None:
    waits = _Waits(Patience(total_s=60, first_s=1))
    waits.tries.again(ServerAway("busy"), 7.0)
    assert waits.waited == [7.5]
    with pytest.raises(ServerAway, match="come again in 10.0 min"):
        waits.tries.again(ServerAway("busy."), 600.0)


def test_whoever_gives_up_does_not_wait() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        Tries(Patience(), cancel).again(ServerAway("away"))


def _headers(**texts: str) -> Message:
    message = Message()
    for name, text in texts.items():
        message[name.replace("_", "-")] = text
    return message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (_headers(), None),
        (_headers(Retry_After="17"), 17.0),
        (_headers(Retry_After="0"), 0.0),
        (_headers(Retry_After="99999999"), 3600.0),
        (_headers(Retry_After="soon"), None),
        (_headers(Retry_After="-5"), None),
        # The server's clock is a year off, and only the difference counts.
        (
            _headers(
                Retry_After="Wed, 21 Oct 2015 07:28:30 GMT", Date="Wed, 21 Oct 2015 07:28:00 GMT"
            ),
            30.0,
        ),
        (_headers(Retry_After="Wed, 21 Oct 2015 07:28:30 GMT"), None),
    ],
)
def test_the_time_that_a_server_names_is_read_by_its_own_clock(
    headers: Message, seconds: float | None
) -> None:
    assert retry_after_s(headers) == seconds


def test_too_many_requests_wait_as_long_as_the_server_says() -> None:
    began = time.monotonic()
    busy = problem(429, "too_many", **{"Retry-After": "1"})
    with scripted(busy, ADDED) as server, server.client() as client:
        assert client.submit(["{}"])[0].status is Status.ADDED
    assert time.monotonic() - began >= 1.0 and len(server.asked) == 2


# Files.


class _Store:
    """The files of a server, which loses the connection where it is told to."""

    def __init__(self, content: bytes, lose_after: int | None = None) -> None:
        self.content = content
        self.there = b""
        self.puts: list[str] = []
        self._lose_after = lose_after

    def answer(self, asked: Asked) -> Answer:
        if asked.method == "HEAD":
            if not self.there:
                return Answer(404)
            whole = len(self.there) == len(self.content)
            headers = {"Upload-Offset": str(len(self.there)), "Upload-Complete": f"?{int(whole)}"}
            return Answer(200, headers=headers)
        span = asked.headers.get("Content-Range", "")
        self.puts.append(span)
        start = int(span.removeprefix("bytes ").partition("-")[0] or 0)
        if start != len(self.there):
            return problem(409, "offset")
        if self._lose_after is not None:
            self.there += asked.body[: self._lose_after]
            self._lose_after = None
            return Answer(silent=True)
        self.there += asked.body
        if len(self.there) < len(self.content):
            offset = len(self.there)
            reply = good({"status": "part", "offset": offset}, 202)
            return Answer(202, reply.body, {"Upload-Offset": str(offset)})
        if self.there != self.content:
            return problem(422, "wrong_hash")
        return good({"status": "whole"}, 201)


def _file(tmp_path: Path, size: int) -> tuple[Path, str]:
    content = bytes(index * 7 % 251 for index in range(size))
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_an_upload_goes_on_where_the_connection_was_lost(tmp_path: Path) -> None:
    path, sha256 = _file(tmp_path, 100_000)
    store = _Store(path.read_bytes(), lose_after=30_000)
    seen: list[int] = []
    with scripted(store.answer) as server, server.client() as client:
        client.upload(path, sha256, seen.append)
    assert store.there == path.read_bytes()
    assert store.puts == ["bytes 0-99999/100000", "bytes 30000-99999/100000"]
    assert seen == [0, 30_000, 100_000]


def test_what_the_server_has_is_not_sent_again(tmp_path: Path) -> None:
    path, sha256 = _file(tmp_path, 1000)
    store = _Store(path.read_bytes())
    store.there = store.content
    with scripted(store.answer) as server, server.client() as client:
        client.upload(path, sha256)
    assert store.puts == []


def test_a_large_file_goes_in_parts_and_a_proxy_that_takes_less_gets_smaller_ones(
    tmp_path: Path,
) -> None:
    path, sha256 = _file(tmp_path, 9 << 20)
    store = _Store(path.read_bytes())

    def answer(asked: Asked) -> Answer:
        if len(asked.body) > 5 << 20:
            return Answer(413, b"<html>nginx</html>")
        return store.answer(asked)

    with scripted(answer) as server, server.client() as client:
        client.upload(path, sha256)
    assert store.there == store.content and len(store.puts) == 3


def test_an_empty_file_is_sent_too(tmp_path: Path) -> None:
    path, sha256 = _file(tmp_path, 0)
    whole = good({"status": "whole"}, 201)
    with scripted(Answer(404), whole) as server, server.client() as client:
        client.upload(path, sha256)
    assert [asked.method for asked in server.asked] == ["HEAD", "PUT"]


def test_a_file_that_changes_while_it_is_sent_is_refused(tmp_path: Path) -> None:
    path, sha256 = _file(tmp_path, 1000)
    store = _Store(path.read_bytes())
    path.write_bytes(b"x" * 1000)
    with (
        scripted(store.answer) as server,
        server.client() as client,
        pytest.raises(ServerRefused) as error,
    ):
        client.upload(path, sha256)
    assert error.value.code == "wrong_hash"


def _ranges(content: bytes, *, cut: int | None = None, ignore: bool = False):  # type: ignore[no-untyped-def]
    left = [cut]

    def answer(asked: Asked) -> Answer:
        start = int(asked.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        if start and not ignore:
            return Answer(206, content[start:], {"Content-Range": f"bytes {start}-"}, left.pop())
        return Answer(200, content, {}, left.pop() if left else None)

    return answer


def test_a_download_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    path, sha256 = _file(tmp_path, 50_000)
    content = path.read_bytes()
    place = tmp_path / "cache" / "file.part"
    asked = []

    def answer(request: Asked) -> Answer:
        asked.append(request.headers.get("Range"))
        if len(asked) == 1:
            return Answer(200, content, cut=20_000)
        return Answer(206, content[20_000:], {"Content-Range": "bytes 20000-49999/50000"})

    with scripted(answer) as server, server.client() as client:
        client.download(sha256, 50_000, place)
    assert place.read_bytes() == content and asked == [None, "bytes=20000-"]


def test_a_server_without_ranges_sends_the_whole_file_again(tmp_path: Path) -> None:
    path, sha256 = _file(tmp_path, 50_000)
    place = tmp_path / "file.part"
    place.write_bytes(path.read_bytes()[:100])
    with scripted(Answer(200, path.read_bytes())) as server, server.client() as client:
        client.download(sha256, 50_000, place)
    assert place.read_bytes() == path.read_bytes()


def test_another_file_than_was_asked_for_is_not_kept(tmp_path: Path) -> None:
    path, sha256 = _file(tmp_path, 1000)
    place = tmp_path / "file.part"
    with (
        scripted(Answer(200, b"y" * 1000)) as server,
        server.client() as client,
        pytest.raises(ServerRefused, match="another file"),
    ):
        client.download(sha256, 1000, place)
    assert not place.exists()
    with (
        scripted(Answer(200, path.read_bytes() * 9)) as server,
        server.client() as client,
        pytest.raises(ServerRefused, match="more of"),
    ):
        client.download(sha256, 1000, place)
    assert place.stat().st_size <= 1000


def test_a_disk_that_is_full_is_no_lost_connection(tmp_path: Path) -> None:
    import resource

    _, sha256 = _file(tmp_path, 1000)
    place = tmp_path / "file.part"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with scripted(Answer(200, b"z" * 100_000)) as server, server.client() as client:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
        try:
            with pytest.raises(OutputError, match="Could not write"):
                client.download(sha256, 100_000, place)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert len(server.asked) == 1


# Jobs.

LEASE = {
    "lease": "L1",
    "job": "J1",
    "device": "pixel-1",
    "files": {"job.json": {"sha256": "0" * 64, "size_bytes": 3}},
    "expires_s": 120,
    "heartbeat_s": 30,
    "later": "a key that this version does not know",
}


def test_a_job_is_waited_for_by_the_devices_that_are_named() -> None:
    with scripted(Answer(204), good(LEASE)) as server, server.client() as client:
        assert client.next_job(["pixel-1", "b&c"], 25) is None
        lease = client.next_job(["pixel-1"], 25)
    assert server.asked[0].path == "/v1/jobs/next?wait_s=25&device=pixel-1&device=b%26c"
    assert isinstance(lease, Lease) and lease.id == "L1" and lease.heartbeat_s == 30


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../b", "a//b", "", ".", "a\0b", "..\\x", "C:x"]
)
def test_a_job_with_files_outside_its_folder_is_refused(path: str) -> None:
    plain = {**LEASE, "files": {path: {"sha256": "0" * 64, "size_bytes": 3}}}
    with (
        scripted(good(plain)) as server,
        server.client() as client,
        pytest.raises(ServerRefused, match="refused here"),
    ):
        client.next_job(["pixel-1"], 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"lease": None}, {"job": 3}, {"files": []}, {"files": {}}, {"heartbeat_s": "soon"},
        {"heartbeat_s": -1}, {"files": {"a": {"sha256": "../x", "size_bytes": 3}}},
        {"files": {"a": {"sha256": "0" * 64, "size_bytes": -3}}}, {"files": {"a": 3}},
    ],
)  # fmt: skip
def test_a_lease_that_cannot_be_read_is_refused(changes: dict[str, object]) -> None:
    with (
        scripted(good({**LEASE, **changes})) as server,
        server.client() as client,
        pytest.raises(ServerRefused),
    ):
        client.next_job(["pixel-1"], 0)


def test_a_lease_that_is_over_is_no_error() -> None:
    script = (good({"expires_s": 120}), problem(410, "lease_over"))
    with scripted(*script) as server, server.client() as client:
        assert client.heartbeat("L1") is True
        assert client.heartbeat("L1") is False
        client.give_back("L1", "stopped", "x" * 900)
    assert server.asked[0].path == "/v1/leases/L1/heartbeat"
    plain = json.loads(server.asked[2].body)
    assert plain["refused"] == "stopped" and len(plain["sentence"]) == 500


def test_a_request_that_waits_can_be_ended_from_another_thread() -> None:
    begun, release = threading.Event(), threading.Event()

    def answer(_: Asked) -> Answer:
        begun.set()
        release.wait(20)
        return Answer(204)

    with scripted(answer) as server:
        client = server.client(patience=Patience(answer_s=20))
        errors: list[BaseException] = []

        def wait() -> None:
            try:
                client.next_job(["pixel-1"], 25)
            except (ServerAway, Cancelled) as error:
                errors.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        assert begun.wait(10)
        client.cut()
        thread.join(5)
        release.set()
        assert not thread.is_alive() and len(errors) == 1


# Enrolment.


def test_a_code_is_shown_with_the_public_key_and_a_signature_over_it() -> None:
    key = Ed25519PrivateKey.generate()
    answer = good({"device": "shelf-1", "token": TOKEN, "scopes": ["submit"], "server": "x"}, 201)
    with scripted(answer) as server, Server(server.address, None, QUICK) as client:
        enrolment = client.enrol("7k3m-pq9x", key, DEVICE)
    [asked] = server.asked
    plain = json.loads(asked.body)
    assert asked.path == "/v1/enrol" and "Authorization" not in asked.headers
    assert plain["code"] == "7K3MPQ9X"
    key.public_key().verify(bytes.fromhex(plain["signature"]), b"mobilebench-enrol:7K3MPQ9X")
    assert plain["public_key"] == key.public_key().public_bytes_raw().hex()
    assert plain["device"]["model"] == "Google Pixel 8" and plain["device"]["os"] == "Android 16"
    assert "SERIAL123" not in asked.body.decode()
    assert (enrolment.device, enrolment.token) == ("shelf-1", TOKEN)
    assert TOKEN not in repr(enrolment) and TOKEN not in repr(client)
