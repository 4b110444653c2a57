"""Mobile vision backbones, one file per family, that load official checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mobilebench.zoo.registry import create_model, list_models, model_spec

if TYPE_CHECKING:
    from mobilebench.zoo.checkpoints import load_checkpoint

__all__ = ["create_model", "list_models", "load_checkpoint", "model_spec"]


def __getattr__(name: str) -> Any:
    # Pages and tables read the registry on machines without torch; only checkpoints need torch.
    if name == "load_checkpoint":
        from mobilebench.zoo.checkpoints import load_checkpoint

        return load_checkpoint
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
