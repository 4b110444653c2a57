"""Measure what half precision does to every family, in its deployment and plain forms.

Each network is computed on 64 seeded inputs by PyTorch eager: once in float32, once with all
weights and all arithmetic in float16, in its plain form and in the form for Core ML. The table
shows the share of inputs with the same largest score, the cosine of the logits, and outputs that
are not finite. Weights are random, so scores lie closer together than those of a trained network
and winners change more easily; a float16 unit that sums in float32 does better than this.

    python benchmarks/half_precision.py --table docs/half-precision.md
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable
from pathlib import Path

import torch
from rich.console import Console
from torch import Tensor, nn

from mobilebench import files
from mobilebench.conversion.loading import load
from mobilebench.deploy import Target, deploy
from mobilebench.inputs import seeded
from mobilebench.values.request import Request
from mobilebench.zoo import list_models

INPUTS = 64
SEED = 3000

HEADER = f"""\
# Half precision

Written by `benchmarks/half_precision.py`: {INPUTS} seeded inputs, PyTorch eager on a CPU, float16
against float32, random weights from a fixed seed.

| network | form | same class | smallest cosine | median rel. error | outputs not finite |
|---|---|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    smallest = {name.partition("_")[0]: name for name in reversed(list_models())}
    parser.add_argument("--models", nargs="+", default=list(smallest.values()))
    parser.add_argument("--table", type=Path)
    options = parser.parse_args()
    lines = []
    for name in options.models:
        loaded = load(Request(reference=name))
        images = [
            torch.from_numpy(seeded.sample(loaded.spec.inputs, SEED + index)[0])
            for index in range(INPUTS)
        ]
        expected = _logits(loaded.module, images)
        for form, network in {
            "plain": copy.deepcopy(loaded.module),
            "deployed": deploy(loaded.module, images[0], target=Target.COREML),
        }.items():
            actual = _logits(network.half(), [image.half() for image in images])
            lines.append(f"| {name} | {form} | {_compare(expected, actual)} |")
            Console().print(lines[-1])
            if options.table:
                files.write_text(options.table, HEADER + "\n".join(lines) + "\n")


def _logits(network: Callable[[Tensor], Tensor] | nn.Module, images: list[Tensor]) -> Tensor:
    with torch.no_grad():
        return torch.cat([network(image).float() for image in images])


def _compare(expected: Tensor, actual: Tensor) -> str:
    finite = torch.isfinite(actual).all(dim=1)
    agree = (actual.argmax(1) == expected.argmax(1)) & finite
    if not bool(finite.any()):
        return f"0 of {INPUTS} | - | - | {INPUTS}"
    finite_actual, finite_expected = actual[finite], expected[finite]
    cosine = torch.nn.functional.cosine_similarity(finite_actual, finite_expected)
    error = (finite_actual - finite_expected).abs().amax(1) / finite_expected.abs().amax(1)
    return (
        f"{int(agree.sum())} of {INPUTS} | {float(cosine.min()):.6f} | "
        f"{float(error.median()):.1e} | {int((~finite).sum())}"
    )


if __name__ == "__main__":
    main()
