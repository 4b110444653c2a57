"""List folders of images, and refuse those that are not data sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench.inputs.folder import ImageFolder


def _touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def test_classes_are_folders_by_name_and_images_lie_anywhere_below(tmp_path: Path) -> None:
    _touch(tmp_path, "b/2.JPEG", "b/1.png", "a/deep/x.webp", "B/3.jpg", "README.txt", "a/note.txt")
    _touch(tmp_path, ".cache/1.jpg", "a/.hidden.png")
    folder = ImageFolder.find(tmp_path)
    assert folder.classes == ("B", "a", "b")  # as sorted() and torchvision have it
    assert [(image.path, image.label) for image in folder.images] == [
        ("B/3.jpg", 0),
        ("a/deep/x.webp", 1),
        ("b/1.png", 2),
        ("b/2.JPEG", 2),
    ]


def test_a_file_of_classes_says_which_score_a_folder_is(tmp_path: Path) -> None:
    data = _touch(tmp_path / "data", "n02/1.png", "n01/1.png")
    (tmp_path / "classes.txt").write_text("n03\nn02\nn01\n")
    folder = ImageFolder.find(data, tmp_path / "classes.txt")
    assert [(image.path, image.label) for image in folder.images] == [
        ("n02/1.png", 1),
        ("n01/1.png", 2),
    ]
    folder.require_outputs(3, "net")


def test_a_limit_takes_from_every_class(tmp_path: Path) -> None:
    _touch(tmp_path, *(f"{name}/{number}.png" for name in "abc" for number in range(9)))
    some = ImageFolder.find(tmp_path).limited(6)
    assert [image.label for image in some.images] == [0, 0, 1, 1, 2, 2]
    assert some.available == 27


def test_the_listing_knows_a_file_that_changed(tmp_path: Path) -> None:
    folder = ImageFolder.find(_touch(tmp_path, "a/1.png", "b/1.png"))
    before = folder.listing_sha256()
    assert folder.listing_sha256() == before
    (tmp_path / "a/1.png").write_bytes(b"more")
    assert folder.listing_sha256() != before
    (tmp_path / "a/1.png").unlink()
    with pytest.raises(UserError, match="cannot be found"):
        folder.listing_sha256()


def test_folders_that_are_no_data_set_are_one_sentence(tmp_path: Path) -> None:
    for name, sentence in (
        ("missing", "does not exist"),
        ("file", "is a file"),
        ("empty", "has no folders of classes"),
        ("flat", "has no folders of classes"),
        ("hole", "'b' in .* holds no image"),
    ):
        (tmp_path / "empty").mkdir(exist_ok=True)
        _touch(tmp_path, "file", "flat/1.png", "hole/a/1.png", "hole/b/readme.txt")
        with pytest.raises(UserError, match=sentence):
            ImageFolder.find(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "is empty"),
        ("a\n\nb\n", "has a line without a name"),
        ("a\nb\na\n", "names 'a' twice"),
        ("a\n", "'b' in .* is not in"),
        ("c\n", "'a', 'b' in .* are not in"),
    ],
)
def test_a_wrong_file_of_classes_is_one_sentence(tmp_path: Path, text: str, found: str) -> None:
    data = _touch(tmp_path / "data", "a/1.png", "b/1.png")
    (tmp_path / "classes.txt").write_text(text)
    with pytest.raises(UserError, match=found):
        ImageFolder.find(data, tmp_path / "classes.txt")


def test_another_number_of_classes_than_scores_is_one_sentence(tmp_path: Path) -> None:
    folder = ImageFolder.find(_touch(tmp_path, "a/1.png", "b/1.png"))
    with pytest.raises(UserError, match="gives scores for 3 classes, and .* has folders for 2"):
        folder.require_outputs(3, "net")
