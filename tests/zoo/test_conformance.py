"""Compare every network of the zoo with the official code on the same numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from mobilebench.errors import MobilebenchWarning
from mobilebench.zoo import create_model, list_models, load_checkpoint, model_spec
from mobilebench.zoo.complexity import count_macs, count_params
from mobilebench.zoo.layers.drop_path import DropPath
from mobilebench.zoo.layers.initialise import for_verification
from tests.zoo import fill

WITH_VECTORS = tuple(name for name in list_models() if (fill.VECTORS / f"{name}.npz").exists())
WITH_FACTS = tuple(name for name in list_models() if (fill.VECTORS / f"{name}.json").exists())
SMALLEST_WITH_VECTORS = {name.partition("_")[0]: name for name in reversed(WITH_VECTORS)}.values()
CASES = {"224": ((1, 3, 224, 224), 0), "256": ((2, 3, 256, 256), 1)}


def _filled(name: str) -> nn.Module:
    """Return a network with the numbers of the fill rule."""
    state = fill.state(fill.manifest(name))
    model = create_model(name)
    model.load_state_dict({key: torch.from_numpy(array) for key, array in state.items()})
    return model.eval()


@pytest.fixture(scope="module", params=WITH_VECTORS)
def filled(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    return request.param, _filled(request.param)


@pytest.fixture(
    scope="module",
    params=[
        name if name in SMALLEST_WITH_VECTORS else pytest.param(name, marks=pytest.mark.slow)
        for name in WITH_VECTORS
    ],
)
def wide(request: pytest.FixtureRequest) -> tuple[str, nn.Module]:
    return request.param, _filled(request.param).double()


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_state_dict_has_the_official_entries_and_no_others(name: str) -> None:
    ours = {
        (key, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for key, tensor in create_model(name).state_dict().items()
    }
    assert ours == set(fill.manifest(name))


@pytest.mark.parametrize("name", WITH_VECTORS)
def test_fill_rule_gives_the_published_numbers(name: str) -> None:
    assert fill.checksum(fill.state(fill.manifest(name))) == fill.facts(name)["fill_sha256"]


def _case(name: str, case: str) -> tuple[tuple[int, ...], int]:
    if f"logits_{case}" not in fill.logits(name):
        pytest.skip(f"{name} takes no {case} x {case} images: its position table is 7 x 7")
    return CASES[case]


@pytest.mark.parametrize("case", CASES)
def test_float32_logits_match_the_official_code(filled: tuple[str, nn.Module], case: str) -> None:
    name, model = filled
    shape, seed = _case(name, case)
    with torch.no_grad():
        logits = model(torch.from_numpy(fill.image(shape, seed))).numpy()
    # Rounding gives about 2e-6 here; the smallest known wrong detail, a tanh GELU, gives 7e-4.
    assert fill.relative_error(logits, fill.logits(name)[f"logits_{case}"]) <= 1e-4


@pytest.mark.parametrize("case", CASES)
def test_float64_logits_match_the_official_code(wide: tuple[str, nn.Module], case: str) -> None:
    name, model = wide
    shape, seed = _case(name, case)
    with torch.no_grad():
        logits = model(torch.from_numpy(fill.image(shape, seed)).double()).numpy()
    assert fill.relative_error(logits, fill.logits(name)[f"logits_{case}_float64"]) <= 1e-9


HEADS = ("head", "dist_head")


def test_every_stage_and_head_matches_under_its_official_name(
    filled: tuple[str, nn.Module],
) -> None:
    name, model = filled
    expected = fill.facts(name)["cases"]["224"]["stages"]
    shape, seed = CASES["224"]
    outputs: dict[str, torch.Tensor] = {}
    handles = [
        model.get_submodule(facts["module"]).register_forward_hook(_keep(outputs, stage))
        for stage, facts in expected.items()
    ]
    with torch.no_grad():
        model(torch.from_numpy(fill.image(shape, seed)))
    for handle in handles:
        handle.remove()
    for stage, facts in expected.items():
        assert list(outputs[stage].shape) == facts["shape"], stage
        first = outputs[stage].ravel()[:8].numpy()
        # The figures are rounded to 8 digits and float32 rounds at 1e-6 of the largest value.
        assert np.abs(first - facts["first8"]).max() <= 2e-5 * facts["absmax"], stage
    for head in HEADS:
        logits = outputs[head].flatten(1).numpy()
        assert fill.relative_error(logits, fill.logits(name)[f"{head}_224"]) <= 1e-4


def _keep(outputs: dict[str, torch.Tensor], stage: str) -> Callable[..., None]:
    def hook(_: nn.Module, __: object, output: torch.Tensor) -> None:
        outputs[stage] = output

    return hook


def test_stages_are_the_maps_at_strides_4_to_32(filled: tuple[str, nn.Module]) -> None:
    name, model = filled
    expected = fill.facts(name)["cases"]["224"]["stages"]
    shape, seed = CASES["224"]
    with torch.no_grad():
        maps = model.stages(torch.from_numpy(fill.image(shape, seed)))  # type: ignore[operator]
    assert [list(m.shape) for m in maps] == [expected[f"stage{i}"]["shape"] for i in range(1, 5)]
    for index, stage_map in enumerate(maps, start=1):
        assert float(stage_map.mean()) == pytest.approx(expected[f"stage{index}"]["mean"], abs=1e-5)


def test_a_wrong_activation_would_be_noticed() -> None:
    """The other GELU exceeds the tolerance, so the comparison can fail."""
    name = "mobilevig_ti"
    model = create_model(name)
    state = fill.state(fill.manifest(name))
    model.load_state_dict({key: torch.from_numpy(array) for key, array in state.items()})
    for part in model.modules():
        if isinstance(part, nn.GELU):
            part.approximate = "tanh"
    shape, seed = CASES["224"]
    with torch.no_grad():
        logits = model.eval()(torch.from_numpy(fill.image(shape, seed))).numpy()
    assert fill.relative_error(logits, fill.logits(name)["logits_224"]) > 1e-4


def test_logvig_without_its_high_resolution_branch_matches_too() -> None:
    for name in ("logvig_ti", "logvig_b"):
        model = create_model(name)
        official = {
            key: torch.from_numpy(array)
            for key, array in fill.state(fill.facts(name)["manifest"]).items()
        }
        with pytest.warns(MobilebenchWarning, match="draws these weights anew in every call"):
            load_checkpoint(model, official)
        for case, (shape, seed) in CASES.items():
            with torch.no_grad():
                logits = model.eval()(torch.from_numpy(fill.image(shape, seed))).numpy()
            expected = fill.logits(name)[f"logits_{case}_without_high_res"]
            assert fill.relative_error(logits, expected) <= 1e-4


@pytest.mark.parametrize("name", list_models())
def test_catalogued_counts_are_those_of_the_network(name: str) -> None:
    model, spec = create_model(name).eval(), model_spec(name)
    assert count_params(model) == spec.params
    assert count_macs(model, [torch.zeros(1, 3, 224, 224)]) == spec.macs


@pytest.mark.parametrize("name", WITH_FACTS)
def test_counts_are_those_of_the_official_code(name: str) -> None:
    """Compare the counts, also of the variants without vectors."""
    facts, spec = fill.facts(name), model_spec(name)
    # LogViG's adjustment is not a parameter there, and its MACs are counted separately.
    state = create_model(name).state_dict()
    adjusted = sum(v.numel() for key, v in state.items() if key.startswith("merge.adjust"))
    assert spec.params is not None and spec.macs is not None
    assert spec.params - adjusted == facts["params"]
    macs = facts["macs_224"]
    assert spec.macs.conv == macs["conv"] + macs.get("conv_created_in_forward", 0)
    assert (spec.macs.linear, spec.macs.matmul, spec.macs.scan) == (
        macs["linear"],
        macs["matmul"],
        macs["scan"],
    )


def test_the_baseline_has_torchvisions_layout_and_size() -> None:
    """torchvision reports 3,504,872 parameters and 0.30 GMACs for its mobilenet_v2."""
    model, spec = create_model("mobilenetv2_100"), model_spec("mobilenetv2_100")
    state = model.state_dict()
    assert spec.params == 3_504_872 and len(state) == 314
    assert spec.macs is not None and round(spec.macs.total / 1e9, 2) == 0.30
    assert tuple(state["features.18.0.weight"].shape) == (1280, 320, 1, 1)
    assert {"features.1.conv.0.0.weight", "classifier.1.bias"} <= set(state)
    assert [m.shape[1] for m in model.eval().stages(torch.zeros(1, 3, 64, 64))] == [  # type: ignore[operator]
        24,
        32,
        96,
        320,
    ]


SMALLEST = tuple(dict.fromkeys(f"{name.partition('_')[0]}" for name in list_models()))


@pytest.mark.parametrize("family", SMALLEST)
def test_training_gives_two_heads_and_every_parameter_a_gradient(family: str) -> None:
    torch.manual_seed(0)
    name = list_models(family)[0]
    model = create_model(name, num_classes=7)
    for_verification(model)  # a temperature of 1 and a layer scale of 1e-5 would hide most branches
    for part in model.modules():
        if isinstance(part, DropPath):
            part.probability = 0.0  # a dropped block rightly has no gradient
    # At 64 pixels AdaptViG's gated neighbours are those that count in full, so no gate matters.
    size = 224 if family == "vcmamba" else 128
    output = model.train()(torch.randn(2, 3, size, size))
    heads = output if isinstance(output, tuple) else (output,)
    assert len(heads) == (1 if family == "mobilenetv2" else 2)
    assert all(head.shape == (2, 7) for head in heads)
    sum(head.square().sum() for head in heads).backward()  # type: ignore[union-attr]
    silent = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    # A bias before BatchNorm is subtracted again with the batch's mean: its gradient is rounding
    # noise, which may be zero. So is that of the BatchNorms before VCMamba's Mamba blocks, whose
    # biases reach another BatchNorm through a 1x1 convolution. Everything else moves the loss.
    constant = {
        f"{path}.bias"
        for path, part in model.named_modules()
        if isinstance(part, nn.Conv2d) or path.startswith("network.6.")
    }
    assert silent - constant == set()


@pytest.mark.parametrize("family", [name for name in SMALLEST if name != "vcmamba"])
@pytest.mark.parametrize("size", [(32, 32), (64, 96), (225, 300)])
def test_other_image_sizes_run_with_finite_outputs(family: str, size: tuple[int, int]) -> None:
    model = create_model(list_models(family)[0]).eval()
    with torch.no_grad():
        logits = model(torch.zeros(1, 3, *size))
    assert logits.shape == (1, 1000)
    assert np.isfinite(logits.numpy()).all()
