"""Read and write class labels: the names of a network's outputs, one on each line."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.notation.quantities import counted
from mobilebench.values.tensor import TensorSpec

LABELS_FILE = "labels.txt"
"""Name of the labels file in a bundle."""


def read(path: Path) -> tuple[str, ...]:
    """Read the labels of a UTF-8 file, in the order of the outputs.

    Raises `UserError` where the file does not exist or is not text, or a line is empty or repeated:
    a classifier answers by label, so labels must differ.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(
            f"The class labels {path} cannot be read ({error.strerror}); give a text file with "
            f"one label on each line."
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"The class labels {path} are not text in UTF-8 (byte {error.start}); give a text "
            f"file with one label on each line."
        ) from error
    labels = tuple(line.strip() for line in lines)
    empty = [number for number, label in enumerate(labels, start=1) if not label]
    if empty or not labels:
        where = f"line {empty[0]} of {path} is empty" if empty else f"{path} is empty"
        raise UserError(f"Every output needs a label, but {where}; write one label on each line.")
    [(label, count)] = Counter(labels).most_common(1)
    if count > 1:
        numbers = [str(n) for n, other in enumerate(labels, start=1) if other == label]
        raise UserError(
            f"A classifier answers by label, but {path} has {label!r} on the lines "
            f"{', '.join(numbers)}; make every label different."
        )
    return labels


def write(folder: Path, labels: Sequence[str]) -> None:
    """Write labels into a bundle."""
    (folder / LABELS_FILE).write_text("\n".join(labels) + "\n", encoding="utf-8")


def sha256(labels: Sequence[str]) -> str:
    """Return the sha256 that a recipe records: over all labels, each with a newline after it."""
    return hashlib.sha256("".join(f"{label}\n" for label in labels).encode()).hexdigest()


def require_fitting(labels: Sequence[str], outputs: Sequence[TensorSpec], model: str) -> None:
    """Raise `UserError` unless there is one label for each of a network's class scores."""
    if len(outputs) != 1 or len(outputs[0].shape) != 2 or outputs[0].shape[0] != 1:
        raise UserError(
            f"Class labels were given for {model}, whose outputs are "
            f"{'; '.join(map(str, outputs))}; they fit one output of 1xCLASSES only."
        )
    scores = outputs[0].shape[1]
    if len(labels) != scores:
        raise UserError(
            f"{model} has {counted(scores, 'score')}, and {counted(len(labels), 'class label')} "
            f"for them; give one label for each."
        )
