"""Rules that map each part of the zoo to the deployment form that replaces it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobilebench.deploy import folding
from mobilebench.deploy.aggregation import (
    Aggregation,
    Attended,
    DoublingExtreme,
    Extremes,
    GatedNeighbours,
    Layout,
    NearCandidates,
)
from mobilebench.deploy.norms import PooledNorm, normalised_projection
from mobilebench.deploy.rewriting import Rewriter, Rule
from mobilebench.deploy.scan import Softplus, TokenMixer, scan_of
from mobilebench.deploy.target import Target
from mobilebench.zoo.adaptvig import AttentionGraphConv, GatedGraphConv
from mobilebench.zoo.greedyvig import DynamicAxialGraphConv
from mobilebench.zoo.layers import convolution, pyramid
from mobilebench.zoo.layers.drop_path import DropPath
from mobilebench.zoo.logvig import LogarithmicGraphConv, LogViG, Merge
from mobilebench.zoo.mobilenetv2 import MobileNetV2
from mobilebench.zoo.mobilevig import Grapher, MobileViG, SparseVisionGraphConv
from mobilebench.zoo.mobilevigv2 import MobileGraphConv
from mobilebench.zoo.rapidnet import LargeKernelFeedForward
from mobilebench.zoo.vcmamba import (
    Embedding,
    MambaBlock,
    SnakeMamba,
    VCMamba,
)


class Residual(nn.Module):
    """Residual connection: x + body(x)."""

    def __init__(self, *body: nn.Module) -> None:
        super().__init__()
        self.body = nn.Sequential(*body)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.body(x)
        return y


class Joined(nn.Module):
    """Graph convolution mix([x, aggregate(x)]), its aggregation separate from its weights.

    Where the aggregation has channels last, both maps are joined so: ONNX Runtime reorders maps for
    the convolutions around it anyway, and takes the transpositions into that.
    """

    def __init__(self, aggregate: nn.Module, mix: nn.Module, layout: Layout) -> None:
        super().__init__()
        self.aggregate = aggregate
        self.mix = mix
        self.layout = layout

    def forward(self, x: Tensor) -> Tensor:
        if self.layout is Layout.CHANNELS_LAST:
            last = x.permute(0, 2, 3, 1)
            joined = torch.cat([last, self.aggregate(last)], dim=3).permute(0, 3, 1, 2)
        else:
            joined = torch.cat([x, self.aggregate(x)], dim=1)
        y: Tensor = self.mix(joined)
        return y


class Pooled(nn.Module):
    """Mean over pixels: (N, C, H, W) -> (N, C).

    It stays a map of one pixel until the end.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.mean((2, 3), keepdim=True).flatten(1)


# ---- Convolutions and the layers beside them ------------------------------------------------


def folded(parts: Iterable[nn.Module]) -> list[nn.Module]:
    """Fold every BatchNorm of a chain into the convolution before it.

    Before: conv, norm, act. After: conv, act. Dropout and drop path, which do nothing in eval mode,
    are removed.
    """
    chain: list[nn.Module] = []
    for part in parts:
        previous = chain[-1] if chain else None
        if isinstance(part, nn.BatchNorm2d) and isinstance(previous, nn.Conv2d):
            chain[-1] = folding.norm_after(previous, part)
        elif not isinstance(part, nn.Dropout | DropPath | nn.Identity):
            chain.append(part)
    return chain


def conv_in(part: nn.Module) -> nn.Conv2d:
    """Return a part that has to be a convolution for a rule to be right.

    Raises `TypeError` for any other part.
    """
    if not isinstance(part, nn.Conv2d):
        raise TypeError(f"a rule found {type(part).__name__} in the place of a convolution")
    return part


def _sequential(part: nn.Sequential, rewrite: Rewriter) -> nn.Module:
    return nn.Sequential(*folded(rewrite(child) for child in part))


def _ending_scaled(chain: list[nn.Module], scale: Tensor) -> list[nn.Module]:
    """Fold the layer scale after a chain into the convolution that ends it.

    Before: y = scale * conv(x). After: y = conv'(x).
    """
    return [*chain[:-1], folding.scaled(conv_in(chain[-1]), scale)]


def _depthwise_mlp(mlp: convolution.DepthwiseMlp) -> list[nn.Module]:
    return folded([mlp.fc1, mlp.norm1, mlp.act, mlp.mid, mlp.mid_norm, mlp.act, mlp.fc2, mlp.norm2])


def _inverted_residual(block: convolution.InvertedResidual, _: Rewriter) -> nn.Module:
    return Residual(*_ending_scaled(_depthwise_mlp(block.mlp), block.layer_scale_2))


def _feed_forward(block: convolution.FeedForward, _: Rewriter) -> nn.Module:
    return Residual(*folded([*block.fc1, block.act, *block.fc2]))


def _local_block(block: pyramid.LocalBlock, _: Rewriter) -> nn.Module:
    dws = block.dws
    chain = folded([dws.pw1, dws.norm1, dws.act, dws.dw, dws.norm2, dws.act, dws.pw2, dws.norm3])
    return Residual(*_ending_scaled(chain, block.layer_scale))


def _large_kernel_feed_forward(ffn: LargeKernelFeedForward, _: Rewriter) -> nn.Module:
    return nn.Sequential(
        *folded([ffn.conv.conv, ffn.norm1, ffn.fc1, ffn.norm2, ffn.act, ffn.fc2, ffn.norm3])
    )


def _embedding(part: Embedding, _: Rewriter) -> nn.Module:
    [part.proj] = map(conv_in, folded([part.proj, part.norm]))
    part.norm = nn.Identity()
    return part


# ---- Graph blocks ----------------------------------------------------------------------------


def _graph_block(block: pyramid.GraphBlock, rewrite: Rewriter) -> nn.Module:
    """Fold the layer scales of a graph block into its convolutions.

    Before: x + scale_1 * mixer(x), then x + scale_2 * ffn(x). After: the scales are part of the
    weights.
    """
    return nn.Sequential(
        Residual(*_ending_scaled(_chain(rewrite(block.mixer)), block.layer_scale_1)),
        Residual(*_ending_scaled(_chain(rewrite(block.ffn)), block.layer_scale_2)),
    )


def _chain(part: nn.Module) -> list[nn.Module]:
    return list(part) if isinstance(part, nn.Sequential) else [part]


def _mixer(mixer: pyramid.Mixer, rewrite: Rewriter) -> nn.Module:
    """Fold the BatchNorms and the identity of a mixer into its convolutions.

    Before: x + pe(x), then fc1, graph, fc2. After: the identity is in pe's centre tap.
    """
    return nn.Sequential(
        folding.with_identity(mixer.cpe.pe),
        *folded(mixer.fc1),
        rewrite(mixer.graph_conv),
        *folded(mixer.fc2),
    )


def _grapher(block: Grapher, rewrite: Rewriter) -> nn.Module:
    return Residual(*folded(block.fc1), rewrite(block.graph_conv), *folded(block.fc2))


def _joined(aggregate: Aggregation, mix: nn.Sequential, sign: float = 0.0) -> Joined:
    """Join an aggregation with the folded mix of a graph convolution.

    With `sign` the mix was of x and sign * (aggregate - x); 0 means that it was of x and the
    aggregate.
    """
    first, *rest = folded(mix)
    conv = conv_in(first)
    if sign:
        conv = folding.relative_to_sum(conv, sign)
    return Joined(aggregate.to(conv.weight.dtype), nn.Sequential(conv, *rest), aggregate.layout)


def _sparse_graph(conv: SparseVisionGraphConv, rewrite: Rewriter) -> nn.Module:
    size = rewrite.map_size(conv)
    return _joined(DoublingExtreme(size, rewrite.target, conv.hop, lowest=True), conv.nn, -1.0)


def _mobile_graph(conv: MobileGraphConv, rewrite: Rewriter) -> nn.Module:
    size, distances = rewrite.map_size(conv), [(conv.hop, -conv.hop)] * 2
    return _joined(Extremes(size, rewrite.target, distances, lowest=False), conv.nn, 1.0)


def _logarithmic_graph(conv: LogarithmicGraphConv, rewrite: Rewriter) -> nn.Module:
    size = rewrite.map_size(conv)
    distances = [
        [
            sign * (conv.base**power - 1)
            for power in range(1, length.bit_length())
            for sign in (1, -1)
        ]
        for length in size
    ]
    return _joined(Extremes(size, rewrite.target, distances, lowest=True), conv.nn, -1.0)


def _dynamic_graph(conv: DynamicAxialGraphConv, rewrite: Rewriter) -> nn.Module:
    channels = rewrite.channels(conv)
    near = NearCandidates(rewrite.map_size(conv), rewrite.target, channels, conv.hop)
    return _joined(near, conv.nn, 1.0)


def _gated_graph(conv: GatedGraphConv, rewrite: Rewriter) -> nn.Module:
    channels = rewrite.channels(conv)
    softness = float(conv.temperature.double().abs() + 1e-6)
    gated = GatedNeighbours(rewrite.map_size(conv), rewrite.target, channels, conv.hop, softness)
    return _joined(gated, conv.nn)


def _attention_graph(conv: AttentionGraphConv, rewrite: Rewriter) -> nn.Module:
    attended = Attended(
        rewrite.map_size(conv),
        rewrite.target,
        normalised_projection(conv.q_conv, conv.q_norm, rewrite.target, gain=conv.inner**-0.5),
        normalised_projection(conv.k_conv, conv.k_norm, rewrite.target),
        folding.as_linear(conv.v_conv),
    )
    return _joined(attended, conv.nn, 1.0)


class EarlyMerge(nn.Module):
    """act(enlarged(low) + adjust(high)), with `Merge`'s convolution before the enlargement.

    Before: conv(enlarged + adjust(high)). After: a 1x1 convolution and a bilinear enlargement
    commute, so the convolution runs on the small map. `adjust` and the convolution, two 1x1
    convolutions in a row, become one.
    """

    def __init__(self, merge: Merge) -> None:
        super().__init__()
        first, *rest = folded(merge.conv)
        conv = conv_in(first)
        self.low = folding.with_weights(conv, conv.weight.double(), None)
        self.adjust = folding.composed(merge.adjust, conv)
        self.act = nn.Sequential(*rest)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        size = high.shape[2:]
        enlarged = F.interpolate(self.low(low), size=size, mode="bilinear", align_corners=False)
        y: Tensor = self.act(enlarged + self.adjust(high))
        return y


def _merge(merge: Merge, _: Rewriter) -> nn.Module:
    return EarlyMerge(merge)


# ---- VCMamba's blocks ------------------------------------------------------------------------


def _mamba_block(block: MambaBlock, rewrite: Rewriter) -> nn.Module:
    """Fold the norms of a Mamba block into the convolutions that follow them.

    Before: x + mamba(norm(x)), x + mlp(norm2(x)). After: the norms are part of these convolutions.
    """
    mlp = block.mlp
    mlp.fc1 = folding.norm_before(block.norm2, mlp.fc1)
    inwards = block.mamba.in_conv
    inwards[0] = folding.norm_before(block.norm, conv_in(inwards[0]))
    return nn.Sequential(Residual(rewrite(block.mamba)), Residual(*_depthwise_mlp(mlp)))


def _snake_mamba(mamba: SnakeMamba, rewrite: Rewriter) -> nn.Module:
    rank, states, _ = mamba.split
    like = mamba.x_proj.weight
    to_dt, to_b, to_c = torch.split(like.double(), [rank, states, states])
    dt_bias = 2 * folding.bias_of(mamba.dt_proj)
    _, outwards = folded(mamba.out_conv)
    return TokenMixer(
        inwards=nn.Sequential(*folded(mamba.in_conv), mamba.conv2d, nn.SiLU()),
        projections=(
            nn.Sequential(
                folding.linear(to_dt, None, like),
                folding.linear(mamba.dt_proj.weight.double(), dt_bias, like),
                nn.Softplus() if rewrite.target is Target.COREML else Softplus(),
            ),
            folding.linear(to_b, None, like),
            folding.linear(to_c, None, like),
        ),
        scan=scan_of(
            rewrite.map_size(mamba), mamba.A_log, mamba.direction_Bs, mamba.D, rewrite.target
        ),
        norm=mamba.norm,
        outwards=folding.as_linear(conv_in(outwards)),
        target=rewrite.target,
    )


# ---- Whole networks: pooling and heads --------------------------------------------------------


def _two_heads(network: Any, rewrite: Rewriter) -> nn.Module:
    """Merge two heads into one with the mean of their weights.

    Before: pooling, a 1x1 convolution with BatchNorm, and two heads whose mean is taken. After: the
    mean over pixels, then linear layers with a single head.
    """
    embedding = folding.norm_after(network.prediction[1], network.prediction[2])
    network.prediction = nn.Sequential(Pooled(), folding.as_linear(embedding), nn.GELU())
    network.head = folding.mean_of(map(folding.as_linear, (network.head, network.dist_head)))
    network.dist_head = None
    return _inside(network, rewrite)


def _vcmamba(network: VCMamba, rewrite: Rewriter) -> nn.Module:
    """Merge VCMamba's two heads, and fold the gain and shift of the norm before them.

    Positions for a map of another size are interpolated once.
    """
    for block in network.modules():
        if isinstance(block, MambaBlock) and rewrite.shapes[block]:
            positions = network.positions(rewrite.map_size(block))
            network.pos_embed = nn.Parameter(positions, requires_grad=False)
            break
    heads = [head for head in (network.head, network.dist_head) if head is not None]
    head, norm = folding.mean_of(heads), network.norm
    network.dist_head = None
    if rewrite.target is not Target.COREML and isinstance(norm, nn.LayerNorm):
        weight = head.weight.double()
        bias = folding.bias_of(head) + weight @ norm.bias.double()
        head = folding.linear(weight * norm.weight.double(), bias, head.weight)
        network.norm = PooledNorm(norm)
        network.tokens, network.pool = nn.Identity(), nn.Identity()
    network.head = head
    return _inside(network, rewrite)


def _inside(network: nn.Module, rewrite: Rewriter) -> nn.Module:
    for name, child in network.named_children():
        setattr(network, name, rewrite(child))
    return network


NETWORKS: Collection[type[nn.Module]] = (MobileNetV2, MobileViG, pyramid.Pyramid, LogViG, VCMamba)

RULES: Mapping[type[nn.Module], Rule] = {
    nn.Sequential: _sequential,
    convolution.InvertedResidual: _inverted_residual,
    convolution.FeedForward: _feed_forward,
    pyramid.LocalBlock: _local_block,
    pyramid.GraphBlock: _graph_block,
    pyramid.Mixer: _mixer,
    pyramid.Pyramid: _two_heads,
    Grapher: _grapher,
    SparseVisionGraphConv: _sparse_graph,
    MobileViG: _two_heads,
    MobileGraphConv: _mobile_graph,
    LogarithmicGraphConv: _logarithmic_graph,
    LogViG: _two_heads,
    Merge: _merge,
    DynamicAxialGraphConv: _dynamic_graph,
    GatedGraphConv: _gated_graph,
    AttentionGraphConv: _attention_graph,
    LargeKernelFeedForward: _large_kernel_feed_forward,
    Embedding: _embedding,
    MambaBlock: _mamba_block,
    SnakeMamba: _snake_mamba,
    VCMamba: _vcmamba,
}
