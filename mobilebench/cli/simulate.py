"""`mobilebench simulate`: policies that choose a width, on a simulated phone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobilebench.cli import output
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Json, listed
from mobilebench.cli.policies import Limit, read_document, read_policies
from mobilebench.values.policy import PolicyRule

if TYPE_CHECKING:
    from mobilebench.notation.picture import Picture
    from mobilebench.thermal.score import Score
    from mobilebench.thermal.trial import Fixed, Trial
    from mobilebench.values.phone import Phone
    from mobilebench.values.widths import Widths

_ORACLE = "oracle"
_MOST_DRAWN = 2
_MOST_MINUTES = 600
_MOST_FPS = 240


def command(
    phone: Annotated[
        str,
        typer.Option(
            metavar="PHONE",
            rich_help_panel=Panel.SETTING,
            help="steady, throttling, silent, alarmist, load-following, quick, or a file that "
            "`mobilebench thermal fit --out` wrote.",
        ),
    ],
    widths: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=Panel.SETTING,
            help="Table of widths as JSON: width, latency, top-1, and where they come from. "
            "Default: the published accuracies of slimmable MobileNetV2 at 28 ms for the full one.",
        ),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            "--policy",
            metavar="POLICY",
            rich_help_panel=Panel.SETTING,
            help=f"{listed((*PolicyRule, _ORACLE))}, or a policy with its parameters as JSON; "
            f"repeatable. Default: {PolicyRule.DEADLINE}.",
        ),
    ] = None,
    limit: Limit = None,
    minutes: Annotated[
        float,
        typer.Option(rich_help_panel=Panel.SETTING, metavar="N", help="Simulated time."),
    ] = 30,
    fps: Annotated[
        float,
        typer.Option(
            rich_help_panel=Panel.SETTING,
            metavar="N",
            help="Frames a second; a frame has to be done before the next one comes.",
        ),
    ] = 30,
    ambient: Annotated[
        float,
        typer.Option(
            rich_help_panel=Panel.SETTING, metavar="DEGREES", help="Temperature of the air."
        ),
    ] = 25,
    seed: Annotated[
        int,
        typer.Option(min=0, rich_help_panel=Panel.SETTING, metavar="N", help="Seed of the noise."),
    ] = 0,
    timeline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
            help="Draw the runs on one time axis: a .svg, .png or .pdf. Of one policy, beside the "
            "full width; of two, beside each other.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Try policies that choose a network's width, on a simulated phone.

    On-time top-1 is the accuracy of the frames that met their deadline; a frame that missed it, or
    was never computed, counts 0. Every policy is shown beside the full width, the smallest and the
    best fixed one, from the same start. All figures are simulated.
    """
    from mobilebench.thermal import trial
    from mobilebench.values import wire

    chosen = _phone(phone)
    table = _widths(widths)
    policies = read_policies(policy or [str(PolicyRule.DEADLINE)], limit or [], (_ORACLE,))
    picture = _picture(timeline, len(policies))
    use = _use(table, minutes, fps, ambient, seed)
    fixed = trial.try_fixed(chosen, use)
    trials = [
        trial.try_oracle(chosen, use) if each is None else trial.try_policy(chosen, use, each, name)
        for name, each in policies
    ]
    if timeline is not None and picture is not None:
        from mobilebench.thermal import timeline as drawing

        drawn = trials if len(trials) > 1 else [*trials, fixed.full]
        runs = [(each.score.policy, each.run) for each in drawn]
        output.save_bytes(timeline, drawing.draw(runs, chosen, picture))
    if json:
        beside = {
            "fixed_full": wire.to_plain(fixed.full.score),
            "fixed_smallest": wire.to_plain(fixed.smallest.score),
            "best_fixed": wire.to_plain(fixed.best.score),
        }
        output.show_json([_object(each, table, chosen) | {"beside": beside} for each in trials])
        return
    output.show_line(
        f"Simulated, not measured: the phone {chosen.name}, {minutes:g} min at {fps:g} fps, "
        f"{ambient:g} C, seed {seed}"
    )
    _show(trials, fixed)
    output.tell(f"The phone is {chosen.source}.")
    output.tell(f"Accuracies: {table.accuracy_source}. Latencies: {table.latency_source}.")
    for assumption in chosen.assumptions:
        output.tell(f"Assumed: {assumption}")


def _picture(timeline: Path | None, policies: int) -> Picture | None:
    """Return the format of the picture. Raises `UserError` for another, and for many policies."""
    from mobilebench.errors import UserError
    from mobilebench.notation.picture import Picture, require_plots

    if timeline is None:
        return None
    suffix = timeline.suffix.lower().removeprefix(".")
    if suffix not in list(Picture):
        raise UserError(
            f"--timeline was given {timeline.name!r}; end it with "
            f"{listed(f'.{picture}' for picture in Picture)}."
        )
    if policies > _MOST_DRAWN:
        raise UserError(
            f"--timeline draws one policy or two, and {policies} were given; give fewer."
        )
    require_plots()
    return Picture(suffix)


def _object(trial: Trial, table: Widths, phone: Phone) -> dict[str, Any]:
    from mobilebench.values import wire

    return {
        **wire.to_plain(trial.score),
        "phone": phone.name,
        "accuracy_source": table.accuracy_source,
        "latency_source": table.latency_source,
        "shifts": [
            {
                "t_s": shift.t_ns / 1e9,
                "from_width": trial.run.use.widths[shift.from_index].width,
                "to_width": trial.run.use.widths[shift.to_index].width,
                "reason": str(shift.reason),
                "inputs": shift.inputs,
            }
            for shift in trial.run.shifts
        ],
    }


def _show(trials: Sequence[Trial], fixed: Fixed) -> None:
    rows: dict[str, Score] = {trial.score.policy: trial.score for trial in trials}
    for remark, trial in (("full", fixed.full), ("smallest", fixed.smallest), ("best", fixed.best)):
        rows.setdefault(f"{trial.score.policy} ({remark})", trial.score)
    table = output.columns(
        "policy", "on-time top-1 %>", "top-1 %>", "missed %>", "run>", "p50 ms>", "p90 ms>",
        "p99 ms>", "shifts/min>", "capped s>", "first cap s>", "skin C>", "energy kJ>",
    )  # fmt: skip
    for name, score in rows.items():
        first = score.first_capped_s
        table.add_row(
            name,
            f"{score.on_time_top1:.2f}",
            f"{score.top1:.2f}",
            f"{100 * score.missed_fraction:.2f}",
            str(score.longest_miss_run),
            f"{score.p50_ms:.1f}",
            f"{score.p90_ms:.1f}",
            f"{score.p99_ms:.1f}",
            f"{score.shifts_per_minute:.2f}",
            f"{score.capped_s:.0f}",
            "never" if first is None else f"{first:.0f}",
            f"{score.skin_max_c:.1f}",
            f"{score.energy_j / 1000:.2f}",
        )
    output.show_plain(table)


def _phone(name: str) -> Phone:
    from mobilebench.thermal import phones
    from mobilebench.values.phone import Phone

    path = Path(name)
    if name in phones.names() or not (path.exists() or path.suffix):
        return phones.named(name)
    return read_document(Phone, path)


def _widths(path: Path | None) -> Widths:
    from mobilebench.thermal import phones
    from mobilebench.values.widths import Widths

    return phones.slimmable_widths(28.0) if path is None else read_document(Widths, path)


def _use(table: Widths, minutes: float, fps: float, ambient: float, seed: int) -> Any:
    from mobilebench.errors import UserError
    from mobilebench.thermal.simulation import Use

    for option, number, least, most in (
        ("minutes", minutes, 0.1, _MOST_MINUTES),
        ("fps", fps, 0.1, _MOST_FPS),
        ("ambient", ambient, -20, 60),
    ):
        if not least <= number <= most:
            raise UserError(f"--{option} is {number:g}; it has to be from {least:g} to {most:g}.")
    interval_ns = round(1e9 / fps)
    return Use(
        widths=table.widths,
        interval_ns=interval_ns,
        deadline_ns=interval_ns,
        duration_ns=round(minutes * 60e9),
        air_c=ambient,
        seed=seed,
    )
