"""A cut network computes what the full one does with the other channels zero."""

from __future__ import annotations

from functools import lru_cache

import pytest
import torch
from torch import Tensor, nn

from mobilebench.deploy import deploy
from mobilebench.errors import UserError
from mobilebench.slimmable import Width, extract
from mobilebench.zoo import create_model, list_models
from mobilebench.zoo.fingerprint import fingerprint
from mobilebench.zoo.layers.initialise import for_verification
from mobilebench.zoo.vcmamba import vcmamba_s
from tests.models import tiny
from tests.slimmable.masked import masked

EXACT = 1e-12
"""Of the largest output: both sum the same float64 terms, and zeros, in another order."""
DEPLOYED = 1e-5
"""Of the outputs' deviation, as for full networks: float32's own rounding is about 2e-6."""
SMALLEST = tuple(
    {name.partition("_")[0]: name for name in reversed(list_models()) if "_" in name}.values()
)
WIDTHS = ((0.5,) * 4, (0.25, 1.0, 0.75, 0.3))


def _possible(name: str, shares: tuple[float, ...]) -> tuple[float, ...]:
    return (*shares[:3], 1.0) if name.startswith("vcmamba") else shares


@lru_cache(maxsize=1)
def _network(name: str) -> nn.Module:
    network = (
        vcmamba_s(20, interpolate_positions=True)
        if name == "vcmamba_s"
        else create_model(name, num_classes=20)
    )
    for_verification(network)
    return network.eval().double()


def _image() -> Tensor:
    return torch.randn(1, 3, 64, 96, generator=torch.Generator().manual_seed(1)).double()


def test_every_family_is_tested() -> None:
    assert {name.partition("_")[0] for name in SMALLEST} == {
        name.partition("_")[0] for name in list_models()
    }


@pytest.mark.parametrize("name", SMALLEST)
@torch.no_grad()
def test_the_outputs_are_those_of_the_masked_full_network(name: str) -> None:
    """And the deployment form takes the cut network."""
    network, image = _network(name), _image()
    full = network(image)
    for shares in (_possible(name, each) for each in WIDTHS):
        with masked(network, name, shares) as reference:
            expected = reference(image)
        narrow = extract(network, shares)
        assert type(narrow) is type(network) and not narrow.training
        outputs = narrow(image)
        largest = expected.abs().max()
        assert (outputs - expected).abs().max() <= EXACT * largest, shares
        assert (full - expected).abs().max() > 1e-3 * largest, "the mask masks nothing"
    plain, deployed = narrow.float()(image.float()), deploy(narrow, image.float())(image.float())
    assert (plain - deployed).abs().max() <= DEPLOYED * plain.std()


@torch.no_grad()
def test_all_channels_are_an_equal_network_that_shares_nothing() -> None:
    network = _network("mobilevig_ti")
    before = fingerprint(network)
    for width in (1, "1", (1, 1, 1, 1)):
        copied = extract(network, width)
        assert fingerprint(copied) == before
        next(copied.parameters()).add_(1)
        assert fingerprint(network) == before
    narrow = extract(network, 0.5)
    for parameter in narrow.parameters():
        parameter.add_(1)
    assert fingerprint(network) == before


@pytest.mark.parametrize(
    ("name", "width", "channels"),
    [
        ("rapidnet_ti", 0.5, [16, 32, 56, 112]),
        ("rapidnet_ti", "1,0.75,0.5,0.5", [32, 48, 56, 112]),
        ("mobilevig_ti", 0.5, [24, 40, 88, 128]),
        ("mobilenetv2_100", 0.35, [8, 16, 32, 112]),
    ],
)
def test_channels_are_rounded_to_multiples_of_8(
    name: str, width: float | str, channels: list[int]
) -> None:
    narrow = extract(create_model(name).eval(), width)
    stages = narrow.stages(torch.zeros(1, 3, 32, 32))  # type: ignore[operator]
    assert [stage.shape[1] for stage in stages] == channels


def test_half_of_mobilenetv2_has_the_size_of_the_one_of_the_paper() -> None:
    """timm's mobilenetv2_050 has 1,968,680 parameters."""
    narrow = extract(create_model("mobilenetv2_100"), 0.5)
    assert sum(p.numel() for p in narrow.parameters()) == 1_968_680


def test_layers_state_the_sizes_of_their_tensors() -> None:
    narrow = extract(create_model("mobilevigv2_ti"), (0.25, 0.5, 0.75, 1))
    for part in narrow.modules():
        if isinstance(part, nn.Conv2d):
            rebuilt = nn.Conv2d(
                part.in_channels, part.out_channels, part.kernel_size, groups=part.groups
            )
            assert rebuilt.weight.shape == part.weight.shape
        elif isinstance(part, nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_mean.shape == part.weight.shape == (part.num_features,)


@pytest.mark.parametrize(
    ("name", "width", "sentence"),
    [
        ("rapidnet_ti", 0, "--width was given as 0; give a number above 0"),
        ("rapidnet_ti", 1.5, "--width was given as 1.5"),
        ("rapidnet_ti", float("nan"), "--width was given as nan"),
        ("rapidnet_ti", (1, 0.5), "--width 1,0.5 has 2 numbers, and the network has 4 stages"),
        ("mobilenetv2_100", (1,) * 7, "has 7 numbers, and the network has 4 stages"),
        ("rapidnet_ti", (1, 0.05, 1, 1), "keeps none of the 64 channels of stage 2"),
        ("vcmamba_s", 0.5, "keep it whole: --width 0.5,0.5,0.5,1"),
    ],
)
def test_a_width_that_a_network_cannot_take_is_refused(
    name: str, width: float, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        extract(create_model(name), width)


def test_the_width_that_the_error_offers_keeps_a_channel() -> None:
    with pytest.raises(UserError, match="give it 0.125 or more"):
        extract(create_model("rapidnet_ti"), 0.1)
    extract(create_model("rapidnet_ti"), 0.125)


def test_a_network_of_others_has_no_widths() -> None:
    with pytest.raises(UserError, match="a Tiny; networks of the zoo and timm's MobileNetV2 have"):
        extract(tiny(), 0.5)


def test_a_width_that_is_full_is_that_of_every_stage() -> None:
    assert Width(shares=(1.0, 1.0, 1.0, 1.0)).is_full and not Width.parse("1,1,1,0.99").is_full
