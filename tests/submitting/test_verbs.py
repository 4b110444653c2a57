"""The verbs of a computer and its server, as people type them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from mobilebench.cli import app, submit
from mobilebench.errors import SchemaError
from mobilebench.store import RecordStore
from tests.conftest import Ran
from tests.foreign import convolution
from tests.records import measured
from tests.server.running import free_port
from tests.signals import hear_signals

_LONG_S = 90


class Lab:
    """A folder in which a server runs, and in which a person types commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.env = {
            **os.environ,
            "MOBILEBENCH_STORE": str(folder / "records.sqlite"),
            "MOBILEBENCH_SERVERS": str(folder / "servers"),
            "MOBILEBENCH_KEY": str(folder / "device.key"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "COLUMNS": "200",
        }
        self.programs: list[subprocess.Popen[str]] = []

    def run(self, *words: str | Path, **env: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "mobilebench", *map(str, words)],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def begin(self, *words: str) -> subprocess.Popen[str]:
        log = (self.folder / f"{words[0]}.log").open("w")
        with log:
            program = subprocess.Popen(
                [sys.executable, "-m", "mobilebench", *words],
                cwd=self.folder,
                env=self.env,
                stdout=subprocess.DEVNULL,
                stderr=log,
                text=True,
                preexec_fn=hear_signals,
            )
        self.programs.append(program)
        return program

    def log(self, verb: str) -> str:
        return (self.folder / f"{verb}.log").read_text()

    def serve(self) -> subprocess.Popen[str]:
        port = self.url.rpartition(":")[2]
        program = self.begin("serve", "--port", port, "--store", "server.sqlite")
        self.until(lambda: self.get("/health"), "serve", program)
        return program

    def page(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=30) as answer:
            assert answer.headers.get_content_type() == "text/html"
            text: str = answer.read().decode()
            return text

    def get(self, path: str) -> Any:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
                return json.loads(answer.read())
        except (OSError, ValueError):
            return None

    def until(self, true: Callable[[], object], verb: str, program: subprocess.Popen[str]) -> None:
        end = time.monotonic() + _LONG_S
        while not true():
            assert time.monotonic() < end and program.poll() is None, self.log(verb)
            time.sleep(0.1)

    def enrol(self) -> Ran:
        made = self.run("server", "enrol", "--alias", "shelf-1", "--store", "server.sqlite")
        assert made.code == 0, made.stderr
        code = re.search(r"\b[2-9A-HJ-NP-Z]{8}\b", made.stdout)
        assert code, made.stdout
        return self.run("enrol", code[0], "--server", self.url)

    def token(self, *scopes: str) -> str:
        words = [word for scope in scopes for word in ("--scope", scope)]
        made = self.run("server", "token", *words, "--store", "server.sqlite")
        assert made.code == 0, made.stderr
        return made.stdout.strip()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    yield made
    for program in made.programs:
        if program.poll() is None:
            program.terminate()
            program.wait(30)


def test_a_walk_from_a_fresh_folder_to_a_record_that_a_simulated_phone_measured(lab: Lab) -> None:
    lab.serve()
    enrolled = lab.enrol()
    assert enrolled.code == 0 and "as shelf-1 (jobs, submit)" in enrolled.stderr, enrolled.stderr
    [token] = (lab.folder / "servers").glob("*/token.json")
    assert token.stat().st_mode & 0o077 == 0
    secret = json.loads(token.read_text())["token"]

    # Whoever queues jobs is somebody else, with a token from a file.
    (lab.folder / "person.txt").write_text(lab.token("jobs"))
    person = {"MOBILEBENCH_SERVERS": str(lab.folder / "person"), "MOBILEBENCH_SERVER": lab.url}
    taken = lab.run("enrol", "--token-file", "person.txt", **person)
    assert taken.code == 0 and "(jobs) kept" in taken.stderr, taken.stderr
    convolution(lab.folder / "net.onnx", sizes=(1, 3, 16, 16))
    sent = lab.run("job", "send", "net.onnx", "--protocol", "smoke-1", **person)
    assert sent.code == 0 and "1 job queued" in sent.stderr, sent.stderr

    agent = lab.begin("agent", "--server", lab.url, "--device", "sim:steady")
    lab.until(lambda: "the server has the record" in lab.log("agent"), "agent", agent)
    agent.send_signal(signal.SIGINT)
    assert agent.wait(30) == 130
    log = lab.log("agent")
    assert re.search(r"^\d\d:\d\d:\d\d steady-[0-9a-f]{8}: measures net", log, re.MULTILINE)
    assert "Traceback" not in log and secret not in log and secret not in lab.log("serve")
    id_ = re.search(r"has the record (\w+)", log)
    assert id_
    record = lab.get(f"/v1/records/{id_[1]}")
    assert record["device"]["id"] == "sim:steady" and record["outcome"]["kind"] == "measurement"
    assert "net" in lab.page("/") and "steady" in lab.page("/")
    assert "steady" in lab.page(f"/record/{id_[1]}")
    shown = lab.run("leaderboard", "--store", "server.sqlite")
    assert "net" in shown.stdout and "steady" in shown.stdout, shown.stderr


def test_bench_sends_what_it_measures_and_a_server_that_is_away_costs_nothing(lab: Lab) -> None:
    server = lab.serve()
    assert lab.enrol().code == 0
    net = convolution(lab.folder / "net.onnx", sizes=(1, 3, 16, 16))
    words = ("bench", net, "--protocol", "smoke-1", "--json", "--submit", lab.url)
    done = lab.run(*words)
    assert done.code == 0 and f"1 record sent: {lab.url}" in done.stderr, done.stderr
    [record] = json.loads(done.stdout)
    assert lab.get(f"/v1/records/{record['record_id']}") == record
    server.terminate()
    server.wait(30)
    away = lab.run(*words, "-d", "sim:steady,sim:quick")
    assert away.code == 0 and "2 records kept in" in away.stderr, away.stderr
    stored = lab.run("store", "check")
    assert "3 documents" in stored.stderr
    lab.serve()
    later = lab.run("submit", "--server", lab.url)
    assert later.code == 0 and "2 records sent" in later.stderr, later.stderr
    everything = lab.run("submit", "store:", "--server", lab.url)
    assert everything.code == 0 and "0 records sent, 3 there already" in everything.stderr


def test_submit_takes_files_folders_of_jobs_and_of_records(lab: Lab) -> None:
    lab.serve()
    assert lab.enrol().code == 0
    net = convolution(lab.folder / "net.onnx", sizes=(1, 3, 16, 16))
    assert lab.run("job", "write", net, "job", "--protocol", "smoke-1").code == 0
    early = lab.run("submit", "job", "--server", lab.url)
    assert early.code == 2 and "without a record; do it with `mobilebench job run" in early.stderr
    assert lab.run("job", "run", "job").code == 0
    (lab.folder / "records").mkdir()
    record = json.loads((lab.folder / "job" / "record.json").read_text())
    (lab.folder / "records" / "one.json").write_text(json.dumps([record]))
    done = lab.run("submit", "job", "records", "records/one.json", "--server", lab.url)
    assert done.code == 0 and "1 record sent" in done.stderr, done.stderr
    record["outcome"]["samples"]["latency_ns"][-1] //= 2
    (lab.folder / "records" / "one.json").write_text(json.dumps(record))
    changed = lab.run("submit", "records", "--server", lab.url)
    assert changed.code == 2 and "does not match its signature" in changed.stderr


def test_all_records_are_read_before_any_is_sent(tmp_path: Path) -> None:
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add(measured())
    (tmp_path / "cut.json").write_text("[")
    sources = ["store:", str(tmp_path / "cut.json")]
    documents = submit._documents(sources, str(tmp_path / "records.sqlite"))
    with pytest.raises(SchemaError, match="cut.json is not JSON"):
        next(documents)
    [document] = submit._documents(sources[:1], str(tmp_path / "records.sqlite"))
    assert document.record == measured()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("submit", "--server", "http://bench.example.org"), "write https://"),
        (("submit", "--server", "https://bench.example.org"), "has no token of https://bench"),
        (("submit",), "No server is named"),
        (("submit", "x.json", "--store", "s", "--server", "http://[::1]"), "--store is for record"),
        (("enrol", "--server", "http://127.0.0.1:9"), "either a code or --token-file"),
        (("enrol", "ABC", "--token-file", "t", "--server", "http://[::1]"), "and not both"),
        (("enrol", "--token-file", "gone", "--server", "http://[::1]"), "cannot be read"),
        (("enrol", "7K3MPQ9X", "--server", "https://u:p@bench.example.org"), "holds a name or a "),
        (("agent", "--device", "host", "--server", "https://x.example.org"), "has no token of"),
        (("job", "send", "x.onnx", "--server", "https://x.example.org"), "has no token of"),
        (("bench", "x.onnx", "--submit", "http://bench.example.org"), "write https://"),
        (("bench", "x.onnx", "--submit", "https://bench.example.org"), "has no token of"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.setenv("MOBILEBENCH_SERVERS", str(tmp_path / "servers"))
    monkeypatch.delenv("MOBILEBENCH_SERVER", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as error:
        get_command(app).main(list(words), prog_name="mobilebench")
    assert error.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ") and sentence in line
    assert list(tmp_path.iterdir()) == []


def test_a_token_that_is_no_token_is_not_shown(lab: Lab) -> None:
    (lab.folder / "t").write_text("my secret\nin two lines")
    done = lab.run("enrol", "--token-file", "t", "--server", "http://127.0.0.1:9")
    assert done.code == 2 and "holds no token" in done.stderr and "secret" not in done.stderr
