"""ImageFolder: labelled images on disk, a folder for each class, as torchvision lays them out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.inputs import images
from mobilebench.values import value

_NAMED = 3
"""How many names an error gives of many."""


@value
class LabelledImage:
    """One image and the class it shows."""

    path: str
    """Relative to the data set's folder, with slashes."""
    label: int
    """Index into the class names, and of the network's output."""


@dataclass(frozen=True)
class ImageFolder:
    """The images of a data set, in the order of classes and of paths."""

    folder: Path
    classes: tuple[str, ...]
    """Names by the index of the network's output; some may have no image."""
    from_file: bool
    """Whether the names were given, rather than taken from the folders."""
    images: tuple[LabelledImage, ...]
    available: int
    """How many images there are, those included that a limit left out."""

    @classmethod
    def find(cls, folder: Path, classes_file: Path | None = None) -> ImageFolder:
        """Look a data set up: FOLDER/CLASS/.../IMAGE.

        Classes are the folders' names in their order, or the lines of a file where it is given;
        then folders may be missing. Names that begin with a dot are passed over. Raises
        `UserError` for a folder that does not exist, has no class folders or has an empty one,
        and for one whose name is not in the file.
        """
        folders = _class_folders(folder)
        names = [place.name for place in folders]
        classes = names if classes_file is None else _read_classes(classes_file)
        index = {name: number for number, name in enumerate(classes)}
        strange = [name for name in names if name not in index]
        if strange:
            raise UserError(
                f"{_listed(strange)} in {folder} is not in {classes_file}; that file has to name "
                f"the class of every folder."
            )
        found: list[LabelledImage] = []
        empty = []
        for place in sorted(folders, key=lambda place: index[place.name]):
            paths = images.below(place)
            if not paths:
                empty.append(place.name)
            found += [
                LabelledImage(path=path.relative_to(folder).as_posix(), label=index[place.name])
                for path in paths
            ]
        if empty:
            raise UserError(
                f"{_listed(empty)} in {folder} holds no image; files ending in "
                f"{', '.join(images.SUFFIXES)} are taken. Remove empty folders, and name all "
                f"classes in a file with --classes."
            )
        return cls(folder, tuple(classes), classes_file is not None, tuple(found), len(found))

    def limited(self, count: int) -> ImageFolder:
        """At most so many of the images, at even distances: every class keeps its share."""
        return replace(self, images=tuple(images.spread(self.images, count)))

    def listing_sha256(self) -> str:
        """sha256 over names, labels, sizes and times of change of the files, without reading them.

        Raises `UserError` where one is gone.
        """
        digest = hashlib.sha256()
        for image in self.images:
            path = self.folder / image.path
            try:
                found = path.stat()
            except OSError as error:
                raise UserError(f"The image {path} cannot be looked at: {error}.") from error
            line = f"{image.label}\0{image.path}\0{found.st_size}\0{found.st_mtime_ns}\n"
            digest.update(line.encode())
        return digest.hexdigest()

    def require_outputs(self, count: int, network: str) -> None:
        """Raise `UserError` unless there is a class for each of a network's `count` scores."""
        if len(self.classes) == count:
            return
        has = "the file of classes names" if self.from_file else f"{self.folder} has folders for"
        raise UserError(
            f"{network} gives scores for {count} classes, and {has} {len(self.classes)}; give a "
            f"file with --classes that names the folder of each score, one per line in their order."
        )


def _class_folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise UserError(
            f"The data set {folder} {found}; give a folder that has one folder for each class."
        )
    folders = sorted(
        (place for place in folder.iterdir() if place.is_dir() and not place.name.startswith(".")),
        key=lambda place: place.name,
    )
    if not folders:
        raise UserError(
            f"The data set {folder} has no folders of classes; the images of each class belong "
            f"into a folder of their own, such as {folder / 'cat' / '1.jpg'}."
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
    twice = sorted({name for name in names if names.count(name) > 1})
    if not names or "" in names or twice:
        found = "is empty" if not names else "has a line without a name"
        raise UserError(
            f"The file of classes {path} {f'names {_listed(twice)} twice' if twice else found}; "
            f"it needs one name per line, in the order of the network's scores."
        )
    return names


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(repr(name) for name in names[:_NAMED]) + more
