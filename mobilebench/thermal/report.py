"""Fit a phone to series and hold the fit against what needs no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from mobilebench.errors import UserError
from mobilebench.notation import quantities
from mobilebench.thermal import baselines, fitting
from mobilebench.thermal.equals import Equals, Walk, equally_good
from mobilebench.thermal.fitted import phone_of
from mobilebench.thermal.fitting import Fit, Search
from mobilebench.thermal.series import Series, listed_minutes
from mobilebench.values.fit import FitReport, FittedSeries, Pieces, TriedSteps

_MANY_PIECES = 4


@dataclass(frozen=True)
class Effort:
    """How much work a report is."""

    search: Search = field(default_factory=Search)
    walk: Walk = field(default_factory=Walk)


def report(
    series: Sequence[Series],
    steps: int | None = None,
    seed: int = 0,
    effort: Effort | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> FitReport:
    """Fit one phone to series of it, and return the fit beside its baselines.

    Without `steps`, two, three and four are tried. Raises `UserError` for series that cannot be
    fitted.
    """
    effort = effort or Effort()
    _require_different(series)
    progress("fit")
    if steps is None:
        tried = fitting.fits(series, seed, effort.search)
    else:
        tried = (fitting.fit(series, steps, seed, effort.search),)
    chosen = fitting.searched_on(fitting.choose(tried), effort.search)
    progress("equally good fits")
    result = equally_good(chosen, effort.walk)
    progress("shuffled minutes")
    random = fitting.shuffled(result.fit, effort.search)
    count = result.fit.recorded.count
    return FitReport(
        label=f"fitted to {count} reported minutes; a fit is not a forecast",
        seed=seed,
        steps=result.fit.steps,
        minutes=count,
        mean_absolute_error=result.fit.error,
        parameters=result.fit.parameters,
        equally_good_error=result.most_error,
        equally_good=result.count,
        tried=tuple(map(_tried, tried)),
        files=tuple(_files(result, random)),
        remarks=tuple(_remarks(result)),
        phone=phone_of(result, _name(series)),
    )


def _require_different(series: Sequence[Series]) -> None:
    names = [each.file for each in series]
    for place, each in enumerate(series):
        for other in series[:place]:
            if each.minutes == other.minutes:
                raise UserError(
                    f"{other.file} and {each.file} hold the same minutes; name each run once."
                )
    if not names:
        raise UserError("No series is named; name at least one CSV file.")


def _name(series: Sequence[Series]) -> str:
    return " and ".join(PurePath(each.file).stem for each in series)


def _tried(fit: Fit) -> TriedSteps:
    return TriedSteps(
        steps=fit.steps,
        mean_absolute_error=fit.error,
        parameters=fit.parameters,
        criterion=fit.criterion,
    )


def _files(result: Equals, random: Fit) -> list[FittedSeries]:
    numbers, predicted = result.numbers, result.fit.predicted

    def row(name: str) -> tuple[float, ...]:
        return tuple(map(float, getattr(numbers, name)[0]))

    return [
        FittedSeries(
            file=series.file,
            minutes=len(series.minutes),
            missing_minutes=series.missing,
            mean_absolute_error=result.fit.errors[place],
            constant_error=baselines.constant_error(series),
            last_value_error=baselines.last_value_error(series),
            pieces=tuple(
                Pieces(pieces=count, error=baselines.pieces_error(series, count))
                for count in sorted({result.fit.steps + 1, _MANY_PIECES})
            ),
            shuffled_error=random.errors[place],
            steps_ms=row("levels_ms"),
            steps_interval_ms=result.levels_ms,
            time_constants_s=row("time_constants_s"),
            time_constants_interval_s=result.time_constants_s,
            trips_c=row("trips_c"),
            trips_interval_c=result.trips_c,
            hysteresis_c=row("hysteresis_c")[0],
            hysteresis_interval_c=result.hysteresis_c,
            least_s=row("least_s")[0],
            least_interval_s=result.least_s,
            start_c=row("starts_c")[place],
            start_interval_c=result.starts_c[place],
            air_c=row("air_c")[0],
            not_identified=result.not_identified,
            recorded_ms=series.medians_ms,
            fitted_ms=tuple(float(predicted[minute.index, place]) for minute in series.minutes),
        )
        for place, series in enumerate(result.fit.recorded.series)
    ]


def _remarks(result: Equals) -> list[str]:
    fit = result.fit
    remarks = [
        f"{series.file} lacks {listed_minutes(series.missing)}: the phone is simulated through "
        f"them, and they are not compared."
        for series in fit.recorded.series
        if series.missing
    ]
    if fit.parameters >= fit.recorded.count:
        remarks.append(
            f"{fit.parameters} numbers were fitted to "
            f"{quantities.counted(fit.recorded.count, 'minute')}: a small error says nothing here."
        )
    return remarks
