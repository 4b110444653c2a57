"""`mobilebench bench`: measure artifacts on a device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import completions, options, output
from mobilebench.cli.artifacts import Refused, opened, opened_among, weights_remarks
from mobilebench.cli.batch import (
    OF_SEVERAL,
    WAIT_MINUTES,
    Batched,
    Cluster,
    Devices,
    Folder,
    Wait,
)
from mobilebench.cli.check import parse_fail_on, parse_rule, show_review
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import (
    Adopt,
    Alpha,
    Artifacts,
    Confirm,
    FailsOn,
    FixedPerformance,
    Github,
    Inputs,
    Json,
    Junit,
    Markdown,
    Metrics,
    Pairs,
    RehearsedStatus,
    Store,
    Submit,
    Tolerance,
    Unit,
    listed,
)
from mobilebench.cli.policies import Limit, Table, read_accuracies, read_policies
from mobilebench.cli.submit import finish
from mobilebench.notation import quantities
from mobilebench.values.policy import PolicyRule
from mobilebench.values.protocol import PROTOCOL_NAMES

if TYPE_CHECKING:
    from mobilebench.errors import MissingToolkit
    from mobilebench.measuring.setting import Plan, Setting
    from mobilebench.regress import Report, Rule
    from mobilebench.submitting.outbox import Outbox
    from mobilebench.values.artifact import Artifact
    from mobilebench.values.record import Record


_OF_POLICY = ("limit", "widths")
_OF_AB = (
    "pairs", "confirm", "tolerance", "alpha", "metric", "fail_on", "junit", "markdown", "github",
)  # fmt: skip


def command(
    ctx: typer.Context,
    artifacts: Artifacts,
    device: Devices = "host",
    runtime: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            autocompletion=completions.runtimes,
            rich_help_panel=Panel.SETTING,
            help="Runtime; repeatable. Default: the usual one of each format.",
        ),
    ] = None,
    compute_unit: Unit = "cpu",
    threads: Annotated[
        list[int] | None,
        typer.Option(
            "--threads",
            "-t",
            min=1,
            metavar="N",
            rich_help_panel=Panel.SETTING,
            help="Threads; repeatable. Default: 1.",
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            autocompletion=completions.protocol_ids,
            rich_help_panel=Panel.SETTING,
            help=f"{listed(PROTOCOL_NAMES)}. Default: burst-1, and ci-ab-1 with --ab.",
        ),
    ] = None,
    ab: Annotated[
        bool,
        typer.Option(
            "--ab",
            rich_help_panel=Panel.VERDICT,
            help="Measure A and B interleaved and judge B: give the artifacts of A, then as many "
            "of B.",
        ),
    ] = False,
    policy: Annotated[
        str | None,
        typer.Option(
            metavar="POLICY",
            rich_help_panel=Panel.SETTING,
            help=f"{listed(PolicyRule)}, or a file with its parameters as JSON: the artifacts are "
            "widths of one network, and the policy chooses between them while frames come.",
        ),
    ] = None,
    limit: Limit = None,
    widths: Table = None,
    fixed_performance: FixedPerformance = False,
    rehearse_status: RehearsedStatus = None,
    pairs: Pairs = None,
    confirm: Confirm = False,
    tolerance: Tolerance = "3%",
    alpha: Alpha = 0.01,
    metric: Metrics = None,
    fail_on: FailsOn = None,
    junit: Junit = None,
    markdown: Markdown = None,
    github: Github = False,
    inputs: Inputs = None,
    adopt: Adopt = False,
    folder: Folder = None,
    wait: Wait = WAIT_MINUTES,
    cluster: Cluster = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            rich_help_panel=Panel.OUTPUT,
            help="Write the records to this file too, to keep as a baseline.",
        ),
    ] = None,
    store: Store = None,
    submit: Submit = None,
    json: Json = False,
) -> None:
    """Measure latency, load time and memory; store each record as soon as it exists.

    With --ab, measure two sides interleaved and compare them. Then the options --pairs,
    --confirm, --tolerance, --alpha, --metric, --fail-on, --junit, --markdown and --github apply,
    and the exit codes are those of `mobilebench check`.

    Several devices measure at the same time, each in another order of the artifacts. One that cools
    down, is away or fails holds up no other. Devices that cannot be used are left out of `all` and
    of patterns, which is told.

    Files that nothing here can run are left out, which is told. Exit code 1 where a file is damaged
    or fails, or its runtime is not installed, or a device was lost; the others are measured all the
    same.
    """
    from mobilebench import files, plugins
    from mobilebench.errors import UserError
    from mobilebench.leaderboard import rank
    from mobilebench.leaderboard.table import as_table
    from mobilebench.measuring.setting import Setting, plan, plan_widths, width_files
    from mobilebench.store import documents
    from mobilebench.values import wire
    from mobilebench.values.measurement import ComputeUnit
    from mobilebench.values.policy import Policy
    from mobilebench.values.protocol import protocol as find_protocol
    from mobilebench.values.wishes import Wishes

    parse_fail_on(fail_on)  # before anything is measured
    outbox = None if submit is None else _outbox(submit)
    wishes = Wishes(fixed_performance=fixed_performance, thermal_status=rehearse_status)
    if not ab:
        options.refuse_given(ctx, _OF_AB, "belongs to --ab; add --ab, or leave it out")
    if policy is None:
        options.refuse_given(ctx, _OF_POLICY, "belongs to --policy; add it, or leave this out")
    elif ab:
        options.refuse_given(ctx, ("policy",), "does not go with --ab; leave one of them out")
    batched = Batched(device, folder, wait, cluster)
    if not batched.wanted:
        plugins.wishing(plugins.runner(device), wishes)
        options.refuse_given(ctx, OF_SEVERAL, "is for several devices; leave it out")
    elif ab:
        raise UserError(
            f"--ab compares two sides on one device of this computer, and --device {device} was "
            f"given with it; name one device, without --batch and --cluster."
        )
    [(_, chosen)] = read_policies([policy or PolicyRule.FIXED], limit or [])
    # With --ab, leaving one out would compare its neighbours with each other.
    refused: list[Refused] = []
    if ab:
        loaded = opened(artifacts, inputs, adopt)
    else:
        loaded, refused = opened_among(artifacts, inputs, adopt)
        for sentence in weights_remarks(loaded):
            output.tell(sentence)
    setting = Setting(
        device_id="host" if batched.wanted else device,
        protocol=find_protocol(protocol or ("ci-ab-1" if ab else "burst-1")),
        runtimes=tuple(runtime or ()),
        threads=tuple(threads or (1,)),
        compute_unit=ComputeUnit.named(compute_unit),
        policy=chosen or Policy(),
        wishes=wishes,
    )
    planner = partial(plan, loaded)
    if policy is not None:
        planner = partial(plan_widths, width_files(loaded, read_accuracies(loaded, widths, store)))
    records: list[Record] = []
    keep: Callable[[Record], object] = records.append
    if outbox is not None:
        keep = partial(_keep_and_send, records, outbox)
    try:
        if ab:
            rule = parse_rule(tolerance, alpha)
            report = compare_sides(loaded, setting, rule, pairs, confirm, metric, store, keep)
        elif batched.wanted:
            complete = batched.measure(setting, planner, store, keep) and not refused
        else:
            complete = measure_all(planner(setting), store, keep) and not refused
    finally:
        if out is not None and records:
            files.write_text(out, documents.as_json(map(documents.Document.of, records)))
        elif out is not None:
            output.tell(f"not written: {out}, since no measurement was finished")
        if outbox is not None:
            finish(outbox)
    if ab:
        from mobilebench.regress.review import Review

        review = Review(
            baseline=_side(loaded[: len(loaded) // 2]),
            candidate=_side(loaded[len(loaded) // 2 :]),
            rule=rule,
            report=report,
            fail_on=parse_fail_on(fail_on),
        )
        show_review(review, junit=junit, markdown=markdown, github=github, json=json)
        raise typer.Exit(review.exit_code)
    if json:
        output.show_json([wire.to_plain(record) for record in records])
    else:
        output.show(as_table(rank(records), output.width()))
    if not complete or any(record.outcome.kind == "failure" for record in records):
        raise typer.Exit(1)


def _outbox(submit: str) -> Outbox:
    """Return the way to a server, whose lack of an answer ends no measurement."""
    from mobilebench.submitting.address import Address
    from mobilebench.submitting.outbox import Outbox
    from mobilebench.submitting.patience import Patience

    return Outbox(Address.parse(submit), Patience(total_s=20.0, answer_s=20.0))


def _keep_and_send(records: list[Record], outbox: Outbox, record: Record) -> None:
    from mobilebench.store.documents import Document

    records.append(record)
    outbox.put(Document.of(record))


def _side(artifacts: list[Artifact]) -> str:
    """Name the artifacts of one side by the first of their folders."""
    more = f" and {len(artifacts) - 1} more" if len(artifacts) > 1 else ""
    return f"{artifacts[0].folder}{more}"


def measure_all(
    planned: Plan,
    store: str | None,
    keep: Callable[[Record], object] = lambda _: None,
) -> bool:
    """Measure every cell under a progress bar; store each record as soon as it exists.

    Each record is given to `keep` too. Returns whether the runtimes of all cells are installed.
    Raises `UserError` where none of them is.
    """
    from mobilebench.cli.progress import follow
    from mobilebench.measuring.bench import measure
    from mobilebench.store import RecordStore

    for sentence in planned.left_out:
        output.tell(f"left out: {sentence}")
    cells = planned.cells
    missing: list[MissingToolkit] = []
    with (
        RecordStore(store) as stored,
        follow(f"measure by {cells[0].job.protocol.id}", len(cells)) as progress,
    ):
        for record in measure(cells, progress, missing.append):
            stored.add(record)
            keep(record)
    if len(missing) == len(cells):
        raise missing[0]
    for sentence in dict.fromkeys(map(str, missing)):
        output.tell(f"left out: {sentence}")
    return not missing


def compare_sides(
    artifacts: list[Artifact],
    setting: Setting,
    rule: Rule,
    pairs: int | None,
    confirm: bool,
    metrics: list[str] | None,
    store: str | None,
    keep: Callable[[Record], object],
) -> Report:
    """Measure two halves of a list of artifacts interleaved; judge the second by the first.

    Each record is stored as soon as it exists, and given to `keep` too.
    """
    from mobilebench.cli.progress import follow
    from mobilebench.errors import UserError
    from mobilebench.measuring.pairs import compare_pairs
    from mobilebench.measuring.setting import plan_pairs
    from mobilebench.store import RecordStore

    if len(artifacts) % 2:
        raise UserError(
            f"--ab was given {quantities.counted(len(artifacts), 'artifact')}; give those of A and "
            f"then as many of B."
        )
    half = len(artifacts) // 2
    planned = plan_pairs(artifacts[:half], artifacts[half:], setting)
    for sentence in planned.left_out:
        output.tell(f"left out: {sentence}")
    cells = planned.cells
    count = pairs or rule.pairs_needed(len(cells))
    with (
        RecordStore(store) as stored,
        follow(f"compare by {setting.protocol.id}", 2 * count * len(cells)) as progress,
    ):

        def keep_stored(record: Record) -> None:
            stored.add(record)
            keep(record)

        return compare_pairs(
            cells,
            rule,
            pairs=count,
            confirm=confirm,
            metrics=metrics,
            observer=progress,
            keep=keep_stored,
        )
