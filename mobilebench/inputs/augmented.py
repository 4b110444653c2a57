"""Prepare image files for training: a random part of each, mirrored at random.

It is the crop of Inception (Szegedy et al. 2015, arXiv:1409.4842, section 6), which training on
ImageNet usually starts with.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mobilebench.inputs import images
from mobilebench.inputs.seeded import Array
from mobilebench.values.modelspec import ModelSpec

if TYPE_CHECKING:
    from PIL import Image

_RATIO = (3 / 4, 4 / 3)
"""Width by height of a part, before it is resized to the network's input."""
_TRIES = 10


def prepare(path: Path, spec: ModelSpec, draw: random.Random, *, least: float, flip: bool) -> Array:
    """Prepare a random part of one image as a network's input: (1, 3, H, W) of float32.

    The part has `least` to all of the image's area and is 3:4 to 4:3; where none fits, it is the
    middle. With `flip` half of the images are mirrored, left to right. Raises `ImageError` for a
    file that cannot be read, `UserError` as `images.require_images` does.
    """
    from PIL import Image

    images.require_images(spec)
    assert spec.resolution is not None and spec.preprocessing is not None
    height, width = spec.resolution
    image = images.opened(path)
    resampling = Image.Resampling[spec.preprocessing.filter.upper()]
    part = image.resize((width, height), resampling, box=_part(image, draw, least))
    if flip and draw.random() < 0.5:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return images.normalised(np.asarray(part), spec.preprocessing)


def _part(image: Image.Image, draw: random.Random, least: float) -> tuple[int, int, int, int]:
    """Return the corners of a random part: left, top, right, bottom."""
    area = image.width * image.height
    for _ in range(_TRIES):
        share = draw.uniform(least, 1) * area
        ratio = math.exp(draw.uniform(math.log(_RATIO[0]), math.log(_RATIO[1])))
        wide, tall = round(math.sqrt(share * ratio)), round(math.sqrt(share / ratio))
        if 0 < wide <= image.width and 0 < tall <= image.height:
            left, top = draw.randint(0, image.width - wide), draw.randint(0, image.height - tall)
            return left, top, left + wide, top + tall
    side = min(image.width, image.height)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return left, top, left + side, top + side
