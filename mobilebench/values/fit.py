"""What a fit of a phone to recorded series came to; the document of `thermal fit --json`."""

from __future__ import annotations

from mobilebench.values import require_finite, require_range, value
from mobilebench.values.phone import Phone

Interval = tuple[float, float]


@value
class Pieces:
    """A series described by a constant in each of some stretches."""

    pieces: int
    error: float
    """Mean absolute error as a share of the latency."""


@value
class TriedSteps:
    """One number of clock steps that was tried."""

    steps: int
    mean_absolute_error: float
    parameters: int
    """Numbers that were fitted."""
    criterion: float
    """Schwarz's: the least was chosen, unless somebody chose the number of steps."""


@value
class FittedSeries:
    """The fit beside one series; errors are mean absolute errors as a share of the latency."""

    file: str
    minutes: int
    missing_minutes: tuple[int, ...] = ()
    """Simulated and not compared, as the file has no value of them."""
    mean_absolute_error: float
    constant_error: float
    """Of the median of all minutes."""
    last_value_error: float | None
    """Of the value of the previous minute; None where no minute has one."""
    pieces: tuple[Pieces, ...]
    """The best constants in stretches, with the whole series in view."""
    shuffled_error: float
    """Of the same fit to the same minutes in random order."""
    steps_ms: tuple[float, ...]
    steps_interval_ms: tuple[Interval, ...]
    """Intervals hold what phones have that fit as well."""
    time_constants_s: tuple[float, ...]
    """The fast and the slow one of skin and battery; that of the die is fixed."""
    time_constants_interval_s: tuple[Interval, ...]
    trips_c: tuple[float, ...]
    trips_interval_c: tuple[Interval, ...]
    hysteresis_c: float
    hysteresis_interval_c: Interval
    least_s: float
    """Between two moves of the governor."""
    least_interval_s: Interval
    start_c: float
    """Temperature of the whole phone when the load began."""
    start_interval_c: Interval
    air_c: float
    not_identified: tuple[str, ...]
    """What the series do not settle: the interval is wide."""
    recorded_ms: tuple[float, ...]
    fitted_ms: tuple[float, ...]
    """Of the same minutes."""

    def __post_init__(self) -> None:
        require_range(self, "mean_absolute_error", "constant_error", "shuffled_error")
        require_finite(self)


@value
class FitReport:
    """A phone that was fitted, and what to hold the fit against."""

    label: str
    origin: str = "reported"
    """Of the series: recorded by others, not measured here."""
    seed: int
    steps: int
    minutes: int
    mean_absolute_error: float
    """Over the minutes of all series."""
    parameters: int
    """Numbers that were fitted."""
    equally_good_error: float
    """Phones up to this error count as equally good."""
    equally_good: int
    """Such phones that were met, and that the intervals hold."""
    tried: tuple[TriedSteps, ...]
    files: tuple[FittedSeries, ...]
    remarks: tuple[str, ...] = ()
    phone: Phone
