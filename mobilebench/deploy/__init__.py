"""Deployment form: an equivalent network made for inference, exact to rounding.

`deploy(network, example)` copies a network of the zoo, wherever it stands inside a module, and
replaces its parts by forms that runtimes do fast and delegates keep whole: weights are folded
(`folding`), aggregations and scans rewritten (`aggregation`, `scan`, `norms`), everything that
depends on the image size or on parameters alone is computed once. Which form replaces which part
stands in `blocks`. Every form says in its docstring what it was before.
"""

from __future__ import annotations

from torch import Tensor, nn

from mobilebench.deploy.blocks import NETWORKS, RULES
from mobilebench.deploy.rewriting import rewritten
from mobilebench.deploy.target import Target, target_of
from mobilebench.errors import require_known

__all__ = ["Target", "deploy", "target_of"]


def deploy(module: nn.Module, *example: Tensor, target: Target | str = Target.XNNPACK) -> nn.Module:
    """The deployment form of a network for the image size of `example`, usually (1, 3, H, W).

    A new module in eval mode, without gradients, that shares nothing with the old one; it still
    has `stages`, and one head, which gives the mean of the two. It raises `ImageSizeError` for
    images of another size where that matters. A module without any network of the zoo in it is
    returned as it is. Its outputs differ from the plain form's by the rounding of float32 alone:
    the tests hold them to 1e-5 of the logits' deviation.

    Raises `UnknownName` for a target that does not exist.
    """
    require_known("target", str(target), (known.value for known in Target))
    return rewritten(module, NETWORKS, RULES, example, Target(target))
