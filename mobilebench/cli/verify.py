"""`mobilebench verify`: prove artifacts again, here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output

if TYPE_CHECKING:
    from mobilebench.inputs.source import Samples
    from mobilebench.values.artifact import Agreement, Artifact, Parity


def command(
    artifacts: Annotated[list[Path], typer.Argument(metavar="ARTIFACT...", help="Bundle folders.")],
    calibration: Annotated[
        Path | None,
        typer.Option(help="The folder of images that quantized artifacts were judged on."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Every figure, as JSON.")] = False,
) -> None:
    """Run artifacts on the reference inputs again and compare with PyTorch's outputs.

    The outputs to match are in the bundle: neither torch nor the weights are needed, unless the
    format has no runtime here. Exit code 1 where one is not equal, else 3 where one is for a
    delegate that nothing on a host can run.
    """
    from mobilebench.inputs.source import Samples
    from mobilebench.values import wire
    from mobilebench.values.artifact import Artifact

    samples = Samples(calibration)
    results = [_prove(Artifact.load(folder), samples) for folder in artifacts]
    if json:
        output.show_json(
            [
                {
                    "folder": str(artifact.folder),
                    "parity": [wire.to_plain(result) for result in proven],
                    "unverified": _unverified(artifact, proven),
                    "agreement": agreement and wire.to_plain(agreement),
                }
                for artifact, proven, agreement in results
            ]
        )
    else:
        for artifact, proven, agreement in results:
            for result in proven:
                verdict = "equal" if result.passed else "NOT EQUAL"
                output.show_text(f"{artifact.name}: {verdict}: {result.description}\n")
            if agreement is not None:
                verdict = "agrees" if agreement.passed else "DOES NOT AGREE"
                words = agreement.description
                output.show_text(f"{artifact.name}: {verdict}: {words}\n")
            reason = _unverified(artifact, proven)
            if reason:
                output.show_text(f"{artifact.name}: NOT VERIFIED: {reason}\n")
    passed = [result.passed for _, proven, _ in results for result in proven]
    passed += [agreement.passed for _, _, agreement in results if agreement is not None]
    if not all(passed):
        raise typer.Exit(1)
    if not all(proven for _, proven, _ in results):
        raise typer.Exit(3)


def _unverified(artifact: Artifact, proven: tuple[Parity, ...]) -> str | None:
    from mobilebench.verifying import verification

    return None if proven else verification.unverifiable(artifact.manifest.recipe)


def _prove(
    artifact: Artifact, samples: Samples
) -> tuple[Artifact, tuple[Parity, ...], Agreement | None]:
    from mobilebench.inputs.source import Samples
    from mobilebench.values.recipe import NOISE
    from mobilebench.verifying import verification

    proven = verification.verify(artifact)
    judged = artifact.manifest.facts.agreement
    if judged is None:
        return artifact, proven, None
    if judged.source == NOISE:
        return artifact, proven, verification.agree(artifact, Samples())
    if samples.folder is not None and samples.agreement_source() == judged.source:
        return artifact, proven, verification.agree(artifact, samples)
    output.tell(
        f"{artifact.name} was judged on images, and --calibration does not name their folder: its "
        f"agreement was not proven again."
    )
    return artifact, proven, None
