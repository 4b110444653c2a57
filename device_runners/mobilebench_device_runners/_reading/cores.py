"""The cores of a device: clusters, which cores are on, and how far the system lets them go."""

from __future__ import annotations

import re

from mobilebench.values.device import Unreadable
from mobilebench.values.facts import Cluster, Cpu
from mobilebench_device_runners._reading.asking import (
    Ask,
    Files,
    cpu_list,
    held,
    names_in,
    number,
    read_files,
)

CPU = "/sys/devices/system/cpu"
FREQUENCIES = f"{CPU}/cpufreq"
_LISTS = ("online", "possible", "present")
_PARTS = (
    "related_cpus",
    "affected_cpus",
    "cpuinfo_max_freq",
    "scaling_max_freq",
    "scaling_cur_freq",
    "scaling_governor",
)
_FASTEST_KHZ = 10_000_000


def read_cores(ask: Ask) -> Cpu:
    """Read the cores of a device; what cannot be read is None."""
    policies = [name for name in names_in(ask, FREQUENCIES) if re.fullmatch(r"policy[0-9]+", name)]
    lists = [f"{CPU}/{name}" for name in _LISTS]
    parts = [f"{FREQUENCIES}/{policy}/{part}" for policy in policies for part in _PARTS]
    return cores_of(read_files(ask, [*lists, *parts]))


def cores_of(files: Files) -> Cpu:
    """Return the cores by the text of the kernel's files."""
    online = _list(files, f"{CPU}/online")
    known = _list(files, f"{CPU}/present") or _list(files, f"{CPU}/possible")
    policies = sorted(
        {
            int(match[1])
            for path, text in files.items()
            if (match := re.search(r"/policy([0-9]+)/", path)) and not isinstance(text, Unreadable)
        }
    )
    clusters = [
        cluster for policy in policies if (cluster := _cluster(files, policy, online)) is not None
    ]
    offline = set(known or ()) - set(online) if online is not None else set()
    return Cpu(clusters=tuple(clusters), online=online, offline=tuple(sorted(offline)))


def paths_of(cpu: Cpu) -> tuple[str, ...]:
    """Return the files that change during a measurement, for `again`."""
    parts = ("affected_cpus", "scaling_max_freq", "scaling_cur_freq", "scaling_governor")
    return (
        f"{CPU}/online",
        *(f"{FREQUENCIES}/policy{each.policy}/{part}" for each in cpu.clusters for part in parts),
    )


def again(cpu: Cpu, files: Files) -> Cpu:
    """Return cores that are known with what changed since, by the text of `paths_of`."""
    known: dict[str, str | Unreadable] = dict(files)
    for each in cpu.clusters:
        folder = f"{FREQUENCIES}/policy{each.policy}"
        known[f"{folder}/related_cpus"] = " ".join(map(str, each.cpus))
        if each.hardware_max_khz is not None:
            known[f"{folder}/cpuinfo_max_freq"] = str(each.hardware_max_khz)
    every = sorted({*(cpu.online or ()), *cpu.offline})
    if every:
        known[f"{CPU}/present"] = " ".join(map(str, every))
    return cores_of(known)


def _cluster(files: Files, policy: int, online: tuple[int, ...] | None) -> Cluster | None:
    folder = f"{FREQUENCIES}/policy{policy}"
    affected = _list(files, f"{folder}/affected_cpus")
    cpus = _list(files, f"{folder}/related_cpus") or affected
    if not cpus:
        return None
    on = set(cpus) if affected is None else set(affected) & set(cpus)
    if online is not None:
        on &= set(online)
    governor = held(files, f"{folder}/scaling_governor")
    return Cluster(
        policy=policy,
        cpus=cpus,
        online=tuple(sorted(on)),
        hardware_max_khz=_khz(files, f"{folder}/cpuinfo_max_freq"),
        allowed_max_khz=_khz(files, f"{folder}/scaling_max_freq"),
        current_khz=_khz(files, f"{folder}/scaling_cur_freq"),
        governor=governor.strip() if governor else None,
    )


def _list(files: Files, path: str) -> tuple[int, ...] | None:
    text = held(files, path)
    return None if text is None else cpu_list(text)


def _khz(files: Files, path: str) -> int | None:
    text = held(files, path)
    khz = None if text is None else number(text)
    return khz if khz is not None and 0 < khz <= _FASTEST_KHZ else None
