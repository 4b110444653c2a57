"""Export a network that exists only in this process's memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from mobilebench.conversion import steps
from mobilebench.conversion.loading import LoadedModel
from mobilebench.exporting import bundle, preparation
from mobilebench.exporting.order import Order, Terms
from mobilebench.observer import Work
from mobilebench.values.artifact import Artifact
from mobilebench.values.graph import Operation
from mobilebench.values.recipe import ExportRecipe
from mobilebench.values.request import Request


@dataclass(frozen=True)
class InThisProcess:
    """Workers that prepare and convert in this process, without limits."""

    loaded: LoadedModel
    parallel: int = 1

    def prepare(
        self,
        request: Request,
        recipes: Sequence[ExportRecipe],
        terms: Terms,
        folder: Path,
        cancel: Event,
    ) -> None:
        prepared, *references = steps.prepare_loaded(
            self.loaded, recipes, terms.source, terms.image_input
        )
        preparation.write(folder, prepared, *references)

    def build(self, order: Order, out_dir: Path, work: Work) -> Artifact:
        with bundle.staging(order, out_dir) as folder:
            work.stage("export")
            started = time.monotonic()
            converted = steps.convert_loaded(self.loaded, order.recipe, order.terms.source, folder)
            seconds = time.monotonic() - started

            def locate(operation: Operation, place: int, places: int) -> str:
                return steps.line_of(self.loaded, order.recipe, operation, place, places)

            facts = bundle.verified(order, converted, seconds, folder, work, locate)
            return bundle.publish(order, converted, facts, folder, out_dir)
