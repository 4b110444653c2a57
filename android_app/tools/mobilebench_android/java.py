"""The JDK of this machine, and the programs that run on it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mobilebench.errors import ProcessFailed
from mobilebench_android.places import ROOT, Unavailable

OLDEST = 17
_LOG_CHARS = 8000
"""Of what a failed program printed; its first message says most."""
_ADVICE = (
    f"install JDK {OLDEST} or newer (Debian and Ubuntu: apt-get install openjdk-17-jdk-headless; "
    "macOS: brew install openjdk@17), or set JAVA_HOME"
)


@dataclass(frozen=True)
class Jdk:
    """A Java development kit."""

    java: Path
    javac: Path
    version: int

    @property
    def home(self) -> Path:
        """Its folder."""
        return self.javac.resolve().parent.parent


@cache
def jdk() -> Jdk:
    """Return the JDK that JAVA_HOME names, or else the one on PATH. Raises `Unavailable`."""
    home = os.environ.get("JAVA_HOME")
    where = f"{home}/bin" if home else None
    tools = [shutil.which(name, path=where) for name in ("java", "javac")]
    java, javac = tools
    if java is None or javac is None:
        raise Unavailable(f"no JDK was found {f'in {home}' if home else 'on PATH'}; {_ADVICE}")
    done = subprocess.run(
        [javac, "-version"], capture_output=True, text=True, timeout=60, check=False
    )
    match = re.search(r"javac (\d+)", done.stdout + done.stderr)
    if match is None or int(match[1]) < OLDEST:
        answer = (done.stdout + done.stderr).strip() or "nothing"
        raise Unavailable(f"{javac} says {answer!r}, which is not JDK {OLDEST}; {_ADVICE}")
    return Jdk(Path(java), Path(javac), int(match[1]))


def run(
    args: Sequence[str | Path], *, timeout_s: float, env: Mapping[str, str] | None = None
) -> str:
    """Run a program in the repository and return what it prints on stdout.

    Raises `ProcessFailed` with its output where it fails or takes too long.
    """
    words = [str(arg) for arg in args]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            cwd=ROOT,
            env=None if env is None else {**os.environ, **env},
        )
    except subprocess.TimeoutExpired as error:
        detail = f"did not end within {timeout_s:g} s"
        raise ProcessFailed(words[0], "timeout", detail, str(error.output or "")) from None
    if done.returncode:
        log = (done.stdout + done.stderr)[:_LOG_CHARS]
        raise ProcessFailed(words[0], "exit", f"ended with exit code {done.returncode}", log)
    return done.stdout


def java(
    classpath: Sequence[Path],
    main: str,
    args: Sequence[str | Path] = (),
    *,
    options: Sequence[str] = (),
    timeout_s: float,
) -> str:
    """Run a class and return what it prints on stdout. Raises as `run`."""
    path = os.pathsep.join(map(str, classpath))
    return run([jdk().java, *options, "-cp", path, main, *args], timeout_s=timeout_s)
