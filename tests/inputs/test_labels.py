"""Read class labels from files, and check whether they fit a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from mobilebench.errors import UserError
from mobilebench.inputs import labels
from mobilebench.values.tensor import TensorSpec


def test_labels_come_back_as_they_were_written(tmp_path: Path) -> None:
    names = ("tench", "great white shark", "Brötchen")
    labels.write(tmp_path, names)
    assert labels.read(tmp_path / labels.LABELS_FILE) == names


def test_the_digest_depends_on_order_and_on_where_labels_end() -> None:
    digests = {labels.sha256(names) for names in (("a", "b"), ("b", "a"), ("a b",), ("ab",))}
    assert len(digests) == 4


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"a\n\nb\n", "line 2 of .* is empty"),
        (b"a\n  \n", "line 2 of .* is empty"),
        (b"a\nb\na\n", "'a' on the lines 1, 3"),
        (b"a\n\xff\n", "not text in UTF-8"),
    ],
)
def test_a_file_that_names_no_outputs_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=told):
        labels.read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        labels.read(tmp_path / "none.txt")


def test_labels_fit_one_row_of_scores_of_their_number() -> None:
    scores = TensorSpec(name="y", shape=(1, 3))
    labels.require_fitting(("a", "b", "c"), [scores], "net")
    with pytest.raises(UserError, match="net has 3 scores, and 2 class labels for them"):
        labels.require_fitting(("a", "b"), [scores], "net")
    for outputs in ([scores, scores], [TensorSpec(name="y", shape=(1, 3, 7, 7))]):
        with pytest.raises(UserError, match="one output of 1xCLASSES only"):
            labels.require_fitting(("a", "b", "c"), outputs, "net")
