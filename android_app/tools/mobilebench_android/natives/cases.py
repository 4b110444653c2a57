"""Write cases for tests of the runners: jobs, and what Python's runtimes compute.

    python android_app/tools/build.py cases FOLDER [--all]

Each case is a job's folder as `mobilebench job write` makes it, so the tests of whole jobs use the
same ones, with a folder `python` in it: `case.properties` states the case in lines that a program
without a reader of JSON can take, and `N.bin` holds the outputs of the Python runtime for entry N
of the file and every input, as little-endian arrays. Without `--all` there is a network for each
trait and a shallow one of every family, those of `families.py` in one file whose outputs have
names; with it there is also a whole one of every family. Files that were exported before are used
again.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from mobilebench import files
from mobilebench.errors import UserError
from mobilebench.inputs.seeded import Batch
from mobilebench.measuring import job_folder
from mobilebench.measuring.job_folder import JobFolder
from mobilebench.measuring.setting import Setting, job_alone, width_files
from mobilebench.values.artifact import Artifact
from mobilebench.values.device import ThermalState
from mobilebench.values.job import Limits, VariantAccuracy
from mobilebench.values.policy import Aim, Policy, PolicyRule
from mobilebench.values.protocol import protocol
from mobilebench.values.tensor import TensorSpec
from mobilebench.verifying import prediction
from mobilebench_android.outputs import files_key

_SMALL = f"{Path(__file__).with_name('networks.py')}:two_in_three_out"
_FAMILIES = Path(__file__).with_name("families.py")
FORMATS = ("onnx", "tflite", "executorch")
_CASES, _ARTIFACTS = "cases", "artifacts"
_BESIDE, _STATED = "python", "case.properties"
_LONGEST_S = 3600
_AT_ONCE = 2
INDEX = "cases.txt"
"""The file in the folder that names the cases in use, one a line."""
_ACCURACIES = {
    share: VariantAccuracy(top1=top1, source="made up for tests of the app", measured=False)
    for share, top1 in ((1.0, 0.75), (0.75, 0.7), (0.5, 0.6))
}
"""A policy weighs these; the networks have seeded weights, so there are none to measure."""


@dataclass(frozen=True)
class Export:
    """One call of `mobilebench export`, for all three formats."""

    models: tuple[str, ...]
    options: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ("fp32",)

    def arguments(self) -> list[str]:
        """Return the arguments, without where the files go."""
        formats = [part for name in FORMATS for part in ("--format", name)]
        precisions = [part for name in self.precisions for part in ("--precision", name)]
        return [*self.models, *formats, *precisions, *self.options]


_WIDTHS = tuple(part for share in ("1", "0.75", "0.5") for part in ("--width", share))
# The smallest network of a family, on the smallest image that is quick and not tiny for it, with
# few classes. Every one has seeded weights.
_QUICK = (
    Export(
        (_SMALL,),
        ("--input", "1x3x32x32", "--input", "1x1x16x16"),
        ("fp32", "fp16", "int8", "int8-io"),
    ),
    Export(("mobilevig_ti",), ("--resolution", "64", "--num-classes", "10")),
    Export((f"{_FAMILIES}:families",), ("--input", "1x3x64x64", "--input", "1x3x224x224")),
)
_MORE = (
    Export(
        ("mobilevigv2_ti", "greedyvig_s", "logvig_ti", "adaptvig_s", "rapidnet_ti"),
        ("--resolution", "64", "--num-classes", "10"),
    ),
    # Its positions are learned for maps of one size.
    Export(("vcmamba_s",), ("--num-classes", "10")),
    Export(
        ("mobilevig_ti",),
        ("--resolution", "64", "--num-classes", "10", "--together", *_WIDTHS),
    ),
)


def write(folder: Path, everything: bool = False) -> tuple[Path, ...]:
    """Export the networks and write their cases; return the folders of the cases.

    Cases that are there and whole are left as they are. Raises `UserError` where an export fails.
    """
    exports = (*_QUICK, *_MORE) if everything else _QUICK
    artifacts = [Artifact.load(each) for one in exports for each in _exported(one, folder)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        cases = tuple(pool.map(lambda artifact: _case(artifact, folder / _CASES), artifacts))
    # Folders of other contents may lie beside these.
    files.write_text(folder / INDEX, "".join(f"{case.name}\n" for case in cases))
    return cases


def _exported(export: Export, folder: Path) -> Iterator[Path]:
    """Export and return the bundles; what a format has no precision for is left out."""
    command = [sys.executable, "-m", "mobilebench", "export", *export.arguments(), "--json"]
    places = ["--out", str(folder / _ARTIFACTS), "--store", str(folder / "store.db")]
    done = subprocess.run(
        [*command, *places], stdout=subprocess.PIPE, text=True, timeout=_LONGEST_S, check=False
    )
    if done.returncode != 0:
        raise UserError(
            f"The cases for the runners need an export that failed: "
            f"mobilebench export {' '.join(export.arguments())}"
        )
    for row in json.loads(done.stdout):
        yield Path(row["folder"])


def _case(artifact: Artifact, cases: Path) -> Path:
    key = files_key([("cases", Path(__file__)), ("families", _FAMILIES)])
    place = cases / f"{artifact.folder.name}-{key[:4]}"
    if place.is_dir():
        return place
    with files.staging_folder(cases) as staged:
        folder = staged / place.name
        _write_job(artifact, folder)
        _write_outputs(artifact, job_folder.read(folder))
        files.publish_folder(folder, place)
    return place


def _write_job(artifact: Artifact, folder: Path) -> None:
    several = bool(artifact.manifest.widths)
    rate = protocol("paced-30fps-1" if several else "burst-1")
    job = job_alone(artifact, Setting(device_id="host", protocol=rate), Limits())
    if several:
        policy = Policy(
            rule=PolicyRule.THRESHOLD,
            aim=Aim(warmest=ThermalState.FAIR),
            parameters={"dwell_ns": 5e9},
        )
        job = replace(job, variants=width_files([artifact], _ACCURACIES).variants, policy=policy)
    job_folder.write(artifact, job, folder)


def _write_outputs(artifact: Artifact, given: JobFolder) -> None:
    """Compute the outputs of the Python runtime for each entry, and state the case."""
    job = given.job
    if job.parity is None:
        raise UserError(f"{artifact.name} has no reference inputs; export it again.")
    beside = given.path / _BESIDE
    beside.mkdir()
    inputs, _ = given.parity_batches()
    entries = [variant.entry for variant in job.variants] or [None]
    version = ""
    for place, entry in enumerate(entries):
        predicted = prediction.by_runtime(
            given.model_path, artifact.manifest.recipe, inputs, runtime=job.runtime, entry=entry
        )
        if predicted is None:
            raise UserError(f"No runtime here runs {artifact.name}; install its toolkit.")
        version, outputs = predicted
        files.write_bytes(beside / f"{place}.bin", _bytes(outputs))
    lines = {
        "network": artifact.manifest.model.title,
        "recipe": artifact.manifest.recipe.label,
        "precision": artifact.manifest.recipe.precision.value,
        "runtime": job.runtime,
        "version": version,
        "delegate": job.delegate or "",
        "model": job.model_file,
        "entries": ",".join(entry or "" for entry in entries),
        "inputs_file": job.parity.inputs_file,
        "batches": str(job.parity.batches),
        "inputs": _specs(job.inputs),
        "outputs": _specs([output.tensor for output in job.parity.outputs]),
        "names": ",".join(_names(artifact)),
    }
    content = "".join(f"{key}={value}\n" for key, value in lines.items())
    files.write_text(beside / _STATED, content)


def _names(artifact: Artifact) -> tuple[str, ...]:
    """Return what the outputs are called where each is compared by itself; else nothing."""
    if not artifact.manifest.model.name.startswith(f"{_FAMILIES.stem}."):
        return ()
    from mobilebench_android.natives import families  # loads torch

    return families.NAMES


def _bytes(batches: Sequence[Batch]) -> bytes:
    return b"".join(
        array.astype(array.dtype.newbyteorder("<")).tobytes()
        for batch in batches
        for array in batch
    )


def _specs(tensors: Sequence[TensorSpec]) -> str:
    return ",".join(f"{tensor.dtype}:{'x'.join(map(str, tensor.shape))}" for tensor in tensors)
