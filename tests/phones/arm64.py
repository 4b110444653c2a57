"""A board of another architecture on this machine: Debian for arm64 under qemu's emulation.

The programs are those of arm64, from the shell to the runtime. What is real is the way there; the
times that it measures are the emulator's and mean nothing.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.phones.loopback import ROOT, USER_ID, LoopbackBoard, fetch, run

PACKAGES = (
    "ca-certificates", "coreutils", "dash", "findutils", "grep", "libc-bin", "libstdc++6", "mawk",
    "python3.11", "python3.11-venv", "python3-minimal", "sed", "tar", "util-linux",
)  # fmt: skip
SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MAGIC = (
    r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00",
    r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff",
)
"""What programs for arm64 begin with, and which bits of it count."""


class Arm64Board(LoopbackBoard):
    """A board whose user land is Debian for arm64."""

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def seen_home(self) -> Path:
        return Path("/home/pi")

    @property
    def seen_tmp(self) -> Path:
        return Path("/tmp")

    @property
    def options(self) -> str:
        return "ChrootDirectory /mnt\n"

    def prepare(self) -> None:
        super().prepare()
        self.pip = {}
        unpack(self.root, self.folder / "packages")
        for name in ("home/pi", "proc", "sys", "dev", "tmp"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        (self.root / "tmp").chmod(0o1777)
        (self.root / "etc/passwd").write_text(f"pi:x:{USER_ID}:{USER_ID}::/home/pi:/bin/sh\n")

    def command(self, server: Sequence[str]) -> list[str]:
        emulator = fetch("qemu-user-static") / "qemu-aarch64-static"
        magic, mask = MAGIC
        # Registered in a separate user namespace, so that this machine stays as it is.
        script = (
            f"set -e; until [ $(id -u) = 0 ]; do sleep 0.05; done; "
            f"mount -t binfmt_misc none /proc/sys/fs/binfmt_misc; "
            f"printf '%s' ',arm64,M,,{magic},{mask},{emulator},F' "
            f"> /proc/sys/fs/binfmt_misc/register; "
            f"mount --bind {self.folder / 'passwd'} /etc/passwd; "
            f"mount -t tmpfs tmpfs /run; mkdir -m 755 /run/sshd; "
            f"for name in proc sys dev; do mount --rbind /$name {self.root}/$name; done; "
            f"mount --bind {self.disk} {self.root}/home/pi; "
            # The server wants a root that only root can exchange, which no folder in /tmp is.
            f"mount --rbind {self.root} /mnt; exec {shlex.join(server)}"
        )
        return ["unshare", "--user", "--mount", "sh", "-c", script]

    def started(self, pid: int) -> None:
        """Give the users of the namespace their numbers."""
        ours = Path("/proc/self/ns/user").readlink()
        until = time.monotonic() + 10
        while Path(f"/proc/{pid}/ns/user").readlink() == ours and time.monotonic() < until:
            time.sleep(0.02)
        for name in ("uid_map", "gid_map"):
            Path(f"/proc/{pid}/{name}").write_text("0 0 65536")


def unpack(root: Path, folder: Path) -> None:
    """Unpack Debian for arm64; skips where this machine cannot have it."""
    if not ROOT:
        pytest.skip("a board of another architecture needs root")
    for program in ("apt-get", "dpkg-deb", "unshare"):
        if shutil.which(program) is None:
            pytest.skip(f"a board of another architecture needs {program}")
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "sources.list").write_text(f"deb [signed-by={KEYS}] {MIRROR} {SUITE} main\n")
    (folder / "status").touch()
    config = folder / "apt.conf"
    config.write_text(
        f'''APT::Architecture "arm64"; APT::Architectures {{"arm64";}};
APT::Install-Recommends "false"; APT::Sandbox::User "root";
Dir::Etc::sourcelist "{folder}/sources.list"; Dir::Etc::sourceparts "-";
Dir::State::lists "{folder}/lists"; Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
'''
    )
    env = {**os.environ, "APT_CONFIG": str(config)}
    for command in (["update"], ["install", "--yes", "--download-only", *PACKAGES]):
        done = subprocess.run(
            ["apt-get", "-qq", *command], env=env, capture_output=True, check=False, timeout=280
        )
        if done.returncode != 0:
            pytest.skip(f"the packages of arm64 cannot be fetched: {done.stderr.decode()[-200:]}")
    root.mkdir()
    for package in sorted((folder / "cache/archives").glob("*.deb")):
        run("dpkg-deb", "-x", str(package), str(root))
    shutil.rmtree(folder)
