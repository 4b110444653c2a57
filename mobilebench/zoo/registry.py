"""List and describe the zoo's networks without torch, and build them on request.

Facts come from two data files beside this one: `catalog.json` (sources, papers, parameter and MAC
counts, which the tests verify on the networks) and `published.csv` (what papers state).
"""

from __future__ import annotations

import csv
import importlib
import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from mobilebench.errors import UnknownName, UserError
from mobilebench.values.citation import Citation
from mobilebench.values.modelspec import (
    Interpolation,
    Macs,
    ModelSpec,
    Preprocessing,
    Published,
    Source,
)
from mobilebench.values.tensor import TensorSpec

if TYPE_CHECKING:
    from torch import nn

RESOLUTION = 224
"""Image size in pixels at which the authors train and publish every family."""


@cache
def _catalog() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("catalog.json").read_text(encoding="utf-8")
    catalog: dict[str, Any] = json.loads(text)
    return catalog


@cache
def _published() -> tuple[dict[str, str], ...]:
    text = resources.files(__package__).joinpath("published.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def list_models(family: str | None = None) -> list[str]:
    """List the names of the zoo's networks, by family and from small to large.

    Raises `UnknownName` for a family that is not in the zoo.
    """
    catalog = _catalog()
    if family is not None and family not in catalog:
        raise UnknownName.among("model family", family, catalog)
    return [
        f"{name}_{variant}"
        for name, facts in catalog.items()
        if family in (None, name)
        for variant in facts["variants"]
    ]


def model_spec(name: str, resolution: int = RESOLUTION) -> ModelSpec:
    """Describe a network of the zoo without building it.

    MACs are stated at 224 x 224 and left out at any other size. Raises `UnknownName`.
    """
    family, variant = _split(name)
    facts = _catalog()[family]
    counts = facts["variants"][variant]
    preprocessing = facts["preprocessing"]
    return ModelSpec(
        name=name,
        family=family,
        variant=variant,
        inputs=(TensorSpec(name="image", shape=(1, 3, resolution, resolution)),),
        num_classes=1000,
        params=counts["params"],
        macs=Macs(**counts["macs_224"]) if resolution == RESOLUTION else None,
        preprocessing=Preprocessing(
            mean=tuple(preprocessing["mean"]),
            std=tuple(preprocessing["std"]),
            crop_pct=preprocessing["crop_pct"],
            interpolation=Interpolation(preprocessing["interpolation"]),
        ),
        source=Source(**facts["source"]),
        published=_published_rows(facts["published_as"], counts.get("published_as", variant)),
    )


def citation(family: str) -> Citation:
    """Return what is known of the paper of a family. Raises `UnknownName`."""
    catalog = _catalog()
    if family not in catalog:
        raise UnknownName.among("model family", family, catalog)
    facts = catalog[family]
    stated = {**facts["citation"], "authors": tuple(facts["citation"]["authors"])}
    return Citation(name=facts["published_as"], **stated)


def families() -> list[str]:
    """List the families of the zoo's networks."""
    return list(_catalog())


def create_model(name: str, *, num_classes: int = 1000) -> nn.Module:
    """Build a network of the zoo, in training mode, with the official initial values.

    Raises `UnknownName`, or `UserError` for a class count below 1.
    """
    family, _ = _split(name)
    if num_classes < 1:
        raise UserError(f"{name} was requested with {num_classes} classes; give at least 1.")
    network: nn.Module = getattr(importlib.import_module(f"{__package__}.{family}"), name)(
        num_classes=num_classes
    )
    return network


def _split(name: str) -> tuple[str, str]:
    family, _, variant = name.rpartition("_")
    if variant not in _catalog().get(family, {"variants": ()})["variants"]:
        raise UnknownName.among("model", name, list_models())
    return family, variant


def _published_rows(family: str, variant: str) -> tuple[Published, ...]:
    def number(text: str) -> float | None:
        return float(text) if text else None

    return tuple(
        Published(
            source=row["source"],
            top1=number(row["top1"]),
            latency_ms=number(row["latency_ms"]),
            device=row["device"] or None,
            params_m=number(row["params_M"]),
            gmacs=number(row["gmacs"]),
        )
        for row in _published()
        if row["family"] == family and row["variant"].lower() == variant
    )
