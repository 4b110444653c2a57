"""The Python API: what the verbs of the command line do, on values.

Calls that take long are silent by default. They log their progress at the level INFO to
`logging.getLogger("mobilebench")`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from mobilebench import pipeline
from mobilebench.errors import CellFailed, NoRecords, UserError
from mobilebench.exporting.choosing import choose
from mobilebench.exporting.order import Terms
from mobilebench.inputs.source import InputSource
from mobilebench.inspecting.given import open_artifacts
from mobilebench.measuring.setting import Setting
from mobilebench.observer import Logged, Work
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import ComputeUnit, Failure
from mobilebench.values.modelspec import CALLER, Interpolation, ModelSpec, Preprocessing, prepared
from mobilebench.values.protocol import protocol as find_protocol
from mobilebench.values.recipe import Form, Precision
from mobilebench.values.record import Record
from mobilebench.values.request import Request
from mobilebench.values.tensor import TensorSpec, parse_sizes, parse_tensor
from mobilebench.values.width import Width, in_one_file

if TYPE_CHECKING:
    from torch import nn

    from mobilebench.inspecting.inspection import Inspection
    from mobilebench.leaderboard import Board
    from mobilebench.regress import Report
    from mobilebench.results.tidy import Table
    from mobilebench.store import RecordStore
    from mobilebench.values.accuracy import Accuracy
    from mobilebench.values.artifact import Parity
    from mobilebench.verifying.equivalence import Equivalence

P = ParamSpec("P")
T = TypeVar("T")
_OPTION = re.compile(r"--([a-z][a-z-]*)")


def _in_python(function: Callable[P, T]) -> Callable[P, T]:
    """Let errors name the arguments of a function, where they name options of a command line."""
    names = signature(function).parameters

    def argument(option: re.Match[str]) -> str:
        name = option[1].replace("-", "_")
        return next((each for each in (name, f"{name}s") if each in names), option[0])

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except UserError as error:
            error.args = (_OPTION.sub(argument, str(error)),)
            raise

    return called


def _require_counts(**counts: object) -> None:
    """Raise `UserError` unless every argument that is given is a whole number from 1."""
    for name, count in counts.items():
        if count is not None and (type(count) is not int or count < 1):
            raise UserError(f"{name} was given as {count!r}; give a whole number from 1.")


@_in_python
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
    width: float | str | Sequence[float] | None = None,
    widths: Sequence[Width | float | str | Sequence[float]] = (),
    inputs: Sequence[TensorSpec | str] = (),
    calibration: str | Path | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    resize: int | None = None,
    interpolation: str | None = None,
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
    holds the weights, by default the one that fits, and `ema=True` takes the averaged ones.
    `width` is the share of the channels to keep, such as 0.5, or one for each stage. `widths` makes
    one file of several; a `SharedNetwork` in memory gives each its private BatchNorm. An
    export that already exists is reused. `calibration` is the folder of images that int8 takes its
    ranges from and files are judged on; without it both use seeded inputs. `mean` and `std` are
    those of the channels of images in 0..1 for your own network; seeded inputs then have the range
    of images, else they are noise. `resize` and `interpolation` are as in `evaluate`. With
    `deploy=False` a zoo network is in its plain form (see `mobilebench.deploy`). With `image_input`
    the file takes RGB images, and with `class_labels` it answers by label. Raises `CellFailed`
    where the toolkit or parity fails, `UserError` for what the user can fix.
    """
    terms = Terms(
        source=InputSource(None if calibration is None else Path(calibration)),
        image_input=image_input,
        class_labels=tuple(class_labels),
        force=force,
        allow_parity_failure=allow_parity_failure,
    )
    together = in_one_file(map(Width.given, widths)) if widths else ()
    if together and width is not None:
        raise UserError("width and widths were given; give one of them.")
    recipes = choose(
        [format],
        [precision],
        target=target,
        delegate=delegate,
        form=Form.DEPLOYED if deploy else Form.PLAIN,
        terms=terms,
        widths=together,
    ).recipes
    specs = tuple(
        tensor if isinstance(tensor, TensorSpec) else parse_tensor(tensor, f"input{index}")
        for index, tensor in enumerate(inputs)
    )
    preprocessing = prepared(_preprocessing(mean, std), resize, _filter(interpolation), specs)
    cut_to = None if width is None else Width.given(width)
    if isinstance(model, str):
        request = Request(
            reference=model,
            checkpoint=None if checkpoint is None else str(checkpoint),
            checkpoint_key=checkpoint_key,
            ema=ema,
            resolution=resolution,
            inputs=specs,
            preprocessing=preprocessing,
            width=cut_to,
            widths=together,
        )
        [exported] = pipeline.export_matrix(
            [request], recipes, Path(out_dir), terms=terms, observer=Logged()
        )
    else:
        from mobilebench.conversion.loading import describe, of_width, require_use_of_preprocessing

        if checkpoint is not None or checkpoint_key is not None or ema:
            raise UserError(
                "A checkpoint was given for a module that is in memory already; load it before the "
                "export, with mobilebench.load_checkpoint(module, checkpoint)."
            )
        if resolution is not None:
            raise UserError("resolution is for models by name; a module's size is in inputs.")
        name = type(model).__name__
        spec = ModelSpec(name=name, inputs=specs, preprocessing=preprocessing)
        require_use_of_preprocessing(spec)
        networks = [
            describe(*((model, spec) if each is None else of_width(model, spec, each)), CALLER)
            for each in together or (cut_to,)
        ]
        [exported] = pipeline.export_module(
            networks[0],
            recipes,
            Path(out_dir),
            terms=terms,
            observer=Logged(),
            narrower=networks[1:],
        )
    if isinstance(exported.outcome, Failure):
        failure = exported.outcome
        advice = f"; {failure.advice}" if failure.advice else ""
        raise CellFailed(failure.stage, failure.error, failure.message + advice, failure.log_tail)
    return exported.outcome


def _preprocessing(
    mean: Sequence[float] | None, std: Sequence[float] | None
) -> Preprocessing | None:
    if mean is None and std is None:
        return None
    if mean is None or std is None or len(mean) != 3 or len(std) != 3:
        raise UserError(
            f"mean={mean} and std={std} were given; give three numbers for each, such as "
            f"mean=(0.485, 0.456, 0.406), or neither."
        )
    if not all(0 <= number <= 1 for number in (*mean, *std)):
        raise UserError(
            f"mean={mean} and std={std} were given; give numbers in 0..1, for pixels divided by "
            f"255."
        )
    return Preprocessing.stated((mean[0], mean[1], mean[2]), (std[0], std[1], std[2]))


def _filter(name: str | None) -> Interpolation | None:
    return None if name is None else Interpolation.named(name)


@_in_python
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
    [record] = pipeline.benchmark_cells([loaded], setting, Logged())
    return record


@_in_python
def benchmark_all(
    artifacts: Sequence[Artifact | str | Path],
    *,
    devices: str = "all",
    inputs: Sequence[str] = (),
    runtime: str | None = None,
    compute_unit: str = "cpu",
    threads: int = 1,
    protocol: str = "burst-1",
    folder: str | Path | None = None,
    cluster: str | None = None,
    wait: float = 15.0,
) -> list[Record]:
    """Measure artifacts on many devices at once; return the records, the earliest first.

    `devices` is `"all"` for every phone and board, or ids and patterns such as
    `"adb:SERIAL,model=Pixel*"`. `folder` keeps the records, and a call that was cut off goes on
    where it is given again. `cluster` is the address of a dask scheduler whose workers have the
    devices, and `wait` how many minutes a device may be away, hot or busy. Warns of what is left
    out or was not measured. Raises `UserError` where no device can be used or nothing could be
    measured, and otherwise as `benchmark`.
    """
    if not 0 <= wait < math.inf:
        raise UserError(f"wait was given as {wait!r}; give minutes, such as 15.")
    from mobilebench.measuring import hosts
    from mobilebench.measuring.batch import Patience
    from mobilebench.measuring.batch_folder import BatchFolder

    setting = Setting(
        device_id="host",
        protocol=find_protocol(protocol),
        runtimes=(runtime,) if runtime else (),
        threads=(threads,),
        compute_unit=ComputeUnit.named(compute_unit),
    )
    opened = _opened_all(artifacts, inputs)
    with (
        hosts.reached(cluster) as way,
        closing(
            pipeline.benchmark_batch(
                opened,
                devices,
                setting,
                way=way,
                folder=None if folder is None else BatchFolder(Path(folder)),
                observer=Logged(),
                patience=Patience(wait_s=60 * wait),
            )
        ) as records,
    ):
        return list(records)


@_in_python
def evaluate(
    artifact: Artifact | str | Path,
    data: str | Path,
    *,
    inputs: Sequence[str] = (),
    classes: str | Path | None = None,
    limit: int | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    resize: int | None = None,
    interpolation: str | None = None,
    runtime: str | None = None,
    threads: int = 1,
    jobs: int = 1,
) -> Accuracy:
    """Measure the accuracy of one artifact on the images of a folder DATA/CLASS/IMAGE.

    `artifact` and `inputs` are as in `benchmark`.
    `classes` is a file that names the folder of each output, `limit` the most images to take,
    `jobs` how many processes compute at the same time. `mean` and `std` by channel, in 0..1, and
    `resize`, the pixels of the shorter side before the crop, and `interpolation`, such as
    `"bilinear"`, are for artifacts that do not state how images are prepared.
    `RecordStore.add_accuracy` keeps the result for `rank`. Raises `UserError` where the folder, the
    images or the network do not fit, or the artifact states another preparation, `CellFailed` where
    the runtime fails.
    """
    _require_counts(limit=limit, resize=resize, jobs=jobs)
    from mobilebench.inputs.folder import ImageFolder
    from mobilebench.machine import cluster
    from mobilebench.verifying.evaluation import Evaluation, Options

    loaded = _opened(artifact, inputs).preprocessed(
        _preprocessing(mean, std), resize, _filter(interpolation)
    )
    folder = ImageFolder.find(Path(data), None if classes is None else Path(classes))
    if limit is not None:
        folder = folder.limited(limit)
    evaluation = Evaluation.plan(loaded, folder, Options(runtime=runtime, threads=threads))
    images = len(folder.images)
    work, done, outcome = Work(Logged().started(f"evaluate {loaded.name}")), 0, "stopped"

    def counted(more: int) -> None:
        nonlocal done
        done += more
        work.stage(f"{done} of {images} images")

    try:
        with cluster.local(jobs) as executor:
            accuracy = evaluation.run(executor, counted=counted)
        outcome = f"top-1 {accuracy.top1.hits} of {accuracy.top1.count}"
    finally:
        work.progress.finished(outcome)
    return accuracy


@_in_python
def verify(artifact: Artifact | str | Path) -> tuple[Parity, ...]:
    """Compare a bundle's outputs with those that PyTorch gave when it was exported.

    One result for each means that is installed here; none where no host can run the file. Raises
    `UserError` for a model file from elsewhere, which has no reference, `CellFailed` where the
    runtime fails.
    """
    from mobilebench.verifying.verification import verify_bundle

    opened = _opened(artifact, ())
    if opened.manifest.facts.given:
        raise UserError(f"{opened.name} has {opened.manifest.facts.unverified}.")
    work, outcome = Work(Logged().started(f"verify {opened.name}")), "failed"
    try:
        results = verify_bundle(opened, work.cancel)
        outcome = "; ".join(each.description for each in results) or "not verified"
    finally:
        work.progress.finished(outcome)
    return results


@_in_python
def inspect(artifact: Artifact | str | Path) -> Inspection:
    """Read what a bundle or a model file holds, and where its operations could run.

    Raises `BundleError` for a path that is neither, `ModelFileError` for a damaged file.
    """
    from mobilebench.inspecting import inspection

    if isinstance(artifact, Artifact):
        return inspection.inspect_artifact(artifact)
    return inspection.inspect(Path(artifact))


@_in_python
def compare(
    first: Artifact | str | Path,
    second: Artifact | str | Path,
    *,
    within: str = "fp32",
    inputs: Sequence[str] = (),
) -> Equivalence:
    """Run two artifacts on the same inputs and compare their outputs.

    `within` names the precision whose limits of parity apply, `inputs` is as in `benchmark`. Raises
    `UserError` where inputs or outputs do not match, `CellFailed` where a file does not run.
    """
    from mobilebench.verifying import equivalence

    before, after = _opened_all((first, second), inputs)
    return equivalence.compare(before, after, Precision.named(within), observer=Logged())


@_in_python
def check(
    baseline: Iterable[Record] | str | Path,
    candidate: Iterable[Record] | str | Path,
    *,
    tolerance: float = 0.03,
    alpha: float = 0.01,
    metrics: Sequence[str] | None = None,
    allow_different: Sequence[str] = (),
    anchor: str | None = None,
) -> Report:
    """Judge whether one set of records is worse than another.

    A side is records, or what `mobilebench check` takes: a file, a folder, `store:CONDITIONS` or
    `git:REF:PATH`. Raises `UserError` where no cell can be compared.
    """
    from mobilebench import regress
    from mobilebench.regress import baselines

    before, after = (
        baselines.load(str(side)) if isinstance(side, str | Path) else list(side)
        for side in (baseline, candidate)
    )
    rule = regress.Rule(tolerance=tolerance, alpha=alpha)
    return regress.check(
        before, after, rule, metrics=metrics, allow_different=allow_different, anchor=anchor
    )


@_in_python
def rank(
    records: Iterable[Record] | RecordStore | str | Path | None = None,
    accuracies: Iterable[Accuracy] = (),
    *,
    data: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Board:
    """Return the rows of the leaderboard: each device and protocol, the fastest first.

    Of records, or of a store: one that is open, its path, or by default the usual one. The store's
    accuracies are joined to the records of the same file, with `accuracies` beside them. `data`
    names the data set to show where files were evaluated on several, and `names` maps models to
    the names to show. Raises `UserError` for a data set or a model that is not there.
    """
    from mobilebench import leaderboard
    from mobilebench.leaderboard import Board
    from mobilebench.store import RecordStore

    if records is None or isinstance(records, str | Path):
        with RecordStore(None if records is None else str(records), create=False) as store:
            return rank(store, accuracies, data=data, names=names)
    if isinstance(records, RecordStore):
        accuracies = [*records.find_accuracies(), *accuracies]
        return Board(leaderboard.rank(records.find_entries(), accuracies, data=data, names=names))
    return Board(leaderboard.rank(records, accuracies, data=data, names=names))


@_in_python
def records(
    source: Iterable[Record] | RecordStore | str | Path | None = None,
    *,
    store: str | Path | None = None,
    samples: bool = False,
) -> Table:
    """Return records as a tidy table: one row for each, or with `samples` for each sample.

    Of records, of an open store, of a file or folder of records, of `store:CONDITIONS` such as
    `store:model=mobilevig_ti`, or by default everything in the store, which is `store` or the
    usual one. `table.pandas()` and `table.polars()` are data frames; see `results.tidy` for the
    columns. Raises `NoRecords` where there are no records.
    """
    from mobilebench.regress import baselines
    from mobilebench.results import tidy
    from mobilebench.store import RecordStore

    if source is None:
        source = baselines.EVERYTHING
    if isinstance(source, RecordStore):
        if not source.count():
            raise NoRecords(f"The store {source.place} holds no records; measure something first.")
        source = (document.record for document in source.documents())
    elif isinstance(source, str | Path):
        source = baselines.each(str(source), None if store is None else str(store))
    return tidy.of_samples(source) if samples else tidy.of_records(source)


def _opened(artifact: Artifact | str | Path, inputs: Sequence[str]) -> Artifact:
    [opened] = _opened_all([artifact], inputs)
    return opened


def _opened_all(
    artifacts: Sequence[Artifact | str | Path], inputs: Sequence[str]
) -> list[Artifact]:
    """Open the paths among artifacts together, since `inputs` may be about any of them."""
    paths = [Path(each) for each in artifacts if not isinstance(each, Artifact)]
    if inputs and not paths:
        raise UserError("inputs states sizes of a model file; an open artifact has fixed sizes.")
    opened = iter(open_artifacts(paths, [parse_sizes(text) for text in inputs]))
    return [each if isinstance(each, Artifact) else next(opened) for each in artifacts]
