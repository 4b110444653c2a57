"""What a training runs on: one process for each device, and sums over all of them.

Hugging Face's Accelerate starts the processes' connection, and computes in bf16 or fp16.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor, nn

from mobilebench.errors import MissingToolkit, UserError
from mobilebench.values.training import TrainingPrecision

_MODES = {
    TrainingPrecision.FP32: "no",
    TrainingPrecision.BF16: "bf16",
    TrainingPrecision.FP16: "fp16",
}


class Devices:
    """The device of this process, and the processes beside it.

    Gradients are added up after the last width of a step, and not by DistributedDataParallel, which
    would send them once for every width.
    """

    def __init__(self, precision: TrainingPrecision, *, cpu: bool = False) -> None:
        require_accelerate()
        from accelerate import Accelerator

        if precision is TrainingPrecision.FP16 and (cpu or not torch.cuda.is_available()):
            raise UserError(
                "--precision is fp16, which needs a GPU; train in bf16 or fp32 on a CPU."
            )
        self._accelerator: Any = Accelerator(mixed_precision=_MODES[precision], cpu=cpu)
        self.device: torch.device = self._accelerator.device
        self.process: int = self._accelerator.process_index
        self.processes: int = self._accelerator.num_processes
        self.is_first: bool = self._accelerator.is_main_process

    @property
    def part(self) -> tuple[int, int]:
        """This process, and the number of all."""
        return self.process, self.processes

    @property
    def scaler(self) -> Any:
        """The scaler of the gradients of fp16; None for other precisions."""
        return self._accelerator.scaler

    def optimizer(self, optimizer: torch.optim.Optimizer) -> Any:
        """Return the optimizer, which leaves out a step whose gradients of fp16 overflowed."""
        return self._accelerator.prepare_optimizer(optimizer)

    def computing(self) -> AbstractContextManager[None]:
        """Return the context in which forward passes compute in the chosen precision."""
        context: AbstractContextManager[None] = self._accelerator.autocast()
        return context

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss."""
        self._accelerator.backward(loss)

    def average_gradients(self, network: nn.Module) -> None:
        """Replace gradients by their mean over the processes."""
        if self.processes > 1:
            # The widths of a step are the same in all processes, so the same ones have gradients.
            self._average([p.grad for p in network.parameters() if p.grad is not None])

    def average_statistics(self, network: nn.Module) -> None:
        """Replace running statistics by their mean over the processes."""
        if self.processes > 1:
            self._average([b for b in network.buffers() if b.is_floating_point()])

    def total(self, counts: Iterable[int]) -> list[int]:
        """Add up counts over the processes."""
        counted = torch.tensor(list(counts), device=self.device, dtype=torch.int64)
        if self.processes > 1:
            counted = self._accelerator.reduce(counted, reduction="sum")
        return [int(number) for number in counted]

    def wait(self) -> None:
        """Wait until every process is here."""
        self._accelerator.wait_for_everyone()

    @torch.no_grad()
    def _average(self, tensors: list[Tensor]) -> None:
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        mean = self._accelerator.reduce(flat, reduction="mean")
        for tensor, part in zip(tensors, mean.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))


def require_accelerate() -> None:
    """Raise `MissingToolkit` unless Accelerate is installed."""
    try:
        import accelerate  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "accelerate":
            raise
        raise MissingToolkit(
            "Training needs the package 'accelerate', which is not installed; run: pip install "
            "'mobilebench[train]'"
        ) from error
