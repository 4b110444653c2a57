"""A device that is attached to this computer, as its tools show it now.

A record holds how the device describes itself (`values.device.Device`). This is the view from
outside, with the reasons why nothing can be measured on it.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from mobilebench.values import require_range, value
from mobilebench.values.device import (
    ANDROID_STATUSES,
    Cores,
    Device,
    DeviceKind,
    DeviceState,
    ThermalState,
    Unreadable,
    names_in,
    without_names,
)
from mobilebench.values.facts import (
    App,
    Battery,
    Cpu,
    PowerMode,
    Rail,
    Screen,
    Section,
    ServiceState,
    Soc,
    Support,
    Temperatures,
    Thermal,
    Throttled,
)
from mobilebench.values.obstacles import Caution, Obstacle


class Transport(StrEnum):
    """How the tools reach a device."""

    USB = "usb"
    TCP = "tcp"
    MDNS = "mdns"
    EMULATOR = "emulator"
    WIRED = "wired"
    """devicectl's word for a cable."""
    LOCAL_NETWORK = "localNetwork"
    """devicectl's word for the network."""
    SSH = "ssh"
    LOCAL = "local"


class Form(StrEnum):
    """What a device looks like."""

    PHONE = "phone"
    TABLET = "tablet"
    FOLDABLE = "foldable"
    TV = "tv"
    WATCH = "watch"
    BOARD = "board"


class IosTool(StrEnum):
    """The tool that drives an iPhone."""

    DEVICECTL = "devicectl"
    GO_IOS = "go-ios"


@value
class AndroidFacts:
    """What only an Android device has."""

    serial: str
    """As adb writes it."""
    serialno: str | None = None
    """`ro.serialno`, the same on every transport."""
    boot_id: str | None = None
    state: str
    """As adb writes it: `device`, `offline`, `unauthorized` ..."""
    transport_id: int | None = None
    address_by: str = "serial"
    """`serial`, or `transport_id` where the serial cannot be given to adb."""
    usb: str | None = None
    """The path of the USB port."""
    product: str | None = None
    manufacturer: str | None = None
    device: str | None = None
    sdk: int | None = None
    fingerprint: str | None = None
    abi: str | None = None
    abis: tuple[str, ...] = ()
    emulator: bool = False
    low_ram: bool = False
    fold: str | None = None
    """`closed`, `half`, `tent` or `open`."""
    fold_raw: str | None = None
    displays: dict[str, Screen] | None = None
    fixed_performance: Support | None = None
    app: App | None = None
    users: tuple[int, ...] | None = None
    user_names: dict[str, str] | None = None
    """Names that people gave, by the user's number; they stay out of records."""
    running_users: tuple[int, ...] | None = None
    current_user: int | None = None
    clock_ns: bool | None = None
    """Whether `date` of the device knows nanoseconds."""
    other_transports: tuple[str, ...] = ()
    """Serials by which the same device is listed again."""


@value
class AppleFacts:
    """What only a device of Apple has."""

    id: str | None = None
    """devicectl's identifier."""
    udid: str | None = None
    platform: str | None = None
    name: str | None = None
    """The name that its owner gave; it stays out of records."""
    by: IosTool | None = None
    locked: bool | None = None
    developer_mode: bool | None = None
    tunnel: bool | None = None
    """Whether a tunnel leads to it; None where that is not known."""
    tunnel_needed: bool | None = None
    """Whether go-ios needs one for it: from iOS 17."""
    paired: bool | None = None
    state: str | None = None
    """The state of the tunnel, as the tool writes it."""


@value
class BoardFacts:
    """What only a board has that is reached by SSH."""

    host: str
    arch: str | None = None
    kernel: str | None = None
    libc: str | None = None
    """`glibc` or `musl`."""
    python: str | None = None
    """Version of python3."""
    l4t: str | None = None
    """Release of NVIDIA's Linux for Tegra."""
    throttled: Throttled | None = None
    arm_mhz: float | None = None
    """The clock that the firmware measured; the kernel's is only a wish."""
    core_volts: float | None = None
    power_mode: PowerMode | None = None
    gpu_busy_percent: int | None = None
    gpu_mhz: int | None = None
    rails: tuple[Rail, ...] = ()
    groups: tuple[str, ...] = ()


_SYSTEMS = {"android": "Android", "ios": "iOS", "linux": "Linux"}
_READ = (
    "thermal",
    "temperatures_c",
    "battery_fraction",
    "charging",
    "low_power_mode",
    "governor",
    "cpu_mhz",
    "cpu_cap_mhz",
)
"""Fields of `DeviceState` that are read from outside."""


@value
class Attached:
    """One device, as the tools of this computer show it now."""

    id: str
    """`adb:SERIAL`, `ios:UDID`, `ssh:HOST`; of the other runners their own."""
    kind: DeviceKind
    form: Form | None = None
    transport: Transport | None = None
    model: str | None = None
    marketing: str | None = None
    """The name under which it is sold."""
    soc: Soc | None = None
    os: str
    os_version: str | None = None
    os_build: str | None = None
    ram_bytes: int | None = None
    disk_free_kib: int | None = None
    why_not: tuple[Obstacle, ...] = ()
    """Why nothing can be measured on it now; empty if it can be used."""
    duplicate_of: str | None = None
    """The serial under which the same device is listed by a better connection."""
    warnings: tuple[Caution, ...] = ()
    """What a record has to say of it."""
    mends: tuple[str, ...] = ()
    """What to do, where more is known than the words of `why_not` and `warnings` say."""
    thermal: Thermal | None = None
    zones: Temperatures | None = None
    """The kernel's thermal zones."""
    battery: Battery | None = None
    cpu: Cpu | None = None
    screen: Screen = Screen.UNKNOWN
    power_saver: bool | None = None
    android: AndroidFacts | None = None
    apple: AppleFacts | None = None
    board: BoardFacts | None = None

    def __post_init__(self) -> None:
        require_range(self, "ram_bytes", "disk_free_kib")

    @property
    def usable(self) -> bool:
        """Whether a measurement can start on it now."""
        return not self.why_not

    @property
    def reasons(self) -> tuple[str, ...]:
        """The words of `why_not`; a duplicate's with the serial: `duplicate_of:SERIAL`."""
        return tuple(
            f"{word}:{self.duplicate_of}" if word is Obstacle.DUPLICATE else word.value
            for word in self.why_not
        )

    @property
    def claim(self) -> str:
        """The name of the lock of this device, the same on every transport."""
        android = self.android
        if android is None:
            return self.id
        if Caution.SERIAL_NOT_UNIQUE in self.warnings or not android.serialno:
            place = android.usb or android.serial
            return ":".join(filter(None, ("adb", android.serialno, android.fingerprint, place)))
        return f"adb:{android.serialno}"

    @property
    def temperatures(self) -> Temperatures:
        """The temperatures that count: the thermal service's, or else those of the zones."""
        thermal = self.thermal
        if thermal is not None and thermal.section in (Section.CURRENT, Section.CACHED):
            return thermal.temperatures
        return self.zones or Temperatures()

    @property
    def thermal_state(self) -> ThermalState | None:
        """The thermal state; None where the status is no evidence of one."""
        thermal = self.thermal
        if thermal is None or thermal.status is None or thermal.overridden:
            return None
        if not thermal.status and not thermal.status_is_evidence:
            return None
        return list(ANDROID_STATUSES.values())[thermal.status]

    @property
    def device(self) -> Device:
        """The description that records have, in the words of the apps; without serial numbers."""
        clusters = [each for each in self.cpu.clusters if each.cpus] if self.cpu else []
        cores = sum(len(each.cpus) for each in clusters) or (
            len(self.cpu.online or ()) + len(self.cpu.offline) if self.cpu else 0
        )
        slowest_first = sorted(clusters, key=lambda each: (each.hardware_max_khz or 0, each.policy))
        return Device(
            id=self.id.partition(":")[0],
            kind=self.kind,
            model=" ".join(filter(None, (self._maker, self.model or "unknown"))),
            soc=self.soc.name if self.soc else None,
            os=_SYSTEMS.get(self.os, self.os),
            os_version=self.os_version or "unknown",
            os_build=self.os_build,
            ram_bytes=self.ram_bytes,
            cores=cores or None,
            clusters=tuple(
                Cores(
                    count=len(each.cpus),
                    max_mhz=each.hardware_max_khz / 1000 if each.hardware_max_khz else None,
                )
                for each in slowest_first
            )
            or None,
        )

    @property
    def _maker(self) -> str | None:
        if self.android is not None:
            return self.android.manufacturer
        return "Apple" if self.apple is not None else None

    def state(self, t_ns: int) -> DeviceState:
        """Return the condition of the device, read at a time of the caller's clock."""
        battery = self.battery
        level = battery.level_percent if battery else None
        state = DeviceState(
            t_ns=t_ns,
            thermal=self.thermal_state,
            temperatures_c=self.temperatures.by_name or None,
            battery_fraction=None if level is None else level / 100,
            charging=battery.charging if battery else None,
            low_power_mode=self.power_saver,
            governor=self.cpu.governor if self.cpu else None,
            cpu_mhz=self.cpu.mean_mhz if self.cpu else None,
            cpu_cap_mhz=self.cpu.cap_mhz if self.cpu else None,
        )
        unreadable = {
            name: self._why_unreadable(name) for name in _READ if getattr(state, name) is None
        }
        return replace(state, unreadable=unreadable)

    def _why_unreadable(self, name: str) -> Unreadable:
        if name in ("thermal", "temperatures_c") and self.thermal is not None:
            if self.thermal.state is ServiceState.DENIED:
                return Unreadable.DENIED
            if self.thermal.state is ServiceState.NOT_READY:
                return Unreadable.NOT_READY
        return Unreadable.ABSENT

    def without_names(self, text: str) -> str:
        """Return a text for a record: without serial numbers, addresses and names of people."""
        names = [*names_in(self.id), self.duplicate_of]
        if android := self.android:
            names += [android.serial, android.serialno, *android.other_transports]
            names += (android.user_names or {}).values()
        if apple := self.apple:
            names += [apple.id, apple.udid, apple.name]
        if board := self.board:
            names += names_in(f"ssh:{board.host}")
        return without_names(text, filter(None, names))

    def anonymous(self) -> Attached:
        """Return it for a record: without serial numbers, addresses and names of people."""
        android = self.android and replace(
            self.android,
            serial="",
            serialno=None,
            boot_id=None,
            transport_id=None,
            usb=None,
            user_names=None,
            other_transports=(),
        )
        apple = self.apple and replace(self.apple, id=None, udid=None, name=None)
        board = self.board and replace(self.board, host="", groups=())
        scheme = self.id.partition(":")[0]
        return replace(
            self, id=scheme, duplicate_of=None, mends=(), android=android, apple=apple, board=board
        )


def of_device(device: Device) -> Attached:
    """Return a device that needs no tool: this machine, or a simulated phone."""
    return Attached(
        id=device.id,
        kind=device.kind,
        transport=Transport.LOCAL,
        model=device.model,
        soc=Soc(name=device.soc, source="the system") if device.soc else None,
        os=device.os,
        os_version=device.os_version,
        os_build=device.os_build,
        ram_bytes=device.ram_bytes,
    )
