"""`mobilebench verify`: verify artifacts again, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.options import Artifacts, Json

if TYPE_CHECKING:
    from mobilebench.inputs.source import InputSource
    from mobilebench.values.artifact import Agreement, Artifact, Parity


def command(
    artifacts: Artifacts,
    calibration: Annotated[
        Path | None,
        typer.Option(help="The folder of images that quantized artifacts were judged on."),
    ] = None,
    json: Json = False,
) -> None:
    """Run artifacts on the reference inputs again and compare with PyTorch's outputs.

    The outputs to match are in the bundle: neither torch nor the weights are needed, unless the
    format has no runtime here. Exit code 1 where one is not equal, else 3 where one is for a
    delegate that nothing on a host can run.
    """
    from mobilebench.inputs.source import InputSource
    from mobilebench.values import wire
    from mobilebench.values.artifact import Artifact

    source = InputSource(calibration)
    results = [_verify(Artifact.load(folder), source) for folder in artifacts]
    if json:
        output.show_json(
            [
                {
                    "folder": str(artifact.folder),
                    "parity": [wire.to_plain(result) for result in parity],
                    "unverified": _unverified(artifact, parity),
                    "agreement": agreement and wire.to_plain(agreement),
                }
                for artifact, parity, agreement in results
            ]
        )
    else:
        for artifact, parity, agreement in results:
            for result in parity:
                verdict = "equal" if result.passed else "NOT EQUAL"
                output.show_line(f"{artifact.name}: {verdict}: {result.description}")
            if agreement is not None:
                verdict = "agrees" if agreement.passed else "DOES NOT AGREE"
                words = agreement.description
                output.show_line(f"{artifact.name}: {verdict}: {words}")
            reason = _unverified(artifact, parity)
            if reason:
                output.show_line(f"{artifact.name}: NOT VERIFIED: {reason}")
    passed = [result.passed for _, parity, _ in results for result in parity]
    passed += [agreement.passed for _, _, agreement in results if agreement is not None]
    if not all(passed):
        raise typer.Exit(1)
    if not all(parity for _, parity, _ in results):
        raise typer.Exit(3)


def _unverified(artifact: Artifact, parity: tuple[Parity, ...]) -> str | None:
    from mobilebench.verifying import verification

    return None if parity else verification.unverifiable(artifact.manifest.recipe)


def _verify(
    artifact: Artifact, source: InputSource
) -> tuple[Artifact, tuple[Parity, ...], Agreement | None]:
    from mobilebench.inputs.source import InputSource
    from mobilebench.values.recipe import NOISE
    from mobilebench.verifying import verification

    parity = verification.verify_bundle(artifact)
    judged = artifact.manifest.facts.agreement
    if judged is None:
        return artifact, parity, None
    if judged.source == NOISE:
        return artifact, parity, verification.agree_bundle(artifact, InputSource())
    if source.folder is not None and source.agreement_source() == judged.source:
        return artifact, parity, verification.agree_bundle(artifact, source)
    output.tell(
        f"{artifact.name} was judged on images, and --calibration does not name their folder: its "
        f"agreement was not verified again."
    )
    return artifact, parity, None
