"""Compute operations that resize images."""

from __future__ import annotations

import torch
from torch import Tensor

from mobilebench_exporters._mlprogram.call import OPERATIONS, Call, operation


def _grid(call: Call, mode: str, n: int, out: int) -> Tensor:
    """Return the positions of `out` pixels on an axis of `n`, as `resize_bilinear` defines it."""
    i = torch.arange(out, dtype=torch.float64)
    match mode:
        case "STRICT_ALIGN_CORNERS" | "ALIGN_CORNERS" if out > 1:
            grid = i * (n - 1) / (out - 1)
        case "ALIGN_CORNERS":
            grid = i + (n - 1) / 2
        case "DEFAULT" | "STRICT_ALIGN_CORNERS":
            grid = i * n / out
        case "OFFSET_CORNERS":
            grid = (i + 0.5) * max(1, n - 1) / out
        case "UNALIGN_CORNERS":
            grid = (i + 0.5) * n / out - 0.5
        case _:
            raise call.refusal(f"sampling_mode {mode!r}")
    return grid.clamp(0, n - 1)


def _bilinear(call: Call, mode: str, size: tuple[int, int]) -> Tensor:
    x = call.tensor()
    for axis, out in zip((-2, -1), size, strict=True):
        grid = _grid(call, mode, x.shape[axis], out)
        low = grid.floor().long()
        high = (low + 1).clamp(max=x.shape[axis] - 1)
        share = (grid - low).to(x.dtype).reshape(-1, *[1] * (-1 - axis))
        x = x.index_select(axis, low) * (1 - share) + x.index_select(axis, high) * share
    return x


def _scaled_size(call: Call) -> tuple[int, int]:
    height, width = call.tensor().shape[-2:]
    scales = call.tensor("scale_factor_height"), call.tensor("scale_factor_width")
    return int(torch.floor(height * scales[0])), int(torch.floor(width * scales[1]))


def _target_size(call: Call) -> tuple[int, int]:
    return call.integer("target_size_height"), call.integer("target_size_width")


@operation("upsample_bilinear")
def _upsample_bilinear(call: Call) -> Tensor:
    corners = call.flag("align_corners")
    if call.flag("half_pixel_centers", default=not corners) == corners:
        raise call.refusal("half_pixel_centers and align_corners must differ")
    mode = "STRICT_ALIGN_CORNERS" if corners else "UNALIGN_CORNERS"
    return _bilinear(call, mode, _scaled_size(call))


def _nearest(call: Call, size: tuple[int, int]) -> Tensor:
    x = call.tensor()
    for axis, out in zip((-2, -1), size, strict=True):
        if out % x.shape[axis]:
            raise call.refusal(
                f"{x.shape[axis]} elements to {out}, which is not a whole multiple, so the nearest "
                "element is not defined"
            )
        x = x.repeat_interleave(out // x.shape[axis], axis)
    return x


OPERATIONS |= {
    "resize_bilinear": lambda call: _bilinear(call, call.text("sampling_mode"), _target_size(call)),
    "resize_nearest_neighbor": lambda call: _nearest(call, _target_size(call)),
    "upsample_nearest_neighbor": lambda call: _nearest(call, _scaled_size(call)),
}
