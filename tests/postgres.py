"""A PostgreSQL server for tests: started by an ordinary user, reached by a socket, gone after."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from uuid import uuid4

import pytest

HOW = "PostgreSQL is not here; on Debian: apt-get install postgresql, and pip install psycopg"
_NAMES = ("postgres", "nobody")
"""Whom it runs as where the tests run as root, which PostgreSQL refuses to."""


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs; None where there is none."""
    on_path = shutil.which("initdb")
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    folders.sort(key=lambda path: int(path.parent.name))
    return Path(os.path.realpath(on_path)).parent if on_path else (folders or [None])[-1]


class Postgres:
    """A server in a folder of the disk; every database in it is new."""

    def __init__(self, *, durable: bool = False) -> None:
        self._fsync = "on" if durable else "off"
        bin_ = programs()
        if bin_ is None:
            pytest.skip(HOW)
        pytest.importorskip("psycopg", reason=HOW)
        self._bin = bin_
        self.folder = Path(tempfile.mkdtemp(prefix="mb-postgres-"))
        self._user: dict[str, object] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam(_NAMES[0] if _has_user(_NAMES[0]) else _NAMES[1])
            self._user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-D", "data", "-U", "lab", "-A", "trust", "-N", "-E", "UTF8")
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **self._user,  # type: ignore[call-overload]
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        settings = (
            "listen_addresses=",
            f"unix_socket_directories={self.folder}",
            f"fsync={self._fsync}",
        )
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [
                    str(self._bin / "postgres"),
                    "-D",
                    str(self.folder / "data"),
                    *(part for setting in settings for part in ("-c", setting)),
                ],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **self._user,  # type: ignore[call-overload]
            )
        import psycopg

        for _ in range(600):
            try:
                psycopg.connect(f"host={self.folder} user=lab dbname=postgres").close()
                return
            except psycopg.OperationalError:
                assert self._server.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.1)
        raise AssertionError("PostgreSQL did not answer in a minute")

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT as an administrator does, SIGQUIT as after a crash."""
        if self._server is not None:
            self._server.send_signal(number)
            self._server.wait(timeout=60)
            self._server = None

    def database(self) -> str:
        """Make a new database; return its URL."""
        import psycopg

        name = f"t{uuid4().hex}"
        with psycopg.connect(
            f"host={self.folder} user=lab dbname=postgres", autocommit=True
        ) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        return f"postgresql://lab@/{name}?host={self.folder}"

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _has_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
