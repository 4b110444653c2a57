"""Measure how many records a second the server takes, beside a plain form of it.

    python benchmarks/ingest.py --table docs/server-speed.md --minutes 10

Four clients send records of 1,000 samples, which were signed before. The plain form is what one
writes in an hour: the same framework, `json.loads`, one row of JSON in one table; it verifies
nothing. All forms take turns on empty databases, so that a busy machine is busy for all of them.
PostgreSQL and SQLite write through to the disk.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa
import zstandard

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import made_records  # noqa: E402
import tables  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402

from mobilebench import files  # noqa: E402
from mobilebench.server.settings import Limits, Settings  # noqa: E402
from mobilebench.store import RecordStore, signing  # noqa: E402
from mobilebench.values import wire  # noqa: E402
from tests.postgres import Postgres  # noqa: E402
from tests.server.running import Server, free_port  # noqa: E402

TITLE = "# How fast the server takes records"
EXPLAINED = """\
Written by `benchmarks/ingest.py` on {machine} with {cores} cores, on which the clients run as well:
{rounds} rounds in which every form takes its turn, {count} signed records of {samples} samples in
each, sent by {clients} clients. *CPU* is what the server's processes used for a record. The *plain*
form is the same framework with `json.loads` and one table of JSON, without any check. The target is
{goal} records a second. In parentheses: the least and the most of the rounds. Every record that was
acknowledged was in the store afterwards, in each round."""
HEAD = ("form", "how it is sent", "records/s", "ratio to plain", "CPU, ms a record")
SAMPLES, CLIENTS, GOAL, BATCH = 1000, 4, 300, 50
_FREE = Limits(requests_per_s=1e5, requests_at_once=100_000)
ONE, MANY = "one by one", f"batches of {BATCH}, zstd"


@dataclass(frozen=True)
class Form:
    """A server on one database."""

    database: str
    plain: bool

    @property
    def name(self) -> str:
        return f"{'plain' if self.plain else 'mobilebench'} on {self.database}"


@dataclass
class Turn:
    """What one form did in one round."""

    rate: float
    cpu_ms: float


def bodies(count: int) -> list[bytes]:
    """Return signed records as a device sends them."""
    key = Ed25519PrivateKey.generate()
    records = (made_records.record(number, SAMPLES) for number in range(count))
    return [wire.dumps(signing.sign(record, key)).encode() for record in records]


def plain_server(url: str, port: int, workers: int) -> None:
    """Serve the plain form until it is told to stop."""
    import uvicorn

    from mobilebench.server.listen import Prompt

    os.environ["PLAIN"] = url
    sys.path.insert(0, str(HERE))
    uvicorn.run(
        "ingest:plain_app",
        factory=True,
        port=port,
        workers=workers,
        log_level="error",
        http=Prompt,
    )


def plain_app() -> Any:
    """Return the plain form: JSON in, a row for each."""
    from fastapi import FastAPI, Request
    from starlette.concurrency import run_in_threadpool

    engine = sa.create_engine(os.environ["PLAIN"])
    table = sa.Table(
        "plain",
        sa.MetaData(),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("body", sa.JSON),
    )

    def insert(rows: list[dict[str, Any]]) -> None:
        with engine.begin() as connection:
            connection.execute(sa.insert(table), rows)

    app = FastAPI()

    async def take(request: Request) -> dict[str, int]:
        body = await request.body()
        if request.headers.get("content-encoding") == "zstd":
            body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
        documents = [json.loads(line) for line in body.splitlines()]
        rows = [{"id": each["record_id"], "body": each} for each in documents]
        await run_in_threadpool(insert, rows)
        return {"taken": len(rows)}

    take.__annotations__["request"] = Request
    app.post("/v1/records")(take)
    return app


def client(
    port: int, token: str, requests: Sequence[tuple[bytes, dict[str, str]]], ready: Any, go: Any
) -> None:
    """Send requests one after the other; each has to be taken."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.connect()
    ready.release()
    go.wait()
    for body, headers in requests:
        connection.request(
            "POST", "/v1/records", body, {"Authorization": f"Bearer {token}", **headers}
        )
        answer = connection.getresponse()
        content = answer.read()
        if answer.status not in (200, 201) or b'"refused"' in content:
            raise SystemExit(f"{answer.status}: {content[:500]!r}")


def packed(records: Sequence[bytes], sending: str) -> list[tuple[bytes, dict[str, str]]]:
    """Return the requests by which records are sent."""
    if sending == ONE:
        return [(body, {"Content-Type": "application/json"}) for body in records]
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "zstd"}
    pack = zstandard.ZstdCompressor(level=3).compress
    return [
        (pack(b"\n".join(records[start : start + BATCH])), headers)
        for start in range(0, len(records), BATCH)
    ]


def send(port: int, token: str, records: Sequence[bytes], sending: str) -> float:
    """Send records by all clients; return the seconds that it took."""
    context = multiprocessing.get_context("fork")
    ready, go = context.Semaphore(0), context.Event()
    shares = [records[number::CLIENTS] for number in range(CLIENTS)]
    processes = [
        context.Process(target=client, args=(port, token, packed(share, sending), ready, go))
        for share in shares
    ]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    started = time.perf_counter()
    go.set()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return time.perf_counter() - started


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process and its children."""
    parent = psutil.Process(pid)
    times = [each.cpu_times() for each in (parent, *parent.children(recursive=True))]
    return sum(each.user + each.system for each in times)


@contextmanager
def database(form: Form, folder: Path, postgres: Postgres) -> Iterator[tuple[str, int]]:
    """Make an empty database; yield its URL and the number of workers for it."""
    if form.database == "PostgreSQL":
        yield postgres.database(), 2
    else:
        place = folder / f"{uuid.uuid4().hex}.sqlite"
        yield f"sqlite:///{place}", 2
        for path in folder.glob(f"{place.name}*"):
            path.unlink() if path.is_file() else None


def turn(
    form: Form, sending: str, records: Sequence[bytes], folder: Path, postgres: Postgres
) -> Turn:
    """Let a form take the records once."""
    with database(form, folder, postgres) as (url, workers):
        run = _plain_turn if form.plain else _own_turn
        return run(url, workers, sending, records, folder)


def _own_turn(url: str, workers: int, sending: str, records: Sequence[bytes], folder: Path) -> Turn:
    settings = Settings(
        store=url, files=str(folder / "files"), port=free_port(), limits=_FREE, workers=workers,
    )  # fmt: skip
    server = Server(settings)
    server.start()
    assert server.process is not None
    token = server.token("submit")
    send(settings.port, token, records[:8], ONE)  # every process has loaded what it needs
    before = cpu_s(server.process.pid)
    seconds = send(settings.port, token, records[8:], sending)
    used = cpu_s(server.process.pid) - before
    server.stop()
    with RecordStore(url) as store:
        assert store.count() == len(records), "a record was lost"
    return Turn((len(records) - 8) / seconds, used * 1e3 / (len(records) - 8))


def _plain_turn(
    url: str, workers: int, sending: str, records: Sequence[bytes], folder: Path
) -> Turn:
    url = url.replace("postgresql://", "postgresql+psycopg://")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        connection.exec_driver_sql("CREATE TABLE plain (id TEXT PRIMARY KEY, body JSON)")
    port = free_port()
    script = f"import ingest; ingest.plain_server({url!r}, {port}, {workers})"
    process = subprocess.Popen([sys.executable, "-c", script], cwd=HERE)
    try:
        _wait_for(port)
        send(port, "none", records[:8], ONE)
        before = cpu_s(process.pid)
        seconds = send(port, "none", records[8:], sending)
        used = cpu_s(process.pid) - before
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    with engine.begin() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM plain").scalar()
    engine.dispose()
    assert count == len(records)
    return Turn((len(records) - 8) / seconds, used * 1e3 / (len(records) - 8))


def _wait_for(port: int) -> None:
    for _ in range(1200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("the plain server did not start")


@dataclass
class Memory:
    """Memory of a server's processes over a load."""

    seconds: list[float] = field(default_factory=list)
    mib: list[float] = field(default_factory=list)
    taken: int = 0

    def at(self, minute: float) -> float:
        """Return the memory at a minute, as the median of the half minute around it."""
        near = [
            mib
            for second, mib in zip(self.seconds, self.mib, strict=True)
            if abs(second - 60 * minute) <= 15
        ]
        return statistics.median(near)


def flood(port: int, token: str, body: bytes, record_id: bytes, until: float, counts: Any) -> None:
    """Send a record again and again, each time under a new id."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    while time.time() < until:
        new = body.replace(record_id, uuid.uuid4().hex.encode())
        connection.request("POST", "/v1/records", new, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 201:
            counts.put(1)


def memory(minutes: float, folder: Path) -> Memory:
    """Let a server on SQLite take records for some minutes, and look at its memory."""
    settings = Settings(
        store=str(folder / "load.sqlite"), files=str(folder / "files"), port=free_port(),
        limits=_FREE, workers=2,
    )  # fmt: skip
    server = Server(settings)
    server.start()
    assert server.process is not None
    token = server.token("submit")
    context = multiprocessing.get_context("fork")
    counts = context.SimpleQueue()
    until = time.time() + minutes * 60
    processes = []
    for number in range(CLIENTS):
        record = made_records.record(number, SAMPLES)
        given = (wire.dumps(record).encode(), record.record_id.encode())
        arguments = (settings.port, token, *given, until, counts)
        processes.append(context.Process(target=flood, args=arguments))
    for process in processes:
        process.start()
    result, started = Memory(), time.time()
    parent = psutil.Process(server.process.pid)
    while any(process.is_alive() for process in processes):
        while not counts.empty():
            counts.get()
            result.taken += 1
        if not result.seconds or time.time() - started > result.seconds[-1] + 2:
            family = (parent, *parent.children(recursive=True))
            used = sum(each.memory_info().rss for each in family)
            result.seconds.append(time.time() - started)
            result.mib.append(used / (1 << 20))
        time.sleep(0.02)
    while not counts.empty():
        counts.get()
        result.taken += 1
    server.stop()
    with RecordStore(settings.store) as store:
        assert store.count() >= result.taken, "a record was lost"
    return result


def _spread(numbers: Sequence[float], digits: int) -> str:
    low, middle, high = min(numbers), statistics.median(numbers), max(numbers)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--table", type=Path, help="write the page here, as Markdown")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=1208, help="records in each turn")
    parser.add_argument("--minutes", type=float, default=0, help="of the load for the memory")
    options = parser.parse_args()
    records = bodies(options.count)
    forms = [Form(name, plain) for name in ("SQLite", "PostgreSQL") for plain in (False, True)]
    turns: dict[tuple[Form, str], list[Turn]] = {}
    postgres = Postgres(durable=True)
    with tempfile.TemporaryDirectory(prefix="ingest-", dir=Path.home()) as name:
        folder = Path(name)
        try:
            for _ in range(options.rounds):
                for form in forms:
                    for sending in (ONE, MANY):
                        done = turn(form, sending, records, folder, postgres)
                        turns.setdefault((form, sending), []).append(done)
                        print(f"{form.name}, {sending}: {done.rate:.0f}/s, {done.cpu_ms:.2f} ms",
                              flush=True)  # fmt: skip
        finally:
            postgres.close()
        lines = []
        for (form, sending), own in turns.items():
            plain = turns[Form(form.database, True), sending]
            ratios = [mine.rate / theirs.rate for mine, theirs in zip(own, plain, strict=True)]
            lines.append([
                form.name, sending, _spread([each.rate for each in own], 0), _spread(ratios, 2),
                _spread([each.cpu_ms for each in own], 2),
            ])  # fmt: skip
        load = memory(options.minutes, folder) if options.minutes else None
    explained = EXPLAINED.format(
        machine=tables.machine(), cores=os.cpu_count(), rounds=options.rounds,
        count=options.count, samples=f"{SAMPLES:,}", clients=CLIENTS, goal=GOAL,
    )  # fmt: skip
    page = tables.page(TITLE, explained, tables.markdown(HEAD, lines))
    if load is not None:
        last = options.minutes - 0.5
        sentence = (
            f"A load of {options.minutes:g} minutes on SQLite: {load.taken:,} records "
            f"({load.taken / options.minutes / 60:.0f} a second). The memory of all processes of "
            f"the server was {load.at(1):.0f} MiB after a minute, {load.at(last):.0f} MiB half a "
            f"minute before the end, and {max(load.mib):.0f} MiB at most."
        )
        page += f"\n## Memory\n\n{tables.filled(sentence)}\n"
    print(page)
    if options.table:
        files.write_text(options.table, page)


if __name__ == "__main__":
    main()
