"""Agents, records and jobs with the real server, in a process that can be killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from mobilebench import plugins
from mobilebench.errors import ServerRefused, UserError
from mobilebench.machine import host
from mobilebench.measuring import job_folder
from mobilebench.server.settings import Limits
from mobilebench.store import signing
from mobilebench.store.documents import Document
from mobilebench.submitting import membership, sending
from mobilebench.submitting.address import Address
from mobilebench.submitting.agent import Agent
from mobilebench.submitting.cache import Cache
from mobilebench.submitting.client import Server, file_sha256
from mobilebench.submitting.errand import Errand
from mobilebench.submitting.membership import Membership
from mobilebench.submitting.outbox import Outbox
from mobilebench.submitting.spool import Sent
from mobilebench.values.artifact import content_sha256
from mobilebench.values.event import EventKind
from mobilebench.values.measurement import Measurement
from mobilebench.values.obstacles import Obstacle
from tests.records import measured
from tests.server.running import Server as Running
from tests.server.running import running
from tests.shelf import Phone, Shelf
from tests.signals import hear_signals
from tests.submitting.lab import (
    LONG_S,
    PATIENCE,
    SIM,
    Heard,
    Lab,
    agent_at_work,
    lab_of,
    special_lab,
)


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "servers"
    monkeypatch.setenv(membership.VARIABLE, str(folder))
    # Another computer for each test: a server takes the aliases of one from that one alone.
    monkeypatch.setenv("MOBILEBENCH_KEY", str(tmp_path / "device.key"))
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a server for all tests here: its start takes longer than most of them."""
    with running(tmp_path_factory.mktemp("server")) as made:
        yield made


@pytest.fixture
def lab(server: Running, tmp_path: Path, servers: Path) -> Lab:
    return lab_of(server, tmp_path)


@pytest.fixture
def mortal(tmp_path: Path, servers: Path) -> Iterator[Lab]:
    """Return a lab whose server may be killed."""
    with special_lab(tmp_path) as made:
        yield made


def _folders(servers: Path) -> list[Path]:
    return [path for path in servers.glob("*/jobs/*") if path.is_dir()]


def _spool(servers: Path) -> list[Path]:
    return list(servers.glob("*/spool/*.json"))


# Jobs.


def test_a_simulated_phone_fetches_a_job_and_its_record_appears(lab: Lab, servers: Path) -> None:
    job = lab.job(device=lab.sim)
    with agent_at_work(lab) as serving:
        done = lab.wait_for(job, "done")
    record = lab.record(done["record_id"])
    assert record.device.id == SIM and isinstance(record.outcome, Measurement)
    assert record.signature is not None
    assert _folders(servers) == [] and _spool(servers) == []
    listed = lab.server.client().get("/v1/devices").json()["devices"]
    [phone] = [each for each in listed if each["device"] == lab.sim]
    assert phone["served_by"] == lab.alias and phone["model"] == "steady"
    assert serving.heard.has(f"{lab.sim}: measures ") and serving.error is None
    assert len(list((lab.folder / "cache").glob("?" * 64))) == len(done["files"])


def test_this_computer_serves_itself_under_the_alias_of_its_enrolment(lab: Lab) -> None:
    job = lab.job()
    with agent_at_work(lab, "host,sim:steady"):
        done = lab.wait_for(job, "done")
    assert lab.record(done["record_id"]).device.id == "host"
    assert [each["device"] for each in done["refused"]] == []


def test_a_computer_that_is_not_enrolled_is_told_how(lab: Lab) -> None:
    membership.keep(lab.address, Membership(lab.token, None, ("jobs",)))
    with pytest.raises(UserError, match="enrol this computer with `mobilebench enrol CODE"):
        Agent(lab.address, lambda: (), signing.device_key(), Heard())


@pytest.mark.slow
def test_a_second_agent_leaves_the_devices_to_the_first(lab: Lab) -> None:
    with agent_at_work(lab) as first:
        first.heard.wait_for("is served")
        with agent_at_work(lab) as second:
            second.heard.wait_for("another agent")
            until = time.monotonic() + LONG_S
            while second.error is None and time.monotonic() < until:
                time.sleep(0.05)
        assert isinstance(second.error, UserError)
        done = lab.wait_for(lab.job(device=lab.sim), "done")
    assert done["attempts"] == 1


def test_a_record_counts_though_its_lease_expired(tmp_path: Path, servers: Path) -> None:
    # No heartbeat comes before the lease is over.
    with special_lab(tmp_path, lease_s=1, heartbeat_s=3600) as lab:
        job = lab.job(min_duration_ns=2 * 10**9, rounds=1)
        with agent_at_work(lab, "host") as serving:
            done = lab.wait_for(job, "done")
            serving.heard.wait_for("measures")
        assert lab.record(done["record_id"]).device.id == "host"
        assert _spool(servers) == [] and serving.error is None


def test_the_agent_is_told_of_a_lease_that_is_over_and_finishes(
    tmp_path: Path, servers: Path
) -> None:
    with special_lab(tmp_path, lease_s=60, heartbeat_s=1) as lab:
        job = lab.job(min_duration_ns=3 * 10**9, rounds=1)
        with agent_at_work(lab, "host") as serving:
            serving.heard.wait_for("measures")
            with lab.server.client(lab.server.token("admin")) as admin:
                assert admin.delete(f"/v1/jobs/{job}").status_code == 204
            serving.heard.wait_for("the lease is over")
            until = time.monotonic() + LONG_S
            while _folders(servers) and time.monotonic() < until:
                time.sleep(0.1)
            assert _folders(servers) == []
            serving.heard.wait_for("the server has the record ")
        [line] = [line for line in serving.heard.lines if "the server has the record" in line]
        assert lab.record(line.split()[-1]).device.id == "host"


def test_ctrl_c_gives_the_job_back_at_once_and_the_next_agent_does_it(
    lab: Lab, servers: Path
) -> None:
    job = lab.job(min_duration_ns=3 * 10**9, rounds=2)
    with agent_at_work(lab, "host") as serving:
        serving.heard.wait_for("measures")
    assert serving.heard.has("back: The agent was stopped.")
    assert lab.state(job)["state"] == "waiting" and _folders(servers) == []
    with agent_at_work(lab, "host"):
        done = lab.wait_for(job, "done")
    assert [each["word"] for each in done["refused"]] == ["stopped"]


def test_an_agent_that_waits_for_a_job_ends_at_once(lab: Lab) -> None:
    with agent_at_work(lab) as serving:
        serving.heard.wait_for("is served")
        time.sleep(0.3)
        began = time.monotonic()
        serving.agent.stop()
        assert time.monotonic() - began < 0.9, "it does not wait for the end of the request"


def _killed_in_the_middle(lab: Lab, job: str) -> None:
    """Start an agent as a program, and kill it and its children while it measures."""
    program = _program(lab)
    until = time.monotonic() + LONG_S
    while True:
        journals = list(lab.folder.glob("servers/*/jobs/*/journal.jsonl"))
        if journals and b'"round_ended":0' in journals[0].read_bytes():
            break
        assert time.monotonic() < until and program.poll() is None
        time.sleep(0.05)
    children = psutil.Process(program.pid).children(recursive=True)
    program.kill()
    for child in children:
        child.kill()
    program.wait()
    assert program.stderr is not None
    program.stderr.close()
    assert lab.state(job)["state"] == "leased"


def _program(lab: Lab, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "mobilebench", "agent", "--server", lab.server.url),
            *(words or ("--device", "host")),
        ],
        env={**os.environ, "XDG_CACHE_HOME": str(lab.folder / "xdg")},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_signals,
    )


def test_an_agent_that_is_killed_goes_on_with_its_job(lab: Lab, servers: Path) -> None:
    job = lab.job(min_duration_ns=10**9, rounds=3)
    _killed_in_the_middle(lab, job)
    [folder] = _folders(servers)
    assert (folder / "journal.jsonl").exists()
    with agent_at_work(lab, "host") as serving:
        done = lab.wait_for(job, "done")
    assert serving.heard.has(f"goes on with job {job}")
    outcome = lab.record(done["record_id"]).outcome
    assert isinstance(outcome, Measurement) and not outcome.cut_off
    assert EventKind.RESUMED in {event.kind for event in outcome.events}
    assert done["attempts"] == 1 and _folders(servers) == []


@pytest.mark.slow
def test_a_job_that_was_given_to_others_meanwhile_is_given_up(lab: Lab, servers: Path) -> None:
    job = lab.job(min_duration_ns=10**9, rounds=3)
    _killed_in_the_middle(lab, job)
    with lab.server.client(lab.server.token("admin")) as admin:
        assert admin.delete(f"/v1/jobs/{job}").status_code == 204
    with agent_at_work(lab, "host") as serving:
        serving.heard.wait_for("gives up")
    assert _folders(servers) == []


def test_a_record_that_was_ready_when_the_agent_was_killed_is_sent(lab: Lab, servers: Path) -> None:
    job = lab.job()
    member = membership.require(lab.address)
    with Server(lab.address, member.token, PATIENCE) as client:
        lease = client.next_job([lab.alias], 5)
        assert lease is not None
        [root] = servers.iterdir()
        errand = Errand.of(lease, root / "jobs")
        errand.fill(client, Cache(lab.folder / "cache"), str, threading.Event())
    ready = plugins.runner("host").perform("host", errand.folder)
    with agent_at_work(lab, "host") as serving:
        done = lab.wait_for(job, "done")
    assert done["record_id"] == ready.record_id and not serving.heard.has("measures")


def test_a_job_that_no_runtime_here_can_do_goes_back_with_the_reason(lab: Lab) -> None:
    folder = lab.write()
    plain = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps({**plain, "compute_unit": "npu"}))
    with lab.person() as client:
        job = sending.send(client, folder, lab.alias)
    with agent_at_work(lab, "host"):
        refused = lab.wait_for(job, "refused")
    [reason] = refused["refused"]
    assert reason["word"] == "cannot" and "compute unit npu" in reason["sentence"]
    assert str(lab.folder) not in json.dumps(refused), "no places of this computer"


@pytest.mark.parametrize("name", ["net.mlpackage", "net.onnx"])
def test_a_model_of_several_files_arrives_whole(lab: Lab, name: str) -> None:
    folder = lab.write()
    plain = json.loads((folder / "job.json").read_text())
    model = folder / name
    if name.endswith(".mlpackage"):
        (model / "Data" / "a-b").mkdir(parents=True)
        (model / "Data" / "a-b" / "weights.bin").write_bytes(b"weights")
        (model / "Data" / "a").write_bytes(b"")
        (model / "Manifest.json").write_text("{}")
    else:
        model.write_bytes(b"graph")
        (folder / f"{name}.data").write_bytes(b"weights")
    _name_model(folder, name)
    (folder / plain["model_file"]).unlink()
    job_folder.read(folder).require_files()
    with lab.person() as client:
        sending.send(client, folder, lab.alias)
    with Server(lab.address, membership.require(lab.address).token, PATIENCE) as client:
        lease = client.next_job([lab.alias], 5)
        assert lease is not None
        errand = Errand.of(lease, lab.folder / "errands")
        given = errand.fill(client, Cache(lab.folder / "cache"), str, threading.Event())
        client.give_back(lease.id, "cannot", "A test has what it wants.")
    assert content_sha256(given.model_path) == content_sha256(model)


def _name_model(folder: Path, name: str) -> None:
    """Let a job be about a file that lies in its folder."""
    for document, keys in (("job.json", ()), ("subject.json", ("artifact",))):
        plain = inner = json.loads((folder / document).read_text())
        for key in keys:
            inner = inner[key]
        sha256 = content_sha256(folder / name)
        inner.update({"sha256": sha256} if keys else {"model_file": name, "model_sha256": sha256})
        (folder / document).write_text(json.dumps(plain))


@pytest.mark.parametrize("path", ["record.json", "journal.jsonl", ".lock", "no-record.txt"])
def test_a_job_that_comes_with_what_a_device_writes_is_given_back(lab: Lab, path: str) -> None:
    folder = lab.write()
    with lab.person() as client:
        given = job_folder.read(folder)
        files = {name: file_sha256(file) for name, file in sending.files_of(given).items()}
        for name, sha256 in files.items():
            client.upload(folder / name, sha256)
        job = client.add_job(uuid.uuid4().hex, {**files, path: files["job.json"]}, lab.alias, None)
    with agent_at_work(lab, "host") as serving:
        refused = lab.wait_for(job, "refused")
    assert "which only a device writes" in refused["refused"][0]["sentence"]
    assert not serving.heard.has("measures")


@pytest.mark.slow
def test_a_file_of_the_cache_that_was_changed_is_fetched_again(lab: Lab) -> None:
    first = lab.job()
    with agent_at_work(lab, "host"):
        lab.wait_for(first, "done")
        for file in (lab.folder / "cache").glob("?" * 64):
            file.unlink()
            file.write_bytes(b"changed")
        folder = next(path for path in lab.folder.glob("job-*") if path.is_dir())
        with lab.person() as client:
            second = sending.send(client, folder, lab.alias)
        done = lab.wait_for(second, "done")
    assert lab.record(done["record_id"]).outcome.kind == "measurement"


@pytest.mark.slow
def test_a_disk_without_room_for_the_files_of_a_job_only_delays_it(lab: Lab) -> None:
    (lab.folder / "cache").write_text("in the way")
    job = lab.job()
    with agent_at_work(lab, "host") as serving:
        serving.heard.wait_for("back: Could not write")
        (lab.folder / "cache").unlink()
        done = lab.wait_for(job, "done")
    assert {each["word"] for each in done["refused"]} == {"unusable"}
    assert str(lab.folder) not in str(done["refused"])


def test_a_spool_that_takes_nothing_costs_no_record_while_the_server_is_there(
    lab: Lab, servers: Path
) -> None:
    job = lab.job()
    [folder] = servers.iterdir()
    (folder / "spool").write_text("in the way")
    with agent_at_work(lab, "host"):
        done = lab.wait_for(job, "done")
    assert lab.record(done["record_id"]).outcome.kind == "measurement"
    assert _folders(servers) == []


@pytest.mark.slow
def test_a_runtime_that_refuses_the_model_is_a_result(lab: Lab) -> None:
    folder = lab.write()
    model = folder / json.loads((folder / "job.json").read_text())["model_file"]
    model.write_bytes(b"no model")
    _name_model(folder, model.name)
    with lab.person() as client:
        job = sending.send(client, folder, lab.sim)
    with agent_at_work(lab):
        done = lab.wait_for(job, "done")
    assert lab.record(done["record_id"]).outcome.kind == "failure"


def test_a_phone_that_becomes_unusable_is_told_and_gets_no_job_until_it_can_be_used(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Phone("adb:SERIAL123", why_not=(Obstacle.HOT,))
    Shelf(phone).use(monkeypatch)
    with agent_at_work(lab, "adb:SERIAL123") as serving:
        serving.heard.wait_for("cannot be used now: It is too hot")
        job = lab.job(device="scripted-phone-*")
        time.sleep(0.5)
        assert lab.state(job)["state"] == "waiting"
        with lab.server.client(lab.server.token("admin")) as admin:
            assert admin.delete(f"/v1/jobs/{job}").status_code == 204
        phone.why_not = ()
        serving.heard.wait_for("can be used again")
    assert sum("too hot" in line for line in serving.heard.lines) == 1, "once, not at each look"
    assert not serving.heard.has("SERIAL123")
    listed = lab.server.client().get("/v1/devices").text
    assert "scripted-phone-" in listed and "SERIAL123" not in listed


@pytest.mark.slow
def test_a_phone_that_is_plugged_in_later_is_served(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = Phone("adb:ONE"), Phone("adb:TWO", model="Later phone", attached=False)
    Shelf(one, two).use(monkeypatch)
    with agent_at_work(lab, "all") as serving:
        serving.heard.wait_for("scripted-phone")
        two.attached = True
        serving.heard.wait_for("later-phone")
    assert "later-phone-" in lab.server.client().get("/v1/devices").text


def test_a_revoked_token_ends_the_agent_and_costs_no_measurement(lab: Lab, servers: Path) -> None:
    job = lab.job(min_duration_ns=2 * 10**9, rounds=1)
    token = membership.require(lab.address).token
    with agent_at_work(lab, "host") as serving:
        serving.heard.wait_for("measures")
        with lab.server.client(lab.server.token("admin")) as admin:
            assert admin.delete(f"/v1/tokens/{token.split('_')[1]}").status_code == 204
        serving.heard.wait_for("the record is kept")
        until = time.monotonic() + LONG_S
        while serving.error is None and time.monotonic() < until:
            time.sleep(0.05)
    assert isinstance(serving.error, ServerRefused) and serving.error.status == 401
    assert not serving.heard.has(token) and token not in str(serving.error)
    [waiting] = _spool(servers)
    with lab.server.client(lab.server.token("admin")) as admin:
        assert admin.delete(f"/v1/devices/{lab.alias}").status_code == 204
    lab.enrol()
    outbox = Outbox(lab.address, PATIENCE)
    outbox.close()
    assert outbox.sent.added == 1 and not waiting.exists(), outbox.sentences()
    assert lab.state(job)["state"] in ("leased", "waiting", "done")


# A server that dies.


@pytest.mark.slow
def test_a_server_that_is_away_while_a_phone_measures_gets_the_record_later(
    mortal: Lab, servers: Path
) -> None:
    job = mortal.job(min_duration_ns=2 * 10**9, rounds=1)
    with agent_at_work(mortal, "host") as serving:
        serving.heard.wait_for("measures")
        mortal.server.stop(signal.SIGKILL)
        serving.heard.wait_for("It is tried again")
        assert len(_spool(servers)) == 1
        mortal.server.start()
        serving.heard.wait_for("the server is there again")
        done = mortal.wait_for(job, "done")
    assert mortal.record(done["record_id"]).device.id == "host" and _spool(servers) == []


def test_a_server_that_is_killed_in_an_upload_gets_the_rest(
    mortal: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(os.urandom(24 << 20))
    sha256 = file_sha256(path)
    monkeypatch.setattr("mobilebench.submitting.client._CHUNK", 2 << 20)
    seen: list[int] = []

    def killed(offset: int) -> None:
        seen.append(offset)
        if offset > 8 << 20 and len([each for each in seen if each > 8 << 20]) == 1:
            mortal.server.stop(signal.SIGKILL)
            threading.Thread(target=mortal.server.start).start()

    with mortal.person() as client:
        client.upload(path, sha256, killed)
        assert seen == sorted(seen), "nothing was sent twice"
        there = tmp_path / "there"
        client.download(sha256, 24 << 20, there)
    assert file_sha256(there) == sha256


def test_a_server_that_is_killed_in_a_batch_has_every_record(mortal: Lab, servers: Path) -> None:
    outbox = Outbox(mortal.address, PATIENCE)
    documents = [
        Document.of(signing.sign(measured(record_id=uuid.uuid4().hex))) for _ in range(300)
    ]
    outbox.put_all(documents)
    stop = threading.Event()

    def kill() -> None:
        while not stop.wait(0.4):
            mortal.server.stop(signal.SIGKILL)
            mortal.server.start()
            return

    thread = threading.Thread(target=kill)
    thread.start()
    outbox.close()
    stop.set()
    thread.join()
    assert outbox.complete, outbox.sentences()
    assert outbox.sent.added + outbox.sent.there == 300
    for document in documents:
        assert mortal.record(document.record.record_id) == document.record
    assert _spool(servers) == []


# What the server limits and refuses.


def test_limits_of_the_server_lose_nothing(tmp_path: Path, servers: Path) -> None:
    limits = Limits(requests_per_s=5, requests_at_once=5, sent_bytes=20_000, batch_bytes=40_000)
    with special_lab(tmp_path, limits=limits) as lab:
        outbox = Outbox(lab.address, PATIENCE)
        documents = [
            Document.of(signing.sign(measured(record_id=uuid.uuid4().hex))) for _ in range(24)
        ]
        outbox.put_all(documents)
        outbox.close()
        assert outbox.complete and outbox.sent == Sent(added=24), outbox.sentences()


def test_a_record_of_another_key_is_set_apart_with_the_reason(lab: Lab, servers: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    foreign = signing.sign(measured(record_id=uuid.uuid4().hex), Ed25519PrivateKey.generate())
    unsigned = measured(record_id=uuid.uuid4().hex)
    mine = signing.sign(measured(record_id=uuid.uuid4().hex))
    outbox = Outbox(lab.address, PATIENCE)
    outbox.put_all(map(Document.of, (foreign, unsigned, mine)))
    outbox.close()
    assert outbox.sent.added == 1 and len(outbox.sent.refused) == 2
    assert len(list(outbox.spool.refused_folder.glob("*.txt"))) == 2 and _spool(servers) == []


def test_another_record_with_the_same_id_is_set_apart(lab: Lab) -> None:
    id_ = uuid.uuid4().hex
    one = signing.sign(measured(record_id=id_))
    other = signing.sign(measured(record_id=id_, latencies_ns=(9, 8, 7, 6)))
    outbox = Outbox(lab.address, PATIENCE)
    outbox.put(Document.of(one))
    outbox.put(Document.of(one))
    outbox.put(Document.of(other))
    outbox.close()
    assert (outbox.sent.added, outbox.sent.there) == (1, 1)
    assert len(outbox.sent.refused) == 1 and "id" in outbox.sent.refused[0]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_off_loses_no_record(lab: Lab, hours: int) -> None:
    from datetime import UTC, datetime, timedelta

    then = datetime.now(UTC) + timedelta(hours=hours)
    created = then.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = signing.sign(measured(record_id=uuid.uuid4().hex, created=created))
    outbox = Outbox(lab.address, PATIENCE)
    outbox.put(Document.of(record))
    outbox.close()
    assert outbox.sent == Sent(added=1)
    assert lab.record(record.record_id).created == created


def test_a_code_is_good_once_and_not_for_another_computer(lab: Lab) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    code, key = lab.code("shelf-2"), Ed25519PrivateKey.generate()
    with Server(lab.address, None, PATIENCE) as client:
        first = client.enrol(f"{code[:4].lower()}-{code[4:]}", key, host.host_device())
        again = client.enrol(code, key, host.host_device())
        assert first.device == again.device == "shelf-2" and first.token != again.token
        with pytest.raises(ServerRefused) as error:
            client.enrol(code, Ed25519PrivateKey.generate(), host.host_device())
        assert error.value.code == "code_over"
        with pytest.raises(ServerRefused) as error:
            client.enrol("AAAAAAAA", key, host.host_device())
        assert error.value.code == "no_code"


def test_a_way_that_loses_bytes_is_no_trouble(lab: Lab, servers: Path) -> None:
    with _lossy(lab.server.settings.port) as port:
        address = Address("http", "127.0.0.1", port)
        membership.keep(address, membership.require(lab.address))
        outbox = Outbox(address, PATIENCE)
        outbox.put_all(
            Document.of(signing.sign(measured(record_id=uuid.uuid4().hex))) for _ in range(200)
        )
        outbox.close()
        assert outbox.complete, outbox.sentences()
    assert outbox.sent.added + outbox.sent.there == 200


@contextmanager
def _lossy(port: int) -> Iterator[int]:
    """Forward connections, and break each of the first ones after more and more bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    limits = iter([0, 100, 1_000, 4_000])
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", port))
            limit = next(limits, None)
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, target, limit), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        listener.close()
        thread.join(5)


def _pump(source: socket.socket, target: socket.socket, limit: int | None) -> None:
    left = limit
    try:
        while part := source.recv(1 << 16):
            if left is not None:
                part, left = part[:left], left - len(part)
            target.sendall(part)
            if left is not None and left <= 0:
                break
    except OSError:
        pass
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
