"""Wrong input is one clear sentence, with exit code 2 and earlier records intact."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from mobilebench.store import RecordStore
from mobilebench.values.artifact import Artifact
from mobilebench.zoo import create_model
from tests.conftest import MODELS, TINY, Ran
from tests.records import measured
from tests.signals import hear_signals

Program = Callable[..., Ran]
IMAGE = ("--input", "1x3x32x32")
ONNX = ("-f", "onnx")


def _leftovers(folder: Path) -> list[str]:
    """Return the files under a folder, without locks and preparations."""
    files = (p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    return sorted(str(p) for p in files if not {".locks", ".prepared"} & set(p.parts))


def _refused(done: Ran, sentence: str) -> None:
    assert done.code == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    [line] = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert sentence in line


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("mobilvig_ti", *ONNX), "There is no model called 'mobilvig_ti'; did you mean mobilevig_"),
        (("mobilevig_ti", "-f", "onxx"), "no export format called 'onxx'; did you mean onnx"),
        (("mobilevig_ti", *ONNX, "--precision", "fp8"), "no precision called 'fp8'"),
        (
            ("mobilevig_ti", *ONNX, "--precision", "palette4"),
            "palette4; it offers fp32, fp16",
        ),
        (("mobilevig_ti", *ONNX, "--target", "iOS17"), "it offers opset20"),
        (("mobilevig_ti", "--target", "iOS17"), "belongs to one format"),
        (("mobilevig_ti", *ONNX, "--resolution", "4"), "it takes 32 to"),
        (("vcmamba_s", *ONNX, "--resolution", "256"), "use sides of 193 to 224 pixels"),
        (("mobilevig_ti", *ONNX, "--checkpoint", "no.pth"), "no.pth does not exist"),
        (("mobilevig_ti", "mobilevig_s", "--checkpoint", "x.pth"), "give one for each network"),
        ((TINY, *ONNX), "add --input"),
        ((TINY, *ONNX, "--input", "1,3,32,32"), "is not a shape"),
        ((TINY, *ONNX, "--input", "1x4x32x32"), "does not run on its inputs"),
        ((f"{MODELS}:noisy", *ONNX, *IMAGE), "draws random numbers in its forward pass, in noise"),
        ((f"{MODELS}:raises", *ONNX, *IMAGE), "the weights are on another disk"),
        (("nofile.py:make", *ONNX, *IMAGE), "nofile.py does not exist"),
        ((TINY, *ONNX, *IMAGE, "--num-classes", "5"), "--num-classes is for models of the zoo"),
        (
            (TINY, *ONNX, *IMAGE, "--mean", "123.675,116.28,103.53", "--std", "0.2,0.2,0.2"),
            "for pixels divided by 255: 0.485,0.456,0.406",
        ),
        (
            (TINY, *ONNX, *IMAGE, "--mean", "nan,0,0", "--std", "0.2,0.2,0.2"),
            "for pixels divided by 255, such as 0.485,0.456,0.406",
        ),
        (
            (TINY, *ONNX, *IMAGE, "--mean", "5,0,300", "--std", "0.2,0.2,0.2"),
            "for pixels divided by 255, such as 0.485,0.456,0.406",
        ),
        ((TINY, *ONNX, "--input", "1x3x100000x100000"), "are 30000000000 numbers; phone formats"),
        ((TINY, *ONNX, *IMAGE, "--memory-limit", "inf"), "--memory-limit: input should be less"),
        (("timm:resnet18", *ONNX), "timm"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_export_is_one_sentence(
    mobilebench: Program, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    if arguments[0].startswith("timm:") and _torchvision_works():
        pytest.skip("torchvision works here, so a timm model is no wrong input")
    _refused(mobilebench("export", *arguments), sentence)
    assert _leftovers(tmp_path) == []


def _torchvision_works() -> bool:
    code = "import torchvision"
    return (
        subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode
        == 0
    )


class _Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("touch was-run",))


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("other variant", "It fits mobilevig_s"),
        ("truncated", "cut off"),
        ("text", "cut off"),
        ("code", "contains a posix.system, not a dictionary of tensors"),
    ],
)
def test_a_wrong_checkpoint_is_one_sentence(
    mobilebench: Program, tmp_path: Path, kind: str, sentence: str
) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": create_model("mobilevig_s").state_dict()}, path)
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[:10_000])
    elif kind == "text":
        path.write_text("<html>")
    elif kind == "code":
        torch.save(_Code(), path)
    _refused(mobilebench("export", "mobilevig_ti", *ONNX, "--checkpoint", path), sentence)
    assert _leftovers(tmp_path) == ["weights.pth"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("bench", "nowhere"), "nowhere is not an artifact"),
        (("inspect", "nowhere"), "nowhere is not an artifact"),
        (("inspect", "nowhere.onnx"), "There is no model file nowhere.onnx"),
        (("diff", "nowhere", "nowhere"), "nowhere is not an artifact"),
        (("verify", "nowhere"), "nowhere is not an artifact"),
        (("import", "nowhere.json"), "nowhere.json cannot be read"),
        (("leaderboard", "--store", "nonsense://x"), "cannot be opened"),
        (("models", "--family", "mobilenet"), "no model family called 'mobilenet'"),
        (("bench", "nowhere.onnx", "--ab"), "There is no model file nowhere.onnx"),
        (("bench", "nowhere", "--pairs", "3"), "--pairs belongs to --ab; add --ab"),
        (("bench", "nowhere", "--junit", "x.xml"), "--junit belongs to --ab"),
    ],
)
def test_a_wrong_argument_of_any_verb_is_one_sentence(
    mobilebench: Program, arguments: tuple[str, ...], sentence: str
) -> None:
    _refused(mobilebench(*arguments), sentence)


@pytest.mark.parametrize("name", ["m.onnx", "m.tflite", "m.pte"])
@pytest.mark.parametrize("verb", ["inspect", "bench", "verify", "compare", "diff", "calibrate"])
def test_a_folder_that_is_named_like_a_file_is_one_sentence(
    mobilebench: Program, tmp_path: Path, verb: str, name: str
) -> None:
    (tmp_path / name).mkdir()
    both = (name,) if verb in ("compare", "diff") else ()
    _refused(mobilebench(verb, name, *both), f"{name} is a folder, and a model that ends in")


@pytest.mark.parametrize(
    "words",
    [
        ("inspect",),
        pytest.param(("bench",), marks=pytest.mark.slow),
        pytest.param(("history",), marks=pytest.mark.slow),
        ("check", "--baseline", "x", "--candidate"),
        pytest.param(("export", "-f", "onnx"), marks=pytest.mark.slow),
        ("export", "mobilevig_ti", "-f", "onnx", "-c"),
        pytest.param(("import",), marks=pytest.mark.slow),
        ("leaderboard", "--out"),
    ],
    ids=lambda words: " ".join(words),
)
def test_a_path_that_the_system_refuses_is_one_sentence(
    mobilebench: Program, words: tuple[str, ...]
) -> None:
    for path in ("n" * 300, f"{'n' * 300}.onnx", "n" * 5000):
        _refused(mobilebench(*words, path), "nnn")


@pytest.mark.parametrize("name", ["m.onnx", "m.tflite", "m.pte", "m.mlmodel", "m.mlpackage"])
def test_a_model_file_that_is_none_is_one_sentence(
    mobilebench: Program, tmp_path: Path, name: str
) -> None:
    if name.endswith(".mlpackage"):
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_text("<html>not found</html>")
    _refused(mobilebench("inspect", name), f"{name} was read as")


def test_an_unknown_verb_is_a_usage_error(mobilebench: Program) -> None:
    _refused(mobilebench("exprot"), "There is no command called 'exprot'; did you mean export")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--device", "toaster"), "no kind of device called 'toaster'"),
        (("--runtime", "onnxruntim"), "cannot be measured on host with onnxruntim"),
        (("--protocol", "burst-2"), "no protocol called 'burst-2'; did you mean burst-1"),
        (("--compute-unit", "npu"), "the compute unit npu, and the device has only cpu"),
    ],
)
def test_a_wrong_measurement_leaves_earlier_records_intact(
    mobilebench: Program,
    tmp_path: Path,
    tiny_artifacts: dict[str, Artifact],
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    store = RecordStore(tmp_path / "records.sqlite")
    store.add(measured())
    store.close()
    _refused(mobilebench("bench", tiny_artifacts["onnx-fp32"].folder, *arguments), sentence)
    assert RecordStore(tmp_path / "records.sqlite").find() == [measured()]


def test_a_wrong_record_among_good_ones_adds_none(mobilebench: Program, tmp_path: Path) -> None:
    from mobilebench.values import wire

    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    wire.write(good, measured())
    bad.write_text(good.read_text().replace('"schema_version": 2', '"schema_version": 7', 1))
    _refused(mobilebench("import", good, bad), "newer than the 2 that this mobilebench reads")
    assert not (tmp_path / "records.sqlite").exists()


def test_an_output_folder_that_is_a_file_is_one_sentence(
    mobilebench: Program, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("mine")
    _refused(
        mobilebench("export", TINY, *IMAGE, *ONNX, "--out", "taken/artifacts"),
        "choose another folder",
    )
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_folder_without_permission_is_one_sentence(
    mobilebench: Program, tmp_path: Path
) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    _refused(mobilebench("export", TINY, *IMAGE, *ONNX, "--out", "locked"), "permission is denied")


def test_a_file_that_may_not_grow_is_one_sentence_and_no_bundle(tmp_path: Path) -> None:
    """A limit on file size makes writes fail half way, as a full disk does, without root."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then a write fails with an error instead

    done = subprocess.run(
        [sys.executable, "-m", "mobilebench", "export", TINY, *IMAGE, *ONNX],
        cwd=tmp_path,
        env={**os.environ, "MOBILEBENCH_STORE": str(tmp_path / "records.sqlite")},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    _refused(Ran(done.returncode, done.stdout, done.stderr), "Could not write")
    assert _leftovers(tmp_path / "artifacts") == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if (
        shutil.which("mount") is None
        or subprocess.run(command, check=False, capture_output=True).returncode
    ):
        pytest.skip("mounting a small file system needs root on Linux")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize(
    "format_",
    [
        "onnx",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("tflite", "executorch", "coreml")
        ),
    ],
)
def test_a_full_disk_is_one_sentence_and_no_bundle(
    mobilebench: Program, small_disk: Path, format_: str
) -> None:
    (small_disk / "filler").write_bytes(b"\0" * 1_040_000)
    out = small_disk / "artifacts"
    done = mobilebench("export", TINY, *IMAGE, "-f", format_, "--out", out)
    _refused(done, "the disk is full")
    assert _leftovers(small_disk) == ["filler"]


def test_a_full_disk_loses_no_earlier_record(
    mobilebench: Program, small_disk: Path, tiny_artifacts: dict[str, Artifact]
) -> None:
    store = small_disk / "records.sqlite"
    records = RecordStore(store)
    records.add(measured())
    records.close()
    room = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "filler").write_bytes(b"\0" * room)
    done = mobilebench(
        "bench", tiny_artifacts["onnx-fp32"].folder, "--protocol", "smoke-1", "--store", store
    )
    _refused(done, "that the disk has room")
    (small_disk / "filler").unlink()
    records = RecordStore(store)
    assert records.find() == [measured()]
    records.close()


@pytest.mark.parametrize(
    ("ending", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "kill"]
)
def test_stopping_in_the_middle_leaves_no_half_bundle_and_no_process(
    tmp_path: Path, ending: signal.Signals, code: int
) -> None:
    out = tmp_path / "artifacts"
    program = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "mobilebench",
            "export",
            "mobilevig_ti",
            "-f",
            "tflite",
            "-f",
            "onnx",
        ],
        cwd=tmp_path,
        env={**os.environ, "MOBILEBENCH_STORE": str(tmp_path / "records.sqlite")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_signals,
    )
    _wait_for(lambda: (out.exists() and any(out.glob(".partial-*/export.log"))) or _cells(program))
    children = _cells(program)
    assert children
    program.send_signal(ending)
    stdout, stderr = program.communicate(timeout=60)
    assert program.returncode == code, stderr
    assert "Traceback" not in stderr
    if ending == signal.SIGINT:
        assert "nothing is half written" in stderr
    assert stdout == ""
    assert _leftovers(tmp_path) == []
    _wait_for(lambda: not any(child.is_running() for child in children))


def _cells(program: subprocess.Popen[str]) -> list[Any]:
    import psutil

    children = psutil.Process(program.pid).children(recursive=True)
    module = "mobilebench.machine.isolated"
    return [child for child in children if module in " ".join(child.cmdline())]


def _wait_for(condition: Callable[[], object]) -> None:
    """Wait until another process has done something, for at most a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.05)


def test_a_failed_cell_is_exit_code_one_and_a_record(mobilebench: Program, tmp_path: Path) -> None:
    done = mobilebench("export", f"{MODELS}:unsupported", *IMAGE, *ONNX)
    assert done.code == 1
    assert "failed" in done.stdout
    assert "models.unsupported@32 to onnx-fp32-opset20: export failed" in done.stderr
    [record] = RecordStore(tmp_path / "records.sqlite").find()
    assert record.outcome.kind == "failure"
    board = mobilebench("leaderboard")
    assert "failed at export" in board.stdout
