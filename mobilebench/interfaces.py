"""The two seams: `Exporter` makes artifacts, `Runner` runs them.

A plug-in is one module, `mobilebench_exporters/NAME.py` or `mobilebench_device_runners/NAME.py`,
with a module-level `PLUGIN`. Each sentence of the docstrings here is held by a contract test
that runs over every plug-in found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol

from mobilebench.machine.isolated import Function
from mobilebench.values import value
from mobilebench.values.artifact import Artifact
from mobilebench.values.device import Device
from mobilebench.values.graph import Graph
from mobilebench.values.job import Job
from mobilebench.values.measurement import Measurement
from mobilebench.values.recipe import (
    Calibration,
    ExportRecipe,
    Feature,
    Format,
    Precision,
)
from mobilebench.values.tensor import TensorSpec

if TYPE_CHECKING:
    from mobilebench.inputs.seeded import Batch


Evaluator = Function[[Path, Path, Path], str]
"""Runs in a child process: takes the model file, the inputs (.npz) and the outputs to write (.npz);
returns the name and version of what computed."""


@dataclass(frozen=True)
class Cure:
    """Advice on a failure that is recognised by its message."""

    signature: str
    """Regular expression, searched for in `ERROR: MESSAGE` and in the end of the log."""
    advice: str


@value
class Structure:
    """What an exported file says of itself when it is read back."""

    op_histogram: dict[str, int]
    details: dict[str, str]


class Exporter(Protocol):
    """Turns a torch module into one file of one format. Holds no state."""

    @property
    def format(self) -> Format:
        """The format it writes; its module is called so."""

    def evaluator(self, recipe: ExportRecipe) -> Evaluator | None:
        """Return the function that computes the saved file's outputs where no runtime can.

        None where there is none: then a runner runs the file on every host, or `unverifiable`
        says why nothing can.
        """

    @property
    def cures(self) -> tuple[Cure, ...]:
        """Failures of its toolkit that are known, and what to do about each."""

    def unverifiable(self, recipe: ExportRecipe) -> str | None:
        """Why nothing on a host can compute what a recipe's file computes, as a clause; None where
        something can."""

    def precisions(
        self, target: str | None = None, delegate: str | None = None
    ) -> frozenset[Precision]:
        """The precisions on offer for a target and a delegate, by default the usual ones; at
        least one."""

    def features(self) -> frozenset[Feature]:
        """What its files can hold beside a network; may be empty."""

    def recipe(
        self,
        precision: Precision,
        target: str | None = None,
        delegate: str | None = None,
        calibration: Calibration | None = None,
    ) -> ExportRecipe:
        """Return the recipe with the defaults filled in; asking again changes nothing.

        `calibration` counts for a precision that is calibrated only; its default is noise.
        Raises `RecipeError`, saying what is on offer, for a combination that is not.
        """

    def tool_versions(self, delegate: str | None = None) -> Mapping[str, str]:
        """Name and version of every tool whose change could change the file.

        Raises `MissingToolkit`, saying what to install and how, where a delegate needs a tool
        that is not there.
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

    def inspect(self, model_path: Path) -> Structure:
        """Read a saved file back and count its operations, constants left out."""

    def graph(self, model_path: Path) -> Graph:
        """Read a saved file back operation by operation, without torch and in a second or two.

        Raises `ModelFileError` for a file that is damaged or of another format, `MissingToolkit`
        where what defines the format is not installed.
        """


class Runner(Protocol):
    """Runs artifacts on the devices of one kind. Holds no state between calls."""

    @property
    def scheme(self) -> str:
        """First part of the ids of its devices: `host`, `adb`, `ios`, `ssh`."""

    @property
    def transport(self) -> str:
        """How its jobs reach the devices, such as `local process`; every record states it."""

    def devices(self) -> tuple[Device, ...]:
        """The devices that can be reached now; their ids start with `scheme`."""

    def runtimes(self, artifact_format: Format, delegate: str | None = None) -> tuple[str, ...]:
        """Names of the runtimes that can run a format here, lowered to that delegate, the usual
        one first; may be empty."""

    def run(
        self, device_id: str, artifact: Artifact, job: Job, cancel: Event | None = None
    ) -> Measurement:
        """Measure; the caller adds validity and diagnoses.

        Raises `CellFailed` when the runtime refuses the artifact, crashes or hangs, `UserError`
        when the device or the runtime cannot be had.
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
        """Outputs for every batch of inputs, and the runtime's name with its version.

        Raises as `run` does.
        """
