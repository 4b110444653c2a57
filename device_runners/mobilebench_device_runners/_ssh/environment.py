"""Make the environment of a board, once: a Python, this mobilebench, and a runtime.

It lies in a folder that is named after its content, so that the second job finds it ready and a
change here makes a new one. Nothing needs root.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.observer import Progress
from mobilebench_device_runners._ssh import wheel
from mobilebench_device_runners._ssh.connection import Connection
from mobilebench_device_runners._ssh.places import HEAD
from mobilebench_device_runners._ssh.survey import OLDEST_PYTHON, Survey, Version, survey
from mobilebench_device_runners._tools import Answer, ToolFailed

WHEELS = "MOBILEBENCH_BOARD_WHEELS"
"""Names a folder of wheels for boards without internet; nothing is asked of an index then."""
_LAYOUT = 1
"""Goes up when an environment would be made in another way."""
_MAKE_S, _INSTALL_S, _CHECK_S = 300.0, 3600.0, 600.0


@dataclass(frozen=True)
class Needs:
    """What a runtime needs of a board."""

    extra: str
    distributions: tuple[str, ...]
    """Of the extra, what a runtime is; the rest is for exporting."""
    glibc: Version
    """Of its wheels for aarch64."""
    instead: tuple[str, ...] = ()
    """Requirements where the distribution has no wheel for the board."""


RUNTIMES: Mapping[str, Needs] = {
    "onnxruntime": Needs("onnx", ("onnxruntime",), (2, 28)),
    # Its wheels were built with the C interface of NumPy 1.
    "litert": Needs("tflite", ("ai-edge-litert",), (2, 17), ("tflite-runtime>=2.14", "numpy<2")),
    "executorch": Needs("executorch", ("executorch", "torch"), (2, 28)),
}


@dataclass(frozen=True)
class Environment:
    """An environment that is ready on a board."""

    folder: str
    """Its name below `env`."""

    @property
    def python(self) -> str:
        """Return its Python, below the folder of mobilebench on the board."""
        return f"env/{self.folder}/venv/bin/python"


def make(connection: Connection, runtime: str, progress: Progress) -> Environment:
    """Make the environment for a runtime, or find it ready.

    Raises `UserError`, with what to do, where the board cannot have it.
    """
    name = connection.target.name
    with tempfile.TemporaryDirectory(prefix="mobilebench-wheel-") as folder:
        packed = _packed(Path(folder))
        environment = Environment(f"{runtime}-{_key(runtime, packed)}")
        if connection.run(_READY, environment.folder, good=(0, 1)).rc == 0:
            return environment
        found = survey(connection)
        found.require(name, runtime, RUNTIMES[runtime].glibc)
        progress.stage("set up the board, once: it takes minutes")
        archive = Path(folder) / "wheels.tar"
        with tarfile.open(archive, "w") as tar:
            for path in packed:
                tar.add(path, path.name)
        connection.copy(archive, _PUT, environment.folder)
    _create(connection, environment, found)
    used = _install(connection, environment, found, runtime)
    _check(connection, environment, runtime, used)
    return environment


def _packed(folder: Path) -> list[Path]:
    """Return the wheels to copy: this mobilebench, and those that the user gives."""
    packed = [wheel.write(folder)]
    given = os.environ.get(WHEELS)
    if given is not None:
        wheels = sorted(Path(given).expanduser().glob("*.whl"))
        if not wheels:
            raise UserError(f"{WHEELS} names {given}, and no wheel is in it; see docs/boards.md.")
        packed += wheels
    return packed


def _key(runtime: str, packed: Sequence[Path]) -> str:
    digest = hashlib.sha256(f"{_LAYOUT} {_requirements(runtime)}".encode())
    for path in packed:
        digest.update(f"\0{path.name}\0".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


def _requirements(runtime: str) -> tuple[str, ...]:
    needs = RUNTIMES[runtime]
    return wheel.requirements(*((needs.extra, each) for each in needs.distributions))


def _create(connection: Connection, environment: Environment, found: Survey) -> None:
    python = found.python or ".".join(map(str, OLDEST_PYTHON))
    try:
        connection.run(_CREATE, environment.folder, found.uv or "", python, timeout_s=_MAKE_S)
    except ToolFailed as error:
        raise UserError(_no_environment(connection.target.name, error.answer)) from error


def _no_environment(name: str, answer: Answer) -> str:
    text = _said(answer)
    if "ensurepip" in text or "python3-venv" in text or "No module named venv" in text:
        return (
            f"The Python of the board {name} comes without venv. Run on the board: sudo apt "
            f"install python3-venv"
        )
    return f"No environment can be made on the board {name}: {_end(text)}"


def _install(
    connection: Connection, environment: Environment, found: Survey, runtime: str
) -> tuple[str, ...]:
    """Install the requirements; return those that were installed."""
    wanted = _requirements(runtime)
    try:
        _install_all(connection, environment, found, wanted)
        return wanted
    except ToolFailed as error:
        instead = RUNTIMES[runtime].instead
        if not instead or not _has_no_wheel(error.answer, RUNTIMES[runtime].distributions[0]):
            raise UserError(
                _not_installed(connection.target.name, runtime, error.answer)
            ) from error
    named = {re.split(r"[<>=!~]", each)[0] for each in (*RUNTIMES[runtime].distributions, *instead)}
    rest = tuple(each for each in wanted if re.split(r"[<>=!~]", each)[0] not in named)
    try:
        _install_all(connection, environment, found, (*rest, *instead))
    except ToolFailed as error:
        raise UserError(_not_installed(connection.target.name, runtime, error.answer)) from error
    return (*rest, *instead)


def _install_all(
    connection: Connection, environment: Environment, found: Survey, wanted: Sequence[str]
) -> None:
    source = "wheels" if os.environ.get(WHEELS) else "index"
    connection.run(
        _INSTALL, environment.folder, found.uv or "", source, *wanted, timeout_s=_INSTALL_S
    )


def _has_no_wheel(answer: Answer, distribution: str) -> bool:
    """Return whether pip or uv found no wheel of a distribution for the board."""
    return bool(
        re.search(rf"No matching distribution found for {distribution}", _said(answer))
        or (
            re.search(
                r"No solution found|has no wheels with a matching|not found in the", _said(answer)
            )
            and distribution in _said(answer)
        )
    )


def _not_installed(name: str, runtime: str, answer: Answer) -> str:
    text = _said(answer)
    if re.search(r"No space left|Disk quota", text):
        return f"The disk of the board {name} is full; free some space in its home folder."
    if re.search(
        r"name resolution|Failed to establish|Network is unreachable|No route to host"
        r"|Connection refused|timed out|dns error|error sending request|Failed to fetch",
        text,
    ):
        return (
            f"The board {name} reaches no package index. Connect it to the internet once, or set "
            f"{WHEELS} to a folder of wheels; docs/boards.md says how to fill one."
        )
    if "externally-managed" in text:
        return f"The Python of the board {name} is not that of an environment; report this."
    return (
        f"The board {name} cannot have {runtime}: {_end(text)} Where a wheel is missing, install "
        f"uv on the board, which brings a fitting Python: see docs/boards.md."
    )


def _check(
    connection: Connection, environment: Environment, runtime: str, used: Sequence[str]
) -> None:
    """Import the runtime on the board; the environment counts as ready only then."""
    try:
        connection.run(_CHECK, environment.folder, runtime, "\n".join(used), timeout_s=_CHECK_S)
    except ToolFailed as error:
        raise UserError(
            f"The runtime {runtime} is installed on the board {connection.target.name} and does "
            f"not start: {_end(_said(error.answer))}"
        ) from error


def _said(answer: Answer) -> str:
    return (answer.stdout + b"\n" + answer.stderr).decode("utf-8", "replace")


def _end(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"error|Error|ERROR|Illegal|Killed", line)]
    last = (telling or lines or ["it gives no reason"])[-1]
    return last if last.endswith(".") else f"{last}."


_READY = f"""{HEAD}
[ -f "$root/env/$1/ready" ]
"""
_PUT = f"""{HEAD}
place="$root/env/$1"
rm -rf "$place" && mkdir -p "$place/wheels" && tar -x -f - -C "$place/wheels"
"""
_CREATE = f"""{HEAD}
cd "$root/env/$1" || exit 1
if [ -n "$2" ]; then "$2" venv --quiet --python "$3" venv; else "$3" -m venv venv; fi
"""
_INSTALL = f"""{HEAD}
cd "$root/env/$1" || exit 1
uv=$2; source=$3; shift 3
if [ "$source" = wheels ]; then set -- --no-index "$@"; fi
if [ -n "$uv" ]; then
  "$uv" pip install --quiet --python venv/bin/python --only-binary :all: \\
    --find-links wheels "$@" || exit 1
  "$uv" pip install --quiet --python venv/bin/python --no-deps --no-index wheels/mobilebench-*.whl
else
  pip="venv/bin/python -m pip --quiet --disable-pip-version-check --no-input"
  $pip install --only-binary :all: --find-links wheels "$@" || exit 1
  $pip install --no-deps --no-index wheels/mobilebench-*.whl
fi
"""
_CHECK = f"""{HEAD}
cd "$root/env/$1" || exit 1
venv/bin/python -m mobilebench_device_runners._board check "$2" || exit 1
printf '%s\\n' "$3" > requirements.txt
rm -rf wheels
: > ready
runtime=${{1%-*}}
for other in "$root/env/$runtime"-*; do
  if [ "$other" != "$root/env/$1" ] && ! grep -qsF "${{other##*/}}" /proc/[0-9]*/cmdline; then
    rm -rf "$other"
  fi
done
"""
