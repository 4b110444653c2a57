"""`mobilebench job send`: queue jobs at a server, whose devices fetch them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilebench.cli import completions, output
from mobilebench.cli.artifacts import opened
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import (
    Adopt,
    Inputs,
    Json,
    Runtime,
    Server,
    Threads,
    Unit,
    listed,
    refuse_given,
)
from mobilebench.notation import quantities
from mobilebench.values.protocol import PROTOCOL_NAMES


def command(
    ctx: typer.Context,
    jobs: Annotated[
        list[Path],
        typer.Argument(
            metavar="JOB...",
            help="Folders of jobs, bundle folders or model files; a job is written for each "
            "artifact.",
        ),
    ],
    server: Server = None,
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            "-d",
            metavar="PATTERN",
            rich_help_panel=Panel.SETTING,
            help="Alias of a device at the server, or a pattern such as 'shelf-*'; or of models, "
            "such as 'model=Pixel*'. Default: any device.",
        ),
    ] = None,
    runtime: Runtime = None,
    compute_unit: Unit = "cpu",
    threads: Threads = 1,
    protocol: Annotated[
        str,
        typer.Option(
            metavar="ID",
            autocompletion=completions.protocol_ids,
            rich_help_panel=Panel.SETTING,
            help=f"{listed(PROTOCOL_NAMES)}.",
        ),
    ] = "burst-1",
    inputs: Inputs = None,
    adopt: Adopt = False,
    json: Json = False,
) -> None:
    """Queue jobs at a server, whose devices fetch them; print the id of each.

    Files that the server has already are not sent again. The setting is for artifacts: a folder of
    `job write` has its own.
    """
    from tempfile import TemporaryDirectory

    from mobilebench.cli.progress import follow
    from mobilebench.errors import UnknownName
    from mobilebench.measuring import job_folder
    from mobilebench.measuring.setting import Setting, job_alone
    from mobilebench.submitting import membership, sending
    from mobilebench.submitting.address import Address
    from mobilebench.submitting.client import Server as Client
    from mobilebench.values.job import Limits
    from mobilebench.values.measurement import ComputeUnit
    from mobilebench.values.protocol import protocol as find_protocol

    address = Address.chosen(server)
    token = membership.require(address).token
    name, equals, pattern = (device or "").partition("=")
    if equals and name != "model":
        raise UnknownName.among("key of a pattern of devices at a server", name, ["model"])
    alias, model = (None, pattern) if equals else (device, None)
    folders = [path for path in jobs if (path / job_folder.JOB_FILE).exists()]
    artifacts = opened([path for path in jobs if path not in folders], inputs, adopt)
    if not artifacts:
        names = ("runtime", "compute_unit", "threads", "protocol", "input", "adopt")
        refuse_given(ctx, names, "is for artifacts, and only folders of jobs were given")
    setting = Setting(
        device_id="host",
        protocol=find_protocol(protocol),
        runtimes=() if runtime is None else (runtime,),
        threads=(threads,),
        compute_unit=ComputeUnit.named(compute_unit),
    )
    queued: list[dict[str, str]] = []
    with TemporaryDirectory(prefix="mobilebench-job-") as temporary:
        for number, artifact in enumerate(artifacts):
            folder = Path(temporary) / str(number)
            job_folder.write(artifact, job_alone(artifact, setting, Limits()), folder, link=True)
            folders.append(folder)
        with Client(address, token) as client, follow("send", len(folders)) as observer:
            for folder in folders:
                given = job_folder.read(folder)
                title = f"{given.subject.model.name} {given.job.title}"
                progress = observer.started(title)
                try:
                    id_ = sending.send(client, folder, alias, model, progress.stage)
                except BaseException:
                    progress.finished("stopped")
                    raise
                progress.finished(f"job {id_}")
                queued.append({"job": id_, "title": title})
    if json:
        output.show_json(queued)
    else:
        for each in queued:
            output.show_line(each["job"])
    output.tell(f"{quantities.counted(len(queued), 'job')} queued: {address}")
