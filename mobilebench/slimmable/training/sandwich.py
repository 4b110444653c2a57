"""The widths of a training step, and what each of them learns from.

US-Nets (Yu and Huang 2019, arXiv:1903.05134): every step trains the widest, the narrowest and some
random widths. The widest learns from the labels, the others from its outputs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mobilebench.slimmable.shared import SharedNetwork
from mobilebench.values.training import Norms, TrainingRecipe
from mobilebench.values.width import Width

_STEPS_OF_SHARE = 100
"""Random shares are hundredths, so that a width comes back and its form is kept."""


def widths_of_step(recipe: TrainingRecipe, step: int) -> tuple[Width, ...]:
    """Return the widths of a step: the widest, the narrowest, and random ones between.

    With private norms the random ones are of those that the recipe lists, else any share from the
    narrowest to 1. By stage, each stage has its own, between its smallest share in the list and 1.
    They depend on the seed and the step alone.
    """
    draw = random.Random(f"widths {recipe.seed} {step}")
    widest, *others = recipe.widths
    if not others:
        return (widest,)
    narrowest = others.pop()
    if recipe.norms is Norms.PRIVATE:
        between = draw.sample(others, min(recipe.random_widths, len(others)))
    else:
        between = [_any_width(recipe, draw) for _ in range(recipe.random_widths)]
    return (widest, *between, narrowest)


def require_possible(recipe: TrainingRecipe) -> None:
    """Raise `ValueError` for a recipe whose random widths cannot be drawn as it says."""
    if recipe.by_stage and recipe.norms is Norms.PRIVATE:
        raise ValueError(
            "random widths by stage have no private norms; share them with --norms shared"
        )


def _any_width(recipe: TrainingRecipe, draw: random.Random) -> Width:
    narrowest = recipe.widths[-1]
    if recipe.by_stage:
        stages = zip(*(width.of("the network") for width in recipe.widths), strict=True)
        return Width(shares=tuple(_share(min(shares), draw) for shares in stages))
    if len(set(narrowest.shares)) == 1:
        return Width(shares=(_share(narrowest.mean, draw),))
    # Between the full width and one that differs by stage: all stages go the same part of the way.
    part = draw.randint(0, _STEPS_OF_SHARE) / _STEPS_OF_SHARE
    return Width(shares=tuple(round(s + (1 - s) * part, 2) for s in narrowest.of("the network")))


def _share(least: float, draw: random.Random) -> float:
    """Draw a share from the least to 1, in hundredths; the least itself may be any number."""
    return max(least, draw.randint(int(least * _STEPS_OF_SHARE), _STEPS_OF_SHARE) / _STEPS_OF_SHARE)


def learn(
    shared: SharedNetwork,
    widths: Sequence[Width],
    images: Tensor,
    labels: Tensor,
    recipe: TrainingRecipe,
    backward: Callable[[Tensor], None],
) -> float:
    """Compute the gradients of every width in turn, which add up; return the widest one's loss.

    `images` are (N, 3, H, W) and `labels` (N,). `backward` is called with the loss of each width as
    soon as it exists, so that one width's maps are in memory at a time. Both heads of a network
    with two learn from the same; the widest one's soft output is that of its mean logits, which is
    what it answers with in eval mode.
    """
    soft: Tensor | None = None
    first = 0.0
    for place, width in enumerate(widths):
        heads = [logits.float() for logits in _heads(shared(images, width))]
        if place == 0:
            loss = _mean(
                [cross_entropy(x, labels, label_smoothing=recipe.label_smoothing) for x in heads]
            )
            first = float(loss.detach())
            soft = _mean(heads).detach().softmax(dim=1)
        elif recipe.distil and soft is not None:
            loss = _mean([cross_entropy(x, soft) for x in heads])
        else:
            loss = _mean(
                [cross_entropy(x, labels, label_smoothing=recipe.label_smoothing) for x in heads]
            )
        backward(loss)
    return first


def _heads(outputs: object) -> list[Tensor]:
    heads = outputs if isinstance(outputs, tuple) else (outputs,)
    return [logits for logits in heads if isinstance(logits, Tensor)]


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(tensors)).mean(0)


def decayed(network: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Return the parameters with weight decay, and those without: biases, norms, layer scales."""
    decay: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for parameter in network.parameters():
        (decay if parameter.squeeze().dim() > 1 else free).append(parameter)
    return decay, free
