"""Where a store lies: a file that is looked at before it is opened, or a URL.

A file that is not a store is refused without a byte of it being changed. A new store appears whole
or not at all, so that two processes can make it at the same time. A store that may not be written,
or that lies in a folder that may not, is read from a copy: SQLite writes beside a file even when it
only reads.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from mobilebench.errors import OutputError, SchemaError, UserError
from mobilebench.files import writing
from mobilebench.store.tables import OF_EVERY_VERSION, require_version

_MAGIC = b"SQLite format 3\0"
_ANOTHER = "name another file with --store or MOBILEBENCH_STORE"
_PAUSES_S = (0.05, 0.2, 0.5)
"""Waits before a file is read again that another process was just writing."""


@dataclass(frozen=True)
class Place:
    """The database of a store."""

    url: sa.URL
    path: Path | None
    """The file of an SQLite database; None for any other, and for one in memory."""
    shown: str
    """As the user wrote it, without a password."""

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read a path or the URL of a database. Raises `UserError` for any other text."""
        if not text.strip():
            raise UserError("The store was given as an empty text; give a path or a URL.")
        if text.startswith(("sqlite:", "file:")) and "://" not in text:
            raise UserError(f"The store {text} is not a URL; write sqlite:///PATH, or only PATH.")
        if "://" not in text:
            path = _expanded(text)
            return cls(sa.URL.create("sqlite", database=str(path)), path, text)
        try:
            url = sa.make_url(text)
        except sa.exc.ArgumentError as error:
            raise UserError(
                f"The store {text} cannot be opened ({error}); give a file's path, or "
                f"the URL of a PostgreSQL database, postgresql://USER@HOST/NAME."
            ) from error
        shown = url.render_as_string(hide_password=True)
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername="postgresql+psycopg")
        name = url.database or ":memory:"
        if url.get_backend_name() != "sqlite" or name.startswith((":memory:", "file:")):
            return cls(url, None, shown)
        path = _expanded(name)
        return cls(url.set(database=str(path)), path, shown)


def _expanded(text: str) -> Path:
    try:
        path = Path(text).expanduser().resolve()
    except (OSError, RuntimeError) as error:  # no such user, or links in a circle
        raise UserError(f"The store {text} cannot be opened ({error}); {_ANOTHER}.") from error
    if text.endswith("/"):
        raise UserError(f"The store {text} is a folder; give the path of a file in it.")
    return path


def exists(path: Path, shown: str) -> bool:
    """Return whether there is a file. Raises `UserError` for anything else of that name."""
    try:
        if not path.exists():
            return False
        if path.is_dir():
            raise UserError(f"The store {shown} is a folder; give the path of a file in it.")
        if not path.is_file():
            raise UserError(f"The store {shown} is not a file; {_ANOTHER}.")
    except OSError as error:
        raise OutputError(f"The store {shown} cannot be used: {error.strerror}.") from error
    return True


def writable(path: Path) -> bool:
    """Return whether SQLite can write the file, which needs the folder as well."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def require_store(path: Path, shown: str) -> None:
    """Read a file enough to know that it is a store; nothing is written, not even beside it.

    Raises `UserError` for a file of another program, `SchemaError` for a damaged one.
    """
    require_whole(path, shown)
    for pause in (*_PAUSES_S, None):
        try:
            with closing(_reader(path)) as connection:
                _require_tables(connection, shown)
            return
        except sqlite3.DatabaseError as error:
            if pause is None:
                raise SchemaError(damaged(shown, error)) from error
            time.sleep(pause)


def _require_tables(connection: sqlite3.Connection, shown: str) -> None:
    rows = connection.execute(
        "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c "
        "WHERE t.type = 'table'"
    ).fetchall()
    tables: dict[str, set[str]] = {}
    for table, column in rows:
        tables.setdefault(table, set()).add(column)
    for name, columns in OF_EVERY_VERSION.items():
        if not columns <= tables.get(name, set()):
            names = ", ".join(sorted(tables)[:5]) or "none"
            raise UserError(
                f"{shown} is not a mobilebench store but a database of another program (its "
                f"tables: {names}); nothing was changed: {_ANOTHER}."
            )
    [version] = connection.execute("SELECT max(version) FROM store").fetchone()
    require_version(version, shown)


def require_whole(path: Path, shown: str) -> None:
    """Read the beginning of a file: whether it is SQLite, and as long as it states.

    Raises as `require_store` does, and `OutputError` where it cannot be read.
    """
    try:
        with path.open("rb") as handle:
            head = handle.read(100)
            length = os.fstat(handle.fileno()).st_size
    except OSError as error:
        raise OutputError(f"The store {shown} cannot be read: {error.strerror}.") from error
    if not length:
        raise UserError(
            f"{shown} is not a mobilebench store: the file is empty; remove it, or {_ANOTHER}."
        )
    if not head.startswith(_MAGIC):
        raise UserError(f"{shown} is not a mobilebench store: it is not SQLite; {_ANOTHER}.")
    # The file format's header: size of a page, and number of pages where the counters are equal.
    page = int.from_bytes(head[16:18]) if head[16:18] != b"\0\1" else 1 << 16
    whole = page * int.from_bytes(head[28:32])
    if len(head) < 100 or (head[24:28] == head[92:96] and length < whole and not _log(path)):
        raise SchemaError(damaged(shown, f"it has {length:,} of {max(whole, 100):,} bytes"))


def _log(path: Path) -> Path | None:
    """Return the write-ahead log beside a database, where it holds anything."""
    log = Path(f"{path}-wal")
    return log if log.exists() and log.stat().st_size else None


def _reader(path: Path) -> sqlite3.Connection:
    # Without a log the file is all there is, and immutable keeps SQLite from making files beside.
    mode = "mode=ro" if _log(path) else "immutable=1"
    return sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True, timeout=30)


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """Yield a copy of a database that cannot be written, with what its log holds.

    Raises `OutputError` where there is no room for it.
    """
    with tempfile.TemporaryDirectory(prefix="mobilebench-") as folder:
        copy = Path(folder) / "records.sqlite"
        with writing(copy):
            _copy(path, copy)
        yield copy


def _copy(path: Path, copy: Path) -> None:
    log = _log(path)
    if log is not None:
        try:
            with closing(_reader(path)) as source, closing(sqlite3.connect(copy)) as target:
                source.backup(target)
            return
        except sqlite3.DatabaseError:  # nobody writes it now, and SQLite wants to write beside it
            copy.unlink(missing_ok=True)
            shutil.copyfile(log, f"{copy}-wal")
    shutil.copyfile(path, copy)


def create(path: Path, make: Callable[[Path], None]) -> None:
    """Make a new database at once: `make` fills a file beside it, which then gets its name.

    Where another process is faster, its database stays. Raises `OutputError` where it cannot be
    written.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=path.parent) as folder:
            neighbour = Path(folder) / "records.sqlite"
            make(neighbour)
            try:
                os.link(neighbour, path)
            except FileExistsError:
                return
            except OSError:  # a file system without links; then renaming is the best there is
                if not path.exists():
                    neighbour.rename(path)


def damaged(shown: str, why: object) -> str:
    """Return the sentence about a damaged store."""
    return (
        f"The store {shown} is damaged ({why}); restore a copy of it, or save what is left with "
        f"`sqlite3 {shown} .recover`."
    )
