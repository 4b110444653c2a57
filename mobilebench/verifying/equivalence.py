"""Compare the outputs of two artifacts on the same inputs, without their networks."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from mobilebench import plugins
from mobilebench.errors import CellFailed, UserError
from mobilebench.inputs import seeded
from mobilebench.inputs.seeded import Batch
from mobilebench.observer import Observer, Silent
from mobilebench.values import value
from mobilebench.values.artifact import Artifact, Parity
from mobilebench.values.measurement import Stage
from mobilebench.values.recipe import Precision
from mobilebench.values.tensor import DType, TensorSpec
from mobilebench.verifying import parity, prediction
from mobilebench.verifying.matching import Ends, Match, match
from mobilebench.verifying.reference import Reference

_SEED = 1000
_FLOATS = (DType.FLOAT32, DType.FLOAT16)
_WHOLE = (DType.INT32, DType.INT64)


@value
class Equivalence:
    """How far the second artifact's outputs are from the first one's."""

    parity: Parity
    """The first one's outputs are the reference."""
    within: Precision
    """The precision whose limits of parity were applied."""
    evaluated_by: tuple[str, str]
    """The runtimes of both, with their versions."""
    outputs: tuple[str, ...]
    """Names of the outputs in the first file."""
    inputs: str
    """What both were run on."""
    notes: tuple[str, ...]
    """How inputs and outputs were matched, where it is not by name and in the same layout."""

    def __repr__(self) -> str:
        error = f"relative error {self.parity.error_text}"
        return f"<Equivalence on {self.inputs}: {self.verdict}, {error}>"

    @property
    def verdict(self) -> str:
        """The result in words; only outputs without any difference are called equal."""
        if not self.parity.finite:
            return "not comparable: an output is not finite"
        if self.parity.bit_equal:
            return "equal in every element"
        words = "within" if self.parity.passed else "NOT within"
        return f"different, {words} the limits of {self.within}"


def compare(
    first: Artifact,
    second: Artifact,
    within: Precision,
    cancel: Event | None = None,
    observer: Observer | None = None,
) -> Equivalence:
    """Run two artifacts on the same inputs and compare their outputs.

    The inputs are those that a bundle among them was verified on, else seeded noise. Raises
    `UserError` where inputs or outputs do not match, `CellFailed` where a file does not run.
    """
    inputs, batches = _inputs(first, second)
    watching = observer or Silent()
    by_first, expected = _predicted(first, batches[0], cancel, watching)
    by_second, outputs = _predicted(second, batches[1], cancel, watching)
    here, there = _outputs(first, expected[0]), _outputs(second, outputs[0])
    matched = match("output", here, there)
    return Equivalence(
        parity=parity.compare(
            expected,
            [matched.take(batch) for batch in outputs],
            bound=parity.limits(within),
            evaluated_by=by_second,
        ),
        within=within,
        evaluated_by=(by_first, by_second),
        outputs=here.names,
        inputs=inputs.words,
        notes=(*inputs.notes, *matched.notes("output")),
    )


@value
class _Inputs:
    words: str
    notes: tuple[str, ...]


def _inputs(
    first: Artifact, second: Artifact
) -> tuple[_Inputs, tuple[Sequence[Batch], Sequence[Batch]]]:
    """Return the inputs of both files, which are the same in each one's types and layouts."""
    base, other = (second, first) if _is_base(second, first) else (first, second)
    if base.manifest.facts.given:
        words = f"{parity.INPUTS} inputs of seeded noise"
        batches: Sequence[Batch] = seeded.samples(base.manifest.inputs, parity.INPUTS, _SEED)
    else:
        reference = Reference.of_bundle(base)
        what = "images" if reference.images else "seeded inputs"
        words, batches = f"the {len(reference.inputs)} {what} of {base.name}", reference.inputs
    matched = match("input", _ends(other.manifest.inputs), _ends(base.manifest.inputs))
    converted = [_converted(base, other, matched, batch) for batch in batches]
    pair = (converted, batches) if base is second else (batches, converted)
    return _Inputs(words=words, notes=tuple(matched.notes("input"))), pair


def _is_base(one: Artifact, other: Artifact) -> bool:
    """Return whether inputs come from the first of two: pixels do, then those of a bundle."""
    pixels = [artifact.manifest.inputs[0].dtype is DType.UINT8 for artifact in (one, other)]
    if pixels[0] != pixels[1]:
        return pixels[0]
    return other.manifest.facts.given and not one.manifest.facts.given


def _converted(base: Artifact, other: Artifact, matched: Match, batch: Batch) -> Batch:
    """Return inputs of the base in the layouts and types of the other file.

    Raises `UserError` for types that have nothing in common.
    """
    image_input = base.manifest.recipe.image_input
    if image_input is not None and other.manifest.inputs[0].dtype in _FLOATS:
        batch = seeded.of_network(batch, image_input)
    arrays = matched.take(batch)
    for array, tensor in zip(arrays, other.manifest.inputs, strict=True):
        types = {DType(str(array.dtype)), tensor.dtype}
        if len(types) > 1 and not any(types <= set(kind) for kind in (_FLOATS, _WHOLE)):
            raise UserError(
                f"{other.name} takes {tensor}, and {base.name} {array.dtype} in its place: how one "
                f"becomes the other is not known, so they cannot be compared."
            )
    return [
        array.astype(tensor.dtype)
        for array, tensor in zip(arrays, other.manifest.inputs, strict=True)
    ]


def _predicted(
    artifact: Artifact, batches: Sequence[Batch], cancel: Event | None, observer: Observer
) -> prediction.Predicted:
    path, recipe = artifact.model_path, artifact.manifest.recipe
    progress, outcome = observer.started(artifact.name), "failed"
    try:
        predicted = prediction.by_runtime(path, recipe, batches, cancel) or prediction.by_evaluator(
            path, recipe, batches, cancel
        )
        outcome = f"outputs for {len(batches)} inputs"
    except CellFailed as error:
        message = f"{artifact.name}: {error.message}"
        raise CellFailed(error.stage, error.error, message, error.log_tail) from error
    finally:
        progress.finished(outcome)
    if predicted is None:
        message = f"nothing here can run {artifact.name}"
        raise CellFailed(Stage.PARITY, "NoRuntime", message)
    return predicted


def _ends(tensors: Sequence[TensorSpec]) -> Ends:
    return Ends(tuple(tensor.name for tensor in tensors), tuple(tensor.shape for tensor in tensors))


def _outputs(artifact: Artifact, batch: Batch) -> Ends:
    """Return the outputs as they were computed, with the file's names where it has as many."""
    io = plugins.exporter(artifact.manifest.recipe.format).io(artifact.model_path)
    names = [tensor.name for tensor in io.outputs]
    if len(names) != len(batch):
        names = [f"output {place}" for place in range(len(batch))]
    return Ends(tuple(names), tuple(tuple(array.shape) for array in batch))
