"""`mobilebench verify`: verify artifacts again, on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mobilebench.cli import output
from mobilebench.cli.artifacts import opened_among
from mobilebench.cli.grammar import Panel
from mobilebench.cli.options import Adopt, Artifacts, Inputs, Json

if TYPE_CHECKING:
    from mobilebench.errors import CellFailed, UserError
    from mobilebench.inputs.source import InputSource
    from mobilebench.observer import Observer, Work
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
    be finite and the same twice. Exit code 1 where one is damaged, is not equal or fails (the
    others are verified all the same), else 3 where one has no reference, or is for a delegate that
    nothing on a host can run.
    """
    from mobilebench.cli.progress import follow
    from mobilebench.inputs.source import InputSource

    loaded, refused = opened_among(artifacts, inputs, adopt)
    source = InputSource(calibration)
    results = [Verified(each.path, str(each.path), error=each.error) for each in refused]
    with follow("verify", len(loaded)) as progress:
        results += [_verify(artifact, source, progress) for artifact in loaded]
    if json:
        output.show_json([result.to_plain() for result in results])
    else:
        for result in results:
            for line in result.lines():
                output.show_line(f"{result.name}: {line}")
            if result.not_judged:
                output.tell(
                    f"{result.name}: its class was also compared on {result.not_judged} images "
                    f"when it was exported. This was not verified again, because --calibration "
                    f"does not name their folder: what is above is about the inputs in the bundle "
                    f"alone."
                )
    if not all(result.passed for result in results):
        raise typer.Exit(1)
    if not all(result.parity for result in results):
        raise typer.Exit(3)


@dataclass(frozen=True)
class Verified:
    """What verifying one artifact has shown."""

    folder: Path
    name: str
    parity: tuple[Parity, ...] = ()
    agreement: Agreement | None = None
    trials: tuple[Trial, ...] = ()
    """Of a file without a reference."""
    unverified: str | None = None
    """Why there is no parity."""
    widths: tuple[tuple[str, tuple[Parity, ...]], ...] = ()
    """Of a file of several widths: the results of each by its name; `parity` has all of them."""
    not_judged: int | None = None
    """Number of images of its agreement, where these are not at hand."""
    error: CellFailed | UserError | None = None
    """Why it could not be opened or run."""

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against the artifact."""
        results = (*self.parity, *self.trials, *((self.agreement,) if self.agreement else ()))
        return self.error is None and all(result.passed for result in results)

    @property
    def outcome(self) -> str:
        """The result in a few words."""
        if self.error is not None:
            return "failed"
        if not self.passed:
            return "FAILS" if self.trials else "NOT EQUAL"
        if self.parity:
            return f"equal, relative error {self.parity[0].error_text}"
        return "runs" if self.trials else "not verified"

    def lines(self) -> Iterator[str]:
        """Yield the results, a line each, for people."""
        names = [f"{name}, " for name, results in self.widths for _ in results]
        for name, result in zip(names or [""] * len(self.parity), self.parity, strict=True):
            verdict = "equal" if result.passed else "NOT EQUAL"
            yield (
                f"{name}{verdict}: {result.description}, compared with "
                f"PyTorch's outputs when it was exported, on the {result.inputs} inputs in the "
                f"bundle"
            )
        if self.agreement is not None:
            passed = self.agreement.passed
            verdict = "same class" if passed else "NOT THE SAME CLASS OFTEN ENOUGH"
            yield f"{verdict}: {self.agreement.description}"
        if self.error is not None:
            yield f"FAILED: {self.error}"
        elif self.unverified is not None:
            yield f"NOT VERIFIED: {self.unverified}"
        for trial in self.trials:
            yield trial.description

    def to_plain(self) -> dict[str, Any]:
        """Return the JSON form."""
        from mobilebench.values import wire

        return {
            "folder": str(self.folder),
            "parity": [wire.to_plain(result) for result in self.parity],
            **(
                {"widths": {name: [wire.to_plain(r) for r in of] for name, of in self.widths}}
                if self.widths
                else {}
            ),
            "unverified": self.unverified,
            "agreement": self.agreement and wire.to_plain(self.agreement),
            "trials": [wire.to_plain(trial) for trial in self.trials],
            "error": None if self.error is None else str(self.error),
        }


def _verify(artifact: Artifact, source: InputSource, observer: Observer) -> Verified:
    """Verify one artifact; an error is part of the result."""
    from mobilebench.errors import CellFailed, UserError
    from mobilebench.observer import Work

    work = Work(observer.started(artifact.name))
    outcome = "stopped"
    try:
        result = _results(artifact, source, work)
        outcome = result.outcome
    except (CellFailed, UserError) as error:
        result = Verified(artifact.folder, artifact.name, error=error)
        outcome = result.outcome
    finally:
        work.progress.finished(outcome)
    return result


def _results(artifact: Artifact, source: InputSource, work: Work) -> Verified:
    from mobilebench.inputs.source import InputSource
    from mobilebench.values.recipe import NOISE
    from mobilebench.verifying import verification

    folder, name, facts = artifact.folder, artifact.name, artifact.manifest.facts
    if facts.given:
        work.stage("run")
        trials = verification.trials(artifact)
        return Verified(folder, name, trials=trials, unverified=facts.unverified)
    work.stage("parity")
    each = tuple(verification.verify_widths(artifact))
    parity = tuple(result for _, results in each for result in results)
    widths = tuple((width.name, results) for width, results in each if width is not None)
    unverified = None if parity else facts.unverified
    judged = facts.agreement
    if judged is None:
        return Verified(folder, name, parity, unverified=unverified, widths=widths)
    if judged.source == NOISE:
        images = InputSource()
    elif source.folder is not None and source.agreement_source() == judged.source:
        images = source
    else:
        return Verified(folder, name, parity, unverified=unverified, not_judged=judged.inputs)
    work.stage("agreement")
    agreement = verification.agree_bundle(artifact, images)
    return Verified(folder, name, parity, agreement, unverified=unverified)
