import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.bn = (
            nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 8, 3)),
            nn.BatchNorm2d(8),
        )

    def forward(self, x):
        return self.bn(self.c(x))


class Wrapped(nn.Module):
    """A wrapper that calls its network `module`."""

    def __init__(self):
        super().__init__()
        self.module = nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return self.module(x).mean((2, 3))


def make():
    return torch.manual_seed(0) and Net()


def wrapped():
    return torch.manual_seed(0) and Wrapped()
