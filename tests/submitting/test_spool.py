"""What could not be sent stays, whoever is killed, and what is refused is set apart."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from filelock import FileLock

from mobilebench.errors import OutputError, ServerAway, ServerRefused, UserError
from mobilebench.store.documents import Document
from mobilebench.submitting import membership
from mobilebench.submitting.address import Address
from mobilebench.submitting.alias import alias
from mobilebench.submitting.membership import Membership
from mobilebench.submitting.outbox import Outbox
from mobilebench.submitting.patience import Patience
from mobilebench.submitting.spool import Sent, Spool
from tests.records import measured
from tests.submitting.scripted import QUICK, TOKEN, Answer, Asked, Scripted, good, problem, scripted


def _taking(asked: Asked) -> Answer:
    """Take every record, as a server does that has none of them."""
    if asked.headers["Content-Type"] == "application/json":
        return good({"record_id": "x", "status": "added"}, 201)
    lines = range(1, len(asked.content.splitlines()) + 1)
    return good({"results": [{"line": line, "status": "added"} for line in lines]})


def _texts(server: Scripted) -> list[str]:
    return [line for asked in server.asked for line in asked.content.decode().splitlines()]


def _send(spool: Spool, server: Scripted, names: list[str] | None = None) -> Sent:
    with server.client() as client:
        return sum(spool.send(client, names), Sent())


@contextmanager
def _full_disk() -> Iterator[None]:
    """Let no file grow: as a full disk does, for root too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_records_wait_until_the_server_has_them(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    for number in range(3):
        spool.add(f'{{"n": {number}}}')
    spool.add('{"n": 0}')
    assert len(spool) == 3, "the same text is one record"
    with scripted(_taking) as server:
        assert _send(Spool(tmp_path / "spool"), server) == Sent(added=3)
    assert sorted(_texts(server)) == [f'{{"n": {number}}}' for number in range(3)]
    assert len(spool) == 0
    assert [path.name for path in spool.folder.iterdir()] == [".sending.lock"]


def test_nothing_is_asked_for_a_spool_without_records(tmp_path: Path) -> None:
    with scripted(_taking) as server:
        assert _send(Spool(tmp_path / "none"), server) == Sent()
    assert server.asked == [] and not (tmp_path / "none").exists()


def test_the_lease_of_a_record_goes_with_it(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add('{"n": 1}')
    spool.add('{"n": 2}', "L7")
    with scripted(_taking) as server:
        _send(spool, server)
    leases = {asked.body.decode(): asked.headers.get("Mobilebench-Lease") for asked in server.asked}
    assert leases == {'{"n": 1}': None, '{"n": 2}': "L7"}
    assert [path.name for path in tmp_path.iterdir()] == [".sending.lock"]


def test_what_the_server_refuses_is_set_apart_with_its_reason(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    name = spool.add('{"n": 1}', "L1")
    with scripted(problem(422, "invalid", "There is no model.")) as server:
        sent = _send(spool, server)
    assert len(sent.refused) == 1 and "There is no model." in sent.refused[0]
    assert len(spool) == 0 and not list(tmp_path.glob("*.lease"))
    assert (spool.refused_folder / f"{name}.json").read_text() == '{"n": 1}'
    assert "There is no model." in (spool.refused_folder / f"{name}.txt").read_text()
    with scripted(_taking) as server:
        assert _send(spool, server) == Sent()
    assert server.asked == [], "it is not sent again"


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_a_token_that_is_not_accepted_is_no_fault_of_a_record(tmp_path: Path, status: int) -> None:
    spool = Spool(tmp_path)
    spool.add('{"n": 1}')
    with scripted(problem(status, "scope")) as server, pytest.raises(ServerRefused):
        _send(spool, server)
    assert len(spool) == 1 and not spool.refused_folder.exists()


def test_records_before_a_lost_connection_are_settled_and_the_rest_stays(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    for number in range(200):
        spool.add(f'{{"n": {number}}}')
    away = Answer(503)
    seen = Sent()
    with (
        scripted(_taking, _taking, away) as server,
        server.client(patience=replace(QUICK, total_s=0.1)) as client,
        pytest.raises(ServerAway),
    ):
        for part in spool.send(client):
            seen += part
    assert seen.added == 128 and len(spool) == 72
    with scripted(_taking) as server:
        assert _send(spool, server) == Sent(added=72)


def test_two_processes_send_each_record_and_neither_waits_for_the_other(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    names = [spool.add(f'{{"n": {number}}}') for number in range(5)]
    with scripted(_taking) as server:
        with FileLock(tmp_path / ".sending.lock"):
            assert _send(spool, server) == Sent(), "the other one sends them"
            assert _send(spool, server, names[:1]) == Sent(added=1)
        assert _send(spool, server) == Sent(added=4)
    assert len(_texts(server)) == 5


def test_a_record_that_another_process_sent_meanwhile_is_no_error(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    names = [spool.add(f'{{"n": {number}}}') for number in range(2)]

    def answer(asked: Asked) -> Answer:
        for name in names:
            (tmp_path / f"{name}.json").unlink(missing_ok=True)
        return _taking(asked)

    with scripted(answer) as server:
        assert _send(spool, server).added == 2
        assert _send(spool, server, names) == Sent()


_ADDING = """
import sys
from pathlib import Path
from mobilebench.submitting.spool import Spool
spool = Spool(Path(sys.argv[1]))
number = 0
while True:
    spool.add('{"n": %d, "filler": "%s"}' % (number, "x" * 50_000), f"L{number}")
    number += 1
"""


def test_a_process_that_is_killed_leaves_whole_records_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    for _ in range(2):
        program = [sys.executable, "-c", _ADDING, str(spool.folder)]
        running = subprocess.Popen(program, env={**os.environ, "PYTHONPATH": ":".join(sys.path)})
        until, before = time.monotonic() + 60, len(spool)
        while len(spool) < before + 3:
            assert time.monotonic() < until and running.poll() is None
            time.sleep(0.005)
        running.send_signal(signal.SIGKILL)
        running.wait()
    count = len(spool)
    seen = []

    def answer(asked: Asked) -> Answer:
        seen.append(asked.headers.get("Mobilebench-Lease"))
        return _taking(asked)

    with scripted(answer) as server:
        assert _send(spool, server) == Sent(added=count)
    assert all(seen), "each came with its lease"


def test_a_full_disk_is_one_sentence_and_half_a_record_is_none(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with _full_disk(), pytest.raises(OutputError, match="Could not write"):
        spool.add('{"n": 1}', "L1")
    assert len(spool) == 0 and not list(spool.folder.glob("*.json"))


def test_what_was_never_whole_is_removed_after_a_day(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add('{"n": 1}', "L1")
    for name in (".partial-old", "0" * 32 + ".lease", ".partial-new"):
        (tmp_path / name).write_text("half")
        if "new" not in name:
            os.utime(tmp_path / name, (0, 0))
    with scripted(_taking) as server:
        assert _send(spool, server) == Sent(added=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".partial-new", ".sending.lock"]


# An outbox, as `bench --submit` has it.


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(membership.VARIABLE, str(tmp_path / "servers"))
    return tmp_path / "servers"


def _documents(count: int) -> list[Document]:
    return [Document.of(measured(record_id=f"{number:032x}")) for number in range(count)]


def _outbox(address: Address) -> Outbox:
    membership.keep(address, Membership(TOKEN))
    return Outbox(address, replace(QUICK, total_s=0.2))


def test_an_outbox_needs_a_token_before_anything_is_measured(servers: Path) -> None:
    with pytest.raises(UserError, match="no token of https://bench.example.org"):
        Outbox(Address.parse("https://bench.example.org"))


def test_a_server_that_is_away_is_asked_once_and_again_at_the_end(servers: Path) -> None:
    documents = _documents(4)
    with scripted(Answer(503)) as server:
        outbox = _outbox(server.address)
        for document in documents:
            outbox.put(document)
        assert len(server.asked) == 1, "each further try would hold up a measurement"
        server.script = [_taking]
        outbox.close()
    assert outbox.complete and outbox.sent == Sent(added=4)
    assert sorted(_texts(server)[1:]) == sorted(document.text for document in documents)


def test_what_an_outbox_cannot_send_goes_with_the_next_one(servers: Path) -> None:
    with scripted(Answer(503)) as server:
        outbox = _outbox(server.address)
        outbox.put(_documents(1)[0])
        outbox.close()
        [sentence] = outbox.sentences()
        assert not outbox.complete and TOKEN not in sentence
        assert "1 record kept in" in sentence and "mobilebench submit --server" in sentence
        server.script = [_taking]
        later = _outbox(server.address)
        later.close()
    assert later.complete and later.sent == Sent(added=1)


def test_many_records_are_not_written_to_the_disk_before_they_are_sent(servers: Path) -> None:
    documents = _documents(150)
    seen: list[int] = []

    def answer(asked: Asked) -> Answer:
        seen.append(len(list(servers.glob("*/spool/*.json"))))
        return _taking(asked)

    with scripted(answer) as server:
        outbox = _outbox(server.address)
        outbox.put_all(documents)
        outbox.close()
    assert outbox.sent == Sent(added=150) and seen == [0, 0, 0]


def test_what_is_left_of_many_records_is_kept_once_the_server_is_away(servers: Path) -> None:
    with scripted(_taking, Answer(503)) as server:
        outbox = _outbox(server.address)
        outbox.put_all(_documents(150))
        outbox.close()
        assert outbox.sent.added == 64 and len(outbox.spool) == 86
        server.script = [_taking]
        outbox.close()
    assert outbox.sent.added == 150 and outbox.complete


def test_a_full_disk_holds_up_no_record_that_the_server_takes(servers: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with scripted(_taking) as server:
        outbox = _outbox(server.address)
        document = _documents(1)[0]
        with _full_disk():
            outbox.put(document)
        outbox.close()
        assert _texts(server) == [document.text] and outbox.complete
    gone = _outbox(server.address)
    with _full_disk():
        gone.put(document)
    gone.close()
    assert not gone.complete and "not kept to be sent later" in gone.sentences()[-1]


def test_a_refused_record_is_told_and_kept(servers: Path) -> None:
    with scripted(problem(409, "other_record", "Another record has this id.")) as server:
        outbox = _outbox(server.address)
        outbox.put(_documents(1)[0])
        outbox.close()
    assert not outbox.complete and outbox.spool.refused_folder.is_dir()
    assert any("Another record has this id." in sentence for sentence in outbox.sentences())


def test_threads_share_one_outbox_folder(servers: Path) -> None:
    with scripted(_taking) as server:
        membership.keep(server.address, Membership(TOKEN))
        threads = [
            threading.Thread(
                target=lambda part: [
                    Outbox(server.address, Patience()).put(document) for document in part
                ],
                args=(_documents(20)[start::4],),
            )
            for start in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(Outbox(server.address).spool) == 0
    assert len(set(_texts(server))) == 20


# Aliases.


def test_an_alias_names_the_model_and_stays_the_same_without_the_serial_number() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    name = alias("Google Pixel 8", "adb:SERIAL123", key)
    assert name.startswith("google-pixel-8-") and "serial" not in name
    assert alias("Google Pixel 8", "adb:SERIAL123", key) == name
    assert alias("Google Pixel 8", "adb:SERIAL124", key) != name
    assert alias("Google Pixel 8", "adb:SERIAL123", other) != name


@pytest.mark.parametrize("model", ["", "日本", "--", "x" * 90, "Xeon(R) CPU @ 2.20GHz", "a_b.c"])
def test_every_model_has_an_alias_that_a_server_takes(model: str) -> None:
    import re

    name = alias(model, "host", Ed25519PrivateKey.generate())
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,39}", name)
