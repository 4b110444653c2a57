"""`mobilebench job`: write the folder for a device, do it here, send it, read it back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import completions, job_send, output
from mobilebench.cli.artifacts import opened
from mobilebench.cli.grammar import Panel, Section, Verbs, add
from mobilebench.cli.options import (
    Adopt,
    Device,
    FixedPerformance,
    Inputs,
    Json,
    RehearsedStatus,
    Runtime,
    Store,
    Unit,
    listed,
    refuse_given,
)
from mobilebench.cli.policies import Limit, Table, read_accuracies, read_policies
from mobilebench.values.device import ThermalState
from mobilebench.values.policy import PolicyRule
from mobilebench.values.protocol import PROTOCOL_NAMES

if TYPE_CHECKING:
    from mobilebench.store.documents import Document

app = typer.Typer(
    cls=Verbs,
    help="Write the folder of a job for a device, do it here or send it to a server, and read what "
    "came back.",
    epilog="mobilebench job write artifacts/NAME-onnx-... for-the-phone",
    no_args_is_help=True,
)
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of a job.")]


def write(
    ctx: typer.Context,
    artifacts: Annotated[
        list[Path],
        typer.Argument(
            metavar="ARTIFACT...",
            help="Bundle folder, or a model file; with --policy, widths of one network.",
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder for the job.")],
    runtime: Runtime = None,
    compute_unit: Unit = "cpu",
    threads: Annotated[
        int,
        typer.Option(
            "--threads",
            "-t",
            min=1,
            metavar="N",
            rich_help_panel=Panel.SETTING,
            help="Threads of the runtime.",
        ),
    ] = 1,
    protocol: Annotated[
        str,
        typer.Option(
            metavar="ID",
            autocompletion=completions.protocol_ids,
            rich_help_panel=Panel.SETTING,
            help=f"{listed(PROTOCOL_NAMES)}.",
        ),
    ] = "burst-1",
    policy: Annotated[
        str | None,
        typer.Option(
            metavar="POLICY",
            rich_help_panel=Panel.SETTING,
            help=f"{listed(PolicyRule)}, or a file with its parameters as JSON: what chooses "
            "between the widths.",
        ),
    ] = None,
    limit: Limit = None,
    widths: Table = None,
    time_limit: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            rich_help_panel=Panel.WORK,
            help="The device stops after this time and keeps what it has.",
        ),
    ] = None,
    warmest: Annotated[
        str | None,
        typer.Option(
            metavar="STATE",
            rich_help_panel=Panel.WORK,
            help=f"It stops in a warmer state than this: {listed(ThermalState)}.",
        ),
    ] = None,
    hottest: Annotated[
        float | None,
        typer.Option(
            metavar="CELSIUS",
            rich_help_panel=Panel.WORK,
            help="It stops where any temperature is higher.",
        ),
    ] = None,
    least_battery: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT",
            rich_help_panel=Panel.WORK,
            help="It stops where the charge is lower, without a charger.",
        ),
    ] = None,
    inputs: Inputs = None,
    adopt: Adopt = False,
    store: Store = None,
) -> None:
    """Write a folder with a job, its model and the outputs that are expected of a device.

    docs/contract.md says what is in it. The folder is copied to a device as it is; the device
    writes its journal and its record into it.
    """
    from mobilebench.errors import UserError, require_known
    from mobilebench.measuring import job_folder
    from mobilebench.measuring import widths as choosing
    from mobilebench.measuring.setting import Setting, job_alone, width_files
    from mobilebench.values.job import Limits
    from mobilebench.values.measurement import ComputeUnit
    from mobilebench.values.protocol import protocol as find_protocol

    if policy is None:
        names = ("limit", "widths", "store")
        refuse_given(ctx, names, "belongs to --policy; add it, or leave this out")
        if len(artifacts) > 1:
            raise UserError(
                f"A job without --policy has one artifact, and {len(artifacts)} were given; write "
                f"a folder for each."
            )
    [(_, chosen)] = read_policies([policy or PolicyRule.FIXED], limit or [])
    if warmest is not None:
        require_known("thermal state", warmest, ThermalState)
    try:
        limits = Limits(
            time_ns=None if time_limit is None else round(time_limit * 1e9),
            warmest=None if warmest is None else ThermalState(warmest),
            hottest_c=hottest,
            least_battery=None if least_battery is None else least_battery / 100,
        )
    except (ValueError, OverflowError) as error:
        raise UserError(f"A limit is impossible: {error}.") from error
    setting = Setting(
        device_id="host",
        protocol=find_protocol(protocol),
        runtimes=() if runtime is None else (runtime,),
        threads=(threads,),
        compute_unit=ComputeUnit.named(compute_unit),
    )
    loaded = opened(artifacts, inputs, adopt)
    if policy is None or chosen is None:
        [bundle] = loaded
        job = job_folder.write(bundle, job_alone(bundle, setting, limits), folder)
    else:
        given = width_files(loaded, read_accuracies(loaded, widths, store))
        alone = job_alone(given.widest, setting, limits)
        job = replace(alone, variants=given.variants, policy=chosen)
        choosing.require_possible(job)
        job = job_folder.write(given.widest, job, folder, given.others)
    if job.parity is None:
        output.tell("no outputs are expected: the artifact has no reference for these inputs")
    output.tell(f"written: {folder}")


def run(
    folder: Folder,
    device: Device = "host",
    fixed_performance: FixedPerformance = False,
    rehearse_status: RehearsedStatus = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """Do the job in a folder, and store its record.

    A job that was cut off goes on with the round that had not ended. Exit code 1 where the runtime
    refuses the model, or fails.
    """
    from mobilebench import plugins
    from mobilebench.cli.progress import follow
    from mobilebench.errors import CellFailed
    from mobilebench.measuring import job_folder
    from mobilebench.values.wishes import Wishes

    wishes = Wishes(fixed_performance=fixed_performance, thermal_status=rehearse_status)
    runner = plugins.wishing(plugins.runner(device), wishes)
    given = job_folder.read(folder)
    failure = None
    with follow(f"measure by {given.job.protocol.id}", 1) as observer:
        progress = observer.started(given.job.title)
        try:
            runner.perform(device, folder, progress=progress)
            progress.finished("measured")
        except CellFailed as error:
            progress.finished(f"failed at {error.stage}")
            failure = error
        except BaseException:
            progress.finished("stopped")
            raise
    if failure is not None and not given.record_path.exists():
        raise failure
    _keep(given.document(), store, json)
    if failure is not None:
        raise typer.Exit(1)


def read(folder: Folder, store: Store = None, json: Json = False) -> None:
    """Store the record that a device wrote, or make it from the journal that it left.

    A journal without an end, of an app that was ended, gives a measurement that is cut off, and is
    marked so. What is read twice is stored once.
    """
    from mobilebench.measuring import job_folder, performing
    from mobilebench.store import Query, RecordStore
    from mobilebench.store.documents import Document

    given = job_folder.read(folder)
    if given.record_path.exists():
        _keep(given.document(), store, json)
        return
    written = given.journal()
    if written.remark is not None:
        output.tell(written.remark)
    if reason := given.no_record():
        output.tell(f"the device says: {reason}")
    # The same journal has the same id, so that it is stored once, whoever read it and where.
    record_id = written.sha256[:32]
    with RecordStore(store) as stored:
        there = stored.find_documents(Query(id=record_id))
    record = performing.record_of(given, written, record_id, "folder")
    _keep(there[0] if there else Document.of(record), store, json)


def _keep(document: Document, store: str | None, json: bool) -> None:
    """Store a record, and show it as a row or as its document."""
    from mobilebench.leaderboard import rank
    from mobilebench.leaderboard.table import as_table
    from mobilebench.store import RecordStore
    from mobilebench.values import wire

    with RecordStore(store) as stored:
        added = stored.add_all([document])
    if json:
        output.show_json(wire.parse(document.text))
    else:
        output.show(as_table(rank([document.record]), output.width()))
    output.tell(f"{'stored' if added else 'there already'}: {stored.place}")


add(app, "write", write, Section.MEASURE, "mobilebench job write artifacts/NAME-... phone-job")
add(app, "run", run, Section.MEASURE, "mobilebench job run phone-job")
add(
    app,
    "send",
    job_send.command,
    Section.MEASURE,
    "mobilebench job send phone-job --server https://bench.example.org --device 'model=Pixel*'",
)
add(app, "read", read, Section.MEASURE, "mobilebench job read phone-job")
