"""The batches of a training: their order and every random part are those of a seed.

What a step gets depends on the seed, the epoch and the image alone, never on how often the program
was started, or on the number of workers. So a run that goes on gets the same batches.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mobilebench.errors import ImageError, UserError
from mobilebench.inputs import augmented, images
from mobilebench.inputs.folder import ImageFolder
from mobilebench.notation.quantities import counted
from mobilebench.values.modelspec import ModelSpec
from mobilebench.values.training import TrainingRecipe

Place = tuple[int, int]
"""An epoch, and the number of an image in the data set."""
Item = tuple[Tensor, int] | str
"""An image with its label, or the sentence that says why it cannot be read."""


@dataclass(frozen=True)
class TrainingData:
    """Images to learn from, and others to judge on, with the same classes."""

    train: ImageFolder
    val: ImageFolder

    @classmethod
    def find(cls, folder: Path) -> TrainingData:
        """Find FOLDER/train/CLASS/... and FOLDER/val/CLASS/...

        Raises `UserError` where one of them is missing, has other classes than the other, or fewer
        than two.
        """
        for part in ("train", "val"):
            if folder.is_dir() and not (folder / part).is_dir():
                raise UserError(
                    f"The data set {folder} has no folder {part}; put the images into "
                    f"{folder / 'train'} and {folder / 'val'}, with a folder for each class."
                )
        train, val = (ImageFolder.find(folder / part) for part in ("train", "val"))
        for one, other in ((train, val), (val, train)):
            missing = [name for name in one.classes if name not in other.classes]
            if missing:
                raise UserError(
                    f"{one.folder} has a folder for the class {missing[0]!r}, and {other.folder} "
                    f"has none ({counted(len(missing), 'class', 'classes')} differ); give both the "
                    f"same classes."
                )
        if len(train.classes) < 2:
            raise UserError(
                f"{train.folder} has the one class {train.classes[0]!r}, so there is nothing to "
                f"tell apart; give at least two."
            )
        return cls(train, val)

    def require_batch(self, size: int, devices: int = 1) -> None:
        """Raise `UserError` where a batch cannot be filled or shared among devices."""
        count = len(self.train.images)
        if size > count:
            raise UserError(
                f"--batch-size is {size}, and {self.train.folder} has {counted(count, 'image')}; "
                f"give {count} or less."
            )
        if size % devices or size // devices < 2:
            raise UserError(
                f"--batch-size is {size}, for {devices} devices; give a multiple of {devices}, "
                f"with at least 2 images for each."
            )


def images_of_epoch(seed: int, epoch: int, count: int) -> list[int]:
    """Return the numbers of all images in the order of an epoch."""
    order = list(range(count))
    random.Random(f"order {seed} {epoch}").shuffle(order)
    return order


def batches(
    data: ImageFolder,
    spec: ModelSpec,
    recipe: TrainingRecipe,
    *,
    first_step: int,
    part: tuple[int, int] = (0, 1),
    workers: int = 0,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches from a step to the end: images (N, 3, H, W) and labels (N,).

    `part` is (process, processes): a batch is dealt out to the processes like cards. Raises
    `ImageError` for a file that cannot be read.
    """
    return _loaded(
        _Drawn(data, spec, recipe), _places(len(data.images), recipe, first_step, part), workers
    )


def judged(
    data: ImageFolder,
    spec: ModelSpec,
    *,
    batch: int,
    part: tuple[int, int] = (0, 1),
    workers: int = 0,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield all images of a data set once, prepared as for an evaluation, with their labels."""
    numbers = range(part[0], len(data.images), part[1])
    places = [
        [(0, number) for number in numbers[i : i + batch]] for i in range(0, len(numbers), batch)
    ]
    return _loaded(_Whole(data, spec), places, workers)


def _places(
    count: int, recipe: TrainingRecipe, first_step: int, part: tuple[int, int]
) -> Iterator[list[Place]]:
    steps = count // recipe.batch_size
    for epoch in range(first_step // steps, recipe.epochs):
        order = images_of_epoch(recipe.seed, epoch, count)
        for step in range(first_step - epoch * steps if epoch == first_step // steps else 0, steps):
            batch = order[step * recipe.batch_size : (step + 1) * recipe.batch_size]
            yield [(epoch, number) for number in batch[part[0] :: part[1]]]


class _Drawn(Dataset[Item]):
    """Images with their random parts."""

    def __init__(self, data: ImageFolder, spec: ModelSpec, recipe: TrainingRecipe) -> None:
        self._data, self._spec, self._recipe = data, spec, recipe

    def __getitem__(self, place: Place) -> Item:
        epoch, number = place
        image, recipe = self._data.images[number], self._recipe
        draw = random.Random(f"part {recipe.seed} {epoch} {number}")
        try:
            array = augmented.prepare(
                self._data.folder / image.path,
                self._spec,
                draw,
                least=recipe.least_crop,
                flip=recipe.flip,
            )
        except ImageError as error:  # of a worker it would come with its traceback
            return str(error)
        return torch.from_numpy(array), image.label


class _Whole(Dataset[Item]):
    """Images as they are for an evaluation."""

    def __init__(self, data: ImageFolder, spec: ModelSpec) -> None:
        self._data, self._spec = data, spec

    def __getitem__(self, place: Place) -> Item:
        image = self._data.images[place[1]]
        try:
            array = images.prepare(self._data.folder / image.path, self._spec)
        except ImageError as error:
            return str(error)
        return torch.from_numpy(array), image.label


def _joined(items: Sequence[Item]) -> tuple[Tensor, Tensor] | str:
    for item in items:
        if isinstance(item, str):
            return item
    pairs = [item for item in items if not isinstance(item, str)]
    return torch.cat([image for image, _ in pairs]), torch.tensor([label for _, label in pairs])


def _loaded(
    data: Dataset[Item], places: Iterator[list[Place]] | list[list[Place]], workers: int
) -> Iterator[tuple[Tensor, Tensor]]:
    loader = DataLoader(
        data,
        batch_sampler=places,
        collate_fn=_joined,
        num_workers=workers,
        # Its own, so that a loader draws nothing from the network's random numbers.
        generator=torch.Generator().manual_seed(0),
    )
    for batch in loader:
        if isinstance(batch, str):
            raise ImageError(batch)
        yield batch
