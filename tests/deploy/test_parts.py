"""Compare each rewrite with the form before it, on maps of awkward sizes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobilebench.deploy import Target, folding
from mobilebench.deploy.aggregation import (
    Aggregation,
    Attended,
    DoublingExtreme,
    Extremes,
    GatedNeighbours,
    Layout,
    NearCandidates,
    Running,
)
from mobilebench.deploy.norms import PooledNorm, TokenNorm, normalised_projection
from mobilebench.deploy.scan import Softplus, scan_of
from mobilebench.deploy.shifts import Ring, doubling
from mobilebench.zoo.adaptvig import AttentionGraphConv, GatedGraphConv
from mobilebench.zoo.greedyvig import DynamicAxialGraphConv
from mobilebench.zoo.layers.initialise import for_verification
from mobilebench.zoo.layers.selective_scan import DIRECTIONS, SnakeScan
from mobilebench.zoo.logvig import LogarithmicGraphConv
from mobilebench.zoo.mobilevig import SparseVisionGraphConv
from mobilebench.zoo.mobilevigv2 import MobileGraphConv

SIZES = [(1, 1), (2, 2), (3, 5), (7, 7), (8, 8), (8, 13), (14, 14), (16, 12)]


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Relative(nn.Module):
    """Stands in for a graph convolution's mix and returns the relative half of its input."""

    def forward(self, joined: Tensor) -> Tensor:
        return joined.chunk(2, dim=1)[1]


def relative_of(graph_conv: nn.Module, x: Tensor) -> Tensor:
    """Return what the plain graph convolution passes to its mix beside x."""
    graph_conv.nn = Relative()  # type: ignore[assignment]
    with torch.no_grad():
        y: Tensor = graph_conv(x)
    return y


def aggregated(aggregate: Aggregation, x: Tensor) -> Tensor:
    """Return what an aggregation makes of a map (N, C, H, W), whatever its own layout."""
    if aggregate.layout is Layout.CHANNELS_LAST:
        last: Tensor = aggregate(x.permute(0, 2, 3, 1))
        return last.permute(0, 3, 1, 2)
    y: Tensor = aggregate(x)
    return y


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("distance", [1, -1, 3, -4, 5, 0, 42])
def test_a_shift_is_a_roll(distance: int, axis: int, layout: Layout, target: Target) -> None:
    x = normal(2, 6, 7, 3) if layout is Layout.CHANNELS_LAST else normal(2, 3, 6, 7)
    shifted = Aggregation((6, 7), target, layout).shifted(x, distance, axis)
    assert torch.equal(shifted, torch.roll(x, distance, layout.value[axis]))


def test_one_ring_has_every_shift() -> None:
    x = normal(1, 2, 9, 4)
    for distances in ([1, 2, 4], [-3, -1], [4, -4, 2], [0], []):
        ring = Ring(x, distances, 2, Target.XNNPACK)
        for distance in distances:
            assert torch.equal(ring.shifted(distance), torch.roll(x, distance, 2)), distances


@pytest.mark.parametrize("count", range(1, 20))
def test_doubling_covers_every_multiple_once_or_more_and_no_other(count: int) -> None:
    distances = {0}
    for step in doubling(3, count):
        distances |= {place + step for place in distances}
    assert distances == {3 * index for index in range(count)}
    assert len(doubling(3, count)) == (count - 1).bit_length()


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("size", SIZES)
def test_extremes_are_the_running_ones(size: tuple[int, int], target: Target) -> None:
    x = normal(2, 3, *size)
    sparse = DoublingExtreme(size, target, 2, lowest=True)
    torch.testing.assert_close(x - aggregated(sparse, x), relative_of(SparseVisionGraphConv(3), x))
    for hop in (2, 4, 8):
        mobile = Extremes(size, target, [(hop, -hop)] * 2, lowest=False)
        torch.testing.assert_close(
            aggregated(mobile, x) - x, relative_of(MobileGraphConv(3, hop), x)
        )
    for base in (2, 3):
        distances = [
            [s * (base**p - 1) for p in range(1, n.bit_length()) for s in (1, -1)] for n in size
        ]
        grown = Extremes(size, target, distances, lowest=True)
        torch.testing.assert_close(
            x - aggregated(grown, x), relative_of(LogarithmicGraphConv(3, base), x)
        )


@pytest.mark.parametrize("late", [False, True])
def test_a_running_extreme_takes_every_term_in_its_order(late: bool) -> None:
    running = Running(normal(3), lambda found, term: found / 2 + term, late=late)
    expected = normal(3)
    torch.testing.assert_close(running.end(), expected)
    for seed in (1, 2, 3):
        running.take(normal(3, seed=seed))
        expected = expected / 2 + normal(3, seed=seed)
    assert torch.equal(running.end(), expected)


@pytest.mark.parametrize("extreme", [Extremes, NearCandidates, GatedNeighbours])
def test_onnx_runtime_gets_each_term_before_the_maximum_with_the_one_before(
    extreme: type[Aggregation],
) -> None:
    """It computes what is written last first; so only two terms are alive at once."""
    arguments: dict[type[Aggregation], tuple[Any, ...]] = {
        Extremes: ([(1, -1), (1, -1)],), NearCandidates: (4, 2), GatedNeighbours: (4, 2, 1.0),
    }  # fmt: skip
    lowest = {"lowest": False} if extreme is Extremes else {}
    part = extreme((16, 16), Target.ONNX_RUNTIME, *arguments[extreme], **lowest).float()
    program = torch.export.export(part, (torch.zeros(1, 4, 16, 16),))
    nodes = [node for node in program.graph.nodes if node.op == "call_function"]
    maxima = [node for node in nodes if "maximum" in str(node.target)]
    assert len(maxima) > 2
    for before, after in pairwise(maxima):
        if before in after.args:
            [term] = (node for node in after.args if node is not before)
            assert nodes.index(term) < nodes.index(before)


@pytest.mark.parametrize("target", [Target.XNNPACK, Target.ONNX_RUNTIME, Target.COREML])
def test_an_extreme_is_equal_bit_for_bit(target: Target) -> None:
    x = normal(1, 5, 14, 14).float()
    extreme = DoublingExtreme((14, 14), target, 2, lowest=True)(x)
    assert torch.equal(x - extreme, relative_of(SparseVisionGraphConv(5), x))


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("size", SIZES)
def test_near_candidates_are_those_of_the_comparison(size: tuple[int, int], target: Target) -> None:
    x = normal(1, 5, *size)
    for hop in (1, 2, 4):
        near = NearCandidates(size, target, 5, hop).double()
        expected = relative_of(DynamicAxialGraphConv(5, hop), x)
        torch.testing.assert_close(aggregated(near, x) - x, expected, rtol=1e-9, atol=1e-9)
    if size == (14, 14):
        assert bool(expected.any()), "no candidate counts, so nothing was compared"


def test_near_candidates_hold_in_half_precision_where_no_margin_is_small() -> None:
    """A map of two kinds of pixels, far from each other, makes every decision clear."""
    x = 20.0 * (normal(1, 8, 14, 14) > 0.9) + 0.01 * normal(1, 8, 14, 14, seed=1)
    expected = relative_of(DynamicAxialGraphConv(8, 2), x)
    near = NearCandidates((14, 14), Target.COREML, 8, 2).half()
    relative = near(x.half()) - x.half()
    assert float((relative - expected).abs().max()) <= 0.05
    assert float(expected.max()) > 10.0


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("size", SIZES)
def test_gates_are_those_of_the_exponential(size: tuple[int, int], target: Target) -> None:
    x = normal(2, 4, *size)
    for hop in (2, 4, 8):
        plain = GatedGraphConv(4, hop).double()
        with torch.no_grad():
            plain.temperature.fill_(-3.0)
        gated = GatedNeighbours(size, target, 4, hop, 3.0 + 1e-6).double()
        torch.testing.assert_close(
            aggregated(gated, x), relative_of(plain, x), rtol=1e-9, atol=1e-9
        )


@pytest.mark.parametrize("target", Target)
def test_attention_is_the_plain_one(target: Target) -> None:
    plain, x = AttentionGraphConv(16).double(), normal(2, 16, 5, 4)
    for_verification(plain)
    expected = relative_of(plain, x)
    attended = Attended(
        (5, 4),
        target,
        normalised_projection(plain.q_conv, plain.q_norm, target, gain=plain.inner**-0.5),
        normalised_projection(plain.k_conv, plain.k_norm, target),
        folding.as_linear(plain.v_conv),
    )
    with torch.no_grad():
        torch.testing.assert_close(attended(x) - x, expected, rtol=1e-9, atol=1e-9)


def a_scan_of_49_tokens(target: Target) -> nn.Module:
    a_log, table = normal(3, 2).float(), normal(len(DIRECTIONS), 2).float()
    return scan_of((7, 7), a_log, table, normal(3).float(), target)


def scanned() -> tuple[Tensor, ...]:
    """Return u, dt, b and c for it."""
    return tuple(torch.ones(1, 49, size) for size in (3, 3, 2, 2))


@pytest.mark.parametrize("target", Target)
@pytest.mark.parametrize("size", [(7, 7), (8, 8), (5, 8), (1, 3), (4, 1)])
def test_four_scans_together_are_the_recurrence(size: tuple[int, int], target: Target) -> None:
    inner, states, length = 6, 4, size[0] * size[1]
    u, dt = normal(1, length, inner), F.softplus(normal(1, length, inner, seed=1))
    b, c = normal(1, length, states, seed=2), normal(1, length, states, seed=3)
    a_log = normal(inner, states, seed=4)
    d, table = normal(inner, seed=5), normal(len(DIRECTIONS), states, seed=6)
    expected = SnakeScan(size)(u, dt, -torch.exp(a_log), b, c, d, table, size)
    output = scan_of(size, a_log, table, d, target)(u, dt, b, c)
    torch.testing.assert_close(output, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("target", [Target.XNNPACK, Target.LITERT])
def test_few_states_are_alive_at_a_time_where_operations_run_as_written(target: Target) -> None:
    program = torch.export.export(a_scan_of_49_tokens(target), scanned())
    nodes = list(program.graph.nodes)
    place = {node: index for index, node in enumerate(nodes)}
    states = [
        (place[node], max(place[user] for user in node.users))
        for node in nodes
        if node.op == "call_function" and node.meta["val"].shape == (4, 2, 3)
    ]
    assert len(states) > 49
    alive = [sum(first <= now <= last for first, last in states) for now in range(len(nodes))]
    assert max(alive) <= 3  # what a step has, what it adds, and their sum


def test_onnx_runtime_reads_out_last_the_last_token_first() -> None:
    """Of a node's inputs it computes first the one that is written last."""
    program = torch.export.export(a_scan_of_49_tokens(Target.ONNX_RUNTIME), scanned())
    nodes = [node for node in program.graph.nodes if node.op == "call_function"]
    states = [
        node
        for node in nodes
        if isinstance(node.meta["val"], Tensor) and node.meta["val"].shape == (4, 2, 3)
    ]
    [joined] = (node for node in nodes if "cat" in str(node.target))
    reads = list(joined.args[0])
    assert len(reads) == 49
    assert nodes.index(reads[0]) > max(map(nodes.index, states))
    order = [next(states.index(part) for part in read.args if part in states) for read in reads]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize("target", Target)
def test_strong_decay_neither_overflows_nor_loses_the_state(target: Target) -> None:
    """The closed form's exp of minus the sum of decays would be infinite here."""
    inner, states = 3, 2
    u, dt = normal(1, 49, inner).float(), torch.full((1, 49, inner), 4.0)
    b, c = normal(1, 49, states, seed=2).float(), normal(1, 49, states, seed=3).float()
    a_log, d = torch.full((inner, states), 2.8), torch.zeros(inner)
    table = torch.zeros(len(DIRECTIONS), states)
    expected = SnakeScan((7, 7))(u, dt, -torch.exp(a_log), b, c, d, table, (7, 7))
    output = scan_of((7, 7), a_log, table, d, target)(u, dt, b, c)
    torch.testing.assert_close(output, expected)
    assert float(torch.exp(-dt.sum(1).double() * -torch.exp(a_log.double())[:, 0]).max()) == float(
        "inf"
    )


def test_softplus_holds_at_both_ends() -> None:
    x = torch.tensor([-200.0, -30.0, -1.0, 0.0, 1.0, 30.0, 200.0])
    torch.testing.assert_close(Softplus()(x), F.softplus(x), rtol=1e-6, atol=1e-7)


def test_norms_are_layer_normalisation() -> None:
    norm, tokens = nn.LayerNorm(6).double(), normal(2, 5, 6)
    for_verification(norm)
    with torch.no_grad():
        torch.testing.assert_close(TokenNorm(norm)(tokens), norm(tokens))
        image = normal(2, 6, 3, 4)
        pooled = PooledNorm(norm)(image) * norm.weight + norm.bias
        torch.testing.assert_close(pooled, norm(image.flatten(2).transpose(1, 2)).mean(1))


def _layers() -> tuple[nn.Conv2d, nn.BatchNorm2d, Tensor]:
    conv, norm = nn.Conv2d(4, 6, 3, 2, 1).double(), nn.BatchNorm2d(6).double().eval()
    for_verification(conv)
    for_verification(norm, seed=1)
    return conv, norm, normal(2, 4, 9, 8)


def test_a_norm_after_a_convolution_is_folded() -> None:
    conv, norm, x = _layers()
    with torch.no_grad():
        torch.testing.assert_close(folding.norm_after(conv, norm)(x), norm(conv(x)))
        bare = nn.BatchNorm2d(6, affine=False).double().eval()
        torch.testing.assert_close(folding.norm_after(conv, bare)(x), bare(conv(x)))


def test_a_norm_before_a_pointwise_convolution_is_folded_and_before_others_refused() -> None:
    conv, norm, _ = _layers()
    pointwise, x = nn.Conv2d(6, 3, 1, bias=False).double(), normal(2, 6, 5, 5)
    with torch.no_grad():
        torch.testing.assert_close(folding.norm_before(norm, pointwise)(x), pointwise(norm(x)))
    with pytest.raises(ValueError, match="without padding"):
        folding.norm_before(nn.BatchNorm2d(4).eval(), conv)


def test_scale_identity_relation_and_composition_are_folded() -> None:
    conv, _, x = _layers()
    factors = normal(6, 1, 1, seed=3)
    first, second = nn.Conv2d(4, 5, 1).double(), nn.Conv2d(5, 3, 1).double()
    depthwise = nn.Conv2d(4, 4, 7, padding=3, groups=4).double()
    mix, m = nn.Conv2d(8, 3, 1).double(), normal(2, 4, 9, 8, seed=4)
    with torch.no_grad():
        torch.testing.assert_close(folding.scaled(conv, factors)(x), factors * conv(x))
        torch.testing.assert_close(folding.with_identity(depthwise)(x), x + depthwise(x))
        torch.testing.assert_close(folding.composed(first, second)(x), second(first(x)))
        for sign in (1.0, -1.0):
            rewritten = folding.relative_to_sum(mix, sign)(torch.cat([x, m], 1))
            torch.testing.assert_close(rewritten, mix(torch.cat([x, sign * (m - x)], 1)))
        heads = [nn.Linear(4, 3).double(), nn.Linear(4, 3).double()]
        flat = normal(2, 4)
        both = (heads[0](flat) + heads[1](flat)) / 2
        torch.testing.assert_close(folding.mean_of(heads)(flat), both)
