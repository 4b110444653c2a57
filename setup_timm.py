"""Install the torchvision that timm needs, where one for the installed torch can be had.

Run by `make setup`, in the environment that it sets up. It never fails and never changes torch:
where no torchvision fits, it leaves none behind and says in one line what to do.
"""

from __future__ import annotations

import subprocess
import sys

from mobilebench.machine import torchvision

_WORKS = "import timm, torch, torchvision; torch.ops.torchvision.nms"
_PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
_SECONDS = 300


def main() -> None:
    """Install it, test it in a new process, and remove it again where it does not work."""
    if torchvision.version_of("torchvision") is not None:
        if not _ran(sys.executable, "-c", _WORKS):
            _tell("the torchvision that is installed does not work with this torch")
        return
    match = torchvision.matching()
    if match is None:
        _tell("no torchvision is known for this torch")
        return
    for arguments in _sources(match):
        pip = (*_PIP, "install", "--no-deps", "--retries", "1", "--timeout", "15", *arguments)
        if not _ran(*pip):
            continue
        if _ran(sys.executable, "-c", _WORKS):
            return
        _ran(*_PIP, "uninstall", "--yes", "torchvision")
    _tell("no torchvision that works with this torch could be had")


def _sources(match: torchvision.Match) -> list[tuple[str, ...]]:
    """List the arguments of pip to try in turn: indexes that the user has set up come first."""
    sources: list[tuple[str, ...]] = [(match.requirement,)]
    if match.index is not None:
        sources += [
            (match.requirement, "--index-url", match.index),
            (f"torchvision=={match.version}",),
        ]
    return sources


def _ran(*command: str) -> bool:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _tell(why: str) -> None:
    match = torchvision.matching()
    advice = f"; for them run: .venv/bin/{match.command}" if match else ""
    sys.stderr.write(f"timm: models cannot be exported: {why}{advice}\n")


if __name__ == "__main__":
    main()
