"""Labelled images on disk, one folder for each class, as torchvision lays them out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.inputs import images
from mobilebench.notation.quantities import counted
from mobilebench.values import value

_NAMED = 3
"""How many of many names an error lists."""


@value
class LabelledImage:
    """One image and the class it shows."""

    path: str
    """Relative to the data set's folder, with slashes."""
    label: int
    """Index into the class names and into the network's output."""


@dataclass(frozen=True)
class ImageFolder:
    """The images of a data set, sorted by class and by path."""

    folder: Path
    classes: tuple[str, ...]
    """Names in the order of the network's outputs; some classes may have no image."""
    from_file: bool
    """Whether the names come from a file, rather than from the folders."""
    images: tuple[LabelledImage, ...]
    available: int
    """Number of images, including those that a limit left out."""

    @classmethod
    def find(cls, folder: Path, classes_file: Path | None = None) -> ImageFolder:
        """Find the images of a data set: FOLDER/CLASS/.../IMAGE.

        Classes are the sorted names of the folders, or the lines of `classes_file`; with a file,
        folders may be missing. Names that begin with a dot are skipped. Raises `UserError` for a
        data set that does not exist, has no class folders or has an empty one, and for a class
        folder that the file does not name.
        """
        folders = _class_folders(folder)
        names = [place.name for place in folders]
        classes = names if classes_file is None else _read_classes(classes_file)
        index = {name: number for number, name in enumerate(classes)}
        unknown = [name for name in names if name not in index]
        if unknown:
            raise UserError(
                f"{_listed(unknown)} in {folder} {_verb(unknown, 'is', 'are')} not in "
                f"{classes_file}; that file has to name the class of every folder."
            )
        labelled_images: list[LabelledImage] = []
        empty = []
        for place in sorted(folders, key=lambda place: index[place.name]):
            paths = images.below(place)
            if not paths:
                empty.append(place.name)
            labelled_images += [
                LabelledImage(path=path.relative_to(folder).as_posix(), label=index[place.name])
                for path in paths
            ]
        if empty:
            raise UserError(
                f"{_listed(empty)} in {folder} {_verb(empty, 'holds', 'hold')} no image; files "
                f"ending in {', '.join(images.SUFFIXES)} are taken. Remove empty folders, and name "
                f"all classes in a file with --classes."
            )
        return cls(
            folder,
            tuple(classes),
            classes_file is not None,
            tuple(labelled_images),
            len(labelled_images),
        )

    def limited(self, count: int) -> ImageFolder:
        """Take at most `count` images, evenly spaced.

        Every class keeps its share.
        """
        return replace(self, images=tuple(images.spread(self.images, count)))

    def listing_sha256(self) -> str:
        """Return sha256 over the images' labels, paths, sizes and modification times.

        The files are not read. Raises `UserError` where one is missing.
        """
        digest = hashlib.sha256()
        for image in self.images:
            path = self.folder / image.path
            try:
                status = path.stat()
            except OSError as error:
                raise UserError(f"The image {path} cannot be found: {error}.") from error
            line = f"{image.label}\0{image.path}\0{status.st_size}\0{status.st_mtime_ns}\n"
            digest.update(line.encode())
        return digest.hexdigest()

    def require_outputs(self, count: int, network: str) -> None:
        """Raise `UserError` unless there is a class for each of a network's `count` scores."""
        if len(self.classes) == count:
            return
        has = "the file of classes names" if self.from_file else f"{self.folder} has folders for"
        raise UserError(
            f"{network} gives scores for {counted(count, 'class', 'classes')}, and {has} "
            f"{len(self.classes)}; give a file with --classes that names the folder of each score, "
            f"one per line in their order."
        )


def _class_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        state = "is a file" if folder.exists() else "does not exist"
        raise UserError(
            f"The data set {folder} {state}; give a folder that has one folder for each class."
        )
    folders = sorted(
        (place for place in folder.iterdir() if place.is_dir() and not place.name.startswith(".")),
        key=lambda place: place.name,
    )
    if not folders:
        raise UserError(
            f"The data set {folder} has no folders of classes; put the images of each class "
            f"into a separate folder, such as {folder / 'cat' / '1.jpg'}."
        )
    return folders


def _read_classes(path: Path) -> list[str]:
    try:
        names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"The file of classes {path} cannot be read ({error}); give a text file with one name "
            f"per line."
        ) from error
    repeated = sorted({name for name in names if names.count(name) > 1})
    if not names or "" in names or repeated:
        problem = "is empty" if not names else "has a line without a name"
        raise UserError(
            f"The file of classes {path} "
            f"{f'names {_listed(repeated)} twice' if repeated else problem}; it needs one name "
            f"per line, in the order of the network's scores."
        )
    return names


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(repr(name) for name in names[:_NAMED]) + more


def _verb(names: Sequence[str], one: str, many: str) -> str:
    return one if len(names) == 1 else many
