"""Names that a shell completes, looked up without torch and without a toolkit.

Metrics are not among them: their names hold spaces, which bash would insert as ends of words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import typer

from mobilebench.values.measurement import ComputeUnit
from mobilebench.values.protocol import protocols
from mobilebench.values.recipe import Format, Precision
from mobilebench.values.request import TIMM

DELEGATES = ("xnnpack", "coreml", "vulkan", "qualcomm", "ethos-u")
"""Delegates of ExecuTorch; known here so that the help loads no exporter."""


def models(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the models that a word may become; those of timm once it begins with `timm:`.

    bash takes a colon for the end of a word and asks for what comes after it.
    """
    from mobilebench.zoo.registry import list_models
    from mobilebench.zoo.timm_names import timm_models

    if incomplete.startswith(TIMM):
        return [f"{TIMM}{name}" for name in timm_models()]
    if [*(ctx.params.get("models") or ())][-2:] == [*TIMM.partition(":")[:2]]:
        return list(timm_models())
    return list_models()


def zoo(incomplete: str) -> list[str]:
    """Return the models of the zoo."""
    from mobilebench.zoo.registry import list_models

    return list_models()


def families(incomplete: str) -> list[str]:
    """Return the families of the zoo."""
    from mobilebench.zoo import list_models, model_spec

    names = (model_spec(name).family for name in list_models())
    return list(dict.fromkeys(name for name in names if name is not None))


def devices(incomplete: str) -> list[str]:
    """Return what device ids begin with."""
    from mobilebench import plugins

    return list(plugins.runner_names())


def several_devices(incomplete: str) -> list[str]:
    """Return what a choice of several devices begins with."""
    return ["all", *devices(incomplete)]


def runtimes(incomplete: str) -> list[str]:
    """Return the runtimes that are installed on this machine."""
    from mobilebench import plugins

    host = plugins.runner("host")
    return [name for format_ in Format for name in host.runtimes(format_)]


def file_kinds(incomplete: str) -> list[str]:
    """Return the formats of files that `import` reads."""
    from mobilebench import interop

    return list(interop.KINDS)


def _fixed(names: Iterable[str]) -> Callable[[str], list[str]]:
    known = list(map(str, names))
    return lambda incomplete: known


formats = _fixed(Format)
precisions = _fixed(Precision.exported())
delegates = _fixed(DELEGATES)
compute_units = _fixed(ComputeUnit)
protocol_ids = _fixed(p.id for p in protocols())
