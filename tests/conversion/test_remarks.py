"""An export in the caller's process leaves out what toolkits remark about themselves."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from mobilebench.conversion import remarks

REGISTRATION = "torch.onnx._internal.exporter._registration"
EXPORT = """
import torch, mobilebench
from torch import nn
net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
artifact = mobilebench.export(net.eval(), {format!r}, inputs=["1x3x32x32"], out_dir="out")
print(artifact.manifest.facts.parity[0].passed)
"""


def test_known_remarks_are_left_out_and_everything_else_is_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger(REGISTRATION)
    with remarks.left_out():
        logger.warning("torchvision is not installed. Skipping %s", "torchvision::nms")
        logger.warning("an operator has no decomposition")
        logging.getLogger("torchao").warning("Failed to load x.so")
        logging.getLogger("coremltools").warning("an operation was cast")
    logger.warning("torchvision is not installed. Skipping %s", "torchvision::nms")
    assert [record.getMessage() for record in caplog.records] == [
        "an operator has no decomposition",
        "an operation was cast",
        "torchvision is not installed. Skipping torchvision::nms",
    ]


def test_the_callers_own_warnings_stay() -> None:
    remark = "`isinstance(treespec, LeafSpec)` is deprecated, use `isinstance(treespec, TreeSpec)`"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with remarks.left_out():
            warnings.warn(remark, FutureWarning, stacklevel=1)
            warnings.warn("yours is deprecated", FutureWarning, stacklevel=1)
        warnings.warn(remark, FutureWarning, stacklevel=1)
    assert [str(warning.message) for warning in caught] == ["yours is deprecated", remark]


@pytest.mark.parametrize("format_", ["onnx", "executorch"])
def test_an_export_in_python_prints_nothing(tmp_path: Path, format_: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", EXPORT.format(format=format_)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
