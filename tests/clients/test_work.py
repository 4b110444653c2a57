"""Both apps' clients do jobs of a real server, through faults of it, of the way and of the app."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mobilebench.server.settings import Limits
from mobilebench.store import RecordStore
from mobilebench.values.record import Record
from tests.clients.jobs import job_files
from tests.clients.phone import Phone
from tests.clients.proxy import Proxy
from tests.clients.server import Server

HOUR_S = 3600


@pytest.fixture
def way(server: Server) -> Iterator[Proxy]:
    """Return the way from the phone to the server."""
    way = Proxy(server.port)
    yield way
    way.close()


def _enrolled(server: Server, phone: Phone, address: str | None = None) -> Phone:
    text = server.invite()
    code, lines = phone.do("enrol", text)
    assert code == 0, lines
    if address is not None:
        place = phone.folder / "enrolment.json"
        place.write_text(place.read_text().replace(server.address, address))
    return phone


def _records(server: Server) -> list[Record]:
    with RecordStore(server.store, create=False) as store:
        return store.find()


def test_a_job_is_fetched_measured_and_its_record_is_there(server: Server, phone: Phone) -> None:
    server.start()
    _enrolled(server, phone)
    job = server.post(job_files())
    code, _ = phone.do("work", "sent")
    assert code == 0 and phone.steps() == ["fetched", "ready", "sent"]
    done = server.job(job)
    assert done["state"] == "done" and done["attempts"] == 1
    record = phone.record()
    assert done["record_id"] == record["record_id"]
    assert server.ask("GET", f"/v1/records/{record['record_id']}") == record
    [kept] = _records(server)
    assert kept.record_id == record["record_id"] and kept.signature is not None


@pytest.mark.slow
def test_an_empty_server_is_asked_again(server: Server, phone: Phone) -> None:
    server.start()
    _enrolled(server, phone)
    code, _ = phone.do("work", "idle", "wait_s=0")
    assert code == 0 and phone.steps() == ["idle"]
    phone.start("work", "sent", "wait_s=20")
    phone.until(doing="asking for a job")
    server.post(job_files())
    assert phone.wait() == 0 and phone.steps()[-1] == "sent"


def test_a_download_goes_on_where_the_ended_app_had_come(
    server: Server, way: Proxy, phone: Phone
) -> None:
    model = bytes(range(256)) * 4096
    server.start()
    _enrolled(server, phone, way.address)
    server.post(job_files(model))
    way.pause_s = 0.004
    phone.start("work", "sent")
    phone.until(doing="asking for a job")
    deadline = time.monotonic() + 60
    while way.down_bytes < len(model) // 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    phone.kill()
    before = way.down_bytes
    part = max(path.stat().st_size for path in (phone.folder / "jobs/.fetched").glob("*.part"))
    assert len(model) // 4 < part < len(model)
    way.pause_s = 0
    code, _ = phone.do("work", "sent")
    assert code == 0 and phone.steps() == ["fetched", "ready", "sent"]
    assert way.down_bytes - before < len(model) - part + 20_000
    [job] = phone.jobs()
    assert (job / "model.onnx").read_bytes() == model


def test_a_server_that_dies_in_an_upload_has_the_record_after_it_starts_again(
    server: Server, way: Proxy, phone: Phone
) -> None:
    server.start()
    _enrolled(server, phone, way.address)
    job = server.post(job_files(rounds=4, inferences=400))
    seen = []

    def dies(piece: bytes) -> bool:
        if b"POST /v1/records" in piece:
            server.kill()
            seen.append(piece)
        return bool(seen)

    way.watch_up = dies
    phone.start("work", "sent")
    line = phone.until(doing="trying again")
    assert "is not reached" in line["sentence"] and line["wait_ms"] >= 500
    way.watch_up = None
    server.start()
    assert phone.wait() == 0 and phone.steps()[-1] == "sent"
    assert seen and server.job(job)["state"] == "done"
    assert len(_records(server)) == 1


@pytest.mark.slow
def test_a_record_whose_acknowledgement_was_lost_is_there_once(
    server: Server, way: Proxy, phone: Phone
) -> None:
    server.start()
    _enrolled(server, phone, way.address)
    server.post(job_files())
    assert phone.do("work", "sent")[0] == 0
    queue = phone.folder / "queue.json"
    queue.write_text(queue.read_text().replace('"sent"', '"sending"'))
    phone.do("work", "sent")
    assert [line["sentence"] for line in phone.lines if line.get("step") == "sent"] == ["there"]
    assert len(_records(server)) == 1


def test_a_server_that_asks_for_patience_is_left_alone_that_long(
    server: Server, phone: Phone
) -> None:
    server.start()
    _enrolled(server, phone)
    server.post(job_files())
    server.kill()
    server.start(limits=Limits(requests_at_once=3, requests_per_s=0.5))
    phone.start("work", "sent")
    line = phone.until(doing="trying again")
    assert line["wait_ms"] >= 1000
    assert phone.wait() == 0 and phone.steps()[-1] == "sent"


def test_a_record_that_is_too_large_stays_on_the_phone_and_says_why(
    server: Server, phone: Phone
) -> None:
    server.start()
    _enrolled(server, phone)
    job = server.post(job_files())
    server.kill()
    server.start(limits=Limits(sent_bytes=500))
    code, _ = phone.do("work", "kept")
    assert code == 0
    [kept] = [line for line in phone.lines if line.get("step") == "kept"]
    assert kept["sentence"].endswith(".")
    assert phone.record()["record_id"]
    assert _records(server) == []
    [refused] = server.job(job)["refused"]
    assert refused["word"] == "record_not_taken"
    # It is not given to this phone again.
    code, _ = phone.do("work", "idle", "wait_s=0")
    assert phone.steps() == ["idle"]


def test_a_record_counts_although_its_lease_expired_meanwhile(server: Server, phone: Phone) -> None:
    server.start(lease_s=1, heartbeat_s=30)
    _enrolled(server, phone)
    job = server.post(job_files())
    code, _ = phone.do("work", "sent", "latency_ms=250")
    assert code == 0 and phone.steps() == ["fetched", "ready", "sent"]
    assert server.job(job)["state"] == "done"
    assert server.job(job)["record_id"] == phone.record()["record_id"]


@pytest.mark.slow
def test_heartbeats_keep_the_job_for_this_phone(
    server: Server, phones: Callable[[], Phone]
) -> None:
    server.start(lease_s=6, heartbeat_s=1)
    first, second = (_enrolled(server, phones()) for _ in range(2))
    job = server.post(job_files())
    first.start("work", "sent", "latency_ms=800")
    first.until(doing="measuring")
    code, _ = second.do("work", "idle", "wait_s=8")
    assert code == 0 and second.steps() == ["idle"]
    assert first.wait() == 0
    assert server.job(job)["attempts"] == 1


@pytest.mark.slow
def test_a_job_that_waited_too_long_is_left_to_another_phone(
    server: Server, phones: Callable[[], Phone]
) -> None:
    server.start(lease_s=1, heartbeat_s=1)
    first, second = (_enrolled(server, phones()) for _ in range(2))
    job = server.post(job_files())
    assert first.do("work", "fetched")[0] == 0
    time.sleep(1.5)
    assert second.do("work", "sent", "wait_s=10")[0] == 0
    assert first.do("work", "dropped")[0] == 0
    assert list(first.jobs()) == []
    assert server.job(job)["record_id"] == second.record()["record_id"]


def test_a_job_goes_on_after_the_app_was_killed_in_it(server: Server, phone: Phone) -> None:
    server.start()
    _enrolled(server, phone)
    job = server.post(job_files(rounds=3, inferences=20))
    phone.start("work", "sent", "latency_ms=100")
    phone.until(doing="measuring")
    [folder] = phone.jobs()
    journal = folder / "journal.jsonl"
    deadline = time.monotonic() + 60
    while b'"round_ended":0' not in _content(journal) and time.monotonic() < deadline:
        time.sleep(0.02)
    phone.kill()
    code, _ = phone.do("work", "sent", "latency_ms=5")
    assert code == 0 and phone.steps() == ["ready", "sent"]
    events = phone.record()["outcome"]["events"]
    assert [event["kind"] for event in events] == ["resumed"]
    assert server.job(job)["state"] == "done" and server.job(job)["attempts"] == 1


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


@pytest.mark.slow
def test_a_job_that_the_phone_cannot_do_goes_back_with_its_sentence(
    server: Server, phone: Phone
) -> None:
    server.start()
    _enrolled(server, phone)
    files = job_files()
    job = json.loads(files["job.json"])
    job["runtime"] = "litert"
    job_id = server.post({**files, "job.json": json.dumps(job).encode()})
    assert phone.do("work", "given back")[0] == 0
    [refused] = server.job(job_id)["refused"]
    assert refused["word"] == "refused" and "litert" in refused["sentence"]


def test_a_revoked_token_ends_the_work_and_the_record_stays(server: Server, phone: Phone) -> None:
    server.start()
    _enrolled(server, phone)
    server.post(job_files())
    phone.start("work", "not enrolled", "latency_ms=300")
    phone.until(doing="measuring")
    [token] = [each for each in server.ask("GET", "/v1/tokens")["tokens"] if each["device"]]
    server.ask("DELETE", f"/v1/tokens/{token['id']}")
    assert phone.wait() == 0
    assert phone.until(doing="not enrolled")["sentence"].endswith(".")
    assert phone.record()["record_id"]
    # Enrolled anew by the same key, it sends what it has.
    _enrolled(server, phone)
    assert phone.do("work", "sent")[0] == 0
    assert len(_records(server)) == 1


@pytest.fixture(scope="session")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what puts a clock off in a process that it is preloaded into."""
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    source = Path(__file__).with_name("clock.c")
    try:
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("there is no C compiler to put a clock off with; install gcc")
    return library


@pytest.mark.parametrize("off_s", [HOUR_S, -HOUR_S])
def test_a_clock_that_is_an_hour_off_changes_nothing(
    off_s: int, clock: Path, server: Server, phone: Phone
) -> None:
    server.start(environment={"LD_PRELOAD": str(clock), "CLOCK_OFF_S": str(off_s)})
    _enrolled(server, phone)
    job = server.post(job_files())
    assert phone.do("work", "sent")[0] == 0
    done = server.job(job)
    assert done["state"] == "done"
    created = time.mktime(time.strptime(done["created"], "%Y-%m-%dT%H:%M:%SZ"))
    measured = time.mktime(time.strptime(phone.record()["created"][:19], "%Y-%m-%dT%H:%M:%S"))
    assert abs(created - measured - off_s) < 600
