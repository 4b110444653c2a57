"""The runner of boards by SSH: a Raspberry Pi, a Jetson, any Linux with Python.

The board gets an isolated environment once, does the whole job by itself with the same engine as
every other machine, and the record comes back. Nothing needs root, and host keys are checked.

Boards are what the user names: `--device ssh:HOST`, or the boards that `mobilebench devices` lists,
which are in the variable `MOBILEBENCH_BOARDS` or, one a line, in the file `boards` of the folder
for configuration.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import Event

import platformdirs

from mobilebench.errors import UnknownName, UserError
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Batch
from mobilebench.interfaces import Ran, Runner
from mobilebench.observer import Progress, SilentProgress
from mobilebench.values.artifact import Artifact
from mobilebench.values.attached import Attached
from mobilebench.values.device import Device
from mobilebench.values.job import Job
from mobilebench.values.need import Need
from mobilebench.values.obstacles import Obstacle
from mobilebench.values.recipe import ExportRecipe, Format
from mobilebench.values.record import Record
from mobilebench_device_runners import _claims, _remote
from mobilebench_device_runners._ssh import environment, looking, target
from mobilebench_device_runners._ssh.link import SshLink
from mobilebench_device_runners._tools import LinkLost, ToolFailed
from mobilebench_device_runners.host import RUNTIMES

BOARDS = "MOBILEBENCH_BOARDS"
"""Names the boards to list, with commas or spaces between them."""
BOARDS_FILE = "boards"
_PREDICTION_S, _PREDICT_OVERHEAD_S = 10.0, 300.0


class SshRunner:
    """Runs artifacts on boards by SSH."""

    scheme = target.SCHEME
    transport = SshLink.transport

    def devices(self) -> tuple[Device, ...]:
        """Return the boards that the user has named and that answer."""
        return tuple(replace(each.device, id=each.id) for each in self.attached() if each.usable)

    def attached(self, device_id: str | None = None) -> tuple[Attached, ...]:
        """Return what the boards that the user has named show now, also those without answer.

        With an id, that board alone, whether it is named or not.
        """
        ids = named_boards() if device_id is None else (target.parse(device_id).device_id,)
        return tuple(self._look(each) for each in ids)

    def reach(self, device_id: str) -> Device:
        """Describe a board that is not listed; raises `UserError` where it cannot be reached."""
        with _linked(device_id) as link, _at_first_contact():
            attached = link.attached()
        return replace(attached.device, id=device_id)

    def needs(self) -> tuple[Need, ...]:
        """Return the program ssh, and each board that the user has named, as they are now."""
        if shutil.which("ssh") is None:
            mend = "sudo apt install openssh-client"
            return (Need(name="ssh", met=False, here="not installed", mend=mend),)
        program = Need(name="ssh", met=True, here=str(shutil.which("ssh")))
        try:
            boards = self.attached()
        except UserError as error:
            return (program, Need(name="boards", met=False, here=str(error)))
        if not boards:
            mend = f"export {BOARDS}=pi@HOST"
            return (program, Need(name="boards", met=False, here="none is named", mend=mend))
        return (program, *map(_need, boards))

    def runtimes(self, artifact_format: Format, delegate: str | None = None) -> tuple[str, ...]:
        return tuple(
            name
            for name in environment.RUNTIMES
            if RUNTIMES[name].format == artifact_format
            and (delegate is None or delegate == "xnnpack")
        )

    def run(
        self,
        device_id: str,
        artifact: Artifact,
        job: Job,
        cancel: Event | None = None,
        progress: Progress | None = None,
        variants: Sequence[Artifact] = (),
    ) -> Ran:
        self._require_runtime(job.runtime, job.format, job.delegate)
        with _linked(device_id, cancel) as link, _at_first_contact():
            return _remote.run(
                link,
                artifact,
                job,
                variants=variants,
                cancel=cancel,
                progress=progress,
            )

    def perform(
        self,
        device_id: str,
        folder: Path,
        cancel: Event | None = None,
        progress: Progress | None = None,
    ) -> Record:
        with _linked(device_id, cancel) as link, _at_first_contact():
            return _remote.perform(link, folder, cancel=cancel, progress=progress)

    def predict(
        self,
        device_id: str,
        model_path: Path,
        recipe: ExportRecipe,
        runtime: str,
        batches: Sequence[Batch],
        cancel: Event | None = None,
        threads: int = 1,
    ) -> tuple[str, list[Batch]]:
        self._require_runtime(runtime, recipe.format, recipe.delegate)
        limit_s = _PREDICT_OVERHEAD_S + _PREDICTION_S * len(batches)
        with (
            _linked(device_id, cancel) as link,
            _claims.claimed(device_id, "outputs of a model"),
            _at_first_contact(),
            tempfile.TemporaryDirectory(prefix="mobilebench-predict-") as name,
        ):
            inputs, outputs = Path(name) / "inputs.npz", Path(name) / "outputs.npz"
            seeded.save_batches(inputs, batches)
            link.prepare_runtime(runtime, SilentProgress())
            by = link.predict(runtime, threads, model_path.resolve(), inputs, outputs, limit_s)
            return by, [*seeded.load_batches(outputs)]

    def _look(self, device_id: str) -> Attached:
        with _linked(device_id) as link:
            try:
                attached = link.attached()
                if _claims.holder(attached.claim) or looking.is_busy(link.connection):
                    return replace(attached, why_not=(*attached.why_not, Obstacle.BUSY))
                return attached
            except (ToolFailed, UserError) as error:
                return looking.unreachable(device_id, error)

    def _require_runtime(self, runtime: str, artifact_format: Format, delegate: str | None) -> None:
        if runtime not in environment.RUNTIMES:
            raise UnknownName.among("runtime on boards", runtime, environment.RUNTIMES)
        names = self.runtimes(artifact_format, delegate)
        if runtime not in names:
            lowered = f" for {delegate}" if delegate else ""
            raise UserError(
                f"The runtime {runtime} cannot run a {artifact_format} artifact{lowered} on a "
                f"board; runtimes that can: {', '.join(names) or 'none'}."
            )


def _need(board: Attached) -> Need:
    reasons = " ".join(each.sentence for each in board.why_not)
    mend = "; ".join(board.mends) or None
    return Need(name=board.id, met=board.usable, here=reasons or "ready", mend=mend)


def named_boards() -> tuple[str, ...]:
    """Return the ids of the boards that the user has named for the list.

    Raises `UserError` for a name that ssh would not take.
    """
    text = os.environ.get(BOARDS)
    if text is None:
        with suppress(OSError):
            text = boards_file().read_text(encoding="utf-8")
    lines = (line.partition("#")[0] for line in (text or "").splitlines())
    names = [name for line in lines for name in re.split(r"[\s,]+", line.strip()) if name]
    ids = [
        name if name.startswith(f"{target.SCHEME}:") else f"{target.SCHEME}:{name}"
        for name in names
    ]
    return tuple(dict.fromkeys(target.parse(each).device_id for each in ids))


def boards_file() -> Path:
    """Return the file that lists boards, one a line; it need not exist."""
    return Path(platformdirs.user_config_path("mobilebench")) / BOARDS_FILE


@contextmanager
def _linked(device_id: str, cancel: Event | None = None) -> Iterator[SshLink]:
    link = SshLink(target.parse(device_id), looking.look, cancel)
    try:
        yield link
    finally:
        link.close()


@contextmanager
def _at_first_contact() -> Iterator[None]:
    """Raise what keeps a board from being reached at all as `UserError`.

    While a job runs, `_remote` waits for a board that is gone.
    """
    try:
        yield
    except LinkLost as error:
        raise UserError(error.why) from error


PLUGIN: Runner = SshRunner()
