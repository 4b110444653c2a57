"""Networks for tests, which the command line names as `tests/models.py:tiny`."""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn


class Tiny(nn.Module):
    """(N, 3, H, W) -> (N, 10): every kind of layer that the zoo's smallest network has."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.GELU()
        )
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.mix = nn.Conv2d(16, 16, 1)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x + self.depthwise(x)
        neighbour = torch.cat([x[:, :, -2:], x[:, :, :-2]], dim=2)
        x = self.mix(torch.cat([x, x - torch.minimum(x, neighbour)], dim=1))
        y: Tensor = self.head(x.mean((2, 3)))
        return y


def tiny() -> Tiny:
    torch.manual_seed(7)
    return Tiny()


class TwoInputs(nn.Module):
    """Two images in, two outputs: their order shows in the numbers."""

    def forward(self, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        return a - 2 * b, (3 * a + b).mean((2, 3))


def two_inputs() -> TwoInputs:
    return TwoInputs()


class Noisy(nn.Module):
    """Draws random numbers in forward, also in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Conv2d(3, 4, 1)
        self.noise = AddNoise()

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.noise(self.body(x))
        return y


class AddNoise(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + torch.randn_like(x)


def noisy() -> Noisy:
    return Noisy()


class Counting(nn.Module):
    """Adds one more on every call."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x + self.calls


class Unsupported(nn.Module):
    """Runs in PyTorch; no phone format has this operator."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.linalg.eigvalsh(x[:, 0] + x[:, 0].transpose(1, 2))


def unsupported() -> Unsupported:
    return Unsupported()


def different_each_time() -> nn.Module:
    module = nn.Conv2d(3, 4, 1)
    nn.init.constant_(module.bias, random.SystemRandom().random())  # type: ignore[arg-type]
    return module


def raises() -> nn.Module:
    raise RuntimeError("the weights are on another disk")


def not_a_module() -> str:
    return "a string"
