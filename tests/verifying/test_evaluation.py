"""Evaluate a trained network on real images by real runtimes, killed and resumed."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_sample_images

from benchmarks.digits import SPEC, prepared, trained, write_images
from mobilebench import evaluate, plugins
from mobilebench.conversion.loading import load
from mobilebench.errors import BundleError, ImageError, UserError
from mobilebench.exporting.order import Terms
from mobilebench.inputs import images, seeded
from mobilebench.inputs.folder import ImageFolder
from mobilebench.inputs.source import InputSource
from mobilebench.machine import cluster
from mobilebench.pipeline import export_matrix, export_module
from mobilebench.store import RecordStore
from mobilebench.values import wire
from mobilebench.values.accuracy import Accuracy
from mobilebench.values.artifact import MANIFEST_FILE, Artifact
from mobilebench.values.modelspec import Interpolation
from mobilebench.values.recipe import Precision
from mobilebench.values.request import Request
from mobilebench.verifying import verification
from mobilebench.verifying.evaluation import Evaluation, Options, score
from mobilebench.verifying.journal import Journal
from mobilebench.verifying.ranking import rank
from tests.conftest import Ran
from tests.dask_cluster import dask_cluster, until

Program = Callable[..., Ran]
DEFAULTS = Options()


@dataclass(frozen=True)
class Task:
    """The digits, the network that learned them, and its artifacts by precision."""

    test: Path
    ranks: list[int]
    """What PyTorch's own scores give for the images of the test."""
    artifacts: dict[str, Artifact]

    @property
    def top1(self) -> int:
        return self.ranks.count(0)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Task:
    folder = tmp_path_factory.mktemp("digits")
    train, test = write_images(folder / "images")
    network = trained(train)
    inputs, labels = prepared(test)
    with torch.no_grad():
        scores = network.module(inputs).numpy()
    exporter, samples = plugins.exporter("onnx"), InputSource(train)
    artifacts = {}
    for precision in (Precision.FP32, Precision.INT8):
        recipe = exporter.recipe(precision, calibration=samples.calibration())
        [done] = export_module(network, [recipe], folder / "artifacts", terms=Terms(source=samples))
        assert isinstance(done.outcome, Artifact), done.outcome
        artifacts[precision.value] = done.outcome
    pixels = Terms(image_input=True)
    recipe = plugins.exporter("coreml").recipe(Precision.FP32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # coremltools runs in this process and warns of itself
        [done] = export_module(network, [recipe], folder / "artifacts", terms=pixels)
    assert isinstance(done.outcome, Artifact), done.outcome
    artifacts["pixels"] = done.outcome
    ranks = [rank(each, label) for each, label in zip(scores, labels.tolist(), strict=True)]
    return Task(test, ranks, artifacts)


class Recording(Executor):
    """An executor that runs tasks at once, here, and records the images of each."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.asked += [index for index, _ in args[0].images]
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


def _evaluate(artifact: Artifact, data: ImageFolder, options: Options = DEFAULTS) -> Accuracy:
    with cluster.local(2) as executor:
        return Evaluation.plan(artifact, data, options).run(executor)


def _the_same(one: Accuracy, other: Accuracy) -> bool:
    """Return whether two results are equal in all but where and when."""
    return one == replace(
        other, accuracy_id=one.accuracy_id, created=one.created, provenance=one.provenance
    )


def test_the_accuracy_of_float32_is_pytorch_s_own(digits: Task) -> None:
    result = _evaluate(digits.artifacts["fp32"], ImageFolder.find(digits.test))
    assert result.images == len(digits.ranks) == 599
    assert result.top1.hits == digits.top1
    assert result.top5 is not None
    assert result.top5.hits == sum(place < 5 for place in digits.ranks)
    assert 0.85 < digits.top1 / 599 < 1, "the network has learned, and errs"
    assert [each.name for each in result.classes] == list("0123456789")
    assert wire.loads(Accuracy, wire.dumps(result)) == result


def test_python_states_how_images_are_prepared_too(digits: Task) -> None:
    artifact = digits.artifacts["fp32"]
    stated, size = artifact.manifest.model.preprocessing, artifact.manifest.model.resolution
    assert stated is not None and size is not None
    here = evaluate(artifact, digits.test, limit=50, mean=stated.mean, std=stated.std)
    assert here.preprocessing == stated
    theirs = artifact.model_path  # by itself, a file states nothing
    how = {
        "mean": stated.mean,
        "std": stated.std,
        "resize": stated.resize(size),
        "interpolation": stated.interpolation,
    }
    same = evaluate(theirs, digits.test, limit=50, **how)  # type: ignore[arg-type]
    assert same.top1 == here.top1
    larger = evaluate(theirs, digits.test, limit=50, **{**how, "resize": 3 * size[0]})  # type: ignore[arg-type]
    assert larger.preprocessing.resize(size) == 3 * size[0]
    assert larger.top1.hits < here.top1.hits
    with pytest.raises(UserError, match="leave mean and std out"):
        evaluate(artifact, digits.test, mean=(0.9, 0.9, 0.9), std=stated.std)
    with pytest.raises(UserError, match="leave resize out"):
        evaluate(artifact, digits.test, resize=3 * size[0])


def test_eight_bits_cost_little_of_it(digits: Task) -> None:
    result = evaluate(digits.artifacts["int8"].folder, digits.test)
    # One to three of the 599 images change sides, whatever the format (docs/accuracy-digits.md);
    # 2 % leaves room for the kernels of another processor.
    assert abs(result.top1.hits - digits.top1) <= 12


def test_a_file_that_takes_images_gets_pixels_and_normalises_them_itself(digits: Task) -> None:
    artifact = digits.artifacts["pixels"]
    assert artifact.manifest.recipe.image_input is not None
    result = _evaluate(artifact, ImageFolder.find(digits.test).limited(100))
    floats = _evaluate(digits.artifacts["fp32"], ImageFolder.find(digits.test).limited(100))
    assert result.classes == floats.classes and result.top1.hits > 80


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_file_judged_on_images_is_verified_on_images_that_it_carries(
    digits: Task, precision: str
) -> None:
    artifact = digits.artifacts[precision]
    [parity] = verification.verify_bundle(artifact)
    assert parity == artifact.manifest.facts.parity[0] and parity.images and parity.passed
    images = seeded.load_batches(artifact.folder / "inputs.npz")
    assert len(images) == parity.inputs == 16 and images[0][0].shape == (1, 3, 16, 16)


def test_every_format_ranks_as_pytorch_does(
    digits: Task, tiny_artifacts: dict[str, Artifact], tmp_path: Path
) -> None:
    """Every runtime and evaluator ranks the classes of a random network alike.

    PyTorch's outputs are known only through float32 files that were verified against it, and Core
    ML's evaluator is one of the means.
    """
    data = ImageFolder.find(digits.test).limited(60)
    results = {}
    for name in ("onnx-fp32", "tflite-fp32", "executorch-fp32", "coreml-fp32"):
        artifact = _with_preprocessing(tiny_artifacts[name], tmp_path / name)
        results[name] = _evaluate(artifact, data)
    counts = {name: result.classes for name, result in results.items()}
    assert all(each == counts["onnx-fp32"] for each in counts.values())
    assert "evaluator" in results["coreml-fp32"].evaluated_by or sys.platform == "darwin"
    assert len({result.data.sha256 for result in results.values()}) == 1


def _with_preprocessing(artifact: Artifact, folder: Path) -> Artifact:
    shutil.copytree(artifact.folder, folder)
    model = replace(artifact.manifest.model, preprocessing=SPEC.preprocessing)
    wire.write(folder / MANIFEST_FILE, replace(artifact.manifest, model=model))
    return Artifact.load(folder)


def test_an_evaluation_that_was_killed_goes_on_where_it_was(digits: Task, tmp_path: Path) -> None:
    artifact, part = digits.artifacts["fp32"], 20
    data = ImageFolder.find(digits.test).limited(160)
    journal = Journal.beside(tmp_path / "result.json")
    program = subprocess.Popen(
        [
            sys.executable, "-m", "mobilebench", "eval", str(artifact.folder), "--data",
            str(digits.test), "--limit", "160", "--batch-of-files", str(part), "--jobs", "1",
            "--out", str(tmp_path / "result.json"),
        ],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until(lambda: _lines(journal) >= 2, "two parts", program)
    program.send_signal(signal.SIGKILL)
    program.wait()
    assert not (tmp_path / "result.json").exists()
    with journal.path.open("ab") as file:
        file.write(b'{"key": "')  # as if killed while writing

    evaluation = Evaluation.plan(artifact, data, Options())
    known = [answer.image for some in journal.read(evaluation.key()) for answer in some.answers]
    assert 2 * part <= len(known) < 160
    executor = Recording()
    result = evaluation.run(executor, journal=journal)
    # Together every image once; beside them the killed program can have computed only the part
    # that was under way.
    assert sorted(known + executor.asked) == list(range(160))
    assert _the_same(result, _evaluate(artifact, data))


def test_a_network_of_the_zoo_takes_photographs_of_any_size(tmp_path: Path) -> None:
    """The folders are synsets, some classes have no folder, and the JPEGs have odd sizes."""
    classes = ("n01440764", "n01443537", "n01484850", "n01491361", "n01494475", "n01496331", "n015")
    photographs = [Image.fromarray(picture) for picture in load_sample_images().images]
    for name, photograph in zip(classes[1:3], photographs, strict=True):
        (tmp_path / "val" / name).mkdir(parents=True)
        for number, size in enumerate(((640, 427), (97, 301), (500, 31), (224, 224))):
            place = tmp_path / "val" / name / f"ILSVRC2012_val_{number}.JPEG"
            photograph.resize(size).convert("L" if number == 3 else "RGB").save(place)
    (tmp_path / "classes.txt").write_text("\n".join(classes))
    request = Request(reference="mobilenetv2_100", num_classes=len(classes), resolution=64)
    recipe = plugins.exporter("onnx").recipe(Precision.FP32)
    [done] = export_matrix([request], [recipe], tmp_path / "artifacts")
    assert isinstance(done.outcome, Artifact), done.outcome

    data = ImageFolder.find(tmp_path / "val", tmp_path / "classes.txt")
    result = _evaluate(done.outcome, data)
    network = load(request)
    ranks: dict[int, list[int]] = {1: [], 2: []}
    for image in data.images:
        inputs = torch.from_numpy(images.prepare(data.folder / image.path, network.spec))
        with torch.no_grad():
            ranks[image.label].append(rank(network.module(inputs)[0].numpy(), image.label))
    assert [
        (each.index, each.name, each.images, each.top1, each.top5) for each in result.classes
    ] == [
        (label, classes[label], 4, places.count(0), sum(place < 5 for place in places))
        for label, places in ranks.items()
    ]
    assert (result.outputs, result.model.num_classes) == (7, 7)


def _lines(journal: Journal) -> int:
    return journal.path.read_bytes().count(b"\n") if journal.path.exists() else 0


def test_answers_are_never_mixed(digits: Task, tmp_path: Path) -> None:
    shutil.copytree(digits.test, tmp_path / "data")
    data = ImageFolder.find(tmp_path / "data").limited(10)
    fp32, int8 = digits.artifacts["fp32"], digits.artifacts["int8"]
    one = Evaluation.plan(fp32, data, Options())
    journal = Journal(tmp_path / "journal")
    one.run(Recording(), journal=journal)

    again = Recording()
    one.run(again, journal=journal)
    assert again.asked == []
    assert SPEC.preprocessing is not None
    bilinear = replace(SPEC.preprocessing, interpolation=Interpolation.BILINEAR)
    model = replace(fp32.manifest.model, preprocessing=bilinear)
    prepared_otherwise = replace(fp32, manifest=replace(fp32.manifest, model=model))
    picture = tmp_path / "data" / data.images[0].path
    shutil.copy(tmp_path / "data" / data.images[1].path, picture)
    for different in (
        Evaluation.plan(int8, data, Options()),
        Evaluation.plan(prepared_otherwise, data, Options()),
        Evaluation.plan(fp32, data.limited(9), Options()),
        Evaluation.plan(fp32, data, Options(threads=2)),
        one,  # an image has changed meanwhile
    ):
        executor = Recording()
        different.run(executor, journal=journal)
        assert len(executor.asked) == len(different.data.images)


def test_a_cluster_gives_the_same_though_a_worker_is_killed(digits: Task, tmp_path: Path) -> None:
    data = ImageFolder.find(digits.test).limited(120)
    evaluation = Evaluation.plan(digits.artifacts["fp32"], data, Options(part_images=10))
    journal = Journal(tmp_path / "journal")
    with dask_cluster(tmp_path) as started:
        first = started.worker("first")
        started.worker("second")

        parts = itertools.count()

        def counted(images: int) -> None:
            if next(parts) == 3:  # in the middle: it has a task, and others wait
                first.kill()

        with cluster.executor(started.address, extras=["onnx"]) as there:
            result = evaluation.run(there, journal=journal, counted=counted)
    assert first.wait() == -signal.SIGKILL
    done = [answer.image for part in journal.read(evaluation.key()) for answer in part.answers]
    assert sorted(done) == list(range(120))
    assert _the_same(result, _evaluate(digits.artifacts["fp32"], data))


def test_an_image_that_cannot_be_read_is_named_or_counted(digits: Task, tmp_path: Path) -> None:
    shutil.copytree(digits.test, tmp_path / "data")
    data = ImageFolder.find(tmp_path / "data").limited(20)
    damaged = data.images[7].path
    (tmp_path / "data" / damaged).write_bytes(b"no image")
    journal = Journal(tmp_path / "journal")
    options = Options(part_images=5)
    with pytest.raises(ImageError, match=f"{damaged} cannot be read .* --skip-unreadable"):
        _run(digits, data, options, journal)
    skipping = replace(options, skip_unreadable=True)
    result = _run(digits, data, skipping, journal)
    assert (result.images, result.data.unreadable) == (19, (damaged,))
    with pytest.raises(ImageError, match="cannot be read"):  # unreadable images raise again
        _run(digits, data, options, journal)
    (tmp_path / "data" / damaged).unlink()
    with pytest.raises(UserError, match="cannot be found"):
        _run(digits, data, skipping, journal)


def _run(digits: Task, data: ImageFolder, options: Options, journal: Journal) -> Accuracy:
    return Evaluation.plan(digits.artifacts["fp32"], data, options).run(
        Recording(), journal=journal
    )


def test_nothing_is_known_where_no_image_can_be_read(digits: Task, tmp_path: Path) -> None:
    for label in range(10):
        (tmp_path / str(label)).mkdir()
        (tmp_path / str(label) / "1.png").write_bytes(b"")
    with pytest.raises(UserError, match="No image could be read"):
        _evaluate(
            digits.artifacts["fp32"], ImageFolder.find(tmp_path), Options(skip_unreadable=True)
        )


def test_scores_that_are_not_finite_count_as_wrong(
    digits: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mobilebench.verifying import prediction

    real = prediction.by_runtime

    def overflowing(*args: Any, **kwargs: Any) -> Any:
        name, outputs = real(*args, **kwargs) or ("", [])
        outputs[0][0][0, 3] = np.inf
        return name, outputs

    monkeypatch.setattr(prediction, "by_runtime", overflowing)
    data = ImageFolder.find(digits.test).limited(10)
    evaluation = Evaluation.plan(digits.artifacts["fp32"], data, Options())
    result = evaluation.run(Recording())
    assert (result.not_finite, result.images) == (1, 10)
    assert result.top1.hits <= 9


def test_a_task_that_sees_another_artifact_refuses(digits: Task) -> None:
    evaluation = Evaluation.plan(
        digits.artifacts["fp32"], ImageFolder.find(digits.test).limited(1), Options()
    )
    portion = replace(evaluation._portion([0]), sha256="0" * 64)
    with pytest.raises(BundleError, match="is another file"):
        score(portion)


def test_what_cannot_be_judged_is_one_sentence(digits: Task) -> None:
    artifact, data = digits.artifacts["fp32"], ImageFolder.find(digits.test)
    manifest = artifact.manifest
    nothing_known = replace(manifest, model=replace(manifest.model, preprocessing=None))
    flow = replace(
        manifest.facts.preflight,
        outputs=(replace(manifest.facts.preflight.outputs[0], shape=(1, 10, 4, 4)),),
    )
    no_scores = replace(manifest, facts=replace(manifest.facts, preflight=flow))
    for other, sentence in (
        (nothing_known, "It is not known how images are prepared"),
        (no_scores, "one score for each class"),
    ):
        with pytest.raises(UserError, match=sentence):
            Evaluation.plan(replace(artifact, manifest=other), data, Options())
    with pytest.raises(UserError, match="cannot be evaluated with litert; .*: onnxruntime"):
        _evaluate(artifact, data.limited(1), Options(runtime="litert"))


def test_the_program_writes_results_and_counts_by_class(
    mobilebench: Program, digits: Task, tmp_path: Path
) -> None:
    folders = [digits.artifacts[precision].folder for precision in ("fp32", "int8")]
    done = mobilebench(
        "eval", *folders, "--data", digits.test, "--limit", "50", "--out", "result.json",
        "--per-class", "classes.csv",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert "Judged on 50 of 599 images." in done.stderr
    [header, fp32, int8] = done.stdout.splitlines()
    assert "95 % interval" in header and "onnx-fp32" in fp32 and "onnx-int8" in int8
    results = [
        wire.from_plain(Accuracy, plain)
        for plain in json.loads((tmp_path / "result.json").read_text())
    ]
    assert [result.recipe.precision for result in results] == ["fp32", "int8"]
    assert all(result.images == 50 for result in results)
    rows = (tmp_path / "classes.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * 10
    assert sum(int(row.split(",")[6]) for row in rows[1:11]) == results[0].top1.hits
    assert not (tmp_path / "result.json.progress").exists()
    with RecordStore(tmp_path / "records.sqlite", create=False) as store:
        assert store.find_accuracies() == results
    (tmp_path / "out").symlink_to("/dev/stdout")
    printed = mobilebench(
        "eval", folders[0], "--data", digits.test, "--limit", "5", "--out", "out", "--json"
    )
    [first, second] = printed.stdout.split("\n]\n[\n")
    assert printed.code == 0 and first.startswith("[") and second.endswith("]\n")
    assert (tmp_path / "out").is_symlink() and not (tmp_path / "out.progress").exists()
    again = mobilebench("import", "result.json", "--store", "another.sqlite")
    assert again.code == 0 and "2 added, 0 there already" in again.stderr
    again = mobilebench("import", "result.json", "--as", "accuracy", "--store", "another.sqlite")
    assert "0 added, 2 there already" in again.stderr


def test_wrong_input_is_one_sentence_and_writes_nothing(
    mobilebench: Program, digits: Task, tmp_path: Path
) -> None:
    folder = digits.artifacts["fp32"].folder
    shutil.copytree(folder, tmp_path / "damaged")
    (tmp_path / "damaged" / digits.artifacts["fp32"].manifest.model_file).write_bytes(b"")
    (tmp_path / "two" / "a").mkdir(parents=True)
    shutil.copy(next(digits.test.glob("0/*")), tmp_path / "two" / "a")
    for arguments, sentence in (
        ((folder, "--data", "nowhere"), "The data set nowhere does not exist"),
        ((folder, "--data", "two"), "gives scores for 10 classes, and two has folders for 1"),
        (("damaged", "--data", digits.test), "is not the one that was exported"),
        ((folder, "--data", digits.test, "--runtime", "foo"), "cannot be evaluated with foo"),
        ((folder, "--data", digits.test, "--threads", "1025"), "threads was given as 1025"),
        ((folder, "--data", digits.test, "--cluster", "x"), "No dask scheduler answers at 'x'"),
    ):
        done = mobilebench("eval", *arguments, "--out", "result.json")
        assert done.code == 2 and done.stdout == "", done.stderr
        assert sentence in done.stderr and "Traceback" not in done.stderr
        assert not list(tmp_path.glob("result*"))
