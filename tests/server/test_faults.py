"""Faults: a killed server, a full disk, two servers, wrong clocks, a database that restarts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from mobilebench.store import RecordStore
from mobilebench.values import wire
from mobilebench.values.record import Record
from tests.postgres import Postgres
from tests.records import measured
from tests.server.running import (
    Device,
    Server,
    enrolled,
    free_port,
    post_record,
    problem,
    running,
    with_more_samples,
)
from tests.server.test_jobs import files_of, result
from tests.store.damage import change

THREADS = 4


class Load:
    """Clients that send records, and note what was acknowledged."""

    def __init__(self, servers: list[Server], token: str) -> None:
        self._servers = servers
        self._token = token
        self._stop = threading.Event()
        self.acknowledged: set[str] = set()
        self.failures: list[str] = []
        """Of answers that no client would try again after."""
        self._threads = [
            threading.Thread(target=self._send, args=(servers[number % len(servers)], number % 2))
            for number in range(THREADS)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)
            assert not thread.is_alive()

    def wait_for(self, count: int) -> None:
        """Wait until that many more records were acknowledged."""
        goal, end = len(self.acknowledged) + count, time.monotonic() + 60
        while len(self.acknowledged) < goal:
            assert time.monotonic() < end, f"only {len(self.acknowledged)} of {goal} records"
            time.sleep(0.02)

    def _send(self, server: Server, batches: int) -> None:
        http = server.client(self._token)
        bodies: list[bytes] = []
        while not self._stop.is_set():
            if not bodies:
                bodies = [_body(_record()) for _ in range(10 if batches else 1)]
            try:
                if self._sent(http, bodies):
                    bodies = []
            except httpx.TransportError:
                time.sleep(0.05)  # and the same again, as clients do

    def _sent(self, http: httpx.Client, bodies: list[bytes]) -> bool:
        if len(bodies) == 1:
            answer = post_record(http, bodies[0])
            results = [answer.json()]
        else:
            headers = {"Content-Type": "application/x-ndjson"}
            answer = http.post("/v1/records", content=b"\n".join(bodies), headers=headers)
            results = answer.json().get("results", [])
        if answer.status_code in (503, 507):
            time.sleep(0.05)
            return False
        if answer.status_code not in (200, 201):
            self.failures.append(answer.text)
            return True
        self.acknowledged |= {each["record_id"] for each in results if each["status"] != "refused"}
        self.failures += [str(each) for each in results if each["status"] == "refused"]
        return True


def _record() -> Record:
    return with_more_samples(measured(record_id=uuid.uuid4().hex), 200)


def _body(record: Record) -> bytes:
    return wire.dumps(record).encode()


def _stored(place: str) -> set[str]:
    """Return the records of a store, all of which have to be whole."""
    with RecordStore(place) as store:
        count, problems = store.problems()
        assert problems == []
        ids = {record.record_id for record in store.find()}
        assert len(ids) == count
    return ids


def test_a_server_killed_in_batches_has_what_it_acknowledged_and_nothing_half(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as server:
        with Load([server], server.token("submit")) as load:
            for _ in range(2):
                load.wait_for(30)
                server.stop(signal.SIGKILL)
                server.start()
        assert load.failures == []
        server.stop(signal.SIGKILL)
        assert load.acknowledged <= _stored(server.settings.store)


def test_a_server_told_to_stop_under_load_ends_and_loses_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        with Load([server], server.token("submit")) as load:
            load.wait_for(30)
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(timeout=30) in (0, -signal.SIGTERM, 128 + signal.SIGTERM)
            server.stop()
            server.start()
            load.wait_for(10)
        assert load.failures == []
        assert load.acknowledged <= _stored(server.settings.store)
        assert not [line for line in server.lines if '"traceback"' in line]


def test_two_servers_on_one_sqlite_file_lose_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as first, running(tmp_path) as second:
        assert first.settings.store == second.settings.store
        with Load([first, second], first.token("submit")) as load:
            load.wait_for(150)
        assert load.failures == []
        assert load.acknowledged == _stored(first.settings.store)
        # What one knows the other knows: a token, an enrolment, a job.
        author = first.client(first.token("jobs"))
        phone = enrolled(first)
        phone.http = second.client(phone.http.headers["authorization"].split()[1])
        job = author.post("/v1/jobs", json={"files": files_of(author)}).json()["job"]
        assert phone.http.get("/v1/jobs/next", params={"wait_s": 5}).json()["job"] == job


def _on_a_small_disk(folder: Path, size: str) -> list[str]:
    """Return the words before a command that give it a small disk at a folder."""
    words = ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size={size} tmpfs "{folder}"; "$@"']
    probe = subprocess.run([*words, "sh", "df", str(folder)], capture_output=True, check=False)
    if b"tmpfs" not in probe.stdout:
        pytest.skip("a file system of a test needs user namespaces (unshare -rm)")
    return [*words, "sh"]


def test_a_full_disk_is_said_and_what_was_acknowledged_stays(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    from mobilebench.server.settings import Limits, Settings

    settings = Settings(
        store=str(disk / "records.sqlite"),
        files=str(disk / "files"),
        port=free_port(),
        limits=Limits(failures_per_minute=1000),
    )
    server = Server(settings)
    script = tmp_path / "token"
    # The token has to be made where the disk is: inside.
    make = (
        "import sys; from mobilebench.server import tokens; from mobilebench.server.listen import "
        "opened; from mobilebench.server.settings import Settings; from mobilebench.values import "
        "wire\n"
        "with opened(wire.loads(Settings, sys.argv[-1])) as d, d.writing() as c:\n"
        f"    open({str(script)!r}, 'w').write(tokens.make(c, [tokens.Scope.ADMIN], 'x').text)\n"
    )
    small = _on_a_small_disk(disk, "3m")
    inside = [*small, "sh", "-c", '"$0" -c "$MAKE" "$3"; exec "$0" "$@"']
    os.environ["MAKE"] = make
    try:
        server.start(inside)
    finally:
        del os.environ["MAKE"]
    try:
        http = server.client(script.read_text())
        acknowledged = []
        for _ in range(3000):
            record = with_more_samples(measured(record_id=uuid.uuid4().hex), 3000)
            answer = post_record(http, _body(record))
            if answer.status_code != 201:
                break
            acknowledged.append(record.record_id)
        assert acknowledged
        assert (answer.status_code, problem(answer)) == (507, "disk_full")
        assert int(answer.headers["retry-after"]) > 0
        for record_id in acknowledged:
            assert http.get(f"/v1/records/{record_id}").status_code == 200
        sent = http.put(f"/v1/artifacts/{'0' * 64}", content=os.urandom(4 << 20))
        assert (sent.status_code, problem(sent)) == (507, "disk_full")
        assert http.get("/health").status_code == 200
    finally:
        for client in server.clients:
            client.close()
        assert server.process is not None
        children = subprocess.run(
            ["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=False
        )
        for pid in children.stdout.split():
            os.kill(int(pid), signal.SIGTERM)
        server.stop()


@pytest.mark.parametrize("created", ["1970-01-01T00:00:00Z", "2999-12-31T23:59:59.999Z"])
def test_a_client_whose_clock_is_wrong_is_served(
    server: Server, phone: Device, created: str
) -> None:
    record = phone.record(created=created)
    assert phone.submit(record).status_code == 201
    author = server.client(server.token("jobs"))
    posted = author.post("/v1/jobs", json={"files": files_of(author), "device": phone.alias})
    assert posted.status_code == 201
    lease = phone.http.get("/v1/jobs/next", params={"wait_s": 0}).json()["lease"]
    late = phone.signed(result(phone))
    answer = phone.submit(late, **{"Mobilebench-Lease": lease})
    assert answer.json()["lease"] == "done"


def test_workers_on_postgresql_share_everything(postgres: Postgres, tmp_path: Path) -> None:
    store = postgres.database()
    with running(tmp_path, store, workers=2) as server:
        with Load([server], server.token("submit")) as load:
            load.wait_for(100)
        assert load.failures == []
        assert load.acknowledged == _stored(store)
        author = server.client(server.token("jobs"))
        files = files_of(author)
        jobs = [author.post("/v1/jobs", json={"files": files}).json()["job"] for _ in range(20)]
        phones = [enrolled(server) for _ in range(24)]

        def following(phone: Device) -> httpx.Response:
            return phone.http.get("/v1/jobs/next", params={"wait_s": 1})

        with ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(following, phones))
        given = [answer.json()["job"] for answer in answers if answer.status_code == 200]
        assert sorted(given) == sorted(jobs)
        counts = server.client().get("/metrics").text
        assert 'mobilebench_jobs{state="leased"} 20.0' in counts


def test_postgresql_restarted_under_load_loses_nothing(postgres: Postgres, tmp_path: Path) -> None:
    store = postgres.database()
    with running(tmp_path, store, workers=2) as server:
        with Load([server], server.token("submit")) as load:
            load.wait_for(50)
            for number in (signal.SIGINT, signal.SIGQUIT):
                postgres.stop(number)
                postgres.start()
                load.wait_for(50)
        assert load.failures == []
        assert load.acknowledged <= _stored(store)


def test_a_database_that_is_gone_is_said_and_comes_back(postgres: Postgres, tmp_path: Path) -> None:
    with running(tmp_path, postgres.database()) as server:
        http = server.client(server.token("admin"))
        postgres.stop()
        try:
            for path in ("/health", "/v1/me", "/v1/devices"):
                answer = http.get(path)
                assert (answer.status_code, problem(answer)) == (503, "unavailable"), path
                assert answer.headers["retry-after"] == "1"
        finally:
            postgres.start()
        assert http.get("/health").status_code == 200


def test_a_backup_of_a_server_under_load_is_a_server(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        phone = enrolled(server)
        with Load([server], server.token("submit")) as load:
            load.wait_for(20)
            before = set(load.acknowledged)
            with RecordStore(server.settings.store) as store:
                store.backup(tmp_path / "copy" / "records.sqlite")
        assert load.failures == []
    (tmp_path / "copy" / "files").mkdir()
    with running(tmp_path / "copy") as restored:
        assert before <= _stored(restored.settings.store)
        header = {"Authorization": phone.http.headers["authorization"]}
        assert restored.client().get("/v1/me", headers=header).json()["device"] == phone.alias


def test_the_log_is_json_and_holds_no_token(server: Server, phone: Device) -> None:
    token = phone.http.headers["authorization"].split()[1]
    phone.submit(phone.record())
    phone.http.get("/v1/records", params={"model": "a secret of mine"})
    time.sleep(0.3)
    lines = [json.loads(line) for line in server.lines]
    requests = [line for line in lines if line["event"] == "request"]
    assert any(each["path"] == "/v1/records" and each["status"] == 201 for each in requests)
    assert {each["token"] for each in requests} & {token.split("_")[1]}
    text = "\n".join(server.lines)
    assert token.split("_", 2)[2] not in text and "a secret of mine" not in text


def test_a_damaged_record_is_said_without_the_place_of_the_store(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        store = server.settings.store
        with RecordStore(store) as own:
            own.add_all([measured(record_id=letter * 32) for letter in "ab"])
        half = "UPDATE documents SET content = substr(content, 1, 50) WHERE record_id = :id"
        change(store, half, id="a" * 32)
        for path in (f"/record/{'a' * 32}", f"/v1/records/{'a' * 32}"):
            answer = httpx.get(f"{server.url}{path}")
            assert answer.status_code == 500, path
            assert "mobilebench store check" in answer.text and str(tmp_path) not in answer.text
        assert httpx.get(f"{server.url}/records").status_code == 200
        assert httpx.get(f"{server.url}/v1/records/{'b' * 32}").status_code == 200
    told = [line for line in server.lines if f"{tmp_path}/records.sqlite is damaged" in line]
    assert len(told) == 2, "once for the page, once for the document"
