"""A server with a computer enrolled, its agent in a thread, and a person who queues jobs."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mobilebench.inspecting import given as given_files
from mobilebench.machine import host
from mobilebench.measuring import devices, job_folder
from mobilebench.measuring.setting import Setting, job_alone
from mobilebench.observer import Progress, SilentProgress
from mobilebench.store import signing
from mobilebench.submitting import membership, sending
from mobilebench.submitting.address import Address
from mobilebench.submitting.agent import Agent, Waits
from mobilebench.submitting.alias import alias
from mobilebench.submitting.cache import Cache
from mobilebench.submitting.client import Server
from mobilebench.submitting.membership import Membership
from mobilebench.submitting.patience import Patience
from mobilebench.values import wire
from mobilebench.values.job import Limits as JobLimits
from mobilebench.values.protocol import protocol
from mobilebench.values.record import Record
from tests.foreign import convolution
from tests.server.running import Server as Running
from tests.server.running import running

PATIENCE = Patience(total_s=30.0, first_s=0.05, most_s=0.5)
WAITS = Waits(poll_s=1, look_s=0.1, list_s=0.5, away_s=0.2, pause_s=0.1)
SIM = "sim:steady"
LONG_S = 60


@dataclass
class Lab:
    """A server with this computer enrolled, and a person who queues jobs."""

    server: Running
    folder: Path
    token: str
    """Of the person."""
    alias: str
    """Of this computer."""

    @property
    def address(self) -> Address:
        return Address.parse(self.server.url)

    def person(self) -> Server:
        return Server(self.address, self.token, PATIENCE)

    @property
    def sim(self) -> str:
        """The alias of the simulated phone."""
        return alias("steady", SIM, signing.device_key())

    def code(self, alias: str) -> str:
        with self.server.client(self.server.token("admin")) as admin:
            made = admin.post("/v1/enrolments", json={"alias": alias})
        assert made.status_code == 201, made.text
        return str(made.json()["code"])

    def enrol(self) -> None:
        with Server(self.address, None, PATIENCE) as client:
            code, key = self.code(self.alias), signing.device_key()
            enrolment = client.enrol(code, key, host.host_device())
        member = Membership(enrolment.token, enrolment.device, enrolment.scopes)
        membership.keep(self.address, member)

    def job(self, device: str | None = None, **protocol_changes: Any) -> str:
        """Queue a job for a device, by default this computer."""
        with self.person() as client:
            return sending.send(client, self.write(**protocol_changes), device or self.alias)

    def write(self, **protocol_changes: Any) -> Path:
        """Write the folder of a job of a small network."""
        folder = self.folder / f"job-{uuid.uuid4().hex[:6]}"
        model = convolution(self.folder / f"{folder.name}.onnx", sizes=(1, 3, 16, 16))
        [artifact] = given_files.open_artifacts([model], [])
        setting = Setting(device_id="host", protocol=protocol("smoke-1"), threads=(1,))
        job_folder.write(artifact, job_alone(artifact, setting, JobLimits()), folder)
        if protocol_changes:
            plain = json.loads((folder / "job.json").read_text())
            plain["protocol"] |= protocol_changes
            (folder / "job.json").write_text(json.dumps(plain))
        return folder

    def state(self, job: str) -> dict[str, Any]:
        with self.person() as client:
            return client.job(job)

    def wait_for(self, job: str, *states: str) -> dict[str, Any]:
        until = time.monotonic() + LONG_S
        while (plain := self.state(job))["state"] not in states:
            assert time.monotonic() < until, plain
            time.sleep(0.1)
        return plain

    def record(self, id_: str) -> Record:
        answer = self.server.client().get(f"/v1/records/{id_}")
        assert answer.status_code == 200, answer.text
        return wire.loads(Record, answer.content)


def lab_of(server: Running, tmp_path: Path) -> Lab:
    token = server.token("jobs", "submit")
    made = Lab(server, tmp_path, token, f"computer-{uuid.uuid4().hex[:6]}")
    made.enrol()
    return made


@contextmanager
def special_lab(tmp_path: Path, **settings: Any) -> Iterator[Lab]:
    """Run a server with other settings, or one to be killed."""
    (tmp_path / "server").mkdir()
    with running(tmp_path / "server", **settings) as made:
        yield lab_of(made, tmp_path)


@dataclass
class Heard:
    """An account that keeps what was said."""

    lines: list[str] = field(default_factory=list)

    def say(self, device: str, sentence: str) -> None:
        self.lines.append(f"{device}: {sentence}")

    def progress(self, device: str) -> Progress:
        return SilentProgress()

    def has(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def wait_for(self, words: str) -> None:
        until = time.monotonic() + LONG_S
        while not self.has(words):
            assert time.monotonic() < until, self.lines
            time.sleep(0.02)


@dataclass
class Serving:
    """An agent at work in a thread."""

    agent: Agent
    heard: Heard
    error: BaseException | None = None

    def run(self) -> None:
        try:
            self.agent.run()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error


@contextmanager
def agent_at_work(lab: Lab, text: str = SIM) -> Iterator[Serving]:
    heard = Heard()
    agent = Agent(
        lab.address,
        lambda: devices.fitting(text),
        signing.device_key(),
        heard,
        waits=WAITS,
        cache=Cache(lab.folder / "cache"),
    )
    serving = Serving(agent, heard)
    thread = threading.Thread(target=serving.run)
    thread.start()
    try:
        yield serving
    finally:
        agent.stop()
        thread.join(LONG_S)
        assert not thread.is_alive()
