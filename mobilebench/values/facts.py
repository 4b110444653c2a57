"""What the tools of a computer show of a device: heat, battery, cores, app, firmware.

None is unknown, never 0. What was read and thrown away is kept with the reason.
"""

from __future__ import annotations

import re
from enum import StrEnum

from mobilebench.values import require_range, value


class ServiceState(StrEnum):
    """How a service of the device answered."""

    OK = "ok"
    ABSENT = "absent"
    DENIED = "denied"
    NOT_READY = "not_ready"
    """It runs, and has no sensors to read from."""
    TRUNCATED = "truncated"
    """The answer was cut off; what came before the cut counts."""


class Section(StrEnum):
    """Which part of the thermal readings counts."""

    CURRENT = "current"
    """The block that the hardware gave when it was asked."""
    CACHED = "cached"
    ZONES = "zones"
    """Nothing but the kernel's thermal zones."""
    NONE = "none"


class SensorKind(StrEnum):
    """What a sensor measures the heat of."""

    CPU = "cpu"
    GPU = "gpu"
    NPU = "npu"
    SOC = "soc"
    SKIN = "skin"
    BATTERY = "battery"


class ZoneUnit(StrEnum):
    """The unit in which a thermal zone writes, decided for each zone by its range."""

    DEGREES = "degrees"
    TENTHS = "tenths"
    THOUSANDTHS = "thousandths"


class Rejection(StrEnum):
    """Why a reading is no temperature."""

    NAN = "nan"
    PLACEHOLDER = "placeholder"
    """A number that a driver writes where no sensor is."""
    CONSTANT = "constant"
    """The same to the last digit every time."""
    NOT_A_TEMPERATURE = "not_a_temperature"
    """A level, a current or a percentage."""
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"


@value
class Reading:
    """One temperature."""

    name: str
    celsius: float
    kind: SensorKind | None = None
    unit: ZoneUnit | None = None
    """Only of thermal zones."""

    def __post_init__(self) -> None:
        require_range(self, "celsius", least=-30, most=150)


@value
class Rejected:
    """One reading that does not count."""

    name: str
    why: Rejection


@value
class Temperatures:
    """Readings in the device's order; a name may occur twice."""

    readings: tuple[Reading, ...] = ()
    rejected: tuple[Rejected, ...] = ()

    @property
    def by_name(self) -> dict[str, float]:
        """Temperatures by name; a name that occurs again gets a number."""
        result: dict[str, float] = {}
        for reading in self.readings:
            name, count = reading.name, 1
            while name in result:
                count += 1
                name = f"{reading.name}#{count}"
            result[name] = reading.celsius
        return result

    @property
    def by_kind(self) -> dict[SensorKind, float]:
        """The hottest of each kind."""
        return {
            kind: max(celsius)
            for kind in SensorKind
            if (celsius := [each.celsius for each in self.readings if each.kind is kind])
        }


@value
class Threshold:
    """Where a sensor's status rises to 0 ... 6, in degrees; None where it never does."""

    name: str
    kind: SensorKind | None
    hot_c: tuple[float | None, ...]


@value
class Thermal:
    """What Android's thermal service shows."""

    state: ServiceState
    status: int | None = None
    """0 (none) to 6 (shutdown), as printed; None where the service has no sensors."""
    status_is_evidence: bool = False
    """Whether 0 can mean cool: False without sensors or thresholds, or where it was set by hand."""
    overridden: bool = False
    section: Section = Section.NONE
    temperatures: Temperatures = Temperatures()
    thresholds: tuple[Threshold, ...] = ()
    headroom_thresholds: tuple[float | None, ...] | None = None
    """The headroom at which each status begins, as printed."""
    cooling: dict[str, int] | None = None
    """Step of each cooling device; 0 is off."""
    hal: str | None = None
    """How the service names what it reads from."""

    def __post_init__(self) -> None:
        require_range(self, "status", most=6)

    @property
    def severe_skin_c(self) -> float | None:
        """Skin temperature from which the phone throttles severely; the lowest of several."""
        return self.limit_c(SensorKind.SKIN, 3)

    def limit_c(self, kind: SensorKind, status: int) -> float | None:
        """Return the lowest temperature at which a kind of sensor reaches a status."""
        limits = [
            limit
            for each in self.thresholds
            if each.kind is kind and len(each.hot_c) > status
            if (limit := each.hot_c[status]) is not None
        ]
        return min(limits, default=None)


class BatteryStatus(StrEnum):
    """What the battery does."""

    CHARGING = "charging"
    DISCHARGING = "discharging"
    NOT_CHARGING = "not_charging"
    FULL = "full"
    UNKNOWN = "unknown"
    NONE = "none"
    """There is no battery."""


class Plug(StrEnum):
    """Where power comes from."""

    AC = "ac"
    USB = "usb"
    WIRELESS = "wireless"
    DOCK = "dock"


class CurrentUnit(StrEnum):
    """The unit of a current; many phones do not keep to microamperes."""

    MICROAMPERE = "uA"
    MILLIAMPERE = "mA"
    MILLIAMPERE_LIKELY = "mA_likely"
    UNKNOWN = "unknown"


class CurrentSign(StrEnum):
    """What the sign of a current means, as far as this reading shows."""

    NEGATIVE_IS_DISCHARGE = "negative_is_discharge"
    POSITIVE_IS_DISCHARGE = "positive_is_discharge"
    NEGATIVE_IS_CHARGE = "negative_is_charge"
    POSITIVE_IS_CHARGE = "positive_is_charge"
    AMBIGUOUS = "ambiguous"


@value
class Current:
    """The battery's current, as read."""

    raw: int
    unit: CurrentUnit
    sign: CurrentSign

    @property
    def milliamperes(self) -> float | None:
        """The reading in milliamperes, with its sign as read; None without a unit, unless 0."""
        if self.unit is CurrentUnit.MICROAMPERE:
            return self.raw / 1000
        if self.unit is CurrentUnit.UNKNOWN and self.raw:
            return None
        return self.raw


@value
class Battery:
    """The battery."""

    present: bool | None = None
    level_percent: int | None = None
    celsius: float | None = None
    volts: float | None = None
    status: BatteryStatus = BatteryStatus.UNKNOWN
    plugged: tuple[Plug, ...] | None = None
    """What gives power now; empty for nothing."""
    charging: bool | None = None
    """Decided by the status: a plugged phone may not charge."""
    charge_counter_uah: int | None = None
    charge_counter_trusted: bool | None = None
    charge_counter_why: str | None = None
    """Why the counter is not trusted."""
    current: Current | None = None
    current_state: ServiceState = ServiceState.ABSENT
    """How the current could be read."""
    limit_percent: int | None = None
    """A charge limit in force."""
    overridden: bool = False
    """Whether somebody set its values by hand."""
    state: ServiceState = ServiceState.OK

    def __post_init__(self) -> None:
        require_range(self, "level_percent", "limit_percent", most=100)
        require_range(self, "celsius", least=-30, most=150)


@value
class Cluster:
    """Cores that share one clock: a policy of the kernel."""

    policy: int
    cpus: tuple[int, ...]
    online: tuple[int, ...]
    hardware_max_khz: int | None = None
    allowed_max_khz: int | None = None
    """Highest clock that the system allows now."""
    current_khz: int | None = None
    governor: str | None = None

    @property
    def capped(self) -> bool:
        """Whether the system allows less than the hardware can."""
        if self.hardware_max_khz is None or self.allowed_max_khz is None:
            return False
        return self.allowed_max_khz < self.hardware_max_khz


@value
class Cpu:
    """The cores."""

    clusters: tuple[Cluster, ...] = ()
    """In the kernel's order; empty where clocks cannot be read."""
    online: tuple[int, ...] | None = None
    offline: tuple[int, ...] = ()

    @property
    def capped(self) -> tuple[int, ...]:
        """Policies whose cores may not run at their highest clock."""
        return tuple(cluster.policy for cluster in self.clusters if cluster.capped)

    @property
    def mean_mhz(self) -> float | None:
        """The clock now, as the mean over the cores whose clock can be read."""
        clocks = [
            cluster.current_khz
            for cluster in self.clusters
            for _ in cluster.online
            if cluster.current_khz is not None
        ]
        return sum(clocks) / len(clocks) / 1000 if clocks else None

    @property
    def cap_mhz(self) -> float | None:
        """The highest clock that the system allows the fastest cores now."""
        fastest = max(self.clusters, key=lambda each: each.hardware_max_khz or 0, default=None)
        if fastest is None or fastest.allowed_max_khz is None:
            return None
        return fastest.allowed_max_khz / 1000

    @property
    def governor(self) -> str | None:
        """The governor of the first cores whose governor can be read."""
        return next((each.governor for each in self.clusters if each.governor), None)


@value
class Soc:
    """The system on chip, by the property that names it."""

    name: str
    source: str
    """The system property that held the name."""
    platform: str | None = None
    """The board platform, where it differs."""
    real: bool = True
    """False for an emulator's."""
    same_as: str | None = None
    """The name under which it is sold, where that is known."""

    @property
    def file_safe(self) -> str:
        """The name without what a file system could take for a folder."""
        return re.sub(r"[^A-Za-z0-9._-]+", "_", self.name)

    @property
    def base(self) -> str:
        """The name without the variants after a slash: `MT6899Z/ZA` is `MT6899`."""
        first = self.name.partition("/")[0]
        if match := re.fullmatch(r"(MT\d+)[A-Z]*", first):
            return match[1]
        return first


class Screen(StrEnum):
    """What the screen does."""

    ON = "on"
    OFF = "off"
    DREAMING = "dreaming"
    """It shows a screen saver."""
    DOZING = "dozing"
    UNKNOWN = "unknown"


class Support(StrEnum):
    """Whether the device offers something."""

    SUPPORTED = "supported"
    UNSUPPORTED = "unsupported"


@value
class App:
    """The benchmark app on an Android phone."""

    installed: bool
    """For the user who is in front."""
    version_code: int | None = None
    version_name: str | None = None
    users: tuple[int, ...] = ()
    """Who has it."""


class PiFlag(StrEnum):
    """What a Raspberry Pi's firmware reports."""

    UNDER_VOLTAGE = "under_voltage"
    FREQUENCY_CAPPED = "frequency_capped"
    THROTTLED = "throttled"
    SOFT_TEMP_LIMIT = "soft_temp_limit"


@value
class Throttled:
    """The answer of a Raspberry Pi's firmware to `get_throttled`."""

    raw: str
    """As written, hexadecimal with or without 0x."""
    now: tuple[PiFlag, ...]
    since_boot: tuple[PiFlag, ...]
    source: str
    """`vcgencmd` or `sysfs`."""


@value
class PowerMode:
    """The power mode of a Jetson."""

    name: str
    id: int | None = None
    needs_root: bool = True
    """Whether only root may change it, as on every Jetson."""


@value
class Rail:
    """The power on one supply rail of a Jetson."""

    name: str
    watts: float
    mean_watts: float | None = None
    """The tool's own running mean since it started."""
