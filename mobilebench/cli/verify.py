"""`mobilebench verify`: verify artifacts again, on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mobilebench.cli import output
from mobilebench.cli.artifacts import opened
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Adopt, Artifacts, Inputs, Json

if TYPE_CHECKING:
    from mobilebench.inputs.source import InputSource
    from mobilebench.values.artifact import Agreement, Artifact, Parity
    from mobilebench.verifying.trial import Trial


def command(
    artifacts: Artifacts,
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            rich_help_panel=Panel.IMAGES,
            help="The folder of images that quantized artifacts were judged on.",
        ),
    ] = None,
    inputs: Inputs = None,
    adopt: Adopt = False,
    json: Json = False,
) -> None:
    """Run artifacts on the reference inputs again and compare with PyTorch's outputs at export.

    The outputs to match are in the bundle: neither torch nor the weights are needed, unless the
    format has no runtime here. Whether the network has changed since is for export to say. A model
    file from elsewhere has no outputs to match: it is run on seeded inputs, and its outputs have to
    be finite and the same twice. Exit code 1 where one is not equal or fails, else 3 where one has
    no reference, or is for a delegate that nothing on a host can run.
    """
    from mobilebench.inputs.source import InputSource
    from mobilebench.values import wire

    source = InputSource(calibration)
    results = [_verify(artifact, source) for artifact in opened(artifacts, inputs, adopt)]
    if json:
        output.show_json(
            [
                {
                    "folder": str(artifact.folder),
                    "parity": [wire.to_plain(result) for result in parity],
                    "unverified": _unverified(artifact, parity),
                    "agreement": agreement and wire.to_plain(agreement),
                    "trials": [wire.to_plain(trial) for trial in trials],
                }
                for artifact, parity, agreement, trials in results
            ]
        )
    else:
        for artifact, parity, agreement, trials in results:
            for result in parity:
                verdict = "equal" if result.passed else "NOT EQUAL"
                output.show_line(
                    f"{artifact.name}: {verdict}: {result.description}, compared with PyTorch's "
                    f"outputs when it was exported"
                )
            if agreement is not None:
                verdict = "same class" if agreement.passed else "NOT THE SAME CLASS OFTEN ENOUGH"
                words = agreement.description
                output.show_line(f"{artifact.name}: {verdict}: {words}")
            reason = _unverified(artifact, parity)
            if reason:
                output.show_line(f"{artifact.name}: NOT VERIFIED: {reason}")
            for trial in trials:
                output.show_line(f"{artifact.name}: {trial.description}")
    passed = [result.passed for _, parity, _, _ in results for result in parity]
    passed += [agreement.passed for _, _, agreement, _ in results if agreement is not None]
    passed += [trial.passed for _, _, _, trials in results for trial in trials]
    if not all(passed):
        raise typer.Exit(1)
    if not all(parity for _, parity, _, _ in results):
        raise typer.Exit(3)


def _unverified(artifact: Artifact, parity: tuple[Parity, ...]) -> str | None:
    return None if parity else artifact.manifest.facts.unverified


_Verified = tuple["Artifact", "tuple[Parity, ...]", "Agreement | None", "tuple[Trial, ...]"]


def _verify(artifact: Artifact, source: InputSource) -> _Verified:
    from mobilebench.inputs.source import InputSource
    from mobilebench.values.recipe import NOISE
    from mobilebench.verifying import verification

    if artifact.manifest.facts.given:
        return artifact, (), None, verification.trials(artifact)
    parity = verification.verify_bundle(artifact)
    judged = artifact.manifest.facts.agreement
    if judged is None:
        return artifact, parity, None, ()
    if judged.source == NOISE:
        return artifact, parity, verification.agree_bundle(artifact, InputSource()), ()
    if source.folder is not None and source.agreement_source() == judged.source:
        return artifact, parity, verification.agree_bundle(artifact, source), ()
    output.tell(
        f"{artifact.name} was judged on images, and --calibration does not name their folder: how "
        f"often it names the same class was not verified again."
    )
    return artifact, parity, None, ()
