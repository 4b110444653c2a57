"""A connection to a store's database: SQLite by file, PostgreSQL by URL.

What a database refuses becomes a sentence. What passes by itself, such as a server that starts
again, is waited for: every transaction of a store may be run twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa

from mobilebench.errors import MissingToolkit, OutputError, SchemaError, UserError
from mobilebench.store import place as places

_T = TypeVar("_T")
_PATIENCE_MS = 60_000
"""How long a writer waits for others; each holds the store for a few milliseconds."""
_PAUSES_S = (0.05, 0.2, 0.5, 1, 2, 4, 8, 15)
"""Waits before a transaction is run again: a server needs some seconds to start again."""
_PASSING = {
    "40001": "serialization failure",
    "40P01": "deadlock",
    "57P01": "the server shuts down",
    "57P02": "the server crashed",
    "57P03": "the server starts",
    "08000": "connection exception",
    "08001": "no connection",
    "08003": "the connection is closed",
    "08006": "the connection failed",
}
"""SQLSTATE of what passes by itself (PostgreSQL's documentation, appendix A)."""
_CACHE_KIB = 32 << 10


class Database:
    """Run transactions on one database, in any thread."""

    def __init__(self, url: sa.URL, shown: str) -> None:
        """Prepare the connection; nothing is opened yet.

        Raises `UserError` for a URL that nobody knows, `MissingToolkit` without its driver.
        """
        self.shown = shown
        self.met = False
        """Whether a transaction has succeeded: only then is a server waited for."""
        self._engine = _engine(url, shown)
        self.is_sqlite = self._engine.dialect.name == "sqlite"
        if self.is_sqlite:
            sa.event.listen(self._engine, "connect", _prepare)
            sa.event.listen(self._engine, "begin", _begin)
        self._writer = self._engine.execution_options(writes=True)

    def read(self, work: Callable[[sa.Connection], _T]) -> _T:
        """Run work in a transaction that reads, and again where it passes by itself.

        Raises `OutputError` where the database cannot be used, `SchemaError` where it is damaged.
        """
        return self._run(self._engine, work)

    def write(self, work: Callable[[sa.Connection], _T]) -> _T:
        """Run work in a transaction that writes: all of it stays, or nothing; as `read`."""
        return self._run(self._writer, work)

    def _run(self, engine: sa.Engine, work: Callable[[sa.Connection], _T]) -> _T:
        for pause in (*_PAUSES_S, None):
            try:
                with engine.begin() as connection:
                    result = work(connection)
                self.met = True
                return result
            except sa.exc.DBAPIError as error:
                if pause is None or not self._passes(error):
                    raise self._explained(error) from error
            time.sleep(pause)
        raise AssertionError("the last turn returns or raises")

    def _passes(self, error: sa.exc.DBAPIError) -> bool:
        if self.is_sqlite:
            return False
        if isinstance(error, sa.exc.IntegrityError):  # another process added the same meanwhile
            return True
        state = getattr(error.orig, "sqlstate", None)
        if not self.met:
            return state in ("40001", "40P01", "42P07", "23505")  # two make the tables at once
        refused = isinstance(error, sa.exc.OperationalError) and state is None
        return refused or error.connection_invalidated or state in _PASSING

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Yield a connection that sees the database as it is now, however long it reads."""
        engine = self._engine
        if not self.is_sqlite:
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        try:
            with engine.begin() as connection:
                yield connection
        except sa.exc.DBAPIError as error:
            raise self._explained(error) from error

    @contextmanager
    def bare(self) -> Iterator[Any]:
        """Yield the driver's own connection, outside any transaction."""
        faults: Any = getattr(self._engine.dialect.dbapi, "Error", ())
        held: Any = self._engine.raw_connection()
        try:
            if not self.is_sqlite:  # SQLite's is outside one already
                held.driver_connection.autocommit = True
            yield held.driver_connection
        except faults as error:
            raise self._sentence(error) from error
        finally:
            if not self.is_sqlite:
                held.driver_connection.autocommit = False
            held.close()

    def close(self) -> None:
        """Close the connections; SQLite then folds its write-ahead log into the file."""
        self._engine.dispose()

    def _explained(self, error: sa.exc.DBAPIError) -> UserError:
        return self._sentence(error.orig or error)

    def _sentence(self, error: BaseException) -> UserError:
        why = " ".join(str(error).split())
        if not self.is_sqlite:
            return OutputError(
                f"The store {self.shown} could not be used: {why}. Check that the server runs, "
                f"that it lets you in and that its disk has room."
            )
        if any(sign in why for sign in ("malformed", "not a database", "corrupt")):
            return SchemaError(places.damaged(self.shown, why))
        if "locked" in why or "busy" in why:
            return OutputError(
                f"The store {self.shown} is in use: another program held it for "
                f"{_PATIENCE_MS // 1000} s; end that program, or try again."
            )
        if "is full" in why:
            return OutputError(
                f"The store {self.shown} cannot be written: the disk is full; free some space and "
                f"run it again. What was stored before is whole."
            )
        return OutputError(
            f"The store {self.shown} could not be used: {why}. Check that the file is a "
            f"mobilebench store, that you may write it and that the disk has room."
        )


def _engine(url: sa.URL, shown: str) -> sa.Engine:
    more: dict[str, Any] = {}
    if url.get_backend_name() == "postgresql":
        more = {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 20}
    try:
        return sa.create_engine(url, **more)
    except ModuleNotFoundError as error:
        if error.name in ("psycopg", "psycopg_binary"):
            raise MissingToolkit(
                f"The store {shown} is a PostgreSQL database, and psycopg is not installed; "
                f"install it with `pip install 'mobilebench[postgres]'`."
            ) from error
        raise _unknown(shown, error) from error
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError) as error:
        raise _unknown(shown, error) from error


def _unknown(shown: str, error: Exception) -> UserError:
    return UserError(
        f"The store {shown} cannot be opened ({error}); give a file's path, or the URL of a "
        f"PostgreSQL database, postgresql://USER@HOST/NAME."
    )


def _prepare(connection: Any, _: Any) -> None:
    """Prepare a connection: readers do not wait for the writer, a killed writer breaks nothing."""
    connection.isolation_level = None  # transactions begin where `_begin` says, not later
    connection.execute(f"PRAGMA busy_timeout={_PATIENCE_MS}")
    if connection.execute("PRAGMA journal_mode").fetchone() == ("delete",):
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")


def _begin(connection: sa.Connection) -> None:
    # A writer that begins as a reader fails at once where another writer was faster.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
