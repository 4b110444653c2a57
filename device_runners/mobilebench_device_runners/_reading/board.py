"""Read a board over SSH: which commands it is asked, and what the answers mean together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from mobilebench.values.attached import Attached, BoardFacts, Form, Transport
from mobilebench.values.device import DeviceKind
from mobilebench.values.facts import (
    Cpu,
    PiFlag,
    Reading,
    Section,
    SensorKind,
    ServiceState,
    Soc,
    Temperatures,
    Thermal,
    Throttled,
)
from mobilebench.values.obstacles import Caution, Obstacle
from mobilebench_device_runners._reading import jetson, raspberry
from mobilebench_device_runners._reading.asking import Ask, held, number, read_files, text_of
from mobilebench_device_runners._reading.cores import again, paths_of, read_cores
from mobilebench_device_runners._reading.memory import MEMORY, ram_bytes_of
from mobilebench_device_runners._reading.temperatures import read_zones

MODEL = "/proc/device-tree/model"
COMPATIBLE = "/proc/device-tree/compatible"
SYSTEM = "/etc/os-release"
_ARCHES = {"aarch64", "arm64", "x86_64", "amd64"}
_MACHINE = re.compile(r"\b(aarch64|arm64|armv\w+|x86_64|amd64|i[3-6]86|riscv64|ppc64le)\b")


def read(ask: Ask, host: str) -> Attached:
    """Read a board; nothing on it is changed, and no root is needed."""
    name = text_of(ask(["uname", "-a"]))
    empty = Attached(
        id=f"ssh:{host}",
        kind=DeviceKind.BOARD,
        form=Form.BOARD,
        transport=Transport.SSH,
        os="linux",
        board=BoardFacts(host=host),
    )
    if name.lost or not name.first:
        return replace(empty, why_not=(Obstacle.UNREACHABLE,))
    machine = _MACHINE.findall(name.first)
    pi = raspberry.read(ask)
    tegra = jetson.read(ask)
    cpu = read_cores(ask)
    zones = read_zones(ask) or Temperatures()
    temperatures = _merged(pi, tegra, zones)
    libc = _libc(ask)
    python, no_python = _python(ask)
    texts = read_files(ask, [MEMORY, SYSTEM])
    bits = number(text_of(ask(["getconf", "LONG_BIT"])).first)
    arch = machine[-1] if machine else None
    board = BoardFacts(
        host=host,
        arch=arch,
        kernel=name.first.split()[2] if len(name.first.split()) > 2 else None,
        libc=libc,
        python=python,
        l4t=tegra.release,
        throttled=pi.throttled,
        arm_mhz=pi.arm_mhz,
        core_volts=pi.core_volts,
        power_mode=tegra.power_mode,
        gpu_busy_percent=tegra.gpu_busy_percent,
        gpu_mhz=tegra.gpu_mhz,
        rails=tegra.rails,
        groups=pi.groups,
    )
    flags = pi.throttled.now if pi.throttled else ()
    hot = PiFlag.THROTTLED in flags and PiFlag.UNDER_VOLTAGE not in flags
    conditions = {
        Obstacle.ARCH: (arch is not None and arch not in _ARCHES) or bits == 32,
        Obstacle.NO_PYTHON: no_python,
        Obstacle.LIBC_MUSL: libc == "musl",
        Obstacle.HOT: hot,
    }
    governor = cpu.governor
    cautions = {
        Caution.THERMAL_ABSENT: not temperatures.readings,
        Caution.CPUFREQ_ABSENT: not cpu.clusters,
        Caution.CPU_CAPPED: bool(cpu.capped),
        Caution.CORES_OFFLINE: bool(cpu.offline),
        # On a Jetson the power mode decides.
        Caution.GOVERNOR_NOT_PERFORMANCE: governor not in (None, "performance")
        and tegra.power_mode is None,
        Caution.POWER_MODE_NOT_MAX: tegra.power_mode is not None
        and not tegra.power_mode.name.upper().startswith("MAXN"),
        Caution.VCGENCMD_DENIED: pi.denied,
        Caution.UNDER_VOLTAGE: PiFlag.UNDER_VOLTAGE in flags,
        Caution.FREQUENCY_CAPPED: PiFlag.FREQUENCY_CAPPED in flags,
        Caution.THROTTLED: PiFlag.THROTTLED in flags,
        Caution.SOFT_TEMP_LIMIT: PiFlag.SOFT_TEMP_LIMIT in flags,
    }
    ok = bool(temperatures.readings)
    return replace(
        empty,
        model=_model(ask),
        soc=_soc(ask),
        os_version=_version(held(texts, SYSTEM)),
        os_build=board.kernel,
        ram_bytes=ram_bytes_of(held(texts, MEMORY)),
        why_not=tuple(word for word, holds in conditions.items() if holds),
        warnings=tuple(word for word in Caution if cautions.get(word)),
        mends=(pi.mend,) if pi.mend else (),
        thermal=Thermal(
            state=ServiceState.OK if ok else ServiceState.ABSENT,
            section=Section.ZONES if ok else Section.NONE,
        ),
        zones=temperatures,
        cpu=cpu,
        board=board,
    )


def sample(ask: Ask, known: Attached) -> Attached:
    """Read again what changes during a measurement: heat, throttling and clocks."""
    board = known.board
    if board is None:
        return known
    pi = raspberry.read(ask) if board.throttled is not None else raspberry.Pi()
    tegra = jetson.read(ask) if board.l4t is not None else jetson.Tegra()
    zones = read_zones(ask) or Temperatures()
    cpu = known.cpu or Cpu()
    return replace(
        known,
        zones=_merged(pi, tegra, zones),
        cpu=again(cpu, read_files(ask, paths_of(cpu))),
        board=replace(
            board,
            throttled=pi.throttled,
            arm_mhz=pi.arm_mhz,
            core_volts=pi.core_volts,
            gpu_busy_percent=tegra.gpu_busy_percent,
            gpu_mhz=tegra.gpu_mhz,
            rails=tegra.rails,
        ),
    )


def _merged(pi: raspberry.Pi, tegra: jetson.Tegra, zones: Temperatures) -> Temperatures:
    """Return all temperatures; a zone that tegrastats shows, too, counts once."""
    known = {each.name for each in tegra.temperatures.readings}
    soc = (
        (Reading(name="soc", celsius=pi.soc_c, kind=SensorKind.SOC),)
        if pi.soc_c is not None
        else ()
    )
    return Temperatures(
        readings=(
            *soc,
            *tegra.temperatures.readings,
            *(each for each in zones.readings if each.name.removesuffix("-thermal") not in known),
        ),
        rejected=(*tegra.temperatures.rejected, *zones.rejected),
    )


def _model(ask: Ask) -> str | None:
    answer = ask(["cat", MODEL])
    text, end, _ = answer.stdout.decode("utf-8", "replace").partition("\0")
    return text.strip() or None if answer.rc == 0 and end and "\n" not in text else None


def _soc(ask: Ask) -> Soc | None:
    answer = ask(["cat", COMPATIBLE])
    names = [name for name in answer.stdout.decode("utf-8", "replace").split("\0") if name.strip()]
    if answer.rc != 0 or not names or not re.fullmatch(r"[\w.-]+,[\w.-]+", names[-1].strip()):
        return None
    return Soc(name=names[-1].strip().partition(",")[2], source="device tree")


def _libc(ask: Ask) -> str | None:
    answer = ask(["ldd", "--version"])
    text = (answer.stdout + answer.stderr).decode("utf-8", "replace").lower()
    if "musl" in text:
        return "musl"
    return "glibc" if re.search(r"glibc|gnu libc|gnu c library", text) else None


def _python(ask: Ask) -> tuple[str | None, bool]:
    """Return the version of python3, and whether the shell says that there is none."""
    answer = ask(["python3", "--version"])
    text = (answer.stdout + answer.stderr).decode("utf-8", "replace").replace("\r", "")
    if match := re.search(r"^Python (\d+\.\d+(?:\.\d+\S*)?)\n", text, re.MULTILINE):
        return match[1], False
    shell = re.search(r"^-?\w*sh: .*not found", text, re.MULTILINE)
    return None, answer.rc == 127 and shell is not None


def _version(text: str | None) -> str | None:
    match = re.search(r'^VERSION_ID="?([^"\n]+)', text or "", re.MULTILINE)
    return match[1] if match else None


def valid_samples(polls: Sequence[Throttled | None]) -> tuple[bool, ...]:
    """Return for each poll whether the firmware left the board alone since the first.

    A flag since boot that was there before is no fault of these samples; a new one spoils all from
    the poll that shows it. An unknown answer is valid: nothing speaks against it.
    """
    first = next((set(each.since_boot) for each in polls if each is not None), set())
    return tuple(each is None or (not each.now and set(each.since_boot) <= first) for each in polls)
