"""Several widths run and learn on one set of weights."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from mobilebench.errors import UserError
from mobilebench.slimmable import SharedNetwork, extract, recalibrate
from mobilebench.zoo import create_model
from mobilebench.zoo.fingerprint import state_sha256
from mobilebench.zoo.layers.initialise import for_verification

WIDTHS = (1, 0.5, "1,0.75,0.5,0.25")


def _shared(*, private_norms: bool = True) -> SharedNetwork:
    network = create_model("mobilevigv2_ti", num_classes=5)
    for_verification(network)
    return SharedNetwork(network, WIDTHS, private_norms=private_norms)


def _images(count: int = 2) -> Tensor:
    return torch.randn(count, 3, 64, 64, generator=torch.Generator().manual_seed(2))


def _step(shared: SharedNetwork, width: float | str) -> None:
    optimizer = torch.optim.SGD(shared.parameters(), lr=0.1)
    first, second = shared.train()(_images(4), width)  # type: ignore[misc]
    (first.square().mean() + second.square().mean()).backward()
    optimizer.step()
    optimizer.zero_grad()


@torch.no_grad()
def test_a_width_runs_as_its_extracted_network() -> None:
    shared = _shared().eval()
    for width in WIDTHS:
        narrow = shared.extract(width)
        assert torch.equal(shared(_images(), width), narrow(_images()))  # type: ignore[arg-type]
        assert state_sha256(narrow) == state_sha256(extract(shared.network, width))


def test_training_a_width_changes_its_channels_and_no_others() -> None:
    shared = _shared()
    before = copy.deepcopy(shared.network)
    _step(shared, 0.5)
    weight, old = shared.network.stem.stem[3].weight, before.stem.stem[3].weight  # type: ignore[union-attr, index]
    changed = weight != old
    assert changed[:16, :8].any()
    assert not changed[16:].any() and not changed[:, 8:].any()


def test_every_width_has_private_norms() -> None:
    shared = _shared()
    full, narrow = state_sha256(_norms(shared.extract(1))), _norms(shared.extract(WIDTHS[2]))
    other = state_sha256(narrow)
    before = state_sha256(_norms(shared.extract(0.5)))
    _step(shared, 0.5)
    assert state_sha256(_norms(shared.extract(1))) == full
    assert state_sha256(_norms(shared.extract(WIDTHS[2]))) == other
    after = shared.extract(0.5)
    assert state_sha256(_norms(after)) != before
    batch_norm = next(part for part in after.modules() if isinstance(part, nn.BatchNorm2d))
    assert batch_norm.num_batches_tracked == 1, "its statistics have seen the batch"


def _norms(network: nn.Module) -> nn.Module:
    return nn.ModuleList(part for part in network.modules() if isinstance(part, nn.BatchNorm2d))


def test_shared_norms_learn_at_every_width_and_are_recalibrated_for_one() -> None:
    shared = _shared(private_norms=False)
    assert len(list(shared.parameters())) == len(list(shared.network.parameters()))
    _step(shared, 0.5)
    narrow = shared.extract(0.5)
    before = state_sha256(narrow)
    recalibrate(narrow, [_images(4)])
    assert state_sha256(narrow) != before


def test_a_checkpoint_holds_the_shared_weights_once() -> None:
    shared, other = _shared(), _shared()
    _step(shared, 0.5)
    names = shared.state_dict().keys()
    norms = [name for name in names if name.startswith("norms.")]
    assert all(name.startswith("network.") for name in names - set(norms))
    assert {name.split(".")[1] for name in norms} == {"w0_5", "w1-0_75-0_5-0_25"}
    other.load_state_dict(shared.state_dict())
    with torch.no_grad():
        for width in WIDTHS:
            one, two = (each.eval()(_images(), width) for each in (shared, other))
            assert torch.equal(one, two)  # type: ignore[arg-type]


def test_a_width_that_was_not_named_is_refused() -> None:
    shared = _shared()
    for call in (lambda: shared(_images(), 0.3), lambda: shared.extract(0.3)):
        with pytest.raises(UserError, match=r"The width 0.3 was asked of .* 1 and 0.5 and 1,0.75"):
            call()  # type: ignore[no-untyped-call]
