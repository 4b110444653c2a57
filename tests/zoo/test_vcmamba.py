"""VCMamba's scans, its paths over a map, and the image sizes that it accepts."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobilebench.errors import ImageSizeError, UserError
from mobilebench.zoo.layers.drop_path import DropPath
from mobilebench.zoo.layers.initialise import for_verification
from mobilebench.zoo.layers.selective_scan import SnakeScan, selective_scan, snake_paths
from mobilebench.zoo.vcmamba import SnakeMamba, VCMamba, vcmamba_s

MAPS = [(7, 7), (6, 6), (7, 6), (6, 7), (3, 8), (1, 5), (5, 1), (1, 1)]
RIGHT, LEFT, UP, DOWN = 1, 2, 3, 4
OFFSETS = {RIGHT: (0, 1), LEFT: (0, -1), UP: (-1, 0), DOWN: (1, 0)}


def small(*, interpolate_positions: bool = False) -> VCMamba:
    """Build a small network of all kinds of layers, with two Mamba blocks in the last stage."""
    torch.manual_seed(0)
    network = VCMamba(
        blocks=(1, 1, 1, 3),
        channels=(4, 8, 16, 24),
        mamba_blocks=2,
        num_classes=5,
        interpolate_positions=interpolate_positions,
    )
    for_verification(network)
    return network


def image(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def walk(
    height: int, width: int, start: tuple[int, int], ahead: int, aside: int
) -> tuple[list[tuple[int, int]], list[int]]:
    """Walk ahead to the border of the map, step aside, turn round, and so on.

    Return the visited pixels and the code of the step that reached each of them.
    """
    back = {RIGHT: LEFT, LEFT: RIGHT, UP: DOWN, DOWN: UP}
    pixels, steps = [start], [0]

    def step(code: int) -> bool:
        row = pixels[-1][0] + OFFSETS[code][0]
        column = pixels[-1][1] + OFFSETS[code][1]
        if not (0 <= row < height and 0 <= column < width):
            return False
        pixels.append((row, column))
        steps.append(code)
        return True

    while True:
        while step(ahead):
            pass
        if not step(aside):
            return pixels, steps
        ahead = back[ahead]


def four_walks(height: int, width: int) -> list[tuple[list[tuple[int, int]], list[int]]]:
    bottom, right = height - 1, width - 1
    upwards = ((bottom, right), LEFT) if height % 2 else ((bottom, 0), RIGHT)
    leftwards = ((bottom, right), UP) if width % 2 else ((0, right), DOWN)
    return [
        walk(height, width, (0, 0), RIGHT, DOWN),
        walk(height, width, *upwards, UP),
        walk(height, width, (0, 0), DOWN, RIGHT),
        walk(height, width, *leftwards, LEFT),
    ]


@pytest.mark.parametrize(("height", "width"), MAPS)
def test_paths_walk_rows_and_columns_from_either_end(height: int, width: int) -> None:
    paths = snake_paths(height, width)
    assert [(list(path.pixels), list(path.steps)) for path in paths] == [
        ([row * width + column for row, column in pixels], steps)
        for pixels, steps in four_walks(height, width)
    ]
    for path in paths:
        assert [path.pixels[place] for place in path.places] == list(range(height * width))


def test_paths_are_worked_out_once_for_a_size() -> None:
    assert snake_paths(7, 6) is snake_paths(7, 6)


def scan_inputs(tokens: int, states: int = 3, channels: int = 4) -> list[Tensor]:
    """Return u, dt, a, b, c, d and the direction table of a float64 scan of two images."""
    generator = torch.Generator().manual_seed(2)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    return [
        normal(2, tokens, channels),
        F.softplus(normal(2, tokens, channels)),
        -normal(channels, states).exp(),
        normal(2, tokens, states),
        normal(2, tokens, states),
        normal(channels),
        normal(5, states),
    ]


@pytest.mark.parametrize("size", [(3, 3), (2, 4), (4, 3)])
@pytest.mark.parametrize("kept_for", [(3, 3), (7, 7)])
def test_scan_is_that_of_a_loop_over_single_numbers(
    size: tuple[int, int], kept_for: tuple[int, int]
) -> None:
    height, width = size
    u, dt, a, b, c, d, direction_b = scan_inputs(height * width)
    expected = torch.zeros_like(u)
    for image_index, channel in [(n, e) for n in range(2) for e in range(len(d))]:
        for pixels, steps in four_walks(height, width):
            h = [0.0] * a.shape[1]
            for place, ((row, column), step) in enumerate(zip(pixels, steps, strict=True)):
                raster = row * width + column
                value = float(u[image_index, raster, channel])
                delta = float(dt[image_index, place, channel])
                y = float(d[channel]) * value
                for n in range(len(h)):
                    drive = float(b[image_index, place, n] + direction_b[step, n])
                    h[n] = math.exp(delta * float(a[channel, n])) * h[n] + delta * drive * value
                    y += float(c[image_index, place, n]) * h[n]
                expected[image_index, raster, channel] += y
    output = SnakeScan(kept_for)(u, dt, a, b, c, d, direction_b, size)
    # Only the order of additions differs.
    torch.testing.assert_close(output, expected, rtol=1e-12, atol=1e-12)


def test_scan_has_the_gradient_of_finite_differences() -> None:
    u, dt, a, b, c, d, _ = scan_inputs(4, states=2, channels=2)
    u, b = (torch.stack([x, x.flip(1), 2 * x], 1) for x in (u, b))
    inputs = tuple(x.requires_grad_() for x in (u, dt, a, b, c, d))
    assert torch.autograd.gradcheck(selective_scan, inputs)


@pytest.mark.parametrize("size", [(192, 224), (224, 225), (256, 256), (224, 64)])
def test_other_map_sizes_are_refused_with_advice(size: tuple[int, int]) -> None:
    with pytest.raises(ImageSizeError, match="sides of 193 to 224 pixels") as caught:
        small().eval()(image(1, 3, *size))
    assert isinstance(caught.value, UserError)
    assert f"{size[0]} x {size[1]}" in str(caught.value)


def test_every_image_with_the_official_map_is_accepted() -> None:
    with torch.no_grad():
        assert small().eval()(image(1, 3, 193, 224)).isfinite().all()


def test_stages_are_at_strides_4_to_32() -> None:
    with torch.no_grad():
        stages = small().eval().stages(image(1, 3, 224, 224))
    assert [tuple(x.shape[1:]) for x in stages] == [
        (4, 56, 56),
        (8, 28, 28),
        (16, 14, 14),
        (24, 7, 7),
    ]


def test_positions_are_interpolated_on_request() -> None:
    network = small(interpolate_positions=True).eval()
    maps: dict[str, Tensor] = {}
    network.get_submodule("network.6.0").register_forward_hook(
        lambda _, __, output: maps.update(before=output)
    )
    network.get_submodule("network.6.1").register_forward_pre_hook(
        lambda _, inputs: maps.update(after=inputs[0])
    )
    with torch.no_grad():
        assert network(image(1, 3, 256, 160)).isfinite().all()
        expected = F.interpolate(network.pos_embed, (8, 5), mode="bicubic", align_corners=False)
    torch.testing.assert_close(maps["after"] - maps["before"], expected, rtol=0, atol=1e-5)


def test_interpolation_changes_nothing_at_the_official_size() -> None:
    with torch.no_grad():
        logits = small(interpolate_positions=True).eval()(image(1, 3, 224, 224))
        assert torch.equal(logits, small().eval()(image(1, 3, 224, 224)))


def test_every_parameter_gets_a_gradient_but_biases_before_batch_norm() -> None:
    network = small().double().train()
    for part in network.modules():
        if isinstance(part, DropPath):
            part.probability = 0.0
    head, dist_head = network(image(2, 3, 224, 224).double())
    assert head.shape == dist_head.shape == (2, 5)
    (head.square().sum() + dist_head.square().sum()).backward()
    silent = {
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or parameter.grad.abs().max() < 1e-12
    }
    # BatchNorm subtracts a channel's mean, and with it what is equal for all pixels: the bias of
    # the convolution before it, and of a norm before a 1x1 convolution before it. Only the
    # depthwise convolution before the scan is not followed by a BatchNorm.
    assert silent == {
        f"{name}.bias"
        for name, part in network.named_modules()
        if (isinstance(part, nn.Conv2d) and not name.endswith("mamba.conv2d"))
        or name in {f"network.6.{block}.{norm}" for block in (1, 2) for norm in ("norm", "norm2")}
    }


def test_drop_path_grows_evenly_over_all_blocks() -> None:
    rates = [part.probability for part in vcmamba_s().modules() if isinstance(part, DropPath)]
    assert rates == pytest.approx([0.2 * block / 27 for block in range(28)])


def test_scan_constants_stay_out_of_the_state_dict() -> None:
    mixer = SnakeMamba(8)
    assert not any(name.startswith("scan") for name in mixer.state_dict())
    assert {name for name, _ in mixer.scan.named_buffers()} == {"pixels", "steps", "places"}


@pytest.mark.parametrize(
    ("interpolate_positions", "size"), [(False, (224, 224)), (True, (256, 224))]
)
def test_exported_network_computes_the_same(
    interpolate_positions: bool, size: tuple[int, int]
) -> None:
    network = small(interpolate_positions=interpolate_positions).eval()
    batch = {0: torch.export.Dim("batch", min=1, max=8)}
    exported = torch.export.export(network, (image(2, 3, *size),), dynamic_shapes=(batch,)).module()
    x = image(3, 3, *size)
    with torch.no_grad():
        torch.testing.assert_close(exported(x), network(x), rtol=0, atol=1e-6)
