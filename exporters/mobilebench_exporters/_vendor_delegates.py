"""Lower to delegates that need vendor tools: Qualcomm's AI Engine Direct and Arm's Vela.

The Qualcomm part follows the interface of ExecuTorch 1.5.1 and has not been run with Qualcomm's
SDK. The Arm part has been run with tosa-tools 2026.5.0 and ethos-u-vela 5.1.0.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobilebench.errors import MissingToolkit
from mobilebench.inputs.seeded import Batch
from mobilebench.values.recipe import ExportRecipe
from mobilebench_exporters._pt2e import calibrated

if TYPE_CHECKING:
    import torch

QUALCOMM_CHIPS = ("SM8650", "SM8450", "SM8475", "SM8550", "SM8750", "SM8850")
ETHOS_U_UNITS = ("ethos-u85-256", "ethos-u55-128", "ethos-u65-256")

_PIN = re.compile(r"""([\w.-]+)==([\w.]+) *;.*extra == ['"]ethos-u['"]""")
_QNN_LIBRARY = Path("lib") / "x86_64-linux-clang" / "libQnnHtp.so"


def qualcomm_tools() -> dict[str, str]:
    """Return the version of Qualcomm's SDK.

    Raises `MissingToolkit` if `QNN_SDK_ROOT` does not name one: ExecuTorch itself would start to
    download an SDK.
    """
    root = os.environ.get("QNN_SDK_ROOT")
    if not root or not (Path(root) / _QNN_LIBRARY).is_file():
        reason = f"QNN_SDK_ROOT is {root!r}, where {_QNN_LIBRARY} is missing"
        raise MissingToolkit(
            f"The delegate qualcomm needs Qualcomm's AI Engine Direct SDK (QNN) for Linux x86-64, "
            f"but {reason if root else 'QNN_SDK_ROOT is not set'}. Download it from "
            f"softwarecenter.qualcomm.com, unpack it, and set QNN_SDK_ROOT to its folder and "
            f"LD_LIBRARY_PATH to $QNN_SDK_ROOT/{_QNN_LIBRARY.parent}."
        )
    from executorch.backends.qualcomm.utils.check_qnn_version import get_sdk_build_id

    return {"qnn-sdk": str(get_sdk_build_id())}


def to_qualcomm(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    recipe: ExportRecipe,
    calibration: Sequence[Batch],
) -> Any:
    """Lower a network to the Hexagon unit of one chip, in half precision."""
    from executorch.backends.qualcomm.serialization.qc_schema import QcomChipset
    from executorch.backends.qualcomm.utils import utils as qnn

    options = qnn.generate_htp_compiler_spec(use_fp16=True)
    chip = QcomChipset[str(recipe.target)]
    specs = qnn.generate_qnn_executorch_compiler_spec(chip, options)
    return qnn.to_edge_transform_and_lower_to_qnn(module, example, specs)


def ethos_u_tools() -> dict[str, str]:
    """Return the versions of Arm's tools.

    Raises `MissingToolkit` if a tool is missing or has another version than ExecuTorch requires.
    """
    pins = (_PIN.match(line) for line in metadata.requires("executorch") or ())
    required = {str(match[1]): str(match[2]) for match in pins if match}
    installed = {name: _installed(name) for name in required}
    if installed != required:
        state = ", ".join(f"{name} {version or 'missing'}" for name, version in installed.items())
        requirements = " ".join(f"{name}=={version}" for name, version in required.items())
        raise MissingToolkit(
            f"The delegate ethos-u needs Arm's tools in the versions that ExecuTorch "
            f"{metadata.version('executorch')} requires; found: {state}. Their dependencies "
            f"conflict with those of the other toolkits, so install them into a separate folder: "
            f"pip install --no-deps --target DIR {requirements}; then run with "
            f"PYTHONPATH=DIR:DIR/serializer and DIR/bin in PATH."
        )
    return required


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def to_ethos_u(
    module: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    recipe: ExportRecipe,
    calibration: Sequence[Batch],
) -> Any:
    """Lower a network to one unit, in 8 bits; inputs and outputs stay in floats."""
    import torch
    from executorch.backends.arm.ethosu import EthosUCompileSpec, EthosUPartitioner
    from executorch.backends.arm.quantizer import (
        EthosUQuantizer,
        get_symmetric_quantization_config,
    )
    from executorch.exir import EdgeCompileConfig, to_edge_transform_and_lower

    spec = EthosUCompileSpec(str(recipe.target))
    quantizer = EthosUQuantizer(spec)
    quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
    quantized = calibrated(module, example, calibration, quantizer)
    return to_edge_transform_and_lower(
        torch.export.export(quantized, example),
        partitioner=[EthosUPartitioner(spec)],
        compile_config=EdgeCompileConfig(_check_ir_validity=False),
    )
