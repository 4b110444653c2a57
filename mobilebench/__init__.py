"""Export vision backbones to phone formats, verify them, measure them, rank them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobilebench.api import benchmark as benchmark
    from mobilebench.api import benchmark_all as benchmark_all
    from mobilebench.api import check as check
    from mobilebench.api import compare as compare
    from mobilebench.api import evaluate as evaluate
    from mobilebench.api import export as export
    from mobilebench.api import inspect as inspect
    from mobilebench.api import rank as rank
    from mobilebench.api import records as records
    from mobilebench.api import verify as verify
    from mobilebench.errors import MobilebenchError as MobilebenchError
    from mobilebench.errors import UserError as UserError
    from mobilebench.store import RecordStore as RecordStore
    from mobilebench.values.accuracy import Accuracy as Accuracy
    from mobilebench.values.artifact import Artifact as Artifact
    from mobilebench.values.record import Record as Record
    from mobilebench.values.tensor import TensorSpec as TensorSpec
    from mobilebench.zoo import create_model as create_model
    from mobilebench.zoo import list_models as list_models
    from mobilebench.zoo import load_checkpoint as load_checkpoint

_MODULES = {
    "Accuracy": "values.accuracy",
    "Artifact": "values.artifact",
    "MobilebenchError": "errors",
    "Record": "values.record",
    "RecordStore": "store",
    "TensorSpec": "values.tensor",
    "UserError": "errors",
    "benchmark": "api",
    "benchmark_all": "api",
    "check": "api",
    "compare": "api",
    "create_model": "zoo",
    "evaluate": "api",
    "export": "api",
    "inspect": "api",
    "list_models": "zoo",
    "load_checkpoint": "zoo",
    "rank": "api",
    "records": "api",
    "verify": "api",
}
"""The module of every public name."""

__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    # On use, so that `import mobilebench` costs nothing and needs no toolkit.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
