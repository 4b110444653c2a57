"""A store is made once, read where it cannot be written, and nobody else's file is touched."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mobilebench.errors import OutputError, SchemaError, UserError
from mobilebench.store import RecordStore
from tests.records import measured

ROOT = Path(__file__).parent.parent.parent
OLD = ROOT / "tests" / "data" / "store-v1.sqlite"


def _state(folder: Path) -> dict[str, bytes]:
    """Return the content of every file in a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _together(code: str, count: int) -> list[int]:
    """Run code in several processes, which wait for each other at `meet()`."""
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from mobilebench.store import RecordStore\nfrom tests.records import measured\n"
        "name, count, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])\n"
        "def meet(point):\n"
        "    (folder / f'{point}-{name}').touch()\n"
        "    end = time.monotonic() + 60\n"
        "    while len(list(folder.glob(f'{point}-*'))) < count:\n"
        "        if time.monotonic() > end: sys.exit('another process has ended')\n"
        "        time.sleep(0.0005)\n"
    ) + textwrap.dedent(code)
    folder = os.environ["PYTEST_MEETING"]
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(name), str(count), folder], cwd=ROOT)
        for name in range(count)
    ]
    return [process.wait(timeout=300) for process in running]


@pytest.fixture
def meeting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "meeting"
    folder.mkdir()
    monkeypatch.setenv("PYTEST_MEETING", str(folder))
    return folder


def test_processes_that_make_one_store_at_the_same_time_all_write_into_it(
    tmp_path: Path, meeting: Path
) -> None:
    stores = tmp_path / "stores"
    codes = _together(
        f"""
        for turn in range(8):
            meet(turn)
            with RecordStore({str(stores)!r} + f"/{{turn}}/records.sqlite") as store:
                for number in range(3):
                    store.add(measured(record_id=f"{{name}}-{{number}}"))
        """,
        count=4,
    )
    assert codes == [0, 0, 0, 0]
    for turn in range(8):
        with RecordStore(stores / str(turn) / "records.sqlite", create=False) as store:
            assert len(store.find()) == 12
        assert sorted(path.name for path in (stores / str(turn)).iterdir()) == ["records.sqlite"]


def test_processes_that_migrate_one_store_at_the_same_time_lose_nothing(
    tmp_path: Path, meeting: Path
) -> None:
    path = tmp_path / "old.sqlite"
    shutil.copy(OLD, path)
    with closing(sqlite3.connect(path)) as connection:
        [before] = connection.execute("SELECT count(*) FROM records").fetchone()
    codes = _together(
        f"""
        meet("open")
        with RecordStore({str(path)!r}) as store:
            store.add(measured(record_id=name))
        """,
        count=4,
    )
    assert codes == [0, 0, 0, 0]
    with RecordStore(path) as store:
        assert len(store.find()) == before + 4


def test_many_writers_at_once_lose_nothing(tmp_path: Path, meeting: Path) -> None:
    path = tmp_path / "records.sqlite"
    codes = _together(
        f"""
        meet("open")
        with RecordStore({str(path)!r}) as store:
            for number in range(25):
                store.add(measured(record_id=f"{{name}}-{{number}}"))
                store.find()
        """,
        count=6,
    )
    assert codes == [0] * 6
    with RecordStore(path) as store:
        assert len(store.find()) == 150


def _foreign(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


FOREIGN = {
    "shop": ("CREATE TABLE store (name TEXT)", "INSERT INTO store VALUES ('corner shop')"),
    "music": ("CREATE TABLE records (artist TEXT)", "INSERT INTO records VALUES ('Nina')"),
    "both": ("CREATE TABLE store (version TEXT)", "CREATE TABLE records (id TEXT)"),
    "write-ahead": ("PRAGMA journal_mode=WAL", "CREATE TABLE photos (name TEXT)"),
    "empty database": ("PRAGMA user_version=3",),
}


@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.parametrize("url", [False, True], ids=["path", "URL"])
def test_a_database_of_another_program_is_refused_untouched(
    tmp_path: Path, kind: str, url: bool
) -> None:
    path = tmp_path / "theirs.sqlite"
    _foreign(path, *FOREIGN[kind])
    before = _state(tmp_path)
    for create in (True, False):
        with pytest.raises(UserError, match="of another program"):
            RecordStore(f"sqlite:///{path}" if url else path, create=create)
    assert _state(tmp_path) == before


def test_a_database_that_another_program_has_open_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    with closing(sqlite3.connect(path)) as theirs:
        theirs.execute("PRAGMA journal_mode=WAL")
        theirs.execute("CREATE TABLE photos (name TEXT)")
        before = path.read_bytes(), Path(f"{path}-wal").read_bytes()
        with pytest.raises(UserError, match="of another program"):
            RecordStore(path)
        assert (path.read_bytes(), Path(f"{path}-wal").read_bytes()) == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is empty"),
        (b"not a database, " * 100, "it is not SQLite"),
        (b"SQLite format 3\0", "is damaged"),
        (b'{"schema_version": 1}', "it is not SQLite"),
    ],
)
def test_a_file_that_is_no_store_is_refused_untouched(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        RecordStore(path)
    assert _state(tmp_path) == {"file": content}


def test_a_folder_and_a_device_are_refused(tmp_path: Path) -> None:
    for place in (tmp_path, f"{tmp_path}/", f"sqlite:///{tmp_path}", tmp_path / "new/.."):
        with pytest.raises(UserError, match="is a folder"):
            RecordStore(place)
    with pytest.raises(UserError, match="is not a file"):
        RecordStore("/dev/null")
    assert list(tmp_path.iterdir()) == []


def _stored(path: Path, count: int = 40) -> None:
    with RecordStore(path) as store:
        store.add_all([measured(record_id=f"r{number}") for number in range(count)])


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_store_of_a_newer_version_is_refused_untouched(tmp_path: Path, journal: str) -> None:
    path = tmp_path / "records.sqlite"
    _stored(path, 1)
    _foreign(path, f"PRAGMA journal_mode={journal}", "UPDATE store SET version = 9")
    before = _state(tmp_path)
    with pytest.raises(SchemaError, match="has version 9, .* update mobilebench"):
        RecordStore(path)
    assert _state(tmp_path) == before


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_store_that_was_cut_off_is_named_and_left_as_it_is(tmp_path: Path, share: float) -> None:
    path = tmp_path / "records.sqlite"
    _stored(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    before = _state(tmp_path)
    for create in (True, False):
        with pytest.raises(SchemaError, match="is damaged .* restore a copy"):
            RecordStore(path, create=create)
    assert _state(tmp_path) == before


def test_a_store_with_damage_inside_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    _stored(path)
    content = bytearray(path.read_bytes())
    content[8192 : len(content) - 4096] = b"\xff" * (len(content) - 12288)
    path.write_bytes(content)
    with pytest.raises(SchemaError, match="is damaged"), RecordStore(path) as store:
        store.find()


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a medium that cannot be written, to be filled before it is locked."""
    folder = tmp_path / "medium"
    folder.mkdir()
    yield folder
    folder.chmod(0o700)


def _as_nobody(action: Callable[[], object]) -> str:
    """Run code as somebody who owns nothing here, as root may write everything.

    Returns its result, or its error, in words. A child by fork, as nobody may not start Python.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        text = "another error"
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            text = str(action())
        except UserError as error:
            text = f"{type(error).__name__}: {error}"
        finally:
            os.write(writer, text.encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        text = answer.read().decode()
    os.waitpid(child, 0)
    return text


def _counts(path: Path) -> tuple[int, int]:
    with RecordStore(path, create=False) as store:
        return len(store.find()), len(store.find_reported())


def _add(path: Path) -> None:
    with RecordStore(path) as store:
        store.add(measured(record_id="new"))


def _locked(folder: Path, *, file_too: bool) -> None:
    for path in (*folder.iterdir(), folder):
        if path.is_dir():
            path.chmod(0o555)
        else:
            path.chmod(0o444 if file_too else 0o666)
    for parent in folder.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/") and parent.name:
            parent.chmod(parent.stat().st_mode | 0o055)


@pytest.mark.parametrize("file_too", [True, False], ids=["file and folder", "folder"])
@pytest.mark.parametrize("kind", ["closed", "log beside it", "old version"])
def test_a_store_that_cannot_be_written_can_be_read(
    read_only: Path, kind: str, file_too: bool
) -> None:
    path = read_only / "records.sqlite"
    if kind == "old version":
        shutil.copy(OLD, path)
    elif kind == "closed":
        _stored(path, 3)
    else:
        # As after a kill, or copied while it was written: the newest records are in the log.
        code = (
            "import os\nfrom mobilebench.store import RecordStore\n"
            "from tests.records import measured\n"
            f"store = RecordStore({str(path)!r})\n"
            "for n in range(3): store.add(measured(record_id=f'r{n}'))\nos._exit(0)\n"
        )
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=120)
        assert Path(f"{path}-wal").stat().st_size
        Path(f"{path}-shm").unlink()
    _locked(read_only, file_too=file_too)
    before = _state(read_only)
    with closing(sqlite3.connect(OLD)) as connection:
        [old] = connection.execute("SELECT count(*) FROM records").fetchone()
    assert _as_nobody(lambda: _counts(path)) == f"({old if kind == 'old version' else 3}, 0)"
    refused = _as_nobody(lambda: _add(path))
    assert refused.startswith("OutputError") and "may only be read" in refused
    assert _state(read_only) == before


def test_a_store_that_may_not_be_read_is_one_sentence(read_only: Path) -> None:
    path = read_only / "records.sqlite"
    _stored(path, 1)
    _locked(read_only, file_too=True)
    path.chmod(0)
    assert "cannot be read: Permission denied" in _as_nobody(lambda: _counts(path))


def test_reading_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no store .*measure something first"):
        RecordStore(tmp_path / "deep" / "records.sqlite", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_store_in_a_folder_that_does_not_exist_is_made_with_it(tmp_path: Path) -> None:
    _stored(tmp_path / "a" / "b" / "records.sqlite", 1)
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["records.sqlite"]


@pytest.mark.parametrize(
    "name", ["plain.sqlite", "no ending", "per%cent?query#part.sqlite", "ünï.sqlite", "a:b@c"]
)
def test_a_path_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    _stored(tmp_path / name, 1)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with RecordStore(tmp_path / name, create=False) as store:
        assert len(store.find()) == 1


def test_a_home_and_urls_lead_to_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    _stored(Path("~/records.sqlite"), 1)
    for place in (
        "~/records.sqlite",
        "records.sqlite",
        "sqlite:///records.sqlite",
        f"sqlite:///{tmp_path}/records.sqlite",
        f"sqlite+pysqlite:///{tmp_path}/records.sqlite",
        "sqlite:///~/records.sqlite",
    ):
        with RecordStore(place, create=False) as store:
            assert len(store.find()) == 1, place
    assert [path.name for path in tmp_path.iterdir()] == ["records.sqlite"]


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("", "empty text"),
        ("  ", "empty text"),
        ("sqlite:/records.sqlite", "write sqlite:///PATH"),
        ("sqlite:records.sqlite", "write sqlite:///PATH"),
        ("~nobody-of-that-name/records.sqlite", "cannot be opened"),
        ("://", "cannot be opened"),
        ("new/", "is a folder"),
    ],
)
def test_a_place_that_is_none_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=sentence):
        RecordStore(place)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_too_long_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="File name too long"):
        RecordStore(tmp_path / ("a" * 300))


def test_a_password_is_never_shown() -> None:
    with pytest.raises(UserError) as caught:
        RecordStore("nonsense://me:secret@host/records")
    assert "secret" not in str(caught.value) and "me:***@host" in str(caught.value)


def test_a_store_in_memory_works() -> None:
    with RecordStore("sqlite://") as store:
        assert store.add(measured()) and store.find() == [measured()]


def test_all_or_none_of_several_records_are_added(tmp_path: Path) -> None:
    with RecordStore(tmp_path / "records.sqlite") as store:
        store.add(measured(record_id="b"))
        other = measured(record_id="b", created="2027-01-01T00:00:00.000Z")
        with pytest.raises(UserError, match="another record with the id b"):
            store.add_all([measured(record_id="a"), other])
        assert [record.record_id for record in store.find()] == ["b"]
        assert store.add_all([measured(record_id="a"), measured(record_id="b")]) == 1
