"""Compare every family's deployment form with the official logits and its plain form."""

from __future__ import annotations

import copy
from functools import lru_cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mobilebench.deploy import Target, deploy
from mobilebench.deploy.rewriting import Rewriter, rewritten
from mobilebench.errors import ImageSizeError, UnknownName
from mobilebench.inputs.seeded import sample
from mobilebench.values.tensor import TensorSpec
from mobilebench.zoo import create_model, list_models
from mobilebench.zoo.fingerprint import fingerprint
from mobilebench.zoo.layers.initialise import for_verification
from mobilebench.zoo.layers.pyramid import GraphBlock, LocalBlock
from mobilebench.zoo.vcmamba import InvertedResidual, MambaBlock, VCMamba, vcmamba_s
from tests.zoo import fill

WITH_VECTORS = tuple(name for name in list_models() if (fill.VECTORS / f"{name}.npz").exists())
FAMILIES = tuple({name.partition("_")[0]: name for name in reversed(WITH_VECTORS)}.values())
CASES = {"224": ((1, 3, 224, 224), 0), "256": ((2, 3, 256, 256), 1)}
FLOAT64_TARGETS = (Target.XNNPACK, Target.COREML)
EXACT = 1e-5
"""Tolerance relative to the std of the logits; float32's own rounding is about 2e-6."""


@lru_cache(maxsize=1)
def _official(name: str) -> nn.Module:
    """Return a network with the official numbers, which nobody may change."""
    model = create_model(name)
    state = fill.state(fill.manifest(name))
    model.load_state_dict({key: torch.from_numpy(array) for key, array in state.items()})
    return model.eval()


def _cases(name: str) -> list[str]:
    return [case for case in CASES if f"logits_{case}" in fill.logits(name)]


def _image(case: str) -> Tensor:
    shape, seed = CASES[case]
    return torch.from_numpy(fill.image(shape, seed))


def _logits(model: nn.Module, image: Tensor) -> np.ndarray:
    with torch.no_grad():
        logits: np.ndarray = model(image).numpy()
    return logits


@pytest.mark.parametrize(
    "name",
    [
        name if name in FAMILIES else pytest.param(name, marks=pytest.mark.slow)
        for name in WITH_VECTORS
    ],
)
def test_deployed_logits_are_the_official_ones(name: str) -> None:
    model = _official(name)
    for case in _cases(name):
        image = _image(case)
        logits = _logits(deploy(model, image), image)
        assert fill.relative_error(logits, fill.logits(name)[f"logits_{case}"]) <= EXACT, case
        assert fill.relative_error(logits, _logits(model, image)) <= EXACT, case


@pytest.mark.parametrize("target", [target for target in Target if target is not Target.XNNPACK])
@pytest.mark.parametrize(
    ("name", "case"),
    [
        pytest.param(name, case, marks=() if case == "224" else pytest.mark.slow)
        for name in FAMILIES
        for case in _cases(name)
    ],
)
def test_every_target_gets_the_same_network(name: str, case: str, target: Target) -> None:
    image = _image(case)
    logits = _logits(deploy(_official(name), image, target=target), image)
    assert fill.relative_error(logits, fill.logits(name)[f"logits_{case}"]) <= EXACT


@pytest.mark.parametrize(
    "target",
    [
        target if target in FLOAT64_TARGETS else pytest.param(target, marks=pytest.mark.slow)
        for target in Target
    ],
)
@pytest.mark.parametrize("name", FAMILIES)
def test_in_float64_nothing_but_rounding_is_left(name: str, target: Target) -> None:
    model, image = copy.deepcopy(_official(name)).double(), _image("224").double()
    logits = _logits(deploy(model, image, target=target), image)
    assert fill.relative_error(logits, fill.logits(name)["logits_224_float64"]) <= 1e-9


@pytest.mark.parametrize("name", [name for name in FAMILIES if not name.startswith("vcmamba")])
@pytest.mark.parametrize("size", [(32, 32), (64, 96), (225, 300)])
def test_other_image_sizes_are_equal_too(name: str, size: tuple[int, int]) -> None:
    model = create_model(name, num_classes=10).eval()
    for_verification(model)
    model.double()
    image = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0)).double()
    expected = _logits(model, image)
    assert fill.relative_error(_logits(deploy(model, image), image), expected) <= 1e-9


def test_vcmamba_at_another_size_has_its_positions_interpolated_once() -> None:
    model = vcmamba_s(num_classes=10, interpolate_positions=True).eval()
    for_verification(model)
    model.double()
    image = torch.randn(2, 3, 160, 256, generator=torch.Generator().manual_seed(0)).double()
    deployed = deploy(model, image)
    assert deployed.get_parameter("pos_embed").shape[2:] == (5, 8)
    assert fill.relative_error(_logits(deployed, image), _logits(model, image)) <= 1e-9


@pytest.mark.parametrize("name", FAMILIES)
def test_stages_are_kept_and_the_plain_network_is_left_alone(name: str) -> None:
    model = create_model(name, num_classes=10).eval()
    for_verification(model)
    # In doubles: in floats, rounding may decide whether GreedyViG and AdaptViG see an edge.
    model.double()
    before = fingerprint(model)
    image = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).double()
    deployed = deploy(model, image)
    assert fingerprint(model) == before
    with torch.no_grad():
        for ours, plain in zip(deployed.stages(image), model.stages(image), strict=True):  # type: ignore[operator]
            assert fill.relative_error(ours.numpy(), plain.numpy()) <= 1e-9
    assert not any(parameter.requires_grad for parameter in deployed.parameters())
    shared = {p.data_ptr() for p in model.parameters()} & {
        p.data_ptr() for p in deployed.parameters()
    }
    assert shared == set()


REPEATED = (LocalBlock, GraphBlock, InvertedResidual, MambaBlock)


def _without_repetitions(model: nn.Module) -> nn.Module:
    """Return a network with one block where it has several of one kind in a row.

    It has every kind of module on a map of every size, and a third of the operations.
    """
    kinds = {type(part) for part in model.modules()}
    for part in [part for part in model.modules() if isinstance(part, nn.Sequential)]:
        blocks = list(part)
        for index in reversed(range(1, len(blocks))):
            if isinstance(blocks[index], REPEATED) and type(blocks[index - 1]) is type(
                blocks[index]
            ):
                del part[index]
    if isinstance(model, VCMamba):
        [*_, last] = model.network
        model.first_mamba = [type(block) for block in last.children()].index(MambaBlock)
    assert {type(part) for part in model.modules()} == kinds
    return model


@pytest.mark.parametrize("target", [Target.XNNPACK, Target.COREML])
@pytest.mark.parametrize("name", FAMILIES)
def test_no_toolkit_sees_an_index_a_comparison_or_an_integer(name: str, target: Target) -> None:
    model = _without_repetitions(create_model(name).eval())
    image = torch.randn(1, 3, 224, 224)
    program = torch.export.export(deploy(model, image, target=target), (image,))
    program = program.run_decompositions({})
    calls = [node for node in program.graph.nodes if node.op == "call_function"]
    names = {str(node.target).split(".")[1] for node in calls}
    assert names & {"convolution", "conv2d"}  # the graph was read, not skipped
    refused = {"roll", "gather", "index", "index_select", "arange", "where", "lt", "gt", "fmod"}
    refused |= {"batch_norm", "native_batch_norm", "_native_batch_norm_legit_no_training", "select"}
    if target is Target.XNNPACK:  # what its delegate leaves out
        refused |= {"native_layer_norm", "sum", "softplus", "squeeze", "expand", "split"}
    assert names & refused == set()
    for node in calls:
        value = node.meta["val"]
        assert not isinstance(value, Tensor) or value.is_floating_point(), node


def test_a_network_of_the_zoo_is_found_inside_another_module() -> None:
    class Detector(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = create_model("mobilevigv2_ti").eval()
            self.head = nn.Sequential(nn.Conv2d(256, 4, 1), nn.BatchNorm2d(4))

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.head(self.backbone.stages(x)[-1])  # type: ignore[operator]
            return y

    detector = Detector().eval()
    for_verification(detector)
    image = torch.randn(1, 3, 96, 96)
    deployed = deploy(detector, image)
    kinds = [type(part) for part in deployed.backbone.modules()]  # type: ignore[union-attr]
    assert nn.BatchNorm2d not in kinds
    assert len(deployed.head) == 2  # type: ignore[arg-type] # not the zoo's: left as it is
    with torch.no_grad():
        expected = detector(image)
        assert float((deployed(image) - expected).abs().max()) <= 1e-5 * float(expected.abs().max())


def test_a_module_without_a_network_of_the_zoo_is_returned_as_it_is() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).eval()
    assert deploy(module, torch.zeros(1, 3, 8, 8)) is module


def test_the_baseline_is_folded_too() -> None:
    model, image = create_model("mobilenetv2_100").eval(), torch.randn(1, 3, 64, 96)
    for_verification(model)
    deployed = deploy(model, image)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in deployed.modules())
    with torch.no_grad():
        pairs = zip(
            [*deployed.stages(image), deployed(image)],  # type: ignore[operator]
            [*model.stages(image), model(image)],  # type: ignore[operator]
            strict=True,
        )
        for ours, plain in pairs:
            assert float((ours - plain).abs().max()) <= 1e-5 * float(plain.abs().max())


def test_an_unknown_target_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UnknownName, match="no target called 'tpu'.*xnnpack"):
        deploy(create_model("mobilevig_ti").eval(), torch.zeros(1, 3, 64, 64), target="tpu")


def test_another_image_size_is_refused_with_what_to_do() -> None:
    deployed = deploy(create_model("greedyvig_s").eval(), torch.zeros(1, 3, 64, 64))
    with pytest.raises(ImageSizeError, match="made for a map of 16 x 16 here.*was given one of 24"):
        deployed(torch.zeros(1, 3, 96, 96))


class Twice(nn.Module):
    """Holds one network under three names."""

    def __init__(self) -> None:
        super().__init__()
        self.net = create_model("mobilevig_ti", num_classes=10)
        self.again = self.net
        self.wrap = nn.Sequential(self.net)
        for_verification(self)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.net(x), self.again(x + 1), self.wrap(x - 1)])


def test_a_network_that_stands_in_several_places_is_deployed_once() -> None:
    model, image = Twice().eval(), torch.from_numpy(fill.image((1, 3, 64, 64), 0))
    deployed = deploy(model, image)
    assert deployed.net is deployed.again is deployed.wrap[0]
    assert not any(isinstance(part, nn.BatchNorm2d) for part in deployed.net.modules())
    expected, ours = _logits(model, image), _logits(deployed, image)
    assert np.abs(ours - expected).max() <= EXACT * expected.std()


def test_a_part_under_two_names_is_replaced_under_both() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = self.two = nn.ReLU()

        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([self.one(x), self.two(x)])

    def replacement(_: nn.ReLU, __: Rewriter) -> nn.Module:
        return nn.Sigmoid()

    rules = {nn.ReLU: replacement}
    pair = rewritten(Pair(), [Pair], rules, (torch.zeros(1, 2),), Target.XNNPACK)
    assert isinstance(pair.one, nn.Sigmoid) and pair.two is pair.one


class Early(nn.Module):
    """Uses a part of a network, of another one its maps, and of a third nothing."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.unused, self.whole, self.cut = (create_model(name, num_classes=10) for _ in range(3))
        for_verification(self)

    def forward(self, x: Tensor) -> Tensor:
        stem: nn.Module = next(self.cut.children())
        whole: Tensor = self.whole.stages(x)[-1]  # type: ignore[operator]
        return whole.flatten(1) + stem(x).mean()


@pytest.mark.parametrize("name", FAMILIES)
def test_a_network_of_which_a_part_runs_is_deployed_too(name: str) -> None:
    model, image = Early(name).eval(), torch.from_numpy(fill.image((1, 3, 224, 224), 0))
    for target in (Target.ONNX_RUNTIME, Target.COREML):
        deployed = deploy(model, image, target=target)
        expected, ours = _logits(model, image), _logits(deployed, image)
        assert np.abs(ours - expected).max() <= EXACT * expected.std()


def test_positions_of_a_network_that_never_ran_stay_as_they_are() -> None:
    model, image = Early("vcmamba_s").eval(), torch.zeros(1, 3, 224, 224)
    deployed = deploy(model, image)
    assert torch.equal(deployed.unused.pos_embed, model.unused.pos_embed)  # type: ignore[arg-type,union-attr]


class Pyramid(nn.Module):
    """Calls a network at two image sizes."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.net = create_model(name, num_classes=10)

    def forward(self, x: Tensor) -> Tensor:
        small: Tensor = self.net(nn.functional.avg_pool2d(x, 2))
        full: Tensor = self.net(x=x)
        return full + small


def test_a_network_at_two_sizes_is_refused_where_the_size_matters() -> None:
    image = torch.from_numpy(fill.image((1, 3, 128, 128), 0))
    with pytest.raises(ImageSizeError, match="maps of 16 x 16 and 32 x 32.*--no-deploy"):
        deploy(Pyramid("greedyvig_s").eval(), image)
    model = Pyramid("rapidnet_ti").eval()
    for_verification(model)
    expected, ours = _logits(model, image), _logits(deploy(model, image), image)
    assert np.abs(ours - expected).max() <= EXACT * expected.std()


@pytest.mark.parametrize("name", FAMILIES)
def test_half_precision_chooses_the_same_class(name: str) -> None:
    """Sums of distances, exponentials and thresholds stay in the range of half precision."""
    model = create_model(name).eval()
    for_verification(model)
    spec = (TensorSpec(name="image", shape=(1, 3, 224, 224)),)
    images = [torch.from_numpy(sample(spec, 2000 + index)[0]) for index in range(4)]
    deployed = deploy(copy.deepcopy(model), images[0], target=Target.COREML).half()
    with torch.no_grad():
        logits = torch.cat([deployed(image.half()).float() for image in images])
        expected = torch.cat([model(image) for image in images])
    assert bool(torch.isfinite(logits).all())
    cosine = torch.nn.functional.cosine_similarity(logits, expected)
    assert float(cosine.min()) >= 0.999
