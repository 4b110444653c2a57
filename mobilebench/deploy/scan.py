"""VCMamba's mixer with its four scans computed together, in 13 steps instead of 196.

`selective_scan` in the zoo is the recurrence as the paper has it, and what this is tested against.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mobilebench.deploy.norms import token_norm
from mobilebench.deploy.target import Target
from mobilebench.zoo.layers.selective_scan import PATHS, snake_paths


class ChunkedScan(nn.Module):
    """The sum of the four scans of one map: (1, L, E) tokens -> (1, L, E), both in raster order.

    Before, for each of four paths and each of L tokens one after another:
    h = exp(dt a) h + dt b u, y = c h + d u, on gathered tokens. After:

    - dt, c, a and the decays exp(dt a) are the same for the four paths, so they are computed once,
      and the paths stand beside each other in one state (S, 4, E).
    - The L tokens are cut into chunks of equal length T, for 7 x 7 pixels 7 of 7. All chunks are
      scanned at once from a state of zero, T steps; the state at the end of each chunk is then
      carried into the next, L / T - 1 steps; and added to every token of it, multiplied by the
      product of the decays so far. Decays are at most 1, so no product overflows; the closed form
      that divides by such a product does.
    - The paths are products with constant matrices of zeros and ones, exact in any precision; the
      one that leads back also adds up the four paths. Toolkits see no gather.
    - The term d u is the same for all paths: 4 d u, in raster order.
    """

    walk: Tensor
    back: Tensor
    order: Tensor
    start: Tensor
    a: Tensor
    direction: Tensor
    skip: Tensor

    def __init__(
        self, map_size: tuple[int, int], a_log: Tensor, direction_b: Tensor, d: Tensor
    ) -> None:
        """`a_log` (E, S), `direction_b` (5, S) with a row for each of `DIRECTIONS`, `d` (E)."""
        super().__init__()
        height, width = map_size
        inner, states = a_log.shape
        self.length = height * width
        # Any divisor of the length is right; near its square root there are fewest steps.
        self.steps = min(height, width)
        self.chunks = self.length // self.steps
        # Step t of every chunk stands together: what is computed at once lies together.
        tokens = [g * self.steps + t for t in range(self.steps) for g in range(self.chunks)]
        paths = snake_paths(height, width)
        walk = a_log.new_zeros(self.length, PATHS, self.length)
        order = a_log.new_zeros(self.length, self.length)
        for place, token in enumerate(tokens):
            order[place, token] = 1
            for number, path in enumerate(paths):
                walk[place, number, path.pixels[token]] = 1
        walk = walk.flatten(0, 1)
        reached = torch.tensor([[path.steps[token] for path in paths] for token in tokens])
        a = -torch.exp(a_log.double()).to(a_log.dtype)
        for name, constant in {
            "walk": walk[None],  # (1, 4 L, L)
            "back": walk.T.contiguous()[None],  # (1, L, 4 L)
            "order": order[None],  # (1, L, L)
            "start": a_log.new_zeros(1, states, PATHS, inner),
            "a": a.T.contiguous()[None, :, None],  # (1, S, 1, E)
            "direction": direction_b[reached].transpose(1, 2)[..., None].contiguous(),
            "skip": PATHS * d,
        }.items():
            self.register_buffer(name, constant.detach())

    def forward(self, u: Tensor, dt: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """u, dt (1, L, E) and b, c (1, L, S), all in raster order."""
        length, chunks = self.length, self.chunks
        states, inner = b.shape[2], u.shape[2]
        dt, b, c = (torch.bmm(self.order, x) for x in (dt, b, c))
        walked = torch.bmm(self.walk, u).reshape(length, 1, PATHS, inner)
        driven = walked * dt.reshape(length, 1, 1, inner)
        gain = b.reshape(length, states, 1, 1) + self.direction
        decay = torch.exp(dt.reshape(length, 1, 1, inner) * self.a)
        read = c.reshape(length, 1, states)

        state, passed = None, None
        scanned: list[Tensor] = []
        decayed: list[Tensor] = []
        for step in range(self.steps):
            here = slice(step * chunks, (step + 1) * chunks)
            added, kept = driven[here] * gain[here], decay[here]
            state = added if state is None else kept * state + added
            passed = kept if passed is None else kept * passed
            scanned.append(state)
            decayed.append(passed)
        carry = self.start
        carried = [carry]
        for chunk in range(self.chunks - 1):
            here = slice(chunk, chunk + 1)
            carry = scanned[-1][here] + decayed[-1][here] * carry
            carried.append(carry)
        before = torch.cat(carried)
        outputs = []
        for step in range(self.steps):
            here = slice(step * chunks, (step + 1) * chunks)
            full = (scanned[step] + decayed[step] * before).reshape(chunks, states, -1)
            outputs.append(torch.bmm(read[here], full))
        y = torch.cat(outputs).reshape(1, length * PATHS, inner)
        return torch.bmm(self.back, y) + self.skip * u


class Softplus(nn.Module):
    """log(1 + exp(x)) as max(x, 0) + log(1 + exp(-|x|)), which cannot overflow.

    Before: `softplus`, which XNNPACK leaves out of its delegate, as it does `log1p`.
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x) + torch.log(1.0 + torch.exp(-x.abs()))


class TokenMixer(nn.Module):
    """SnakeMamba for inference: (N, C, H, W) -> (N, C, H, W).

    Before: a BatchNorm, a convolution with another one, a 7x7 convolution, SiLU, one projection
    that is split in three, the scan, layer normalisation, ReLU, a 1x1 convolution with BatchNorm.
    After: the BatchNorms are in the convolutions, and the projection is three, so that nothing is
    split; the bias of dt, which counts twice, is doubled once.
    """

    def __init__(
        self,
        inwards: nn.Module,
        projections: tuple[nn.Module, nn.Module, nn.Module],
        scan: nn.Module,
        norm: nn.LayerNorm,
        outwards: nn.Linear,
        target: Target,
    ) -> None:
        super().__init__()
        self.inwards = inwards
        self.dt, self.b, self.c = projections
        self.scan = scan
        self.norm = token_norm(norm, target)
        self.outwards = outwards

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[0] > 1:  # one state at a time: a batch is a loop
            return torch.cat([self(x[index : index + 1]) for index in range(x.shape[0])])
        u = self.inwards(x).flatten(2).transpose(1, 2)
        y = self.scan(u, self.dt(u), self.b(u), self.c(u))
        mixed: Tensor = self.outwards(torch.relu(self.norm(y)))
        return mixed.transpose(1, 2).reshape(x.shape)
