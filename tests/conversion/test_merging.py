"""Networks are exported with merged branches where their blocks can merge them safely."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mobilebench import api
from mobilebench.conversion.merging import examine, without_branches
from mobilebench.deploy import branches
from mobilebench.errors import MobilebenchWarning
from mobilebench.values.artifact import Artifact
from mobilebench.zoo.complexity import count_params
from mobilebench.zoo.layers.initialise import for_verification

EXAMPLE = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def _kernel(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return conv.weight * scale.reshape(-1, 1, 1, 1), norm.bias - norm.running_mean * scale


class Branched(nn.Module):
    """A block as in RepVGG: a 3x3 and a 1x1 convolution, each with a BatchNorm, and their sum."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.large = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.small = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm, self.small_norm = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.one: nn.Conv2d | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.one is not None:
            return F.relu(self.one(x))
        return F.relu(self.norm(self.large(x)) + self.small_norm(self.small(x)))

    def _single(self) -> nn.Conv2d:
        weight, bias = _kernel(self.large, self.norm)
        small, small_bias = _kernel(self.small, self.small_norm)
        one = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
        one.weight.data = weight + F.pad(small, (1, 1, 1, 1))
        one.bias.data = bias + small_bias  # type: ignore[union-attr]
        return one


class SwitchesToDeploy(Branched):
    def switch_to_deploy(self) -> None:
        self.one = self._single()
        for name in ("large", "small", "norm", "small_norm"):
            delattr(self, name)


class Reparameterizes(SwitchesToDeploy):
    def reparameterize(self) -> None:
        SwitchesToDeploy.switch_to_deploy(self)


class Fuses(Branched):
    def fuse(self) -> nn.Module:
        return nn.Sequential(self._single(), nn.ReLU())


class Wrong(SwitchesToDeploy):
    """Forgets the bias of its small branch, as a faulty port would."""

    def _single(self) -> nn.Conv2d:
        one = super()._single()
        one.bias.data += 0.1  # type: ignore[union-attr]
        return one


class Raises(Branched):
    def reparameterize(self) -> None:
        raise RuntimeError("no kernel to merge")


class JoinsTwo(Branched):
    def fuse(self, x: Tensor, y: Tensor) -> Tensor:
        return x + y


def _network(block: type[Branched]) -> nn.Module:
    network = nn.Sequential(
        block(3, 8), block(8, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)
    )
    for_verification(network, 0)
    return network.eval()


class MergesItself(nn.Module):
    """Only the whole network has the method."""

    def __init__(self) -> None:
        super().__init__()
        self.body = _network(JoinsTwo)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return y

    def fuse(self) -> MergesItself:
        blocks = list(self.body.children())
        self.body = nn.Sequential(
            *(nn.Sequential(b._single(), nn.ReLU()) if isinstance(b, Branched) else b
              for b in blocks)
        )  # fmt: skip
        return self


@pytest.mark.parametrize("block", [SwitchesToDeploy, Reparameterizes, Fuses])
def test_blocks_are_merged_by_their_own_method(block: type[Branched]) -> None:
    network = _network(block)
    before = count_params(network)
    with warnings.catch_warnings():
        warnings.simplefilter("error", MobilebenchWarning)
        merging = examine(network, [EXAMPLE], "network")
    assert merging is not None and merging.merged and merging.blocks == 2
    merged = without_branches(network, [EXAMPLE])
    assert merging.params == count_params(merged) < before == count_params(network)
    assert branches.computes_the_same(network, merged, EXAMPLE)
    assert not any(part.training for part in merged.modules())


def test_a_network_that_merges_itself_as_a_whole_is_merged() -> None:
    network = MergesItself().eval()
    merging = examine(network, [EXAMPLE], "network")
    assert merging is not None and merging.merged
    assert count_params(without_branches(network, [EXAMPLE])) < count_params(network)


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        (Wrong, "the merged form computes something else.* 0.00 M parameters.*G MACs"),
        (Raises, "merging them raised RuntimeError: no kernel to merge"),
    ],
)
def test_a_form_that_is_not_safe_is_not_used_and_its_cost_is_said(
    block: type[Branched], sentence: str
) -> None:
    network = _network(block)
    with pytest.warns(MobilebenchWarning, match=sentence):
        merging = examine(network, [EXAMPLE], "network")
    assert merging is not None and not merging.merged
    assert merging.params == count_params(network)
    assert without_branches(network, [EXAMPLE]) is network


def test_methods_for_other_purposes_are_left_alone() -> None:
    network = _network(JoinsTwo)
    assert examine(network, [EXAMPLE], "network") is None
    assert without_branches(network, [EXAMPLE]) is network


@pytest.mark.filterwarnings("ignore")  # the toolkit runs in this process and warns of itself
def test_the_file_has_one_convolution_for_each_block(tmp_path: Path) -> None:
    def run(deploy: bool) -> Artifact:
        return api.export(
            _network(SwitchesToDeploy),
            "onnx",
            inputs=["1x3x16x16"],
            out_dir=tmp_path,
            deploy=deploy,
        )

    merged, plain = (run(deploy).manifest for deploy in (True, False))
    assert merged.facts.op_histogram["Conv"] == 2 and plain.facts.op_histogram["Conv"] == 4
    assert all(manifest.facts.parity[0].passed for manifest in (merged, plain))
    found = merged.facts.preflight.branches
    assert found is not None and found.merged and found.blocks == 2
    assert merged.model.params is not None and found.params < merged.model.params
    assert merged.recipe.form == "deployed" and plain.recipe.form == "plain"
