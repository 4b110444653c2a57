"""Provide a small real task: scikit-learn's handwritten digits, and a network for them.

The digits are written as a folder of images. There are 1797 of 8 x 8 pixels (E. Alpaydin, C.
Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998). Every
third one is kept for the test.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor, nn

from mobilebench.conversion.loading import LoadedModel, describe
from mobilebench.inputs import images
from mobilebench.inputs.folder import ImageFolder
from mobilebench.values.modelspec import CALLER, Interpolation, ModelSpec, Preprocessing
from mobilebench.values.tensor import parse_tensor

SPEC = ModelSpec(
    name="digits",
    inputs=(parse_tensor("1x3x16x16", "image"),),
    num_classes=10,
    preprocessing=Preprocessing(
        mean=(0.3, 0.3, 0.3),
        std=(0.4, 0.4, 0.4),
        crop_pct=0.875,
        interpolation=Interpolation.BICUBIC,
    ),
)
SEED = 0
EPOCHS = 8


class Digits(nn.Module):
    """(N, 3, 16, 16) -> (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for in_channels, out_channels, stride in ((3, 8, 1), (8, 16, 2), (16, 16, 2)):
            convolution = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1)
            layers += [convolution, nn.BatchNorm2d(out_channels), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.body(x).mean((2, 3)))
        return y


def write_images(
    folder: Path, held_out: str = "test", count: int | None = None
) -> tuple[Path, Path]:
    """Write digits as FOLDER/{train,test}/DIGIT/NUMBER.png; return both folders.

    `held_out` is the name of the second. `count` takes the first ones alone.
    """
    digits = load_digits()
    pictures = list(zip(digits.images, digits.target, strict=True))[:count]
    for number, (picture, label) in enumerate(pictures):
        part = held_out if number % 3 == 0 else "train"
        place = folder / part / str(label)
        place.mkdir(parents=True, exist_ok=True)
        grey = np.rint(picture * (255 / 16)).astype(np.uint8)
        Image.fromarray(grey).save(place / f"{number:04}.png")
    return folder / "train", folder / held_out


def prepared(folder: Path) -> tuple[Tensor, Tensor]:
    """Return (images, labels) as the network takes them, in the order of an evaluation."""
    data_set = ImageFolder.find(folder)
    arrays = [images.prepare(folder / image.path, SPEC) for image in data_set.images]
    labels = torch.tensor([image.label for image in data_set.images])
    return torch.from_numpy(np.concatenate(arrays)), labels


def trained(train: Path) -> LoadedModel:
    """Train the network on a folder for some seconds; the result is the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        network = Digits()
        inputs, labels = prepared(train)
        optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(inputs)).split(64):
                loss = nn.functional.cross_entropy(network(inputs[batch]), labels[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return describe(network.eval(), SPEC, CALLER)
