"""Matrices are exported once, resume after a stop, and may run at the same time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import psutil
import pytest

from mobilebench import files, plugins
from mobilebench.errors import Cancelled, UnknownName, UserError
from mobilebench.exporting import preparation
from mobilebench.exporting.matrix import Exported
from mobilebench.exporting.order import Order, Terms
from mobilebench.exporting.workers import LocalWorkers
from mobilebench.inputs.source import InputSource
from mobilebench.observer import Work
from mobilebench.pipeline import export_matrix
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import Failure
from mobilebench.values.recipe import ExportRecipe, Precision
from mobilebench.values.request import Request
from mobilebench.values.tensor import parse_tensor
from tests.conftest import MODELS, TINY

IMAGE = (parse_tensor("1x3x32x32"),)
TINY_REQUEST = Request(reference=TINY, inputs=IMAGE)


def _recipes(*names: str) -> list[ExportRecipe]:
    return [plugins.exporter(name).recipe(Precision.FP32) for name in names]


class Counting:
    """Real workers that count their requests."""

    def __init__(self, jobs: int = 1) -> None:
        self.workers = LocalWorkers(jobs)
        self.asked: list[str] = []

    @property
    def parallel(self) -> int:
        return self.workers.parallel

    def prepare(
        self,
        request: Request,
        recipes: Sequence[ExportRecipe],
        terms: Terms,
        folder: Path,
        cancel: Event,
    ) -> None:
        self.asked.append(f"prepare {Path(request.reference).name}")
        self.workers.prepare(request, recipes, terms, folder, cancel)

    def build(self, order: Order, out_dir: Path, work: Work) -> Artifact:
        self.asked.append(f"build {order.recipe.format}")
        return self.workers.build(order, out_dir, work)


def test_each_network_is_prepared_once_and_each_file_made_once(tmp_path: Path) -> None:
    other = Request(
        reference=f"{MODELS}:two_inputs",
        inputs=(parse_tensor("a=1x3x8x8"), parse_tensor("b=1x3x8x8")),
    )
    workers = Counting(jobs=2)
    done = export_matrix(
        [TINY_REQUEST, other], _recipes("onnx", "coreml"), tmp_path, workers=workers
    )
    assert sorted(workers.asked) == [
        "build coreml",
        "build coreml",
        "build onnx",
        "build onnx",
        "prepare models.py:tiny",
        "prepare models.py:two_inputs",
    ]
    assert [(exported.name, exported.recipe.format) for exported in done] == [
        ("models.tiny@32", "onnx"),
        ("models.tiny@32", "coreml"),
        ("models.two_inputs@8", "onnx"),
        ("models.two_inputs@8", "coreml"),
    ]
    assert all(isinstance(exported.outcome, Artifact) for exported in done)
    for exported in done:
        assert isinstance(exported.outcome, Artifact)
        peak = exported.outcome.manifest.facts.export_peak_memory_bytes
        assert peak is not None and peak > 100_000_000  # torch alone takes more


def test_a_second_run_over_the_zoo_converts_nothing_and_loads_no_torch(tmp_path: Path) -> None:
    request, recipes = Request(reference="mobilevig_ti", resolution=64), _recipes("onnx")
    [first] = export_matrix([request], recipes, tmp_path)
    workers = Counting()
    [second] = export_matrix([request], recipes, tmp_path, workers=workers)
    assert workers.asked == []
    assert second.cached and not first.cached
    assert isinstance(first.outcome, Artifact) and isinstance(second.outcome, Artifact)
    assert second.outcome.manifest == first.outcome.manifest
    script = (
        "import sys; from mobilebench.cli import main\n"
        f"sys.argv = ['mobilebench', 'export', 'mobilevig_ti', '-f', 'onnx', "
        f"'--resolution', '64', '--out', {str(tmp_path)!r}]\n"
        "try: main()\nexcept SystemExit as e: assert e.code in (0, None), e.code\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "cached" in done.stdout


def test_a_network_that_cannot_be_prepared_is_a_row_among_others(tmp_path: Path) -> None:
    broken = Request(reference=f"{MODELS}:raises", inputs=IMAGE)
    done = export_matrix([broken, TINY_REQUEST], _recipes("onnx"), tmp_path)
    assert isinstance(done[0].outcome, Failure) and isinstance(done[1].outcome, Artifact)
    assert done[0].outcome.stage == "preflight"
    assert "the weights are on another disk" in done[0].outcome.message
    with pytest.raises(UserError, match="the weights are on another disk"):
        export_matrix([broken], _recipes("onnx"), tmp_path)


def test_a_name_that_does_not_exist_stops_the_matrix_before_it_begins(tmp_path: Path) -> None:
    workers = Counting()
    with pytest.raises(UnknownName, match="did you mean"):
        export_matrix(
            [Request(reference="mobilevig_tj"), TINY_REQUEST],
            _recipes("onnx"),
            tmp_path,
            workers=workers,
        )
    assert not any(request.startswith("build") for request in workers.asked)


def _place(
    request: Request, out_dir: Path, *recipes: ExportRecipe, image_input: bool = False
) -> Path | None:
    return preparation.place(request, recipes, InputSource(), image_input, out_dir)


def test_what_a_preparation_depends_on(tmp_path: Path) -> None:
    request = Request(reference="mobilevig_ti")
    checkpoint = tmp_path / "weights.pth"
    checkpoint.write_bytes(b"one")
    coreml = plugins.exporter("coreml")
    places = [
        _place(request, tmp_path),
        _place(request, tmp_path, coreml.recipe(Precision.FP16)),
        _place(request, tmp_path, coreml.recipe(Precision.INT8)),
        _place(request, tmp_path, image_input=True),
        _place(Request(reference="mobilevig_s"), tmp_path),
        _place(Request(reference="mobilevig_ti", resolution=256), tmp_path),
    ]
    loaded = Request(reference="mobilevig_ti", checkpoint=str(checkpoint))
    places.append(_place(loaded, tmp_path))
    checkpoint.write_bytes(b"two")
    places.append(_place(loaded, tmp_path))
    assert None not in places and len(set(places)) == len(places)
    assert _place(request, tmp_path, coreml.recipe(Precision.FP32)) == places[0]


def test_code_of_ones_own_is_prepared_in_every_run(tmp_path: Path) -> None:
    assert _place(TINY_REQUEST, tmp_path) is None


def test_recipes_and_terms_must_name_the_same_labels(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="other class labels"):
        export_matrix(
            [TINY_REQUEST], _recipes("coreml"), tmp_path, terms=Terms(class_labels=("a", "b"))
        )


def test_a_preparation_that_is_not_whole_is_made_again(tmp_path: Path) -> None:
    assert preparation.read(tmp_path / "none") is None
    folder = tmp_path / "half"
    folder.mkdir()
    (folder / "reference.npz").write_bytes(b"")
    (folder / "prepared.json").write_text('{"model": ')
    assert preparation.read(folder) is None


def _program(out: Path, *formats: str) -> subprocess.Popen[str]:
    options = [argument for name in formats for argument in ("-f", name)]
    arguments = ["export", TINY, "--input", "1x3x32x32", "--jobs", "1", "--json", *options]
    return subprocess.Popen(
        [sys.executable, "-m", "mobilebench", *arguments, "--out", str(out)],
        env={**os.environ, "MOBILEBENCH_STORE": str(out.parent / "records.sqlite")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _answer(program: subprocess.Popen[str]) -> list[dict[str, object]]:
    stdout, stderr = program.communicate(timeout=300)
    assert program.returncode == 0, stderr
    answer: list[dict[str, object]] = json.loads(stdout)
    return answer


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within two minutes"
        time.sleep(0.02)


def test_a_run_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    out = tmp_path / "artifacts"
    program = _program(out, "coreml", "onnx")
    # In the middle of the second file.
    _wait_for(lambda: any(out.glob("*-coreml-*")) and any(out.glob(".partial-*")))
    cells = psutil.Process(program.pid).children(recursive=True)
    program.send_signal(signal.SIGKILL)
    program.communicate(timeout=60)
    _wait_for(lambda: not any(cell.is_running() for cell in cells))
    assert [path.name.split("-")[1] for path in _bundles(out)] == ["coreml"]
    answer = _answer(_program(out, "coreml", "onnx"))
    assert [row["cached"] for row in answer] == [True, False]
    assert len(_bundles(out)) == 2
    assert not any(out.glob(".partial-*")), "what the killed run left is swept"


def test_two_processes_at_once_make_a_file_once(tmp_path: Path) -> None:
    out = tmp_path / "artifacts"
    answers = [_answer(program) for program in (_program(out, "coreml"), _program(out, "coreml"))]
    rows = [row for answer in answers for row in answer]
    assert sorted(bool(row["cached"]) for row in rows) == [False, True]
    assert len({str(row["folder"]) for row in rows}) == 1
    assert len(_bundles(out)) == 1


def _bundles(out: Path) -> list[Path]:
    return [path for path in out.iterdir() if not path.name.startswith(".")]


def test_waiting_for_another_process_can_be_given_up(tmp_path: Path) -> None:
    cancel, calls = Event(), []

    def wait() -> None:
        with files.only_one(tmp_path / "place", lambda: calls.append("waiting"), cancel):
            calls.append("held")

    with files.only_one(tmp_path / "place", lambda: None, cancel), ThreadPoolExecutor(1) as pool:
        cancel.set()
        with pytest.raises(Cancelled):
            pool.submit(wait).result()
    assert calls == ["waiting"]
    with files.only_one(tmp_path / "place", lambda: calls.append("waiting"), Event()):
        pass
    assert calls == ["waiting"]


def test_a_failed_cell_has_no_bundle(tmp_path: Path) -> None:
    unsupported = Request(reference=f"{MODELS}:unsupported", inputs=IMAGE)
    done: list[Exported] = export_matrix([unsupported], _recipes("onnx"), tmp_path)
    assert isinstance(done[0].outcome, Failure) and done[0].outcome.advice
    assert _bundles(tmp_path) == []
