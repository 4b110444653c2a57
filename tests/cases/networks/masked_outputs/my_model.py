import torch
import torch.nn.functional as F
from torch import nn


class Head(nn.Module):
    """Boxes in pixels beside scores in 0..1, as a detector gives them."""

    def __init__(self, joined):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 4, 1), nn.BatchNorm2d(16), nn.ReLU())
        self.box, self.cls, self.joined = nn.Conv2d(16, 4, 1), nn.Conv2d(16, 8, 1), joined

    def forward(self, x):
        f = self.stem(x)
        boxes = self.box(f).flatten(2).sigmoid() * 640
        scores = self.cls(F.gelu(f, approximate="tanh")).flatten(2).sigmoid()
        return torch.cat([boxes, scores], 1) if self.joined else (boxes, scores)


class ScoresOnly(Head):
    def forward(self, x):
        return super().forward(x)[1]


def joined():
    torch.manual_seed(0)
    return Head(True)


def two():
    torch.manual_seed(0)
    return Head(False)


def scores_only():
    torch.manual_seed(0)
    return ScoresOnly(False)
