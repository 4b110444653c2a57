"""Open the artifacts that a verb is given: bundles, and bare model files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobilebench.cli import output

if TYPE_CHECKING:
    from mobilebench.values.artifact import Artifact

_ADOPTED = Path("artifacts")


def opened(paths: Sequence[Path], inputs: Sequence[str] | None, adopt: bool) -> list[Artifact]:
    """Open artifacts by the options --input and --adopt.

    Among several paths, as a shell makes of `FOLDER/*`, others than artifacts are left out, which
    is told. Raises as `given.open_artifacts` and `given.adopt` do.
    """
    from mobilebench.errors import UserError
    from mobilebench.inspecting import given
    from mobilebench.inspecting.inspection import is_model_file
    from mobilebench.values.tensor import parse_sizes

    others = [path for path in paths if path.exists() and not _is_artifact(path)]
    if len(others) < len(paths):
        for path in others:
            output.tell(f"left out: {path} is neither a bundle nor a model file.")
        paths = [path for path in paths if path not in others]
    artifacts = given.open_artifacts(paths, [parse_sizes(text) for text in inputs or ()])
    if not adopt:
        return artifacts
    bare = [is_model_file(path) for path in paths]
    if not any(bare):
        raise UserError("--adopt keeps bare model files as bundles; these are bundles already.")
    return [
        _adopted(artifact) if is_bare else artifact
        for artifact, is_bare in zip(artifacts, bare, strict=True)
    ]


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
    from mobilebench.values.artifact import MANIFEST_FILE

    return is_model_file(path) or (path / MANIFEST_FILE).is_file()


def _adopted(artifact: Artifact) -> Artifact:
    from mobilebench.inspecting import given

    bundle = given.adopt(artifact, _ADOPTED)
    output.tell(f"kept as {bundle.folder}")
    return bundle
