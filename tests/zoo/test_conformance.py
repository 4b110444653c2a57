"""Every network of the zoo against what the official code computes with the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mobilebench.zoo import create_model, list_models, model_spec
from mobilebench.zoo.complexity import count_macs, count_params
from tests.zoo import fill

WITH_VECTORS = ("mobilevig_ti", "mobilevig_s", "mobilevig_b")
CASES = {"224": ((1, 3, 224, 224), 0), "256": ((2, 3, 256, 256), 1)}


@pytest.fixture(scope="module", params=WITH_VECTORS)
def filled(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    name: str = request.param
    state = fill.state(fill.facts(name)["manifest"])
    model = create_model(name)
    model.load_state_dict({key: torch.from_numpy(array) for key, array in state.items()})
    return name, model.eval()


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_state_dict_has_the_official_entries_and_no_others(name: str) -> None:
    ours = {
        (key, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for key, tensor in create_model(name).state_dict().items()
    }
    official = {(key, tuple(shape), dtype) for key, shape, dtype in fill.facts(name)["manifest"]}
    assert ours == official


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_fill_rule_gives_the_published_numbers(name: str) -> None:
    facts = fill.facts(name)
    assert fill.checksum(fill.state(facts["manifest"])) == facts["fill_sha256"]


@pytest.mark.parametrize("case", CASES)
def test_float32_logits_match_the_official_code(filled: tuple[str, nn.Module], case: str) -> None:
    name, model = filled
    shape, seed = CASES[case]
    with torch.no_grad():
        found = model(torch.from_numpy(fill.image(shape, seed))).numpy()
    # Rounding is about 2e-6 here; the smallest wrong detail known, a tanh GELU, is 7e-4.
    assert fill.relative_error(found, fill.logits(name)[f"logits_{case}"]) <= 1e-4


@pytest.mark.parametrize("case", CASES)
def test_float64_logits_match_the_official_code(filled: tuple[str, nn.Module], case: str) -> None:
    name, model = filled
    shape, seed = CASES[case]
    wide = create_model(name).double().eval()
    wide.load_state_dict({key: value.double() for key, value in model.state_dict().items()})
    with torch.no_grad():
        found = wide(torch.from_numpy(fill.image(shape, seed)).double()).numpy()
    assert fill.relative_error(found, fill.logits(name)[f"logits_{case}_float64"]) <= 1e-9


def test_training_mode_returns_both_heads(filled: tuple[str, nn.Module]) -> None:
    name, model = filled
    shape, seed = CASES["224"]
    embedded: list[torch.Tensor] = []
    handle = model.get_submodule("prediction").register_forward_hook(
        lambda _, __, output: embedded.append(output)
    )
    with torch.no_grad():
        model(torch.from_numpy(fill.image(shape, seed)))
        heads = [model.get_submodule(head)(embedded[0]).flatten(1) for head in HEADS]
    handle.remove()
    for head, found in zip(HEADS, heads, strict=True):
        assert fill.relative_error(found.numpy(), fill.logits(name)[f"{head}_224"]) <= 1e-4


HEADS = ("head", "dist_head")


def test_a_wrong_activation_would_be_noticed(filled: tuple[str, nn.Module]) -> None:
    """The tolerance can fail: the other GELU is off by more than it."""
    name, model = filled
    shape, seed = CASES["224"]
    gelus = [part for part in model.modules() if isinstance(part, nn.GELU)]
    for part in gelus:
        part.approximate = "tanh"
    try:
        with torch.no_grad():
            found = model(torch.from_numpy(fill.image(shape, seed))).numpy()
    finally:
        for part in gelus:
            part.approximate = "none"
    assert fill.relative_error(found, fill.logits(name)["logits_224"]) > 1e-4


@pytest.mark.parametrize("name", list_models())
def test_catalogued_counts_are_those_of_the_network(name: str) -> None:
    model, spec = create_model(name).eval(), model_spec(name)
    assert count_params(model) == spec.params == fill.facts(name)["params"]
    counted = count_macs(model, [torch.zeros(1, 3, 224, 224)])
    assert counted == spec.macs
    assert counted.conv == fill.facts(name)["macs_224"]["conv"]


def test_training_forward_gives_two_heads_and_every_parameter_a_gradient() -> None:
    torch.manual_seed(0)
    model = create_model("mobilevig_ti", num_classes=7).train()
    head, dist_head = model(torch.randn(2, 3, 64, 64))
    assert head.shape == dist_head.shape == (2, 7)
    (head.square().sum() + dist_head.square().sum()).backward()
    silent = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # A bias before BatchNorm is subtracted again with the mean: its gradient is rounding noise
    # or zero, and no weight is among the silent ones.
    assert [name for name in silent if not name.endswith("bias")] == []


@pytest.mark.parametrize("size", [(32, 32), (64, 96), (225, 300)])
def test_other_image_sizes_run_with_finite_outputs(size: tuple[int, int]) -> None:
    model = create_model("mobilevig_ti").eval()
    with torch.no_grad():
        logits = model(torch.zeros(1, 3, *size))
    assert logits.shape == (1, 1000)
    assert np.isfinite(logits.numpy()).all()
