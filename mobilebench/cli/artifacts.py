"""Open the artifacts that a verb is given: bundles, and bare model files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mobilebench.cli import output

if TYPE_CHECKING:
    from mobilebench.errors import UserError
    from mobilebench.values.artifact import Artifact

_ADOPTED = Path("artifacts")


@dataclass(frozen=True)
class Refused:
    """A path that a verb leaves out because it cannot be opened, and why."""

    path: Path
    error: UserError


def opened(paths: Sequence[Path], inputs: Sequence[str] | None, adopt: bool) -> list[Artifact]:
    """Open artifacts by the options --input and --adopt, all of them or none.

    Raises as `given.open_artifacts` and `given.adopt` do.
    """
    artifacts, refused = _opened(paths, inputs, adopt)
    if refused:
        raise refused[0].error
    return artifacts


def opened_among(
    paths: Sequence[Path], inputs: Sequence[str] | None, adopt: bool
) -> tuple[list[Artifact], list[Refused]]:
    """Open the artifacts among paths, as a shell makes of `FOLDER/*`.

    Others than artifacts are left out, and so are damaged ones, which are returned too; both are
    told. Raises as `opened` does for a path that does not exist, and where nothing can be opened.
    """
    from mobilebench.inspecting.inspection import exists

    others = [path for path in paths if exists(path) and not _is_artifact(path)]
    if len(others) < len(paths):
        for path in dict.fromkeys(others):
            output.tell(f"left out: {path} is neither a bundle nor a model file.")
        paths = [path for path in paths if path not in others]
    artifacts, refused = _opened(paths, inputs, adopt)
    for each in refused:
        # One that is mistyped may be any: better ask than measure half of what was meant.
        if not exists(each.path) or not artifacts:
            raise each.error
    for sentence in dict.fromkeys(str(each.error) for each in refused):
        output.tell(f"left out: {sentence}")
    return artifacts, refused


def _opened(
    paths: Sequence[Path], inputs: Sequence[str] | None, adopt: bool
) -> tuple[list[Artifact], list[Refused]]:
    from mobilebench.errors import UserError
    from mobilebench.inspecting import given
    from mobilebench.inspecting.inspection import is_model_file
    from mobilebench.values.tensor import parse_sizes

    if adopt and not any(map(is_model_file, paths)):
        raise UserError("--adopt keeps bare model files as bundles; these are bundles already.")
    artifacts, refused = [], []
    results = given.open_each(paths, [parse_sizes(text) for text in inputs or ()])
    for path, result in zip(paths, results, strict=True):
        if isinstance(result, UserError):
            refused.append(Refused(path, result))
        else:
            artifacts.append(_adopted(result) if adopt and is_model_file(path) else result)
    return artifacts, refused


def weights_remarks(artifacts: Sequence[Artifact]) -> list[str]:
    """Say which artifacts are the same network and recipe, with other weights."""
    labels: dict[str, dict[str, None]] = {}
    for artifact in artifacts:
        weights = artifact.manifest.model.weights
        if weights is not None and not artifact.manifest.facts.given:
            labels.setdefault(artifact.name, {})[weights.label] = None
    return [
        f"{name} was given with several weights: {', '.join(weights)}. Each is measured; "
        f"`mobilebench leaderboard` shows the one that was measured last."
        for name, weights in labels.items()
        if len(weights) > 1
    ]


def _is_artifact(path: Path) -> bool:
    from mobilebench.inspecting.inspection import is_model_file
    from mobilebench.values.artifact import is_bundle

    return is_model_file(path) or is_bundle(path)


def _adopted(artifact: Artifact) -> Artifact:
    from mobilebench.inspecting import given

    bundle = given.adopt(artifact, _ADOPTED)
    output.tell(f"kept as {bundle.folder}")
    return bundle
