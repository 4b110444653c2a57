"""Statistics of BatchNorm are those of the width on the batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from mobilebench.errors import UserError
from mobilebench.slimmable import extract, norms, recalibrate, recalibrate_on
from mobilebench.zoo import create_model, model_spec
from mobilebench.zoo.fingerprint import fingerprint
from mobilebench.zoo.layers.initialise import for_verification


def _network() -> nn.Module:
    network = create_model("rapidnet_ti", num_classes=5)
    for_verification(network)
    return extract(network.eval(), 0.25)


def _batches(count: int = 3) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(4, 3, 32, 32, generator=generator) for _ in range(count)]


def _first_norm(network: nn.Module) -> nn.BatchNorm2d:
    return next(part for part in network.modules() if isinstance(part, nn.BatchNorm2d))


@torch.no_grad()
def test_statistics_are_the_mean_over_the_batches() -> None:
    network, batches = _network(), _batches()
    before = {name: tensor.clone() for name, tensor in network.named_parameters()}
    assert recalibrate(network, iter(batches)) == 12
    maps = [network.stem.stem[0](batch) for batch in batches]  # type: ignore[union-attr, index]
    norm = _first_norm(network)
    assert norm.running_mean is not None and norm.running_var is not None
    means = torch.stack([each.mean((0, 2, 3)) for each in maps]).mean(0)
    variances = torch.stack([each.var((0, 2, 3)) for each in maps]).mean(0)
    assert torch.allclose(norm.running_mean, means, atol=1e-6)
    assert torch.allclose(norm.running_var, variances, rtol=1e-5)
    assert all(torch.equal(before[name], each) for name, each in network.named_parameters())


def test_the_network_keeps_its_mode_and_its_momentum() -> None:
    network = _network().train()
    recalibrate(network, _batches(1))
    assert all(part.training for part in network.modules())
    assert _first_norm(network).momentum == 0.1


@torch.no_grad()
def test_the_last_norm_has_the_statistics_of_the_maps_that_reach_it() -> None:
    """Those before it normalise by the same batch in that pass, not by their old statistics."""
    network, [batch] = _network(), _batches(1)
    _, conv, norm, _ = network.prediction.children()  # type: ignore[union-attr]
    old = conv(network.prediction[0](network.stages(batch)[-1]))  # type: ignore[operator, index]
    maps: list[Tensor] = []
    with conv.register_forward_hook(lambda *called: maps.append(called[-1])):
        recalibrate(network, [batch])
    assert torch.allclose(norm.running_mean, maps[0].mean((0, 2, 3)), atol=1e-6)
    assert not torch.allclose(norm.running_mean, old.mean((0, 2, 3)), atol=1e-2)


@pytest.mark.parametrize(
    ("batches", "sentence"),
    [
        ([], "No batch was given"),
        ([torch.zeros(2, 3, 32, 32), torch.zeros(1, 3, 32, 32)], "A batch of 1 image was given"),
    ],
)
def test_what_gives_no_statistics_is_refused_and_changes_nothing(
    batches: list[Tensor], sentence: str
) -> None:
    network = _network()
    before = fingerprint(network)
    with pytest.raises(UserError, match=sentence):
        recalibrate(network, batches)
    assert fingerprint(network) == before


def test_a_network_without_batch_norm_is_refused() -> None:
    with pytest.raises(UserError, match="Conv2d has no BatchNorm"):
        recalibrate(nn.Conv2d(3, 4, 1), _batches())


def _write(folder: Path, count: int) -> None:
    random = np.random.default_rng(0)
    for index in range(count):
        pixels = random.integers(0, 255, (40, 50, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index:03}.png")


def test_images_of_a_folder_are_prepared_as_for_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path, 5)
    monkeypatch.setattr(norms, "BATCH", 4)
    spec = model_spec("rapidnet_ti", 32)
    first, second = _network(), _network()
    assert recalibrate_on(first, spec, tmp_path) == 5
    prepared = [
        torch.from_numpy(norms.images.prepare(path, spec)) for path in sorted(tmp_path.iterdir())
    ]
    recalibrate(second, [torch.cat(prepared[:3]), torch.cat(prepared[3:])])
    assert fingerprint(first) == fingerprint(second)
    assert recalibrate_on(first, spec, tmp_path, count=2) == 2


def test_a_folder_that_cannot_serve_is_refused(tmp_path: Path) -> None:
    spec = model_spec("rapidnet_ti", 32)
    with pytest.raises(UserError, match="holds no image"):
        recalibrate_on(_network(), spec, tmp_path)
    _write(tmp_path, 1)
    with pytest.raises(UserError, match="give at least 2 images"):
        recalibrate_on(_network(), spec, tmp_path)
