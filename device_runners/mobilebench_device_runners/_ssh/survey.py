"""What a board has that an environment can be made of, and why none can be made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mobilebench.errors import UserError
from mobilebench_device_runners._ssh.connection import Connection
from mobilebench_device_runners._ssh.places import HEAD

Version = tuple[int, int]
OLDEST_PYTHON: Version = (3, 11)
_MACHINES = ("aarch64", "arm64", "x86_64")
NEEDED_KIB = 500 * 1024
"""An environment while it is made: with ONNX Runtime 200 MB, and the wheels that are unpacked."""
_UV = "curl -LsSf https://astral.sh/uv/install.sh | sh"
_SURVEY = f"""{HEAD}
echo "machine=$(uname -m)"
echo "bits=$(getconf LONG_BIT 2>/dev/null)"
echo "glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | tr -dc '0-9.')"
for file in /lib/ld-musl-*; do [ -e "$file" ] && echo "musl=$file"; done
for name in python3 python3.11 python3.12 python3.13 python3.14; do
  place=$(command -v "$name") || continue
  version=$("$place" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
  echo "python=$version $place"
done
for place in uv "$HOME/.local/bin/uv" "$HOME/.cargo/bin/uv" /usr/local/bin/uv; do
  if command -v "$place" >/dev/null 2>&1; then echo "uv=$(command -v "$place")"; break; fi
done
mkdir -p "$root" 2>/dev/null && [ -w "$root" ] && echo "writable=yes"
df -Pk "$root" 2>/dev/null | tail -n 1 | {{ read -r a b c free rest; echo "free_kib=$free"; }}
"""


@dataclass(frozen=True)
class Survey:
    """What a board has."""

    machine: str = ""
    bits: int | None = None
    glibc: Version | None = None
    musl: bool = False
    pythons: tuple[tuple[Version, str], ...] = ()
    """Versions with their programs, the usual one first."""
    uv: str | None = None
    writable: bool = False
    free_kib: int | None = None

    @property
    def python(self) -> str | None:
        """Return a Python that is new enough; None where `uv` has to bring one."""
        return next((place for version, place in self.pythons if version >= OLDEST_PYTHON), None)

    def require(self, name: str, runtime: str, oldest_glibc: Version) -> None:
        """Raise `UserError`, with what to do, where no environment for a runtime can be made."""
        reason = self._lacks(runtime, oldest_glibc)
        if reason is not None:
            raise UserError(f"The board {name} cannot run {runtime}: {reason}")

    def _lacks(self, runtime: str, oldest_glibc: Version) -> str | None:
        if self.machine not in _MACHINES:
            return (
                f"its system is for {self.machine or 'an unknown processor'}, and the runtimes are "
                f"there for aarch64 and x86_64; install a 64-bit system."
            )
        if self.bits == 32:
            return (
                "its kernel is of 64 bits and its programs of 32, for which there are no runtimes; "
                "install a 64-bit system."
            )
        if self.musl and self.glibc is None:
            return (
                "its C library is musl, for which the runtimes have no wheels; install a system "
                "with glibc, such as Debian."
            )
        if self.glibc is not None and self.glibc < oldest_glibc:
            return (
                f"its C library is glibc {_text(self.glibc)}, and the wheels of {runtime} need "
                f"{_text(oldest_glibc)}; install a newer system."
            )
        if self.python is None and self.uv is None:
            has = f"its Python is {_text(self.pythons[0][0])}" if self.pythons else "it has none"
            return (
                f"mobilebench needs Python {_text(OLDEST_PYTHON)} or newer, and {has}. Run on the "
                f"board: {_UV}"
            )
        if not self.writable:
            return "its home folder cannot be written; run it as a user that has one."
        if self.free_kib is not None and self.free_kib < NEEDED_KIB:
            return (
                f"it has {self.free_kib // 1024} MB free and the environment needs "
                f"{NEEDED_KIB // 1024} MB; free some space in its home folder."
            )
        return None


def survey(connection: Connection) -> Survey:
    """Look at a board, in one command."""
    return parse(connection.run(_SURVEY).text)


def parse(text: str) -> Survey:
    """Read what the survey printed; what it did not is unknown."""
    lines = tuple(line for line in text.splitlines() if "=" in line)
    words = {name: value for name, _, value in (line.partition("=") for line in lines)}
    pythons = []
    for line in lines:
        match = re.fullmatch(r"python=(\d+)\.(\d+) (.+)", line)
        if match is not None:
            pythons.append(((int(match[1]), int(match[2])), match[3]))
    bits, free = words.get("bits", ""), words.get("free_kib", "")
    return Survey(
        machine=words.get("machine", ""),
        bits=int(bits) if bits.isdigit() else None,
        glibc=_version(words.get("glibc", "")),
        musl="musl" in words,
        pythons=tuple(pythons),
        uv=words.get("uv"),
        writable=words.get("writable") == "yes",
        free_kib=int(free) if free.isdigit() else None,
    )


def _version(text: str) -> Version | None:
    match = re.match(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None


def _text(version: Version) -> str:
    return ".".join(map(str, version))
