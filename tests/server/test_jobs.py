"""Jobs: posted, leased, renewed, ended, and given to another device when a phone vanishes."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from mobilebench.values import wire
from mobilebench.values.record import Record, Subject
from tests.records import measured
from tests.server.running import Device, Server, enrolled, problem

MODEL = b"a model"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def upload(http: httpx.Client, content: bytes) -> str:
    """Send a file, whole; return its hash."""
    answer = http.put(f"/v1/artifacts/{_sha256(content)}", content=content)
    assert answer.status_code in (200, 201), answer.text
    return _sha256(content)


def files_of(http: httpx.Client, content: bytes = MODEL) -> dict[str, str]:
    """Send the files of a job about a model; return them as a job names them."""
    record = measured()
    assert record.job is not None and record.artifact is not None
    job = dataclasses.replace(record.job, model_sha256=_sha256(content))
    facts = dataclasses.replace(record.artifact, sha256=_sha256(content))
    subject = Subject(model=record.model, recipe=record.recipe, artifact=facts)
    return {
        "job.json": upload(http, wire.dumps(job).encode()),
        "subject.json": upload(http, wire.dumps(subject).encode()),
        "model.onnx": upload(http, content),
    }


def result(device: Device, content: bytes = MODEL) -> Record:
    """Return a device's record of the job about a model."""
    record = device.record()
    assert record.job is not None and record.artifact is not None
    job = dataclasses.replace(record.job, model_sha256=_sha256(content))
    facts = dataclasses.replace(record.artifact, sha256=_sha256(content))
    return device.signed(dataclasses.replace(record, job=job, artifact=facts))


@pytest.fixture
def author(server: Server) -> Iterator[httpx.Client]:
    """Return a client that posts jobs; those that are left are removed afterwards."""
    with server.client(server.token("jobs")) as http:
        yield http
        for job in http.get("/v1/jobs", params={"limit": 500}).json()["jobs"]:
            http.delete(f"/v1/jobs/{job['job']}")


@pytest.fixture
def post(author: httpx.Client) -> Callable[..., str]:
    """Return a function that posts a job and returns its id."""

    def posted(**more: Any) -> str:
        answer = author.post("/v1/jobs", json={"files": files_of(author), **more})
        assert answer.status_code == 201, answer.text
        job: str = answer.json()["job"]
        return job

    return posted


def _next(who: Device, wait_s: float = 0, **more: Any) -> httpx.Response:
    return who.http.get("/v1/jobs/next", params={"wait_s": wait_s, **more})


def test_a_phone_takes_a_job_and_its_record_is_the_result(
    author: httpx.Client, post: Callable[..., str], phone: Device
) -> None:
    job = post(device=phone.alias)
    lease = _next(phone).json()
    assert (lease["job"], lease["device"], lease["expires_s"]) == (job, phone.alias, 2)
    for path, file in lease["files"].items():
        content = phone.http.get(f"/v1/artifacts/{file['sha256']}").content
        assert (len(content), _sha256(content)) == (file["size_bytes"], file["sha256"]), path
    assert phone.http.post(f"/v1/leases/{lease['lease']}/heartbeat").json() == {"expires_s": 2}
    record = result(phone)
    done = f"/v1/leases/{lease['lease']}/done"
    early = phone.http.post(done, json={"record_id": record.record_id})
    assert (early.status_code, problem(early)) == (409, "missing_record")
    phone.submit(record)
    assert phone.http.post(done, json={"record_id": record.record_id}).json()["status"] == "done"
    again = phone.http.post(done, json={"record_id": record.record_id})
    assert again.json()["status"] == "already"
    shown = author.get(f"/v1/jobs/{job}").json()
    assert (shown["state"], shown["record_id"]) == ("done", record.record_id)
    assert _next(phone).status_code == 204


def test_a_record_may_end_its_lease_in_the_same_request(
    author: httpx.Client, post: Callable[..., str], phone: Device
) -> None:
    job = post(device=phone.alias)
    lease = _next(phone).json()["lease"]
    record = result(phone)
    answer = phone.submit(record, **{"Mobilebench-Lease": lease})
    assert answer.json() == {"record_id": record.record_id, "status": "added", "lease": "done"}
    assert author.get(f"/v1/jobs/{job}").json()["state"] == "done"
    again = phone.submit(record, **{"Mobilebench-Lease": lease})
    assert again.json()["lease"] == "already"


def test_a_record_is_kept_where_its_lease_is_refused(phone: Device) -> None:
    record = phone.record()
    answer = phone.submit(record, **{"Mobilebench-Lease": "0" * 32}).json()
    assert answer["status"] == "added" and answer["lease"] == "refused"
    assert answer["problem"]["code"] == "lease_over"


def test_a_record_about_another_file_is_not_the_result(
    post: Callable[..., str], phone: Device
) -> None:
    post(device=phone.alias)
    lease = _next(phone).json()["lease"]
    record = phone.record()
    phone.submit(record)
    answer = phone.http.post(f"/v1/leases/{lease}/done", json={"record_id": record.record_id})
    assert (answer.status_code, problem(answer)) == (422, "invalid")


def test_the_job_of_a_phone_that_vanishes_goes_to_another_and_counts_once(
    server: Server, author: httpx.Client, post: Callable[..., str], phone: Device
) -> None:
    job = post()
    second = enrolled(server)
    lost = _next(phone).json()
    assert lost["job"] == job
    assert _next(second).status_code == 204, "it is the first phone's until its lease expires"
    taken = _next(second, wait_s=10).json()
    assert taken["job"] == job and taken["lease"] != lost["lease"]
    late = phone.http.post(f"/v1/leases/{lost['lease']}/heartbeat")
    assert (late.status_code, problem(late)) == (410, "lease_over")
    # The first phone was only slow: both send a record, and one is the result.
    records = [result(phone), result(second)]
    for device, lease, record in zip((phone, second), (lost, taken), records, strict=True):
        device.submit(record)
        answer = device.http.post(
            f"/v1/leases/{lease['lease']}/done", json={"record_id": record.record_id}
        )
        assert answer.json()["status"] == ("done" if device is phone else "already")
    assert author.get(f"/v1/jobs/{job}").json()["record_id"] == records[0].record_id


def test_a_lease_that_is_renewed_stays(
    server: Server, post: Callable[..., str], phone: Device
) -> None:
    post()
    lease = _next(phone).json()["lease"]
    for _ in range(4):
        time.sleep(0.8)
        assert phone.http.post(f"/v1/leases/{lease}/heartbeat").status_code == 200
    assert _next(enrolled(server)).status_code == 204


def test_a_device_that_asks_again_gets_the_same_lease(
    post: Callable[..., str], phone: Device
) -> None:
    post()
    post()
    first, second = _next(phone).json(), _next(phone).json()
    assert first == second


def test_a_job_that_makes_every_phone_vanish_is_given_up(
    server: Server, author: httpx.Client, post: Callable[..., str], phone: Device
) -> None:
    from mobilebench.server.listen import opened
    from mobilebench.server.tables import LEASES

    job = post(device=phone.alias)
    for _ in range(5):
        assert _next(phone).json()["job"] == job
        with opened(server.settings) as database, database.writing() as connection:
            connection.execute(LEASES.update().where(LEASES.c.state == "open").values(expires=1))
        _next(enrolled(server))  # whoever asks next finds it expired
    assert _next(phone).status_code == 204
    shown = author.get(f"/v1/jobs/{job}").json()
    assert (shown["state"], shown["attempts"]) == ("given_up", 5)


def test_a_device_gives_a_job_back_that_it_cannot_do(
    server: Server, author: httpx.Client, post: Callable[..., str], phone: Device
) -> None:
    job = post()
    lease = _next(phone).json()["lease"]
    reason = {"refused": "hot", "sentence": "It is too hot: wait until it has cooled down."}
    done = f"/v1/leases/{lease}/done"
    assert phone.http.post(done, json=reason).json() == {"status": "done"}
    assert phone.http.post(done, json=reason).json() == {"status": "already"}
    assert _next(phone).status_code == 204, "it is not asked again"
    shown = author.get(f"/v1/jobs/{job}").json()
    assert shown["state"] == "waiting"
    [refused] = shown["refused"]
    assert (refused["device"], refused["word"]) == (phone.alias, "hot")
    assert _next(enrolled(server)).json()["job"] == job


def test_a_job_for_one_device_that_gives_it_back_is_refused(
    author: httpx.Client, post: Callable[..., str], phone: Device
) -> None:
    job = post(device=phone.alias)
    lease = _next(phone).json()["lease"]
    reason = {"refused": "runtime", "sentence": "The runtime is not here."}
    phone.http.post(f"/v1/leases/{lease}/done", json=reason)
    assert author.get(f"/v1/jobs/{job}").json()["state"] == "refused"


def test_jobs_go_to_the_devices_that_their_patterns_name(
    server: Server, post: Callable[..., str]
) -> None:
    pixel = enrolled(server, "shelf-a", model="Pixel 8")
    iphone = enrolled(server, "shelf-b", model="iPhone16,2")
    for_model = post(model="iPhone*")
    for_alias = post(device="shelf-a")
    assert _next(pixel).json()["job"] == for_alias
    assert _next(iphone).json()["job"] == for_model


def test_an_agent_takes_jobs_for_the_devices_that_it_serves(
    server: Server, author: httpx.Client, post: Callable[..., str], phone: Device
) -> None:
    agent = enrolled(server, kind="host", model="A computer")
    device = {"model": "Pixel 8", "os": "Android 16", "kind": "phone", "soc": None}
    name = f"{agent.alias}-pixel"
    assert agent.http.put(f"/v1/devices/{name}", json=device).status_code == 201
    assert agent.http.put(f"/v1/devices/{name}", json=device).status_code == 200
    taken = phone.http.put(f"/v1/devices/{name}", json=device)
    assert (taken.status_code, problem(taken)) == (409, "alias_taken")
    job = post(device=name)
    other = _next(phone, device=name)
    assert (other.status_code, problem(other)) == (403, "other_device")
    lease = _next(agent, device=name).json()
    assert (lease["job"], lease["device"]) == (job, name)
    record = result(agent)
    answer = agent.submit(record, **{"Mobilebench-Lease": lease["lease"]})
    assert answer.json()["lease"] == "done"
    [shown] = [
        each
        for each in server.client().get("/v1/devices").json()["devices"]
        if each["device"] == name
    ]
    assert shown["served_by"] == agent.alias and shown["model"] == "Pixel 8"


def test_a_request_that_waits_gets_a_job_as_soon_as_it_is_posted(
    post: Callable[..., str], phone: Device
) -> None:
    answers: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: answers.append(_next(phone, wait_s=20)))
    waiting.start()
    time.sleep(0.5)
    job = post(device=phone.alias)
    waiting.join(timeout=10)
    assert answers and answers[0].json()["job"] == job


def test_many_devices_at_once_get_each_job_once(server: Server, post: Callable[..., str]) -> None:
    jobs = [post() for _ in range(8)]
    phones = [enrolled(server) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(_next, phones))
    given = [answer.json()["job"] for answer in answers if answer.status_code == 200]
    assert sorted(given) == sorted(jobs)


def test_another_devices_lease_is_not_for_anybody_else(
    server: Server, post: Callable[..., str], phone: Device
) -> None:
    post()
    lease = _next(phone).json()["lease"]
    other = enrolled(server)
    for path, body in (("heartbeat", None), ("done", {"refused": "hot", "sentence": "Hot."})):
        answer = other.http.post(f"/v1/leases/{lease}/{path}", json=body)
        assert (answer.status_code, problem(answer)) == (403, "other_device")


def test_a_removed_job_is_over(
    author: httpx.Client, post: Callable[..., str], phone: Device
) -> None:
    job = post()
    lease = _next(phone).json()["lease"]
    assert author.delete(f"/v1/jobs/{job}").status_code == 204
    late = phone.http.post(f"/v1/leases/{lease}/heartbeat")
    assert (late.status_code, problem(late)) == (410, "lease_over")
    assert problem(author.get(f"/v1/jobs/{job}")) == "not_there"


def test_a_job_posted_again_by_its_id_is_there(author: httpx.Client) -> None:
    wanted = {"files": files_of(author), "job": "nightly-1"}
    assert author.post("/v1/jobs", json=wanted).status_code == 201
    assert author.post("/v1/jobs", json=wanted).status_code == 200
    other = author.post("/v1/jobs", json={**wanted, "device": "elsewhere"})
    assert (other.status_code, problem(other)) == (409, "other_job")


def test_a_job_whose_files_are_missing_or_wrong_is_refused(author: httpx.Client) -> None:
    files = files_of(author)
    missing = author.post("/v1/jobs", json={"files": {**files, "more.bin": "0" * 64}})
    assert (missing.status_code, problem(missing)) == (409, "missing_files")
    for wrong in (
        {name: files[name] for name in ("job.json", "subject.json")},
        {**files, "model.onnx": files["job.json"]},
        {**files, "job.json": files["model.onnx"]},
        {**files, "subject.json": files["job.json"]},
        {"model.onnx": files["model.onnx"], "job.json": files["job.json"]},
    ):
        answer = author.post("/v1/jobs", json={"files": wrong})
        assert (answer.status_code, problem(answer)) == (422, "invalid")


@pytest.mark.parametrize(
    "path", ["../job.json", "/etc/passwd", "a/../../b", "a//b", "C:\\x", "a\0b", "", ".", "a/"]
)
def test_a_path_out_of_the_folder_is_refused(author: httpx.Client, path: str) -> None:
    files = files_of(author)
    answer = author.post("/v1/jobs", json={"files": {**files, path: files["model.onnx"]}})
    assert (answer.status_code, problem(answer)) == (422, "invalid")


def test_a_device_neither_posts_jobs_nor_sends_files(phone: Device) -> None:
    answer = phone.http.post("/v1/jobs", json={"files": {"a": "0" * 64, "b": "0" * 64}})
    assert (answer.status_code, problem(answer)) == (403, "scope")
    answer = phone.http.put(f"/v1/artifacts/{_sha256(b'x')}", content=b"x")
    assert (answer.status_code, problem(answer)) == (403, "scope")


def test_a_device_reads_only_files_of_jobs_that_it_was_given(
    post: Callable[..., str], phone: Device
) -> None:
    post(device="elsewhere")
    answer = phone.http.get(f"/v1/artifacts/{_sha256(MODEL)}")
    assert (answer.status_code, problem(answer)) == (403, "other_device")


def test_pages_of_jobs_go_back_in_time_without_a_gap(
    author: httpx.Client, post: Callable[..., str]
) -> None:
    jobs = [post() for _ in range(5)]
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = author.get("/v1/jobs", params={"limit": 2, **after}).json()
        seen += [job["job"] for job in page["jobs"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert sorted(seen) == sorted(jobs)
    assert len(author.get("/v1/jobs", params={"state": "done"}).json()["jobs"]) == 0
