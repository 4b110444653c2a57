"""Describe the machine that runs this as a device, and the version of the harness.

What cannot be read is None. Nothing is guessed.
"""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil

from mobilebench.values.device import Device, DeviceKind
from mobilebench.values.record import Provenance


def version() -> str:
    """Return the version of mobilebench that runs."""
    return metadata.version("mobilebench")


def now() -> str:
    """Return the time of day in UTC, as in RFC 3339."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def host_device() -> Device:
    """Describe this machine as the device `host`."""
    cpu = _cpu_name()
    return Device(
        id="host",
        kind=DeviceKind.HOST,
        model=cpu or platform.machine(),
        soc=cpu,
        os=platform.system(),
        os_version=platform.release(),
        os_build=platform.version(),
        ram_bytes=psutil.virtual_memory().total,
        cores=os.cpu_count(),
    )


def _cpu_name() -> str | None:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or None


def provenance(transport: str) -> Provenance:
    """Return the version of the harness and the commits of its code and the working folder.

    A commit is None where the folder is not in a git checkout.
    """
    root = Path(__file__).resolve().parents[2]
    commit, dirty = _commit(root) if (root / ".git").exists() else (None, None)
    source_commit, source_dirty = _commit(Path.cwd())
    return Provenance(
        harness_version=version(),
        git_commit=commit,
        dirty=dirty,
        transport=transport,
        source_commit=source_commit,
        source_dirty=source_dirty,
    )


def _commit(folder: Path) -> tuple[str | None, bool | None]:
    """Return the commit of a folder, and whether tracked files differ from it."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None, None
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return commit, None if status is None else bool(status)


def _git(root: Path, *args: str) -> str | None:
    """Return a git command's output; None where git is absent or does not own the folder."""
    try:
        result = subprocess.run(
            ["git", "-C", str(root), *args], capture_output=True, text=True, timeout=10, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() if result.returncode == 0 else None


def peak_memory_bytes() -> int:
    """Return the largest resident size that this process alone has reached.

    `getrusage` is not used on Linux: its figure survives exec, so a child would report the size of
    its parent.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def resident_memory_bytes() -> int:
    """Return the current resident size of this process."""
    return int(psutil.Process().memory_info().rss)
