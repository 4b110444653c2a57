"""timm's models work where a torchvision for the installed torch can be had."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from mobilebench.machine import torchvision
from mobilebench.machine.torchvision import matching
from tests.conversion.test_loading import _STAND_IN

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    ("torch", "command"),
    [
        (
            "2.13.0+cpu",
            "pip install --no-deps torchvision==0.28.0+cpu --index-url "
            "https://download.pytorch.org/whl/cpu",
        ),
        (
            "2.13.0+cu126",
            "pip install --no-deps torchvision==0.28.0+cu126 --index-url "
            "https://download.pytorch.org/whl/cu126",
        ),
        ("2.13.0", "pip install --no-deps torchvision==0.28.0"),
        ("2.5.1", "pip install --no-deps torchvision==0.20.1"),
        ("2.0.0", "pip install --no-deps torchvision==0.15.0"),
    ],
)
def test_each_torch_has_its_torchvision_of_the_same_build(torch: str, command: str) -> None:
    match = matching(torch)
    assert match is not None and match.command == command


@pytest.mark.parametrize("torch", ["1.13.1", "2.14.0.dev20261001+cpu", "2.13.0a0+git1234", ""])
def test_no_torchvision_is_guessed_for_other_versions(torch: str) -> None:
    assert matching(torch) is None


def test_a_torchvision_of_another_version_or_build_does_not_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    match = matching("2.13.0+cpu")
    assert match is not None
    monkeypatch.setattr(sys, "platform", "linux")
    fitting = [
        version
        for version in ("0.28.0+cpu", "0.28.0", "0.28.0+cu126", "0.27.0+cpu")
        if match.fits(version)
    ]
    assert fitting == ["0.28.0+cpu"]
    monkeypatch.setattr(sys, "platform", "darwin")
    assert match.fits("0.28.0")


WORKING = _STAND_IN + (
    "import torch\n"
    "library = torch.library.Library('torchvision', 'DEF')\n"
    "library.define('nms(Tensor boxes, Tensor scores, float threshold) -> Tensor')\n"
)
BROKEN = "raise RuntimeError('operator torchvision::nms does not exist')\n"


@pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")
@pytest.mark.parametrize("content", [WORKING, BROKEN, None], ids=["works", "broken", "absent"])
def test_setup_installs_a_torchvision_that_works_and_leaves_no_other(
    tmp_path: Path, content: str | None
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    match = matching()
    assert match is not None
    version = match.requirement.partition("==")[2]
    if content is not None:
        _build(wheels, version, content)
    python = _environment(tmp_path)
    done = subprocess.run(
        [python, ROOT / "setup_timm.py"],
        cwd=ROOT,
        env={
            **{name: text for name, text in os.environ.items() if not name.startswith("PIP_")},
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    installed = list(tmp_path.glob("env/lib/*/site-packages/torchvision*"))
    assert (done.returncode, done.stdout) == (0, "")
    assert not list(tmp_path.glob("env/lib/*/site-packages/torch-*"))
    if content is WORKING:
        assert done.stderr == "" and len(installed) == 2
    else:
        assert done.stderr == (
            "timm: models cannot be exported: no torchvision that works with this torch could be "
            f"had; for them run: .venv/bin/{match.command}\n"
        )
        assert installed == []


def _build(folder: Path, version: str, content: str) -> None:
    """Write a wheel of a torchvision with this content."""
    info = f"torchvision-{version}.dist-info"
    with zipfile.ZipFile(folder / f"torchvision-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("torchvision/__init__.py", content)
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: torchvision\nVersion: {version}\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def _environment(folder: Path) -> Path:
    """Return the Python of a new environment with this one's packages, torchvision left out."""
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True, timeout=120)
    ours = folder / "ours"
    ours.mkdir()
    for place in map(Path, site.getsitepackages()):
        for package in place.iterdir():
            if not package.name.startswith("torchvision"):
                (ours / package.name).symlink_to(package)
    [packages] = (folder / "env").glob("lib/*/site-packages")
    (packages / "ours.pth").write_text(f"{ROOT}\n{ours}\n")
    return folder / "env" / "bin" / "python"


def test_the_version_of_what_is_not_installed_is_unknown() -> None:
    assert torchvision.version_of("no-such-package") is None
