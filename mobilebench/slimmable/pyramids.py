"""Rules that follow the channels through the zoo's pyramids, from MobileViG to VCMamba.

Every stage has its width. Inside of blocks the channels that a stage's layers widen to, by 2 or 4,
are cut by the same share. The embedding before the heads and the heads' classes are whole: the
embedding of the narrowest network then has as much room for the classes as that of the widest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import nn

from mobilebench.slimmable.channels import Channels
from mobilebench.slimmable.plan import Planner
from mobilebench.zoo.adaptvig import AttentionGraphConv, GatedGraphConv
from mobilebench.zoo.greedyvig import DynamicAxialGraphConv
from mobilebench.zoo.layers.convolution import (
    DepthwiseMlp,
    Downsample,
    FeedForward,
    InvertedResidual,
    Stem,
)
from mobilebench.zoo.layers.heads import PooledEmbedding
from mobilebench.zoo.layers.pyramid import GraphBlock, LocalBlock, Mixer, Pyramid, Separable
from mobilebench.zoo.logvig import LogarithmicGraphConv, LogViG
from mobilebench.zoo.mobilevig import Grapher, MobileViG, SparseVisionGraphConv
from mobilebench.zoo.mobilevigv2 import MobileGraphConv
from mobilebench.zoo.rapidnet import LargeKernelFeedForward, MultiLevelDilatedConv
from mobilebench.zoo.vcmamba import Embedding, VCMamba

Stages = tuple[Channels, ...]
IMAGE = Channels.whole(3)


# ---- Networks -------------------------------------------------------------------------------


def of_pyramid(network: Pyramid, stages: Stages, planner: Planner) -> None:
    """Plan a pyramid: stem, four stages of which all but the first downsample, heads."""
    _stem(network.stem, stages[0], planner)
    before = stages[0]
    for stage, channels in zip(network.backbone.children(), stages, strict=True):
        for block in stage.children():
            if isinstance(block, Downsample):
                planner.chain(block.conv, before, channels)
            else:
                _block(block, channels, planner)
        before = channels
    _heads(network.prediction, (network.head, network.dist_head), before, planner)


def of_logvig(network: LogViG, stages: Stages, planner: Planner) -> None:
    """Plan LogViG: a pyramid, and the branch that skips from the stem to the last map.

    The branch's map has the channels of the second stage.
    """
    of_pyramid(network, stages, planner)
    half, high = network.high_res_branch.conv[0], stages[1]
    planner.chain(
        network.high_res_branch.conv, stages[0], high.scaled(_conv(half).out_channels), high
    )
    planner.conv(network.merge.adjust, high, stages[-1])
    planner.chain(network.merge.conv, stages[-1], stages[-1])


def of_mobilevig(network: MobileViG, stages: Stages, planner: Planner) -> None:
    """Plan MobileViG: three stages of convolutions with a Downsample each, and one of graphs."""
    _stem(network.stem, stages[0], planner)
    stage = 0
    for block in network.local_backbone:
        if isinstance(block, Downsample):
            planner.chain(block.conv, stages[stage], stages[stage + 1])
            stage += 1
        else:
            _block(block, stages[stage], planner)
    for pair in network.backbone:
        for block in pair.children():
            _block(block, stages[stage], planner)
    _heads(network.prediction, (network.head, network.dist_head), stages[-1], planner)


def of_vcmamba(network: VCMamba, stages: Stages, planner: Planner) -> None:
    """Plan VCMamba, whose last stage is whole: only what leads to it is cut."""
    first = _conv(network.patch_embed[0])
    half = stages[0].scaled(first.out_channels)
    planner.chain(network.patch_embed, IMAGE, half, stages[0])
    stage = 0
    for part in network.network:
        if isinstance(part, Embedding):
            planner.chain([part.proj, part.norm], stages[stage], stages[stage + 1])
            stage += 1
        elif stage < len(stages) - 1:
            for block in part.children():
                _block(block, stages[stage], planner)


def _stem(stem: Stem, channels: Channels, planner: Planner) -> None:
    half = channels.scaled(_conv(stem.stem[0]).out_channels)
    planner.chain(stem.stem, IMAGE, half, channels)


def _heads(
    prediction: PooledEmbedding, heads: Iterable[nn.Conv2d], last: Channels, planner: Planner
) -> None:
    embedding = Channels.whole(_conv(prediction[1]).out_channels)
    planner.chain(prediction, last, embedding)
    for head in heads:
        planner.conv(head, embedding, Channels.whole(head.out_channels))


# ---- Blocks: the map's channels are the same before and after ------------------------------


def _block(block: nn.Module, channels: Channels, planner: Planner) -> None:
    """Plan a block by its rule. Raises `TypeError` for one that has none."""
    rule = BLOCKS.get(type(block))
    if rule is None:
        raise TypeError(f"no rule cuts {type(block).__name__} to a width")
    rule(block, channels, planner)


def _inverted_residual(block: InvertedResidual, channels: Channels, planner: Planner) -> None:
    _depthwise_mlp(block.mlp, channels, planner)
    planner.tensor(block, "layer_scale_2", channels)


def _depthwise_mlp(mlp: DepthwiseMlp, channels: Channels, planner: Planner) -> None:
    layers = (mlp.fc1, mlp.norm1, mlp.mid, mlp.mid_norm, mlp.fc2, mlp.norm2)
    planner.chain(layers, channels, channels.scaled(mlp.fc1.out_channels), channels)


def _local_block(block: LocalBlock, channels: Channels, planner: Planner) -> None:
    _separable(block.dws, channels, planner)
    [(name, _)] = block.named_parameters(recurse=False)
    planner.tensor(block, name, channels)


def _separable(part: Separable, channels: Channels, planner: Planner) -> None:
    layers = (part.pw1, part.norm1, part.dw, part.norm2, part.pw2, part.norm3)
    planner.chain(layers, channels, channels.scaled(part.pw1.out_channels), channels)


def _feed_forward(block: FeedForward, channels: Channels, planner: Planner) -> None:
    hidden = channels.scaled(_conv(block.fc1[0]).out_channels)
    planner.chain([*block.fc1, *block.fc2], channels, hidden, channels)


def _grapher(block: Grapher, channels: Channels, planner: Planner) -> None:
    planner.chain(block.fc1, channels, channels)
    widened = _graph(block.graph_conv, channels, planner)
    planner.chain(block.fc2, widened, channels)


def _graph_block(block: GraphBlock, channels: Channels, planner: Planner) -> None:
    mixer = block.mixer
    if not isinstance(mixer, Mixer):
        raise TypeError(f"no rule cuts {type(mixer).__name__} to a width")
    planner.conv(mixer.cpe.pe, channels, channels)
    planner.chain(mixer.fc1, channels, channels)
    planner.chain(mixer.fc2, _graph(mixer.graph_conv, channels, planner), channels)
    if isinstance(block.ffn, LargeKernelFeedForward):
        part = block.ffn
        layers = [part.conv.conv, part.norm1, part.fc1, part.norm2, part.fc2, part.norm3]
        planner.chain(layers, channels, channels.scaled(part.fc1.out_channels), channels)
    else:
        layers = list(block.ffn.children())
        planner.chain(layers, channels, channels.scaled(_conv(layers[0]).out_channels), channels)
    planner.tensor(block, "layer_scale_1", channels)
    planner.tensor(block, "layer_scale_2", channels)


Rule = Callable[[Any, Channels, Planner], None]
BLOCKS: Mapping[type[nn.Module], Rule] = {
    InvertedResidual: _inverted_residual,
    LocalBlock: _local_block,
    FeedForward: _feed_forward,
    Grapher: _grapher,
    GraphBlock: _graph_block,
}


# ---- Graph convolutions: they return the channels after them -------------------------------


def _graph(part: nn.Module, channels: Channels, planner: Planner) -> Channels:
    """Plan a graph convolution by its rule. Raises `TypeError` for one that has none."""
    rule = GRAPHS.get(type(part))
    if rule is None:
        raise TypeError(f"no rule cuts {type(part).__name__} to a width")
    return rule(part, channels, planner)


def _max_relative(part: Any, channels: Channels, planner: Planner) -> Channels:
    """Cut nn([x, aggregate(x)]): the aggregate is by channel, and both halves are cut alike.

    Gates and thresholds are by the L1 distance over channels, to which dropped ones add nothing.
    """
    out = channels.scaled(_conv(part.nn[0]).out_channels)
    return planner.chain(part.nn, channels.joined(channels), out)


def _attention(part: AttentionGraphConv, channels: Channels, planner: Planner) -> Channels:
    """Cut attention as a max-relative convolution; queries and keys are whole.

    They are layer-normalised over their channels, so fewer of them would be other numbers.
    """
    inner = Channels.whole(part.inner)
    planner.conv(part.q_conv, channels, inner)
    planner.conv(part.k_conv, channels, inner)
    planner.conv(part.v_conv, channels, channels)
    return _max_relative(part, channels, planner)


def _dilated(part: MultiLevelDilatedConv, channels: Channels, planner: Planner) -> Channels:
    planner.chain(part.nn, channels, channels)
    return planner.chain(part.nn_2, channels, channels)


GRAPHS: Mapping[type[nn.Module], Callable[[Any, Channels, Planner], Channels]] = {
    SparseVisionGraphConv: _max_relative,
    MobileGraphConv: _max_relative,
    DynamicAxialGraphConv: _max_relative,
    LogarithmicGraphConv: _max_relative,
    GatedGraphConv: _max_relative,
    AttentionGraphConv: _attention,
    MultiLevelDilatedConv: _dilated,
}


def _conv(part: nn.Module) -> nn.Conv2d:
    if not isinstance(part, nn.Conv2d):
        raise TypeError(f"a rule found {type(part).__name__} in the place of a convolution")
    return part
