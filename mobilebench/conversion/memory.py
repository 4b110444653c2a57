"""Export a network that exists only in this process's memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from mobilebench.conversion import steps
from mobilebench.conversion.loading import LoadedModel
from mobilebench.exporting import bundle
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
    narrower: tuple[LoadedModel, ...] = ()
    """The narrower widths, where the file is to hold several."""
    parallel: int = 1

    def prepare(
        self,
        request: Request,
        recipes: Sequence[ExportRecipe],
        terms: Terms,
        folder: Path,
        cancel: Event,
    ) -> None:
        networks = (self.loaded, *self.narrower)
        steps.prepare_each(networks, recipes, terms.source, terms.image_input, folder)

    def build(self, order: Order, out_dir: Path, work: Work) -> Artifact:
        with bundle.staging(order, out_dir) as folder:
            work.stage("export")
            started = time.monotonic()
            converted = steps.convert_loaded(
                self.loaded, order.recipe, order.terms.source, folder, self.narrower
            )
            seconds = time.monotonic() - started

            def locate(operation: Operation, place: int, places: int) -> str:
                return steps.line_of(self.loaded, order.recipe, operation, place, places)

            facts = bundle.verified(order, converted, seconds, folder, work, locate)
            widths = bundle.verified_widths(order, converted, facts, folder, work)
            return bundle.publish(order, converted, facts, folder, out_dir, widths)
