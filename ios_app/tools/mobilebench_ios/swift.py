"""Swift's programs: the system's on a Mac, and Debian's in a folder everywhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mobilebench.errors import ProcessFailed
from mobilebench_android.fetching import Report, silent
from mobilebench_ios import debian
from mobilebench_ios.places import ROOT, Unavailable, output

OLDEST = "6.0"
TIMEOUT_S = 1800
_SOURCES, _OUTPUTS = "/src", "/out"
"""Where the repository and the outputs are inside Debian's folder."""
_PATH = "/usr/libexec/swift/bin:/usr/bin"
_LOG_CHARS = 200_000
# The mounts are seen by the program alone, and end with it.
_ENTER = f"""
set -e
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc" 2>/dev/null || mount --rbind /proc "$1/proc"
mount -t tmpfs tmpfs "$1/tmp"
mount --bind "$2" "$1{_SOURCES}"
mount --bind "$3" "$1{_OUTPUTS}"
root=$1 folder=$4
shift 4
exec chroot "$root" env -i PATH={_PATH} HOME={_OUTPUTS}/home LANG=C.UTF-8 TMPDIR=/tmp \\
  env --chdir="$folder" "$@"
"""


@dataclass(frozen=True)
class Swift:
    """Swift's programs, and where the repository is for them."""

    root: Path | None
    """Debian's folder; None for the system's own Swift."""

    def command(self, args: Sequence[str | Path], folder: Path = ROOT) -> list[str]:
        """Return the command of this machine that runs one of Swift's programs in a folder.

        Paths in `args` have to be below the repository or the outputs.
        """
        words = [self.seen(arg) if isinstance(arg, Path) else arg for arg in args]
        if self.root is None:
            return words
        enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        if os.geteuid() != 0:
            enter += ["--user", "--map-root-user"]
        places = [str(self.root), str(ROOT), str(output()), self.seen(folder)]
        return [*enter, "sh", "-c", _ENTER, "sh", *places, *words]

    def run(
        self,
        args: Sequence[str | Path],
        folder: Path = ROOT,
        *,
        timeout_s: float = TIMEOUT_S,
        good: tuple[int, ...] = (0,),
    ) -> str:
        """Run one of Swift's programs and return what it prints, on both streams.

        Raises `ProcessFailed` with its output, in paths of this machine, where it fails.
        """
        (output() / "home").mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(
                self.command(args, folder),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                timeout=timeout_s,
                check=False,
                cwd=folder,
            )
        except subprocess.TimeoutExpired as error:
            detail = f"did not end within {timeout_s:g} s"
            raise ProcessFailed(str(args[0]), "timeout", detail, str(error.output or "")) from None
        log = self.here(done.stdout)
        if done.returncode not in good:
            detail = f"ended with exit code {done.returncode}"
            raise ProcessFailed(str(args[0]), "exit", detail, log[:_LOG_CHARS])
        return log

    def seen(self, path: Path) -> str:
        """Return a path of this machine as Swift's programs see it."""
        if self.root is None:
            return str(path)
        for inside, place in ((_OUTPUTS, output()), (_SOURCES, ROOT)):
            if path.is_relative_to(place):
                return str(Path(inside) / path.relative_to(place))
        raise ValueError(f"{path} is neither in {ROOT} nor in {output()}")

    def here(self, text: str) -> str:
        """Return text of Swift's programs with the paths of this machine."""
        if self.root is None:
            return text
        return text.replace(f"{_SOURCES}/", f"{ROOT}/").replace(f"{_OUTPUTS}/", f"{output()}/")


def swift(report: Report = silent) -> Swift:
    """Return Swift; set it up where it is not there yet. Raises `Unavailable`."""
    if sys.platform == "darwin":
        return _checked(Swift(None))
    if not sys.platform.startswith("linux"):
        raise Unavailable(f"Swift is set up on Linux and macOS, and this is {sys.platform}")
    if reason := _cannot_enter():
        raise Unavailable(reason)
    return _checked(Swift(debian.root(report)))


@cache
def _cannot_enter() -> str | None:
    """Return why a folder cannot be entered as a system here; None where it can."""
    if shutil.which("unshare") is None:
        return "Swift cannot be run without the program unshare; install util-linux"
    flags = ["--mount", "--pid", "--fork"]
    flags += [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    probe = "mount -t tmpfs tmpfs /mnt && chroot / true"
    done = subprocess.run(
        ["unshare", *flags, "sh", "-c", probe],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode == 0:
        return None
    return (
        f"Swift's folder cannot be entered here ({' '.join(done.stderr.split())}); run this as "
        "root, or where users may make namespaces"
    )


@cache
def _checked(found_swift: Swift) -> Swift:
    """Return Swift where it answers and is new enough. Raises `Unavailable`."""
    try:
        answer = found_swift.run(["swift", "--version"], timeout_s=120)
    except (OSError, ProcessFailed) as error:
        log = error.log_tail if isinstance(error, ProcessFailed) else str(error)
        raise Unavailable(f"Swift does not answer: {' '.join(log.split())}") from None
    version = _version(answer)
    if version is None or version < tuple(map(int, OLDEST.split("."))):
        raise Unavailable(f"Swift says {answer.strip()!r}, which is not {OLDEST} or newer")
    return found_swift


def _version(answer: str) -> tuple[int, ...] | None:
    for word in answer.split():
        digits = word.split(".")
        if len(digits) > 1 and all(each.isdigit() for each in digits):
            return tuple(map(int, digits))
    return None
