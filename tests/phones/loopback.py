"""A board on this machine: a real SSH server on loopback, with a user and a home of its own.

As root, the server runs in a separate mount namespace, where the board has a user `pi` without any
rights here and a small disk for its home. Otherwise the user is the one who runs the tests.
"""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mobilebench_android import fetching, parts
from mobilebench_android.places import Unavailable

TABLE = Path(__file__).with_name("ssh_parts.toml")
USER_ID = 60022
ROOT = os.geteuid() == 0
USER = "pi" if ROOT else getpass.getuser()
DISK = "1400m"


def fetch(name: str) -> Path:
    """Return the folder of a part of the table; skips where it cannot be had."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["parts"]
    table = parts.read({"registries": parts.registries(), "parts": rows})
    try:
        return fetching.fetch_part(table[name])
    except Unavailable as error:
        pytest.skip(f"this machine has no {name}: {error}")


def server() -> tuple[Path, dict[str, str]]:
    """Return an SSH server with the variables that it needs; skips where there is none."""
    if os.uname().sysname != "Linux":
        pytest.skip("a board on loopback needs Linux, since its files are those of a Linux board")
    for name in ("ssh", "ssh-keygen"):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not installed; install openssh-client")
    installed = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if installed is not None:
        return Path(installed), {}
    folder = fetch("openssh-server")
    return folder / "sshd", {"LD_LIBRARY_PATH": str(fetch("libwrap0"))}


@dataclass
class LoopbackBoard:
    """A board, its server, and the computer's ~/.ssh."""

    folder: Path
    port: int
    program: Path
    variables: Mapping[str, str]
    path: str = "/usr/local/bin:/usr/bin:/bin"
    pip: Mapping[str, str] = field(default_factory=lambda: _PIP)
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return f"{USER}@127.0.0.1:{self.port}"

    @property
    def device_id(self) -> str:
        return f"ssh:{self.name}"

    @property
    def home(self) -> Path:
        """The home on the board: with a space, a quote and letters beyond ASCII."""
        return self.folder / "home of pi's böard"

    @property
    def seen_home(self) -> Path:
        """The home as the board sees it."""
        return self.home

    @property
    def seen_tmp(self) -> Path:
        return self.folder / "tmp"

    @property
    def disk(self) -> Path:
        """The home as this machine sees it."""
        return self.folder / "disk" if ROOT else self.home

    @property
    def data(self) -> Path:
        """What mobilebench keeps on the board, as this machine sees it."""
        return self.disk / ".local/share/mobilebench-board"

    @property
    def config(self) -> Path:
        return self.folder / "computer" / "config"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "computer" / "known_hosts"

    def prepare(self) -> None:
        computer = self.folder / "computer"
        computer.mkdir()
        self.home.mkdir()
        (self.folder / "tmp").mkdir()
        (self.folder / "tmp").chmod(0o1777)
        if ROOT:
            os.chown(self.home, USER_ID, USER_ID)
            passwd = Path("/etc/passwd").read_text()
            passwd += f"pi:x:{USER_ID}:{USER_ID}::{self.folder}:/bin/sh\n"
            if "\nsshd:" not in passwd:
                passwd += "sshd:x:60021:65534::/run/sshd:/usr/sbin/nologin\n"
            (self.folder / "passwd").write_text(passwd)
        _keygen(computer / "id")
        self.new_host_key()
        shutil.copy(computer / "id.pub", self.folder / "authorized_keys")
        self.trust()
        # The computer's own configuration is not used: a program `ssh` that names this one is.
        self.config.write_text(
            f"Host *\n  IdentityFile {computer / 'id'}\n  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self.known_hosts}\n  GlobalKnownHostsFile none\n"
            f"Host my-board\n  HostName 127.0.0.1\n  Port {self.port}\n  User {USER}\n"
        )
        programs = computer / "bin"
        programs.mkdir()
        ssh = shutil.which("ssh")
        (programs / "ssh").write_text(
            f'#!/bin/sh\nexec {ssh} -F {shlex.quote(str(self.config))} "$@"\n'
        )
        (programs / "ssh").chmod(0o755)

    def new_host_key(self) -> None:
        for file in self.folder.glob("host_key*"):
            file.unlink()
        _keygen(self.folder / "host_key")

    def trust(self) -> None:
        kind, key = (self.folder / "host_key.pub").read_text().split()[:2]
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {kind} {key}\n")

    @property
    def options(self) -> str:
        """What a kind of board adds to the server's configuration."""
        return ""

    def command(self, server: Sequence[str]) -> list[str]:
        """Return what starts the server on the board."""
        if not ROOT:
            return [*server]
        script = (
            f"set -e; mount --bind {self.folder / 'passwd'} /etc/passwd; "
            f"mount -t tmpfs tmpfs /run; mkdir -m 755 /run/sshd; "
            f"mount --bind {self.disk} {shlex.quote(str(self.home))}; exec {shlex.join(server)}"
        )
        return ["unshare", "--mount", "sh", "-c", script]

    def started(self, pid: int) -> None:
        """Do what the process of the server still needs."""

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        config = self.folder / "sshd_config"
        variables = {
            "HOME": self.seen_home,
            "TMPDIR": self.seen_tmp,
            "PATH": self.path,
            **self.pip,
        }
        words = " ".join(f'"{name}={value}"' for name, value in variables.items())
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder / 'host_key'}\n"
            f"AuthorizedKeysFile {self.folder / 'authorized_keys'}\nPidFile none\nStrictModes no\n"
            f"UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"SetEnv {words}\nLogLevel ERROR\n{self.options}"
        )
        with (self.folder / "sshd.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command([str(self.program), "-D", "-e", "-f", str(config)]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self.variables},
                start_new_session=True,
            )
        self.started(self.process.pid)
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        log_text = (self.folder / "sshd.log").read_text()
        pytest.skip(f"the SSH server does not start: {log_text[-400:]}")

    def kill(self) -> None:
        """End the server with all its connections, as a board that loses its network."""
        if self.process is None:
            return
        for pid in _children(self.process.pid):
            if _is_sshd(pid):
                with _gone():
                    os.kill(pid, signal.SIGKILL)
        with _gone():
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None


class _gone:
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: object, trace: object) -> bool:
        return isinstance(error, ProcessLookupError)


_PIP = {
    name: os.environ[name]
    for name in ("PIP_FIND_LINKS", "PIP_CERT", "PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT")
    if name in os.environ
}


@contextmanager
def loopback_board(kind: type[LoopbackBoard] = LoopbackBoard) -> Iterator[LoopbackBoard]:
    """Start a board; skips, with the reason, where this machine cannot have one."""
    program, variables = server()
    # Not pytest's folder: the board's user may not look into it.
    folder = Path(tempfile.mkdtemp(prefix="mb-board-"))
    folder.chmod(0o755)
    board = kind(folder, _free_port(), program, variables)
    disk = folder / "disk"
    disk.mkdir()
    try:
        if ROOT:
            run("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "tmpfs", str(disk))
            os.chown(disk, USER_ID, USER_ID)
        board.prepare()
        board.start()
        yield board
    finally:
        board.kill()
        for pid in below(folder):
            with _gone():
                os.kill(pid, signal.SIGKILL)
        if ROOT:
            subprocess.run(["umount", "-l", str(disk)], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def _keygen(path: Path) -> None:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=300)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _children(pid: int) -> list[int]:
    result = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(stat.parent.name)
            result += [child, *_children(child)]
    return result


def _is_sshd(pid: int) -> bool:
    try:
        return "sshd" in Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return False


def below(folder: Path) -> list[int]:
    """Return processes whose command names a folder: what a test left on the board."""
    result = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = place.read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in command and int(place.parent.name) != os.getpid():
            result.append(int(place.parent.name))
    return result
