"""`mobilebench verify`: prove artifacts again, here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mobilebench.cli import output


def command(
    artifacts: Annotated[list[Path], typer.Argument(metavar="ARTIFACT...", help="Bundle folders.")],
    json: Annotated[bool, typer.Option("--json", help="Every figure, as JSON.")] = False,
) -> None:
    """Run artifacts on the reference inputs again and compare with PyTorch's outputs.

    The outputs to match are in the bundle: neither torch nor the weights are needed, unless the
    format has no runtime here. Exit code 1 where one is not equal.
    """
    from mobilebench import parity, verification, wire
    from mobilebench.artifact import Artifact

    found = [Artifact.load(folder) for folder in artifacts]
    results = [(artifact, verification.verify(artifact)) for artifact in found]
    if json:
        output.show_json(
            [
                {"folder": str(artifact.folder), "parity": [wire.to_plain(r) for r in proven]}
                for artifact, proven in results
            ]
        )
    else:
        for artifact, proven in results:
            for result in proven:
                verdict = "equal" if result.passed else "NOT EQUAL"
                output.show_text(f"{artifact.name}: {verdict}: {parity.describe(result)}\n")
    if not all(result.passed for _, proven in results for result in proven):
        raise typer.Exit(1)
