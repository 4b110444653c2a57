"""Rewrite a network into an equivalent one for inference, exact to rounding.

`deploy(network, example)` copies a network of the zoo, alone or inside another module, and replaces
its parts with forms that runtimes compute fast and delegates take whole. Weights are folded
(`folding`), aggregations and scans are rewritten (`aggregation`, `scan`, `norms`), and everything
that depends only on the image size or on parameters is computed once. `blocks` maps each part to
its form. The docstring of each form states what it was before.
"""

from __future__ import annotations

from torch import Tensor, nn

from mobilebench.deploy.blocks import NETWORKS, RULES
from mobilebench.deploy.rewriting import rewritten
from mobilebench.deploy.target import Target, target_of
from mobilebench.errors import require_known

__all__ = ["Target", "deploy", "target_of"]


def deploy(module: nn.Module, *example: Tensor, target: Target | str = Target.XNNPACK) -> nn.Module:
    """Return the deployment form of a network for the image size of `example`.

    `example` is usually (1, 3, H, W). The result is a new module in eval mode, without gradients,
    that shares nothing with the old one. It still has `stages`, and one head, which computes the
    mean of the two. It raises `ImageSizeError` for images of another size where the size matters. A
    module that contains no network of the zoo is returned unchanged. The outputs differ from those
    of the plain form by the rounding of float32 alone: the tests hold them to 1e-5 of the logits'
    standard deviation.

    Raises `UnknownName` for a target that does not exist.
    """
    require_known("target", str(target), (known.value for known in Target))
    return rewritten(module, NETWORKS, RULES, example, Target(target))
