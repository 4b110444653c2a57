"""Run `mobilebench export` on one side of a change, and read what came of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mobilebench import errors
from mobilebench.errors import MissingToolkit, NoSuchModel, OutputError, RecipeError, UserError
from mobilebench.machine.process import PARENT
from mobilebench.regress.review import Fault
from mobilebench.values import wire
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import Failure, Stage
from mobilebench.values.recipe import ExportRecipe

_OF_THE_CALLER = {kind.__name__ for kind in (MissingToolkit, OutputError, RecipeError)}
_GRACE_S = 20
"""Seconds in which an export that is stopped may end its own children."""
_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Export:
    """What came of one network by one recipe."""

    reference: str | None
    """None where the whole command failed."""
    label: str | None
    """Of the recipe; None where the failure came before any."""
    outcome: Artifact | Failure

    @property
    def absent(self) -> bool:
        """Whether the side has no such model."""
        return isinstance(self.outcome, Failure) and self.outcome.error == NoSuchModel.__name__

    @property
    def of_the_caller(self) -> bool:
        """Whether it failed by the words of the command or by this machine, not by the network."""
        if not isinstance(self.outcome, Failure):
            return False
        return self.reference is None or self.outcome.error in _OF_THE_CALLER


@dataclass(frozen=True)
class Checkout:
    """A checkout of the repository, and the folder in it where the export runs."""

    root: Path
    folder: Path

    def make_folder(self) -> None:
        """Make the folder where the commit does not have it: paths from it lead on as they do here.

        Where a file has its name, there is no such folder.
        """
        with contextlib.suppress(FileExistsError, NotADirectoryError):
            self.folder.mkdir(parents=True, exist_ok=True)

    def fault(self, export: Export, failure: Failure) -> Fault:
        """Return a failed export in the words of a report, with paths of the repository."""
        subject = " ".join(part for part in (export.reference, export.label) if part)
        return Fault(
            subject=subject or "the export",
            message=self._without_root(_words(failure)),
            advice=failure.advice,
            file=self._inside(failure.file),
            line=failure.line if self._inside(failure.file) else None,
            log_tail=self._without_root(failure.log_tail),
            fresh=export.absent,
        )

    def _inside(self, file: str | None) -> str | None:
        if file is None:
            return None
        path, root = (self.folder / file).resolve(), self.root.resolve()
        return path.relative_to(root).as_posix() if path.is_relative_to(root) else None

    def _without_root(self, text: str) -> str:
        for root in {str(self.root.resolve()), str(self.root)}:
            text = text.replace(f"{root}/", "")
        return text


def export_side(
    checkout: Checkout,
    arguments: Sequence[str],
    models: Sequence[str],
    out: Path,
    store: str | None,
    home: Path,
) -> tuple[Export, ...]:
    """Export the networks of one side; models that it does not have do not stop the others.

    `home` is the root of the working tree: folders of it that Python imports from are those of the
    checkout in this export.
    """
    if not checkout.folder.is_dir():
        failure = Failure(
            stage=Stage.PREFLIGHT,
            error=UserError.__name__,
            message=f"{checkout.folder.relative_to(checkout.root)} is no folder there, and the "
            f"export runs in it.",
        )
        return tuple(Export(model, None, failure) for model in models)
    remaining, absent = list(models), []
    words = list(arguments)
    while True:
        exports = _export(checkout, words, out, store, home)
        lacking = [each for each in exports if each.absent and each.reference in remaining]
        absent += lacking
        if not lacking or len(remaining) == len(lacking):
            return (*(each for each in exports if each not in lacking), *absent)
        for each in lacking:
            assert each.reference is not None
            remaining.remove(each.reference)
            words.remove(each.reference)


def _export(
    checkout: Checkout, arguments: Sequence[str], out: Path, store: str | None, home: Path
) -> tuple[Export, ...]:
    command = [sys.executable, "-m", "mobilebench", "export", *arguments]
    command += ["--out", str(out), "--json"]
    if store is not None:
        command += ["--store", store]
    printed, code = _run(command, checkout, home)
    try:
        entries = wire.parse(printed, "the result of mobilebench export")
    except UserError as error:
        # It has said why in the log, which this process does not read.
        raise UserError(
            f"`mobilebench export {' '.join(arguments)}` ended with exit code {code} and without a "
            f"result; its last lines in the log say why."
        ) from error
    return tuple(_read(entry) for entry in entries)


def _run(command: Sequence[str], checkout: Checkout, home: Path) -> tuple[str, int]:
    """Run a program; its stderr goes to this process's, so that a log shows its progress."""
    with subprocess.Popen(
        command,
        cwd=checkout.folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(_import_paths(checkout, home)),
            PARENT: str(os.getpid()),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            # Its own --time-limit ends an export that hangs.
            printed, _ = child.communicate()
        except BaseException:
            _stop(child)
            raise
    return printed, child.returncode


def _stop(child: subprocess.Popen[str]) -> None:
    """End an export: politely, so that it ends its own children, then by force."""
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):  # it ended between the two lines
            os.killpg(child.pid, signal.SIGKILL)


def _import_paths(checkout: Checkout, home: Path) -> list[str]:
    """Return the folders to import from, those of the working tree as in the checkout.

    Otherwise a package that is installed for editing would be that of the working tree on both
    sides, and the gate would compare it with itself.
    """
    mapped = []
    for entry in dict.fromkeys(sys.path):
        path = Path(entry).resolve()
        if not entry or not path.is_relative_to(home.resolve()) or _PACKAGE.is_relative_to(path):
            continue
        inside = checkout.root / path.relative_to(home.resolve())
        if inside.is_dir():
            mapped.append(str(inside))
    before = os.environ.get("PYTHONPATH", "")
    return [*mapped, *(part for part in before.split(os.pathsep) if part)]


def _words(failure: Failure) -> str:
    """Return the message; with the name of the error, unless the message is a whole sentence."""
    kind = getattr(errors, failure.error, None)
    if isinstance(kind, type) and issubclass(kind, UserError):
        return failure.message
    return f"{failure.error}: {failure.message}"


def _read(entry: dict[str, Any]) -> Export:
    recipe = entry["recipe"]
    label = None if recipe is None else wire.from_plain(ExportRecipe, recipe, "a recipe").label
    if entry["failure"] is not None:
        failure = wire.from_plain(Failure, entry["failure"], "a failed export")
        return Export(entry["reference"], label, failure)
    return Export(entry["reference"], label, Artifact.load(entry["folder"]))
