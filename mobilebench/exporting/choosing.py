"""Choose the recipes of a matrix from formats, precisions and the rest of a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mobilebench import plugins
from mobilebench.errors import MissingToolkit, RecipeError, UserError
from mobilebench.exporting.order import Terms
from mobilebench.inputs import labels
from mobilebench.interfaces import Exporter
from mobilebench.values.recipe import ExportRecipe, Feature, Form, Precision
from mobilebench.values.width import Width


@dataclass(frozen=True)
class Choice:
    """The recipes on offer for a request."""

    recipes: tuple[ExportRecipe, ...]
    left_out: tuple[str, ...]
    """What was left out and why, in sentences."""


def choose(
    formats: Sequence[str] = (),
    precisions: Sequence[str] = ("fp32",),
    *,
    target: str | None = None,
    delegate: str | None = None,
    form: Form = Form.DEPLOYED,
    terms: Terms | None = None,
    widths: Sequence[Width] = (),
) -> Choice:
    """Return every recipe on offer for some formats and precisions.

    Without formats, those installed here count. The recipes are complete, except for the
    normalisation of images, which belongs to each network. With `widths` each is of one file that
    holds them together. Raises `UserError` for a format that
    does not exist or is not installed, for a precision, a target or a delegate that none of the
    formats has, for a feature of the terms that one of them lacks, and for a folder that holds no
    images.
    """
    terms = terms or Terms()
    wanted = list(dict.fromkeys(Precision.named(name) for name in precisions))
    features = _features(terms)
    names, left_out = (list(dict.fromkeys(formats)), []) if formats else _installed(features)
    exporters = [plugins.exporter(name) for name in names]
    for noun, word in (("target", target), ("delegate", delegate)):
        if word is not None and len(exporters) != 1:
            raise UserError(f"The {noun} {word!r} belongs to one format; add --format.")
    for exporter in exporters:
        for feature in features:
            plugins.require_feature(exporter.format, feature)
    calibration = None
    if any(precision.calibrated for precision in wanted):
        calibration = terms.source.calibration()
    class_labels = labels.sha256(terms.class_labels) if terms.class_labels else None
    recipes: list[ExportRecipe] = []
    for precision in wanted:
        offering = _offering(exporters, precision, target, delegate)
        for exporter in exporters:
            if exporter not in offering:
                near = precision.nearest(exporter.precisions(target, delegate))
                offer = f"; the nearest that it has is {near}" if near else ""
                left_out.append(f"{exporter.format} has no {precision}; left out{offer}.")
        for exporter in offering:
            if widths:
                labels_of = [width.label for width in widths]
                recipe = exporter.recipe_together(labels_of, precision, target, delegate)
            else:
                recipe = exporter.recipe(precision, target, delegate, calibration)
            recipes.append(replace(recipe, form=form, class_labels=class_labels))
    return Choice(tuple(recipes), tuple(left_out))


def _features(terms: Terms) -> list[Feature]:
    """List the features that the terms ask of a file."""
    features = {
        Feature.IMAGE_INPUT: terms.image_input,
        Feature.CLASS_LABELS: bool(terms.class_labels),
    }
    return [feature for feature, needed in features.items() if needed]


def _offering(
    exporters: Sequence[Exporter], precision: Precision, target: str | None, delegate: str | None
) -> list[Exporter]:
    """List the exporters that offer a precision. Raises `RecipeError` where none does."""
    offering = [e for e in exporters if precision in e.precisions(target, delegate)]
    if not offering and len(exporters) == 1:
        exporters[0].recipe(precision, target, delegate)  # raises, saying what is on offer
    if not offering:
        names = ", ".join(exporter.format for exporter in exporters)
        near = {e.format: precision.nearest(e.precisions(target, delegate)) for e in exporters}
        offers = [f"{format_} has {other}" for format_, other in near.items() if other]
        raise RecipeError(
            f"The precision {precision} is not offered by {names}"
            f"{'; the nearest: ' if offers else ''}{', '.join(offers)}."
        )
    return offering


def _installed(features: Sequence[Feature]) -> tuple[list[str], list[str]]:
    """List the formats whose toolkit is installed and that have these features.

    Also returns why others were left out. Raises `MissingToolkit` where none is installed.
    """
    installed, left_out = [], []
    for name in plugins.exporter_names():
        try:
            if plugins.exporter(name).features().issuperset(features):
                plugins.exporter(name).tool_versions()
                installed.append(name)
        except MissingToolkit as error:
            left_out.append(f"left out: {error}")
    if not installed:
        raise MissingToolkit("No export toolkit is installed; run: pip install 'mobilebench[all]'")
    return installed, left_out
