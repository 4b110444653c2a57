"""Whatever ends an import, what the store has is whole, and nothing acknowledged is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from mobilebench.errors import OutputError
from mobilebench.store import Arrival, RecordStore
from mobilebench.values.record import Record
from tests.postgres import Postgres
from tests.records import measured

ROOT = Path(__file__).parent.parent.parent
WRITER = """
import sys
from mobilebench.store import RecordStore
from tests.records import measured
latencies = tuple(10_000_000 + n for n in range(1000))
with RecordStore(sys.argv[1]) as store:
    for turn in range(10_000):
        records = [
            measured(record_id=f"{turn}-{n}", latencies_ns=latencies) for n in range(20)
        ]
        store.add_each(records)
        print(turn, flush=True)
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.2])
def test_a_killed_import_leaves_whole_batches_and_each_that_was_acknowledged(
    store_place: str, delay_s: float
) -> None:
    RecordStore(store_place).close()
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, store_place], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(3)][-1]
    time.sleep(delay_s)
    process.kill()
    rest = process.communicate(timeout=60)[0].split()
    acknowledged = int(rest[-1]) if rest else acknowledged
    with RecordStore(store_place) as store:
        count, problems = store.problems()
        assert problems == [] and count % 20 == 0
        assert count >= 20 * (acknowledged + 1)
        assert store.count() == count


def test_a_full_disk_is_one_sentence_and_what_was_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    latencies = tuple(10_000_000 + 7919 * n % 1_000_003 for n in range(1000))
    with RecordStore(path) as store:
        store.add(measured())
    code = (
        "import resource, signal, sys\n"
        "from mobilebench.errors import OutputError\nfrom mobilebench.store import RecordStore\n"
        "from tests.records import measured\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n"
        f"latencies = {latencies!r}\n"
        f"with RecordStore({str(path)!r}) as store:\n"
        "    try:\n"
        "        for n in range(1000):\n"
        "            store.add(measured(record_id=f'r{n}', latencies_ns=latencies))\n"
        "            print(n, flush=True)\n"
        "    except OutputError as error:\n"
        "        sys.exit(str(error))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    [line] = done.stderr.splitlines()
    assert "disk" in line and "Traceback" not in done.stderr
    stored = len(done.stdout.split())
    with RecordStore(path) as store:
        assert store.problems() == (stored + 1, [])
        assert store.add(measured(record_id="afterwards"))


def test_a_database_that_may_not_grow_says_that_the_disk_is_full(tmp_path: Path) -> None:
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add(measured())
        with store._database.bare() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count={pages}")
        with pytest.raises(OutputError, match="the disk is full; free some space"):
            store.add_all([measured(record_id=f"r{n}") for n in range(200)])
        assert [record.record_id for record in store.find()] == ["a" * 32]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
def test_a_server_restarted_under_load_loses_nothing(number: signal.Signals) -> None:
    server = Postgres()
    try:
        _loaded(server, number)
    finally:
        server.close()


def _loaded(server: Postgres, number: signal.Signals) -> None:
    place = server.database()
    done = threading.Event()
    written: list[str] = []
    failures: list[BaseException] = []

    def write(name: str) -> None:
        try:
            with RecordStore(place) as store:
                turn = 0
                while not done.is_set():
                    ids = [f"{name}-{turn}-{n}" for n in range(5)]
                    store.add_each([measured(record_id=id_) for id_ in ids])
                    written.extend(ids)
                    turn += 1
        except BaseException as error:
            failures.append(error)
            raise

    RecordStore(place).close()
    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    time.sleep(0.5)
    for _ in range(2):
        server.stop(number)
        server.start()
        time.sleep(0.5)
    before = len(written)
    deadline = time.monotonic() + 60
    while len(written) <= before and time.monotonic() < deadline:
        time.sleep(0.05)
    done.set()
    for writer in writers:
        writer.join()
    assert failures == [] and len(written) > before, "they went on"
    with RecordStore(place) as store:
        assert store.problems()[1] == []
        assert set(written) <= {record.record_id for record in store.find()}


@pytest.mark.parametrize("shared", [True, False], ids=["one store", "two stores"])
def test_two_writers_of_the_same_records_store_each_once(store_place: str, shared: bool) -> None:
    records = [measured(record_id=f"r{number}", threads=number + 1) for number in range(40)]
    arrivals: list[Arrival] = []
    failures: list[BaseException] = []
    together = threading.Barrier(2)

    def write(store: RecordStore, given: list[Record]) -> None:
        try:
            together.wait(60)
            for start in range(0, 40, 10):
                arrivals.extend(store.add_each(given[start : start + 10]))
        except BaseException as error:
            failures.append(error)
            raise

    with RecordStore(store_place) as first, RecordStore(store_place) as second:
        orders = [(first, records), (first if shared else second, records[::-1])]
        threads = [threading.Thread(target=write, args=order) for order in orders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert Counter(arrivals) == {Arrival.ADDED: 40, Arrival.THERE: 40}
        assert first.problems() == (40, []) and len(first.find_entries()) == 40
