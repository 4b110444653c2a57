"""Plug-ins are found by name without an import; a missing one is reported with its remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mobilebench import plugins
from mobilebench.errors import MissingToolkit, UnknownName, UserError
from mobilebench.machine import installation


def test_plug_ins_are_the_public_modules_of_their_package() -> None:
    assert plugins.exporter_names() == ("coreml", "executorch", "onnx", "tflite")
    assert plugins.runner_names() == ("adb", "host", "ios", "sim", "ssh")


def test_unknown_names_offer_near_ones() -> None:
    with pytest.raises(UnknownName, match="export format called 'tflit'; did you mean tflite"):
        plugins.exporter("tflit")
    with pytest.raises(UnknownName, match="kind of device called 'hosst'"):
        plugins.runner("hosst:1")


@pytest.mark.parametrize("text", ["all", "adb:A,adb:B", "model=Pixel*"])
def test_several_devices_where_one_is_needed_are_refused_as_such(text: str) -> None:
    with pytest.raises(UserError, match="One device is needed here"):
        plugins.runner(text)


def test_a_missing_module_of_an_extra_names_the_extra() -> None:
    error = ModuleNotFoundError("No module named 'coremltools'", name="coremltools.models")
    advice = installation.missing_toolkit(error, "Core ML")
    assert isinstance(advice, MissingToolkit)
    assert "pip install 'mobilebench[coreml]'" in str(advice)


def test_a_module_of_several_extras_names_the_one_that_is_asked_for() -> None:
    error = ModuleNotFoundError("No module named 'torch'", name="torch")
    assert "mobilebench[tflite]" in str(installation.missing_toolkit(error, "x", prefer="tflite"))


def test_a_module_that_no_extra_brings_is_not_called_a_missing_toolkit() -> None:
    error = ModuleNotFoundError("No module named 'numpyy'", name="numpyy")
    assert installation.missing_toolkit(error, "x") is None


def _python(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    script = f"import sys; sys.path[:0] = {[str(p) for p in path]!r}\n{code}"
    return subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )


def _plugin(folder: Path, name: str, body: str) -> str:
    """Return code that makes mobilebench find one more exporter module."""
    package = folder / "mobilebench_exporters"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / f"{name}.py").write_text(body)
    return (
        "from mobilebench import plugins\nfrom mobilebench.errors import MissingToolkit\n"
        f"try: plugins.exporter({name!r})\n"
        "except MissingToolkit as error: print('advice:', error)\n"
    )


def test_a_plug_in_whose_toolkit_is_missing_gives_advice(tmp_path: Path) -> None:
    code = _plugin(tmp_path, "coreml", "import coremltools\n")
    done = _python(f"sys.modules['coremltools'] = None\n{code}", tmp_path)
    assert "advice: The export format 'coreml' needs" in done.stdout, done.stderr
    assert "mobilebench[coreml]" in done.stdout


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("import no_such_helper\n", "No module named 'no_such_helper'"),
        ("from json import no_such_name\n", "cannot import name 'no_such_name'"),
        ("1 / 0\n", "ZeroDivisionError"),
    ],
)
def test_any_other_error_of_a_plug_in_passes_through(tmp_path: Path, body: str, shown: str) -> None:
    done = _python(_plugin(tmp_path, "broken", body), tmp_path)
    assert done.returncode == 1
    assert shown in done.stderr and "Traceback" in done.stderr
    assert "advice" not in done.stdout
