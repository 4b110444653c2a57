"""The wheel holds three packages with data; reading records runs without a toolkit."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mobilebench.store import RecordStore
from mobilebench.values.artifact import Artifact
from tests.records import measured

ROOT = Path(__file__).parent.parent
TOOLKITS = (
    "torch", "onnx", "onnxscript", "onnxruntime", "litert_torch", "ai_edge_litert", "coremltools",
    "executorch", "torchao", "jax", "timm",
)  # fmt: skip


def test_the_wheel_holds_every_package_with_its_data(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=120,
    )
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for needed in (
        "mobilebench/py.typed",
        "mobilebench/zoo/catalog.json",
        "mobilebench/zoo/published.csv",
        "mobilebench/store/records-1.zdict",
        "mobilebench/store/migrations/env.py",
        "mobilebench/store/migrations/versions/v4.py",
        "mobilebench/schema/record.v2.json",
        "mobilebench/pages/templates/group.html.j2",
        "mobilebench/pages/static/vega.min.js",
        "mobilebench/inspecting/placement/tables/coreml-ane.toml",
        "mobilebench_exporters/py.typed",
        "mobilebench_exporters/_mlprogram/program.py",
        "mobilebench_device_runners/py.typed",
        "mobilebench_device_runners/host.py",
    ):
        assert needed in names
    tops = {name.partition("/")[0] for name in names if "dist-info" not in name}
    assert tops == {"mobilebench", "mobilebench_exporters", "mobilebench_device_runners"}


def _without_toolkits(*arguments: object, block: tuple[str, ...] = TOOLKITS) -> str:
    """Run the program in a Python where importing a toolkit fails as if it were not installed."""
    script = (
        "import sys\n"
        f"block = {block!r}\n"
        "class Blocker:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in block:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Blocker())\n"
        f"sys.argv = {['mobilebench', *map(str, arguments)]!r}\n"
        "from mobilebench.cli import main\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("shape", ["table", "html", "csv"])
def test_a_leaderboard_is_built_without_any_toolkit(tmp_path: Path, shape: str) -> None:
    store = RecordStore(tmp_path / "records.sqlite")
    store.add(measured())
    store.close()
    text = _without_toolkits("leaderboard", "--store", store.place, "--as", shape)
    assert "mobilevig_ti" in text


def test_the_zoo_is_listed_without_torch() -> None:
    assert "mobilevig_b" in _without_toolkits("models")


def test_artifacts_are_inspected_measured_and_verified_without_torch(
    tmp_path: Path, tiny_artifacts: dict[str, Artifact]
) -> None:
    """A board needs only the runtime."""
    folder = tiny_artifacts["onnx-fp32"].folder
    block = tuple(name for name in TOOLKITS if name != "onnxruntime")
    assert "opset" in _without_toolkits("inspect", folder, block=block)
    assert "equal" in _without_toolkits("verify", folder, block=block)
    store = ("--store", tmp_path / "records.sqlite", "--protocol", "smoke-1")
    assert "onnxruntime" in _without_toolkits("bench", folder, *store, block=block)
