"""Prepare image files as a network takes them: resized, cropped and normalised.

Every step is done as the network's authors do it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from mobilebench.errors import ImageError, UserError
from mobilebench.inputs.seeded import Array
from mobilebench.values.modelspec import MOST_PIXELS, ModelSpec, Preprocessing, channels_last
from mobilebench.values.recipe import ImageInput
from mobilebench.values.tensor import DType

if TYPE_CHECKING:
    from PIL import Image

T = TypeVar("T")

_OF_IMAGES = (DType.FLOAT32, DType.UINT8, DType.INT8)
"""Types that images are given as; a quantized file turns floats into its own int8."""
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")


def find(folder: Path) -> list[Path]:
    """Return every image file under a folder, sorted by path.

    Raises `UserError` where the folder does not exist or holds no image.
    """
    if not folder.is_dir():
        state = "is a file" if folder.exists() else "does not exist"
        raise UserError(f"The folder of images {folder} {state}; give a folder that holds them.")
    paths = below(folder)
    if not paths:
        raise UserError(
            f"The folder {folder} holds no image; put files ending in {', '.join(SUFFIXES)} in it, "
            f"or in folders below it."
        )
    return paths


def below(folder: Path) -> list[Path]:
    """Return every image file under an existing folder, sorted by path; maybe none."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def spread(items: Sequence[T], count: int) -> list[T]:
    """Take at most `count` items, evenly spaced.

    So every class of a sorted folder keeps its share. The selection is the same every time.
    """
    if len(items) <= count:
        return list(items)
    return [items[index * len(items) // count] for index in range(count)]


def prepare(path: Path, spec: ModelSpec) -> Array:
    """Prepare one image as the network's input: (1, 3, H, W), or (1, H, W, 3), of float32.

    The shorter side is resized to H / crop_pct, the middle is cut out, and values are scaled to
    0..1 and normalised by channel. A network that takes uint8 gets them rounded. Raises
    `ImageError` for a file that cannot be read, `UserError` for a network that states no
    preprocessing or takes no image.
    """
    height, width = _size(spec)
    preprocessing = _preprocessing(spec)
    image = _crop(path, height, width, preprocessing)
    values = _scaled(image, preprocessing)
    [tensor] = spec.inputs
    if tensor.dtype is DType.UINT8:
        values = np.rint(values).clip(0, 255).astype(np.uint8)
    axes = (0, 1, 2) if channels_last(tensor.shape) else (2, 0, 1)
    return np.ascontiguousarray(values.transpose(axes)[None])


def normalised(image: Array, preprocessing: Preprocessing) -> Array:
    """Normalise an RGB image as a network takes it, without resizing it.

    (H, W, 3) of uint8 -> (1, 3, H, W) of float32.
    """
    values = _scaled(image, preprocessing)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None])


def _scaled(image: Image.Image | Array, preprocessing: Preprocessing) -> Array:
    values = np.asarray(image, dtype=np.float32) / np.float32(255.0)
    mean, std = (np.asarray(three, np.float32) for three in (preprocessing.mean, preprocessing.std))
    result: Array = (values - mean) / std
    return result


def pixels(path: Path, spec: ModelSpec) -> Array:
    """Prepare one image for a file with image input: (1, 3, H, W) of uint8.

    It is the same as `prepare` without normalisation.
    """
    height, width = _size(spec)
    image = _crop(path, height, width, _preprocessing(spec))
    return np.ascontiguousarray(np.asarray(image, dtype=np.uint8).transpose(2, 0, 1)[None])


def image_input(spec: ModelSpec) -> ImageInput:
    """Return a network's own normalisation, for files that take images.

    Raises the same errors as `require_images`, and `UserError` for channels last.
    """
    require_images(spec)
    if not _is_normalised(spec):
        raise UserError(
            f"{spec.name} takes {spec.inputs[0]}; a file takes images in place of float32 of "
            f"1x3xHxW only."
        )
    preprocessing = _preprocessing(spec)
    return ImageInput(mean=preprocessing.mean, std=preprocessing.std)


def normalisation(spec: ModelSpec) -> ImageInput | None:
    """Return how images are normalised for a network; None where that is not known.

    None as well for a network that takes no images.
    """
    return image_input(spec) if _is_normalised(spec) and spec.preprocessing is not None else None


def require_images(spec: ModelSpec) -> None:
    """Raise `UserError` unless images can be prepared for this network."""
    _size(spec)
    _preprocessing(spec)


def _size(spec: ModelSpec) -> tuple[int, int]:
    size = spec.resolution
    if size is None or not _takes_images(spec):
        inputs = ", ".join(map(str, spec.inputs))
        raise UserError(
            f"{spec.name} takes {inputs}; images can be given, as float32 or in 8 bits, to "
            f"networks with one input of 1x3xHxW or 1xHxWx3 only."
        )
    return size


def _takes_images(spec: ModelSpec) -> bool:
    """Return whether the only input is one colour image, in either layout."""
    shape = spec.inputs[0].shape
    if len(spec.inputs) != 1 or spec.resolution is None:
        return False
    colours = (shape[0], shape[3 if channels_last(shape) else 1]) == (1, 3)
    return colours and spec.inputs[0].dtype in _OF_IMAGES


def _is_normalised(spec: ModelSpec) -> bool:
    """Return whether the only input is an image as PyTorch has it: float32, channels first."""
    [first, *others] = spec.inputs
    image = spec.resolution is not None and first.shape[:2] == (1, 3)
    return image and not others and first.dtype is DType.FLOAT32


def _preprocessing(spec: ModelSpec) -> Preprocessing:
    if spec.preprocessing is None:
        raise UserError(
            f"It is not known how images are prepared for {spec.name}; state it with "
            f"--mean and --std (three numbers each, in 0..1)."
        )
    return spec.preprocessing


def opened(path: Path) -> Image.Image:
    """Read an image file as RGB. Raises `ImageError`."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,  # decoders raise these two for a damaged file
        SyntaxError,
        Image.DecompressionBombError,
    ) as error:
        raise ImageError(
            f"The image {path} cannot be read ({error}); remove it or replace it."
        ) from error


def _crop(path: Path, height: int, width: int, how: Preprocessing) -> Image.Image:
    from PIL import Image

    image = opened(path)
    tall, wide = math.floor(height / how.crop_pct), math.floor(width / how.crop_pct)
    _require_possible(path, image, max(tall, wide))
    # The other side is cut to whole pixels and the offset of the crop is rounded, as torchvision
    # does it.
    if image.height * wide >= image.width * tall:
        size = (wide, int(wide * image.height / image.width))
    else:
        size = (int(tall * image.width / image.height), tall)
    resampling = Image.Resampling[how.filter.upper()]
    resized = image.resize(size, resampling)
    left, top = round((size[0] - width) / 2), round((size[1] - height) / 2)
    return resized.crop((left, top, left + width, top + height))


def _require_possible(path: Path, image: Image.Image, shorter: int) -> None:
    """Raise `ImageError` where an image that is resized to a shorter side has too many pixels."""
    ratio = max(image.width, image.height) / min(image.width, image.height)
    if shorter * shorter * ratio > MOST_PIXELS:
        raise ImageError(
            f"The image {path} has {image.width}x{image.height} pixels, and would be "
            f"{shorter}x{shorter * ratio:.0f} before the crop; cut it, or remove it."
        )
