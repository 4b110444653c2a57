"""Classification heads: two linear classifiers, one for distillation, on one embedding."""

from __future__ import annotations

from torch import Tensor, nn


class PooledEmbedding(nn.Sequential):
    """Global average, 1x1 convolution, BatchNorm, GELU: (N, C, H, W) -> (N, E, 1, 1).

    It is a Sequential because the official names count its members from `prediction.0`.
    """

    def __init__(self, channels: int, embedding: int) -> None:
        super().__init__(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, embedding, 1),
            nn.BatchNorm2d(embedding),
            nn.GELU(),
        )


def classify(
    embedded: Tensor, head: nn.Module, dist_head: nn.Module | None, training: bool
) -> Tensor | tuple[Tensor, Tensor]:
    """Compute the logits of both heads: (N, E, 1, 1) or (N, E) -> (N, classes).

    In training mode the result is the pair (head, dist_head), for the label and for the teacher. In
    eval mode it is their mean, as in DeiT (Touvron et al. 2021, arXiv:2012.12877, section 4). With
    one head it is the logits of that head.
    """
    if dist_head is None:
        logits: Tensor = head(embedded)
        return logits
    logits = head(embedded).flatten(1)
    distilled: Tensor = dist_head(embedded).flatten(1)
    if training:
        return logits, distilled
    return (logits + distilled) / 2
