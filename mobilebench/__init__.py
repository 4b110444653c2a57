"""mobilebench: export vision backbones to phone formats, prove them, measure them, rank them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mobilebench.accuracy import Accuracy
    from mobilebench.api import benchmark, evaluate, export
    from mobilebench.artifact import Artifact
    from mobilebench.errors import MobilebenchError, UserError
    from mobilebench.record import Record
    from mobilebench.store import RecordStore
    from mobilebench.tensor import TensorSpec
    from mobilebench.zoo import create_model, list_models, load_checkpoint

__all__ = [
    "Accuracy",
    "Artifact",
    "MobilebenchError",
    "Record",
    "RecordStore",
    "TensorSpec",
    "UserError",
    "benchmark",
    "create_model",
    "evaluate",
    "export",
    "list_models",
    "load_checkpoint",
]

_PLACES = {
    "Accuracy": "accuracy",
    "Artifact": "artifact",
    "MobilebenchError": "errors",
    "Record": "record",
    "RecordStore": "store",
    "TensorSpec": "tensor",
    "UserError": "errors",
    "benchmark": "api",
    "create_model": "zoo",
    "evaluate": "api",
    "export": "api",
    "list_models": "zoo",
    "load_checkpoint": "zoo",
}


def __getattr__(name: str) -> Any:
    # On use, so that `import mobilebench` costs nothing and needs no toolkit.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
