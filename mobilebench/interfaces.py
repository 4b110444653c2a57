"""The two plug-in interfaces: `Exporter` makes artifacts, `Runner` runs them.

A plug-in is one module, `mobilebench_exporters/NAME.py` or `mobilebench_device_runners/NAME.py`,
with a module-level `PLUGIN`. A contract test verifies each sentence of the docstrings here for
every plug-in that is installed.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from mobilebench.machine.isolated import Function
from mobilebench.observer import Progress
from mobilebench.values import value
from mobilebench.values.artifact import Artifact
from mobilebench.values.attached import Attached
from mobilebench.values.device import Device
from mobilebench.values.graph import Graph, ModelIO
from mobilebench.values.job import Job
from mobilebench.values.measurement import Measurement
from mobilebench.values.need import Need
from mobilebench.values.recipe import (
    Calibration,
    ExportRecipe,
    Feature,
    Format,
    Precision,
)
from mobilebench.values.seen import Seen
from mobilebench.values.tensor import TensorSpec
from mobilebench.values.tool import ToolRun
from mobilebench.values.wishes import Wishes

if TYPE_CHECKING:
    from mobilebench.inputs.seeded import Batch
    from mobilebench.values.record import Record


Evaluator = Function[[Path, Path, Path, str | None], str]
"""Runs in a child process: takes the model file, the inputs (.npz), the outputs to write (.npz) and
the entry of a file of several widths (None for the widest); returns the name and version of the
evaluator."""


@dataclass(frozen=True)
class Cure:
    """Advice on a failure that is recognised by its message."""

    signature: str
    """Regular expression, searched for in `ERROR: MESSAGE` and in the end of the log."""
    advice: str


@value
class Structure:
    """Operations and details of an exported file, as it is read back."""

    op_histogram: dict[str, int]
    details: dict[str, str]


class Exporter(Protocol):
    """Turns a torch module into one file of one format. Holds no state."""

    @property
    def format(self) -> Format:
        """Return the format it writes, which is also the name of its module."""

    def evaluator(self, recipe: ExportRecipe) -> Evaluator | None:
        """Return the function that computes the saved file's outputs where no runtime can.

        None where no such function exists: then a runner runs the file on every host, or
        `unverifiable` states why nothing can.
        """

    @property
    def cures(self) -> tuple[Cure, ...]:
        """Return the known failures of its toolkit, with advice about each."""

    def unverifiable(self, recipe: ExportRecipe) -> str | None:
        """Return why no host can compute a recipe's file, as a clause; None where one can."""

    def precisions(
        self, target: str | None = None, delegate: str | None = None
    ) -> frozenset[Precision]:
        """Return the precisions on offer for a target and a delegate; at least one.

        By default the usual target and delegate count.
        """

    def features(self) -> frozenset[Feature]:
        """Return what its files can hold besides a network; may be empty."""

    def recipe(
        self,
        precision: Precision,
        target: str | None = None,
        delegate: str | None = None,
        calibration: Calibration | None = None,
    ) -> ExportRecipe:
        """Return the recipe with the defaults filled in; filling them in again changes nothing.

        `calibration` is used only for a precision that is calibrated; its default is noise. Raises
        `RecipeError`, naming what is on offer, for a combination that is not.
        """

    def recipe_together(
        self,
        widths: Sequence[str],
        precision: Precision,
        target: str | None = None,
        delegate: str | None = None,
    ) -> ExportRecipe:
        """Return the recipe of one file of several widths, whose labels are `widths`.

        Its target is one that has such files. Raises `RecipeError`, naming what is on offer, for a
        combination that has none.
        """

    def tool_versions(self, delegate: str | None = None) -> Mapping[str, str]:
        """Return the name and version of every tool whose change could change the file.

        Raises `MissingToolkit`, stating what to install and how, where a delegate needs a tool that
        is not installed.
        """

    def export(
        self,
        module: Any,
        inputs: Sequence[TensorSpec],
        recipe: ExportRecipe,
        folder: Path,
        calibration: Sequence[Batch] = (),
    ) -> Path:
        """Write the model file (or package folder) into `folder` and return its path.

        `module` is a `torch.nn.Module` that passed preflight; it is not changed. `calibration`
        holds the inputs that the recipe's calibration names; the class labels that it names lie
        in `folder` (see `labels`). Nothing is written elsewhere.
        """

    def export_together(
        self,
        modules: Sequence[Any],
        inputs: Sequence[TensorSpec],
        recipe: ExportRecipe,
        folder: Path,
    ) -> Path:
        """Write one file of several widths of a network, the widest first; otherwise as `export`.

        `modules` are in the order of the recipe's widths. What does not choose an entry of the file
        gets the widest.
        """

    def entries(self, widths: Sequence[str]) -> tuple[str, ...]:
        """Return what chooses each width of a file of several, in their order."""

    def weights(self, model_path: Path) -> Mapping[str, Mapping[str, int]]:
        """Read the bytes of the weights that each entry of a file uses, by their names in the file.

        What two entries use has one name. Empty for a file of one network. Raises as `graph` does.
        """

    def inspect(self, model_path: Path) -> Structure:
        """Read a saved file back and count its operations, constants left out."""

    def graph(self, model_path: Path) -> Graph:
        """Read a saved file back operation by operation, without torch and in a second or two.

        Of a file of several widths that is the widest.
        Raises `ModelFileError` for a file that is damaged or of another format, `MissingToolkit`
        where the package that defines the format is not installed.
        """

    def io(self, model_path: Path) -> ModelIO:
        """Read what a saved file takes and gives, without torch; raises as `graph` does.

        It also reads kinds of file that `graph` does not.
        """

    def operation_in(self, message: str) -> str | None:
        """Return the name or the kind, as in `graph`, of the operation that a message is about.

        The message is a runtime's. None where it names no operation.
        """


@runtime_checkable
class Reaching(Protocol):
    """A runner whose devices can be reached by their id without being listed."""

    def reach(self, device_id: str) -> Device:
        """Describe a device; raises `UserError`, with what to do, where it cannot be reached."""


@dataclass(frozen=True)
class ToolCall:
    """A program of others to run on a device, with one model."""

    program: Path
    libraries: tuple[Path, ...]
    """Files that lie beside it on the device: libraries, and what it reads."""
    model: Path
    arguments: tuple[str, ...]
    """`{folder}` stands for the folder on the device."""


@dataclass(frozen=True)
class ToolRan:
    """What a program of others printed on a device, and how it was run."""

    call: ToolCall
    run: ToolRun
    output: bytes
    """Its command, then all that it printed; empty where that could not be read."""
    failure: str | None = None
    """Why it has no result, as far as that is known; None where it ended with 0."""
    remarks: tuple[str, ...] = ()
    """What its output says went wrong, although it went on."""


@runtime_checkable
class Tooling(Protocol):
    """A runner that can run a program of others in the shell of its devices."""

    def run_tools(
        self,
        device_id: str,
        calls: Sequence[ToolCall],
        time_limit_s: float,
        cancel: Event | None = None,
        progress: Progress | None = None,
    ) -> Generator[ToolRan, None, None]:
        """Run calls of one program in turn, and give each when it has ended.

        The device is held until the last one or `close`, and left as it was found, also after
        `cancel`. A run
        that fails is given with its failure. Raises `UserError` for a device that cannot be used,
        and for files that cannot run on it, before anything is copied.
        """


@dataclass(frozen=True)
class Ran:
    """What a runner brings back from one job."""

    measurement: Measurement
    device: Device
    """As the device describes itself where it measured."""
    seen: Seen | None = None
    """What a computer saw of it from outside; None where it is this machine."""


@runtime_checkable
class Wishing(Protocol):
    """A runner whose devices can be set for a run, and put back after it."""

    def wishing(self, wishes: Wishes) -> Runner:
        """Return the same runner with wishes, which hold for each of its runs."""


@runtime_checkable
class Needing(Protocol):
    """A runner that needs something of this computer."""

    def needs(self) -> tuple[Need, ...]:
        """Return what it needs, with what was found and the command that mends a lack."""


class Runner(Protocol):
    """Runs artifacts on the devices of one kind. Holds no state between calls."""

    @property
    def scheme(self) -> str:
        """Return the first part of its device ids: `host`, `adb`, `ios`, `ssh`."""

    @property
    def transport(self) -> str:
        """Return how its jobs reach the devices, such as `local process`, for every record."""

    def devices(self) -> tuple[Device, ...]:
        """Return the devices that can be reached now; their ids start with `scheme`."""

    def attached(self, device_id: str | None = None) -> tuple[Attached, ...]:
        """Return every device that its tools show, also those that cannot be used, and why.

        Those that can be used are its `devices`, with the same ids. Empty where a tool is missing.
        With `device_id`, only that one is read, so that others are not disturbed; empty where it
        is not there.
        """

    def runtimes(self, artifact_format: Format, delegate: str | None = None) -> tuple[str, ...]:
        """Return the runtimes that can run a format here, the usual one first; may be empty.

        With `delegate`, those that can run files lowered to it.
        """

    def run(
        self,
        device_id: str,
        artifact: Artifact,
        job: Job,
        cancel: Event | None = None,
        progress: Progress | None = None,
        variants: Sequence[Artifact] = (),
    ) -> Ran:
        """Measure an artifact; the caller adds validity and diagnoses.

        `variants` are the artifacts of the job's other variants, in their order.
        The rounds are stages of `progress` (see `measuring.rounds`), unless too short to be seen.
        Raises `CellFailed` when the runtime refuses the artifact, crashes or hangs, `UserError`
        when the device or the runtime is not available.
        """

    def perform(
        self,
        device_id: str,
        folder: Path,
        cancel: Event | None = None,
        progress: Progress | None = None,
    ) -> Record:
        """Do the job in a folder; return the record, which comes into the folder with the journal.

        A job that was cut off goes on with the round that had not ended. Raises as `run` does, and
        `UserError` for a folder that holds no job, other files than its job names, or a job that is
        done.
        """

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
        """Return the runtime's name with its version, and its outputs for every batch.

        Raises as `run` does.
        """
