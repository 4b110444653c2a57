"""Read saved ExecuTorch programs, and evaluate those of one Core ML delegate."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilebench.errors import CellFailed
from mobilebench.inputs import seeded
from mobilebench.interfaces import Evaluator


@dataclass(frozen=True)
class Calls:
    """The delegates and operations that a program calls, with counts."""

    delegates: Counter[str]
    left_out: Counter[str]
    """Operations outside all delegates."""


def load(path: Path) -> Any:
    """Read a saved program into the classes of ExecuTorch's own schema."""
    from executorch.exir._serialize._program import deserialize_pte_binary

    return deserialize_pte_binary(path.read_bytes()).program


def calls(program: Any) -> Calls:
    """Count the instructions of a program; a delegate counts as one, by its name."""
    from executorch.exir.schema import DelegateCall, KernelCall

    counts = Calls(Counter(), Counter())
    for plan in program.execution_plan:
        for call in _instructions(plan):
            if isinstance(call, DelegateCall):
                counts.delegates[plan.delegates[call.delegate_index].id] += 1
            elif isinstance(call, KernelCall):
                counts.left_out[plan.operators[call.op_index].name] += 1
    return counts


def _instructions(plan: Any) -> list[Any]:
    return [instruction.instr_args for chain in plan.chains for instruction in chain.instructions]


def _coreml_payload(path: Path) -> bytes:
    """Return the content of a program's one Core ML delegate.

    Raises `CellFailed` where the program is anything other than that delegate, from its inputs to
    its outputs in their order: then to evaluate the delegate would not be to evaluate the program.
    """
    from executorch.exir.schema import DelegateCall

    program = load(path)
    [plan] = program.execution_plan
    instructions = _instructions(plan)
    whole = (
        len(instructions) == 1
        and isinstance(instructions[0], DelegateCall)
        and plan.delegates[instructions[0].delegate_index].id == "CoreMLBackend"
        and list(instructions[0].args) == [*plan.inputs, *plan.outputs]
    )
    if not whole:
        counts = calls(program)
        raise CellFailed(
            "parity",
            "NotOneDelegate",
            f"the program is not one Core ML delegate, which alone can be evaluated here, but "
            f"{listed(counts.delegates + counts.left_out)}",
        )
    reference = plan.delegates[instructions[0].delegate_index].processed
    return bytes(program.backend_delegate_data[reference.index].data)


def evaluate_coreml(model_path: Path, inputs: Path, outputs: Path, entry: str | None = None) -> str:
    """Compute the outputs of a program that is one Core ML delegate.

    Its ML Program is evaluated with torch (see `Exporter.evaluator`).
    """
    import torch
    from executorch.backends.apple.coreml import executorchcoreml

    from mobilebench_exporters._mlprogram import MLProgram

    payload = _coreml_payload(model_path)
    with tempfile.TemporaryDirectory(prefix="mobilebench-delegate-") as name:
        folder = Path(name)
        executorchcoreml.unflatten_directory_contents(payload, str(folder))
        [package] = folder.rglob("*.mlpackage")
        names = json.loads((package.parent / "metadata.json").read_text())
        model = MLProgram.load(package)
        takes = _order(model.input_names, names["inputNames"])
        gives = _order(names["outputNames"], model.output_names)
        batches = []
        for batch in seeded.load_batches(inputs):
            results = model.evaluate([batch[position] for position in takes])
            batches.append([results[position] for position in gives])
    seeded.save_batches(outputs, batches)
    return f"mobilebench ML Program evaluator on the delegate, torch {torch.__version__}"


COREML_EVALUATOR = Evaluator(f"{__name__}:{evaluate_coreml.__name__}", str)


def _order(wanted: Sequence[str], given: Sequence[str]) -> list[int]:
    """Return the position of each wanted name among the given ones."""
    return [list(given).index(name) for name in wanted]


def listed(counts: Counter[str]) -> str:
    """Return counts as `a x3, b x1`, the most frequent first; `none` where empty."""
    return ", ".join(f"{name} x{count}" for name, count in counts.most_common()) or "none"
