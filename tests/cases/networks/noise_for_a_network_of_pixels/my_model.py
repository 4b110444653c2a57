import torch
from torch import nn


class Net(nn.Module):
    """Takes pixels of 0..255 and normalises itself, by a LayerNorm over channels."""

    def __init__(self):
        super().__init__()
        self.stem, self.body, self.fc = (
            nn.Conv2d(3, 16, 4, 4),
            nn.Conv2d(16, 32, 3, 1, 1),
            nn.Linear(32, 10),
        )
        with torch.no_grad():
            self.stem.weight *= 6

    def forward(self, x):
        x = self.stem(x)
        u = x.mean(1, keepdim=True)
        x = (x - u) / torch.sqrt((x - u).pow(2).mean(1, keepdim=True) + 1e-6)
        return self.fc(torch.relu(self.body(x)).mean((2, 3)))


def make():
    torch.manual_seed(0)
    return Net()
