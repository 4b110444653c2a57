"""Networks that must not be exported are refused by name, before any toolkit runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mobilebench.conversion.eager import (
    NUDGE,
    PAIRS_WHERE_IT_JUMPS,
    REFERENCE_SEED,
    draw,
    half_precision_error,
)
from mobilebench.conversion.loading import LoadedModel, describe
from mobilebench.conversion.preflight import CHECKS, preflight
from mobilebench.errors import MobilebenchWarning, ModelRefused
from mobilebench.inputs.seeded import sample
from mobilebench.values.modelspec import CALLER, ModelSpec
from mobilebench.values.tensor import DType, TensorSpec
from mobilebench.zoo.fingerprint import fingerprint, state_sha256
from tests import models

IMAGE = TensorSpec(name="image", shape=(1, 3, 32, 32))


def _loaded(module: nn.Module, *inputs: TensorSpec) -> LoadedModel:
    spec = ModelSpec(name=type(module).__name__, inputs=inputs or (IMAGE,))
    return describe(module.eval(), spec, CALLER)


def _refusal(loaded: LoadedModel) -> str:
    with pytest.raises(ModelRefused) as caught:
        preflight(loaded.module, loaded.spec, 2)
    return str(caught.value)


def test_a_good_network_passes_every_check() -> None:
    loaded = _loaded(models.tiny())
    result, _ = preflight(loaded.module, loaded.spec, 2)
    assert result.checks == CHECKS
    assert result.outputs == (TensorSpec(name="output0", shape=(1, 10)),)
    assert result.fingerprint == fingerprint(loaded.module)


def test_training_mode_is_refused() -> None:
    loaded = _loaded(models.tiny())
    loaded.module.get_submodule("stem.1").train()
    assert "training mode (stem.1)" in _refusal(loaded)


def test_random_numbers_are_refused_naming_the_module_that_draws_them() -> None:
    refusal = _refusal(_loaded(models.Noisy()))
    assert "Noisy draws random numbers" in refusal
    assert "noise (AddNoise)" in refusal


def test_a_forward_pass_that_changes_itself_is_refused() -> None:
    assert "two different outputs" in _refusal(_loaded(models.Counting()))


def test_weights_that_are_not_finite_are_refused_by_name() -> None:
    module = models.tiny()
    with torch.no_grad():
        module.head.weight[0, 0] = float("nan")
    assert "values in head.weight that are not finite" in _refusal(_loaded(module))


def test_weights_that_changed_since_they_were_recorded_are_refused() -> None:
    loaded = _loaded(models.tiny())
    with torch.no_grad():
        loaded.module.get_parameter("head.bias").add_(1)
    assert "does not carry the weights" in _refusal(loaded)


def test_weights_that_were_never_given_values_are_refused() -> None:
    with torch.device("meta"):
        module = models.tiny()
    spec = ModelSpec(name="Tiny", inputs=(IMAGE,))
    assert "no values for stem.0.weight" in _refusal(LoadedModel(module.eval(), spec))


def test_outputs_that_are_not_finite_are_refused() -> None:
    class Log(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.log()

    assert "not finite" in _refusal(_loaded(Log()))


def test_inputs_that_do_not_fit_are_refused_with_what_was_given() -> None:
    wrong = TensorSpec(name="image", shape=(1, 4, 32, 32))
    assert "(image 1x4x32x32 float32)" in _refusal(_loaded(models.tiny(), wrong))


def test_outputs_that_are_no_tensors_are_refused() -> None:
    class Words(nn.Module):
        def forward(self, x: Tensor) -> str:
            return "cat"

    assert "returned str" in _refusal(_loaded(Words()))


def test_the_callers_random_state_is_left_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    loaded = _loaded(models.tiny())
    torch.set_rng_state(before)
    preflight(loaded.module, loaded.spec, 2)
    assert torch.equal(before, torch.get_rng_state())


def test_fingerprint_follows_numbers_code_and_plain_attributes() -> None:
    base = fingerprint(models.tiny().eval())
    assert fingerprint(models.tiny().eval()) == base
    changed = models.tiny().eval()
    with torch.no_grad():
        changed.head.bias[0] += 1
    other_stride = models.tiny().eval()
    other_stride.depthwise.padding_mode = "circular"
    training = models.tiny().train()
    assert len({base, *map(fingerprint, (changed, other_stride, training))}) == 4


def test_state_hash_ignores_the_order_of_definition_and_sees_every_bit() -> None:
    a, b = nn.ModuleDict(), nn.ModuleDict()
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    a.update({"x": first, "y": second})
    b.update({"y": second, "x": first})
    assert state_sha256(a) == state_sha256(b)
    before = state_sha256(a)
    with torch.no_grad():
        first.weight[0, 0] = torch.nextafter(first.weight[0, 0], torch.tensor(9.0))
    assert state_sha256(a) != before


def test_integer_inputs_are_fed_as_integers() -> None:
    tokens = TensorSpec(name="tokens", shape=(1, 5), dtype=DType.INT64)
    loaded = _loaded(nn.Embedding(2, 3), tokens)
    result, _ = preflight(loaded.module, loaded.spec, 2)
    assert result.outputs[0].shape == (1, 5, 3)
    assert dataclasses.replace(loaded.spec).inputs == (tokens,)


class Threshold(nn.Module):
    """Jumps by the size of its output where the mean of an image crosses `at`."""

    def __init__(self, at: float) -> None:
        super().__init__()
        self.at = at

    def forward(self, x: Tensor) -> Tensor:
        mean = x.double().mean((1, 2, 3))
        return torch.stack([(mean > self.at).float(), torch.ones_like(mean).float()], 1)


def _mean(seed: int) -> float:
    return float(torch.from_numpy(sample((IMAGE,), seed)[0]).double().mean())


def test_an_input_on_a_threshold_is_passed_over_and_the_next_one_taken() -> None:
    loaded = _loaded(Threshold(at=_mean(REFERENCE_SEED + 1)))
    result, compared_on = preflight(loaded.module, loaded.spec, 3)
    assert result.passed_over == (REFERENCE_SEED + 1,)
    assert result.seeds == tuple(REFERENCE_SEED + index for index in (0, 2, 3))
    assert len(compared_on.outputs) == 3


def test_a_network_that_jumps_once_is_looked_at_more_closely() -> None:
    """One input lies on a threshold; another lies so near one that the first nudge misses it."""
    on, near = (
        REFERENCE_SEED,
        next(
            seed
            for seed in range(REFERENCE_SEED + 1, REFERENCE_SEED + 20)
            if max(_shifts(seed)[1:]) > 2 * _shifts(seed)[0]
        ),
    )
    margin = (_shifts(near)[0] + max(_shifts(near)[1:])) / 2

    class Two(nn.Module):
        def __init__(self, on_one: bool) -> None:
            super().__init__()
            at = [_mean(on)] if on_one else []
            self.parts = nn.ModuleList(Threshold(a) for a in [*at, _mean(near) + margin])

        def forward(self, x: Tensor) -> Tensor:
            return torch.stack([part(x) for part in self.parts]).sum(0)

    count = near - REFERENCE_SEED + 1
    alone, both = _loaded(Two(on_one=False)), _loaded(Two(on_one=True))
    assert draw(alone.module, alone.spec, count).passed_over == ()
    assert {on, near} <= set(draw(both.module, both.spec, count).passed_over)


def _shifts(seed: int) -> list[float]:
    """Return how far each pair of nudges moves the mean of an input."""
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    [image] = sample((IMAGE,), seed)
    moved = []
    for _ in range(PAIRS_WHERE_IT_JUMPS):
        nudge = (image * rng.standard_normal(image.shape) * NUDGE).astype(np.float32)
        moved.append(abs(float((image + nudge).astype(np.float64).mean()) - _mean(seed)))
    return moved


def test_pytorchs_own_half_precision_is_measured() -> None:
    loaded = _loaded(models.tiny())
    expected = draw(loaded.module, loaded.spec, 2)
    error = half_precision_error(loaded.module, loaded.spec, expected)
    assert error is not None and 1e-5 < error < 1e-2
    assert next(loaded.module.parameters()).dtype == torch.float32


def test_half_precision_that_overflows_has_no_error_to_state() -> None:
    class Large(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 1e8 * x.mean((2, 3))

    loaded = _loaded(Large())
    expected = draw(loaded.module, loaded.spec, 2)
    assert half_precision_error(loaded.module, loaded.spec, expected) is None


def test_a_smooth_network_has_no_input_passed_over() -> None:
    loaded = _loaded(models.tiny())
    result, _ = preflight(loaded.module, loaded.spec, 4)
    assert (result.passed_over, len(result.seeds)) == ((), 4)


def test_a_network_that_jumps_everywhere_is_compared_all_the_same_with_a_warning() -> None:
    class Bits(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.frac(x.double().sum((2, 3)) * 2.0**18).float()

    loaded = _loaded(Bits())
    with pytest.warns(MobilebenchWarning, match="at more than 6 of 8 random inputs"):
        drawn = draw(loaded.module, loaded.spec, 2)
    assert drawn.seeds == (REFERENCE_SEED, REFERENCE_SEED + 1)
    assert drawn.passed_over == ()


class Ending(nn.Module):
    """A convolution, and whatever a network does last."""

    def __init__(self, last: Callable[[Tensor], object]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.last = nn.Conv2d(3, 8, 3, padding=1), last

    def forward(self, x: Tensor) -> object:
        return self.last(self.conv(x))


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        (Tensor.double, "Output 0 of Ending has the type float64; files hold float32"),
        (Tensor.short, "has the type int16"),
        (Tensor.bfloat16, "has the type bfloat16"),
        (torch.fft.rfft2, "has the type complex64"),
        (lambda y: (y, None), "returned a tuple of Tensor, NoneType"),
        (lambda y: {"y": y, "n": 3}, "returned a dict of Tensor, int"),
        (
            # Some position has a negative number in every channel, for most inputs.
            lambda y: y.masked_fill(y < 0, float("-inf")).softmax(1),
            "Output 0 of Ending is not finite",
        ),
    ],
)
def test_outputs_that_no_file_can_hold_are_refused(
    last: Callable[[Tensor], object], sentence: str
) -> None:
    assert sentence in _refusal(_loaded(Ending(last)))


def test_an_output_that_is_not_finite_for_one_reference_input_is_refused() -> None:
    limit = _mean(REFERENCE_SEED + 1)

    class Sometimes(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            y = x.mean().reshape(1, 1)
            return torch.where((y - limit).abs() < 1e-6, torch.nan, y)

    refusal = _refusal(_loaded(Sometimes()))
    assert "not finite in PyTorch itself for the seeded input 1001" in refusal


@pytest.mark.filterwarnings("ignore:.*jit.trace.*:DeprecationWarning")
def test_modules_that_cannot_be_traced_are_refused() -> None:
    with pytest.raises(ModelRefused, match="parameters without a shape .weight., of a lazy module"):
        _loaded(nn.LazyConv2d(4, 3))
    scripted = torch.jit.trace(nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 8, 8))
    with pytest.raises(ModelRefused, match="is a TorchScript module"):
        _loaded(scripted)


def test_a_network_that_changes_its_input_is_refused_with_the_cure() -> None:
    class InPlace(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sub_(0.45).mean((2, 3))

    refusal = _refusal(_loaded(InPlace()))
    assert "changes its input 'image' in place" in refusal and "x = x - mean" in refusal


def test_state_that_the_first_pass_adds_is_not_part_of_the_fingerprint() -> None:
    class Anchors(nn.Module):
        """Makes its anchors once for a size and keeps them, as detection heads do."""

        def __init__(self) -> None:
            super().__init__()
            self.shape: tuple[int, ...] | None = None
            self.anchors = torch.empty(0)

        def forward(self, x: Tensor) -> Tensor:
            if self.shape != tuple(x.shape):
                self.shape, self.anchors = tuple(x.shape), torch.arange(x.shape[-1]).float()
            return x + self.anchors

    fresh, loaded = _loaded(Anchors()), _loaded(Anchors())
    result, _ = preflight(loaded.module, loaded.spec, 2)
    assert result.fingerprint == fingerprint(fresh.module)


@pytest.mark.parametrize("dtype", [DType.UINT8, DType.BOOL, DType.INT64])
def test_whole_numbers_and_masks_are_not_nudged(dtype: DType) -> None:
    class Masked(nn.Module):
        def forward(self, x: Tensor, mask: Tensor) -> Tensor:
            assert mask.dtype == getattr(torch, dtype)
            return x.masked_fill(mask.bool(), 0.0).mean((2, 3))

    mask = TensorSpec(name="mask", shape=(1, 1, 32, 32), dtype=dtype)
    loaded = _loaded(Masked(), IMAGE, mask)
    result, drawn = preflight(loaded.module, loaded.spec, 4)
    assert len(result.seeds) == 4 and result.passed_over == ()
    assert all(np.isfinite(batch[0]).all() for batch in drawn.outputs)


def test_outputs_of_a_network_that_reuses_its_buffer_are_kept_apart() -> None:
    class Reusing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("kept", torch.zeros(1, 3))

        def forward(self, x: Tensor) -> Tensor:
            return torch.mean(x, (2, 3), out=self.get_buffer("kept"))

    loaded = _loaded(Reusing())
    drawn = draw(loaded.module, loaded.spec, 3)
    assert len({batch[0].tobytes() for batch in drawn.outputs}) == 3
