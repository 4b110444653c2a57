"""Make the environment of a board, once: a Python with a runtime, and this mobilebench.

Both lie in folders that are named after their content, so that the second job finds them ready. A
change of mobilebench copies its code again and leaves the rest. Nothing needs root.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.observer import Progress
from mobilebench_device_runners._ssh import wheel
from mobilebench_device_runners._ssh.connection import Connection
from mobilebench_device_runners._ssh.places import HEAD, WITH_CODE
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
    code: str
    """The name of the folder with mobilebench below `code`."""


def make(connection: Connection, runtime: str, progress: Progress) -> Environment:
    """Make the environment for a runtime, or find it ready.

    Raises `UserError`, with what to do, where the board cannot have it.
    """
    with tempfile.TemporaryDirectory(prefix="mobilebench-wheel-") as folder:
        code = wheel.write(Path(folder))
        given = _given()
        environment = Environment(f"{runtime}-{_key(runtime, given)}", _sha256(code)[:16])
        there = connection.run(_THERE, environment.folder, environment.code).text.split()
        used: tuple[str, ...] = ()
        if "env" not in there:
            board = survey(connection)
            board.require(connection.target.name, runtime, RUNTIMES[runtime].glibc)
            progress.stage("set up the board, once: it takes minutes")
            _copy_wheels(connection, environment, given, Path(folder) / "wheels.tar")
            _create(connection, environment, board)
            used = _install(connection, environment, board, runtime)
        if "code" not in there:
            connection.copy(code, _CODE, environment.folder, environment.code)
    if "env" not in there:
        _check(connection, environment, runtime, used)
    return environment


def _given() -> list[Path]:
    """Return the wheels that the user gives; none where the board asks its index."""
    place = os.environ.get(WHEELS)
    if not place:
        return []
    wheels = sorted(Path(place).expanduser().glob("*.whl"))
    if not wheels:
        raise UserError(f"{WHEELS} names {place}, and no wheel is in it; see docs/boards.md.")
    return wheels


def _copy_wheels(
    connection: Connection, environment: Environment, given: Sequence[Path], archive: Path
) -> None:
    with tarfile.open(archive, "w") as tar:
        for path in given:
            tar.add(path, path.name)
    connection.copy(archive, _PUT, environment.folder)


def _key(runtime: str, given: Sequence[Path]) -> str:
    parts = (f"{_LAYOUT}", *_requirements(runtime), *map(_sha256, given))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _requirements(runtime: str) -> tuple[str, ...]:
    needs = RUNTIMES[runtime]
    return wheel.requirements(*((needs.extra, each) for each in needs.distributions))


def _create(connection: Connection, environment: Environment, board: Survey) -> None:
    python = board.python or ".".join(map(str, OLDEST_PYTHON))
    try:
        connection.run(_CREATE, environment.folder, board.uv or "", python, timeout_s=_MAKE_S)
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
    connection: Connection, environment: Environment, board: Survey, runtime: str
) -> tuple[str, ...]:
    """Install the requirements; return those that were installed."""
    wanted = _requirements(runtime)
    try:
        _install_all(connection, environment, board, wanted)
        return wanted
    except ToolFailed as error:
        instead = RUNTIMES[runtime].instead
        replaced = {*RUNTIMES[runtime].distributions, *map(_name_of, instead)}
        if not instead or not _has_no_wheel(error.answer, replaced):
            raise UserError(
                _not_installed(connection.target.name, runtime, error.answer)
            ) from error
    rest = tuple(each for each in wanted if _name_of(each) not in replaced)
    try:
        _install_all(connection, environment, board, (*rest, *instead))
    except ToolFailed as error:
        raise UserError(_not_installed(connection.target.name, runtime, error.answer)) from error
    return (*rest, *instead)


def _install_all(
    connection: Connection, environment: Environment, board: Survey, wanted: Sequence[str]
) -> None:
    source = "wheels" if os.environ.get(WHEELS) else "index"
    connection.run(
        _INSTALL, environment.folder, board.uv or "", source, *wanted, timeout_s=_INSTALL_S
    )


def _name_of(requirement: str) -> str:
    return re.split(r"[<>=!~]", requirement)[0]


def _has_no_wheel(answer: Answer, distributions: Iterable[str]) -> bool:
    """Return whether pip or uv has no wheel of one of the distributions for the board.

    They name only the first of several.
    """
    text = _said(answer)
    unsolved = re.search(r"No solution found|has no wheels with a matching|not found in the", text)
    return any(
        re.search(rf"No matching distribution found for {re.escape(each)}\b", text)
        or (unsolved and each in text)
        for each in distributions
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
        connection.run(
            _CHECK,
            environment.folder,
            environment.code,
            runtime,
            "\n".join(used),
            timeout_s=_CHECK_S,
        )
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


_THERE = f"""{HEAD}
if [ -f "$root/env/$1/ready" ]; then echo env; fi
if [ -d "$root/code/$2" ]; then touch "$root/code/$2"; echo code; fi
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
  exec "$uv" pip install --quiet --python venv/bin/python --only-binary :all: \\
    --find-links wheels "$@"
fi
exec venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \\
  --no-compile --only-binary :all: --find-links wheels "$@"
"""
_CODE = f"""{HEAD}
place="$root/code/$2"; part="$place.part-$$"
trap 'rm -rf "$part" "$part.whl"' EXIT
mkdir -p "$root/code" && cat > "$part.whl" || exit 1
"$root/env/$1/venv/bin/python" -m zipfile -e "$part.whl" "$part" && mv "$part" "$place" || exit 1
for other in "$root/code"/*; do
  if [ "$other" != "$place" ] && ! grep -qsF "${{other##*/}}" /proc/[0-9]*/environ; then
    rm -rf "$other"
  fi
done
exit 0
"""
_CHECK = f"""{HEAD}
cd "$root/env/$1" || exit 1
{WITH_CODE}
venv/bin/python -m mobilebench_device_runners._board check "$3" || exit 1
printf '%s\\n' "$4" > requirements.txt
rm -rf wheels
: > ready
for other in "$root/env/$3"-*; do
  if [ "$other" != "$root/env/$1" ] && ! grep -qsF "${{other##*/}}" /proc/[0-9]*/cmdline; then
    rm -rf "$other"
  fi
done
exit 0
"""
