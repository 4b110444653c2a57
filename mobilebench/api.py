"""The Python API: `export`, `benchmark` and `evaluate`, one artifact at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobilebench import pipeline
from mobilebench.errors import CellFailed, UserError
from mobilebench.exporting.choosing import choose
from mobilebench.exporting.order import Terms
from mobilebench.inputs.source import InputSource
from mobilebench.inspecting.given import open_artifacts
from mobilebench.measuring.setting import Setting
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import ComputeUnit, Failure
from mobilebench.values.modelspec import CALLER, ModelSpec
from mobilebench.values.protocol import protocol as find_protocol
from mobilebench.values.recipe import Form
from mobilebench.values.record import Record
from mobilebench.values.request import Request
from mobilebench.values.tensor import TensorSpec, parse_sizes, parse_tensor

if TYPE_CHECKING:
    from torch import nn

    from mobilebench.values.accuracy import Accuracy


def export(
    model: str | nn.Module,
    format: str,
    *,
    precision: str = "fp32",
    target: str | None = None,
    delegate: str | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_key: str | None = None,
    ema: bool = False,
    resolution: int | None = None,
    inputs: Sequence[TensorSpec | str] = (),
    calibration: str | Path | None = None,
    deploy: bool = True,
    image_input: bool = False,
    class_labels: Sequence[str] = (),
    out_dir: str | Path = "artifacts",
    force: bool = False,
    allow_parity_failure: bool = False,
) -> Artifact:
    """Export one network to one format and verify the file against PyTorch.

    `model` is a name of the zoo, `timm:NAME`, `FILE.py:FUNCTION`, or a module in eval mode, which
    needs `inputs` such as `["1x3x224x224"]`. `checkpoint_key` is the entry of the checkpoint that
    holds the weights, by default the one that fits, and `ema=True` takes the averaged ones. An
    export that already exists is reused. `calibration` is the folder of images that int8 takes its
    ranges from and quantized files are judged on; without it both use noise. `deploy=False` exports
    a zoo network in its plain form (see `mobilebench.deploy`). With `image_input` the file takes
    RGB images, and with `class_labels` it answers by label. Raises `CellFailed` where the toolkit
    or parity fails, `UserError` for what the user can fix.
    """
    terms = Terms(
        source=InputSource(None if calibration is None else Path(calibration)),
        image_input=image_input,
        class_labels=tuple(class_labels),
        force=force,
        allow_parity_failure=allow_parity_failure,
    )
    recipes = choose(
        [format],
        [precision],
        target=target,
        delegate=delegate,
        form=Form.DEPLOYED if deploy else Form.PLAIN,
        terms=terms,
    ).recipes
    specs = tuple(
        tensor if isinstance(tensor, TensorSpec) else parse_tensor(tensor, f"input{index}")
        for index, tensor in enumerate(inputs)
    )
    if isinstance(model, str):
        request = Request(
            reference=model,
            checkpoint=None if checkpoint is None else str(checkpoint),
            checkpoint_key=checkpoint_key,
            ema=ema,
            resolution=resolution,
            inputs=specs,
        )
        [exported] = pipeline.export_matrix([request], recipes, Path(out_dir), terms=terms)
    else:
        from mobilebench.conversion.loading import describe

        if checkpoint is not None or checkpoint_key is not None or ema:
            raise UserError(
                "A checkpoint was given for a module that is in memory already; load it before the "
                "export, with mobilebench.load_checkpoint(module, checkpoint)."
            )
        if resolution is not None:
            raise UserError("resolution is for models by name; a module's size is in inputs.")
        spec = ModelSpec(name=type(model).__name__, inputs=specs)
        loaded = describe(model, spec, CALLER)
        [exported] = pipeline.export_module(loaded, recipes, Path(out_dir), terms=terms)
    if isinstance(exported.outcome, Failure):
        failure = exported.outcome
        advice = f"; {failure.advice}" if failure.advice else ""
        raise CellFailed(failure.stage, failure.error, failure.message + advice, failure.log_tail)
    return exported.outcome


def benchmark(
    artifact: Artifact | str | Path,
    *,
    inputs: Sequence[str] = (),
    device: str = "host",
    runtime: str | None = None,
    compute_unit: str = "cpu",
    threads: int = 1,
    protocol: str = "burst-1",
) -> Record:
    """Measure one artifact; a failure of its runtime becomes the record's outcome.

    It is a bundle folder, or a model file from anywhere; `inputs` states sizes that a model file
    leaves open, such as `["image=1x3x320x320"]`. Raises `UserError` where device, runtime or
    protocol do not exist or do not fit the artifact, `ModelFileError` for a damaged file.
    """
    loaded = _opened(artifact, inputs)
    setting = Setting(
        device_id=device,
        protocol=find_protocol(protocol),
        runtimes=(runtime,) if runtime else (),
        threads=(threads,),
        compute_unit=ComputeUnit.named(compute_unit),
    )
    [record] = pipeline.benchmark_cells([loaded], setting)
    return record


def evaluate(
    artifact: Artifact | str | Path,
    data: str | Path,
    *,
    inputs: Sequence[str] = (),
    classes: str | Path | None = None,
    limit: int | None = None,
    runtime: str | None = None,
    threads: int = 1,
    jobs: int = 1,
) -> Accuracy:
    """Measure the accuracy of one artifact on the images of a folder DATA/CLASS/IMAGE.

    `artifact` and `inputs` are as in `benchmark`.
    `classes` is a file that names the folder of each output, `limit` the most images to take,
    `jobs` how many processes compute at the same time. Raises `UserError` where the folder, the
    images or the network do not fit, `CellFailed` where the runtime fails.
    """
    from mobilebench.inputs.folder import ImageFolder
    from mobilebench.machine import cluster
    from mobilebench.verifying.evaluation import Evaluation, Options

    loaded = _opened(artifact, inputs)
    folder = ImageFolder.find(Path(data), None if classes is None else Path(classes))
    if limit is not None:
        folder = folder.limited(limit)
    evaluation = Evaluation.plan(loaded, folder, Options(runtime=runtime, threads=threads))
    with cluster.local(jobs) as executor:
        return evaluation.run(executor)


def _opened(artifact: Artifact | str | Path, inputs: Sequence[str]) -> Artifact:
    if isinstance(artifact, Artifact):
        return artifact
    [opened] = open_artifacts([Path(artifact)], [parse_sizes(text) for text in inputs])
    return opened
