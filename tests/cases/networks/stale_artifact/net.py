import torch
from ops import activation
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 8, 3, padding=1)

    def forward(self, x):
        return activation(self.c(x)).mean((2, 3))


def make():
    torch.manual_seed(0)
    return Net()
