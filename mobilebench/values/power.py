"""The battery of a device over a measurement."""

from __future__ import annotations

from enum import StrEnum

from mobilebench.values import require_range, value

_MOST_UA = 50_000_000
_MV = (500, 60_000)


class CurrentUnit(StrEnum):
    """What a device's reading of the current is in; some give milliamperes for microamperes."""

    MICROAMPERE = "uA"
    MILLIAMPERE = "mA"
    UNKNOWN = "unknown"


class Discharging(StrEnum):
    """Which sign of the current means that the battery is drained."""

    NEGATIVE = "negative"
    POSITIVE = "positive"
    UNKNOWN = "unknown"


@value
class Power:
    """Readings of the battery, one per entry; all columns have the same length.

    The current is as the device gives it, never scaled: unit and sign say what is known of it.
    """

    t_ns: tuple[int, ...]
    level: tuple[float | None, ...]
    """Charge of the battery, 0 to 1."""
    current: tuple[int | None, ...]
    voltage_mv: tuple[int | None, ...]
    charging: tuple[bool | None, ...]
    current_unit: CurrentUnit = CurrentUnit.UNKNOWN
    discharging: Discharging = Discharging.UNKNOWN
    counter_trusted: bool | None = None
    """Whether the charge counter agrees with level and capacity; None where it was not checked."""
    doubts: tuple[str, ...] = ()
    """Why an energy cannot be computed, in clauses."""

    def __post_init__(self) -> None:
        columns = (self.t_ns, self.level, self.current, self.voltage_mv, self.charging)
        lengths = {len(column) for column in columns}
        if len(lengths) != 1:
            raise ValueError(f"power columns differ in length: {sorted(lengths)}")
        require_range(self, "t_ns")
        require_range(self, "level", most=1)
        require_range(self, "current", least=-_MOST_UA, most=_MOST_UA)
        require_range(self, "voltage_mv", least=_MV[0], most=_MV[1])
