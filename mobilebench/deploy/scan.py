"""VCMamba's mixer, its four scans computed together, in chunks or token by token.

A processing unit pays for each operation: it gets few and large ones, `ChunkedScan`. A CPU pays for
each pass over memory: it gets `SteppedScan`, whose state stays in the cache. `STEPPED` says which
target gets which. `selective_scan` in the zoo is the recurrence in the form of the paper. The tests
compare both forms with it.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from mobilebench.deploy.norms import token_norm
from mobilebench.deploy.target import Target
from mobilebench.zoo.layers.selective_scan import PATHS, snake_paths


class ChunkedScan(nn.Module):
    """Sum of the four scans of one map: (1, L, E) -> (1, L, E), both in raster order.

    Before, for each of four paths and each of L tokens one after another: h = exp(dt a) h + dt b u,
    y = c h + d u, on gathered tokens. After:

    - dt, c, a and the decays exp(dt a) are the same for the four paths, so they are computed once,
      and the paths lie side by side in one state (S, 4, E).
    - The L tokens are cut into chunks of equal length T: 7 chunks of 7 for 7 x 7 pixels. All chunks
      are scanned at once from a state of zero, in T steps. The state at the end of each chunk is
      then carried into the next, in L / T - 1 steps. It is added to every token of that chunk,
      multiplied by the product of the decays so far. Decays are at most 1, so no product overflows;
      the closed form, which divides by such a product, does overflow.
    - The paths are products with constant matrices of zeros and ones, exact in any precision. The
      matrix that leads back also adds up the four paths. Toolkits see no gather.
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
        """Build the constants of a scan over maps of one size.

        `a_log` is (E, S), `d` is (E), and `direction_b` (5, S) has a row for each of `DIRECTIONS`.
        """
        super().__init__()
        height, width = map_size
        inner, states = a_log.shape
        self.length = height * width
        # Any divisor of the length is correct; one near its square root needs the fewest steps.
        self.steps = min(height, width)
        self.chunks = self.length // self.steps
        # Step t of all chunks is computed at once, so these tokens are stored together.
        tokens = [g * self.steps + t for t in range(self.steps) for g in range(self.chunks)]
        paths = snake_paths(height, width)
        walk = a_log.new_zeros(self.length, PATHS, self.length)
        order = a_log.new_zeros(self.length, self.length)
        for place, token in enumerate(tokens):
            order[place, token] = 1
            for number, path in enumerate(paths):
                walk[place, number, path.pixels[token]] = 1
        walk = walk.flatten(0, 1)
        directions = torch.tensor([[path.steps[token] for path in paths] for token in tokens])
        a = -torch.exp(a_log.double()).to(a_log.dtype)
        for name, constant in {
            "walk": walk[None],  # (1, 4 L, L)
            "back": walk.T.contiguous()[None],  # (1, L, 4 L)
            "order": order[None],  # (1, L, L)
            "start": a_log.new_zeros(1, states, PATHS, inner),
            "a": a.T.contiguous()[None, :, None],  # (1, S, 1, E)
            "direction": direction_b[directions].transpose(1, 2)[..., None].contiguous(),
            "skip": PATHS * d,
        }.items():
            self.register_buffer(name, constant.detach())

    def forward(self, u: Tensor, dt: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """Scan u, dt (1, L, E) with b, c (1, L, S), all in raster order."""
        length, chunks = self.length, self.chunks
        states, inner = b.shape[2], u.shape[2]
        dt, b, c = (torch.bmm(self.order, x) for x in (dt, b, c))
        along_paths = torch.bmm(self.walk, u).reshape(length, 1, PATHS, inner)
        drive = along_paths * dt.reshape(length, 1, 1, inner)
        gain = b.reshape(length, states, 1, 1) + self.direction
        decay = torch.exp(dt.reshape(length, 1, 1, inner) * self.a)
        readout = c.reshape(length, 1, states)

        state, product = None, None
        local_states: list[Tensor] = []
        products: list[Tensor] = []
        for step in range(self.steps):
            here = slice(step * chunks, (step + 1) * chunks)
            step_drive, step_decay = drive[here] * gain[here], decay[here]
            state = step_drive if state is None else step_decay * state + step_drive
            product = step_decay if product is None else step_decay * product
            local_states.append(state)
            products.append(product)
        carry = self.start
        entry_states = [carry]
        for chunk in range(self.chunks - 1):
            here = slice(chunk, chunk + 1)
            carry = local_states[-1][here] + products[-1][here] * carry
            entry_states.append(carry)
        entry_state = torch.cat(entry_states)
        outputs = []
        for step in range(self.steps):
            here = slice(step * chunks, (step + 1) * chunks)
            full = (local_states[step] + products[step] * entry_state).reshape(chunks, states, -1)
            outputs.append(torch.bmm(readout[here], full))
        y = torch.cat(outputs).reshape(1, length * PATHS, inner)
        return torch.bmm(self.back, y) + self.skip * u


class SteppedScan(nn.Module):
    """Sum of the four scans of one map, token by token: (1, L, E) -> (1, L, E).

    Both are in raster order. Before: as in `ChunkedScan`. After: the paths lie one after another in
    one state (4, S, E), which for VCMamba-S is 147 KB and stays in the second-level cache for all L
    steps. There are 18 passes over the elements of the decay instead of 27, and no product of
    decays, which are computed for one row of the map at a time and stay in the cache too. A step
    needs no reshape: the paths are the batch of its read-out.

    Runtimes compute the steps in different orders, so each has its own form.
    """

    a: Tensor
    direction: Tensor
    skip: Tensor

    def __init__(
        self, map_size: tuple[int, int], a_log: Tensor, direction_b: Tensor, d: Tensor
    ) -> None:
        """Build the constants of a scan over maps of one size; otherwise as `ChunkedScan`."""
        super().__init__()
        self.map_size = map_size
        self.length = map_size[0] * map_size[1]
        steps = torch.tensor([path.steps for path in snake_paths(*map_size)]).T  # (L, 4)
        a = -torch.exp(a_log.double()).to(a_log.dtype)
        self._keep("a", a.T.contiguous()[None])  # (1, S, E)
        self._keep("direction", direction_b[steps].contiguous())  # (L, 4, S)
        self._keep("skip", PATHS * d)

    def _keep(self, name: str, constant: Tensor) -> None:
        self.register_buffer(name, constant.detach())

    def _row_decays(self, dt: Tensor) -> Iterator[Tensor]:
        """Yield the decays of each row of the map, (W, S, E)."""
        width = self.map_size[1]
        for start in range(0, self.length, width):
            yield torch.exp(dt[start : start + width] * self.a)

    def _drives(self, along_paths: Tensor, dt: Tensor) -> Tensor:
        """Return the driving values of each token and path, (4 L, 1, E)."""
        length, inner = self.length, dt.shape[2]
        return (along_paths.reshape(length, PATHS, inner) * dt).reshape(length * PATHS, 1, inner)

    def _gains(self, b: Tensor) -> Tensor:
        """Return what each state takes of them, (4 L, S, 1)."""
        length, states = self.length, b.shape[2]
        gains: Tensor = b.reshape(length, 1, states) + self.direction
        return gains.reshape(length * PATHS, states, 1)


class ScanInTurn(SteppedScan):
    """Scan for XNNPACK, which computes operations in the order in which they are written.

    Each row of tokens has its decays before it, and each step its read-out behind it, so one of the
    L states is alive at a time. XNNPACK takes no gather and no split: the paths are products with
    matrices of zeros and ones, and a step slices what it needs.

    XNNPACK packs the right side of a matrix product anew in every call. LiteRT's takes a sum over
    an axis instead, so there the read-out is a product and a sum.
    """

    walk: Tensor
    back: Tensor
    for_paths: Tensor

    def __init__(
        self,
        map_size: tuple[int, int],
        a_log: Tensor,
        direction_b: Tensor,
        d: Tensor,
        target: Target,
    ) -> None:
        super().__init__(map_size, a_log, direction_b, d)
        self.sums = target is Target.LITERT
        # The pixel of each token and path, (4 L).
        pixels = torch.tensor([path.pixels for path in snake_paths(*map_size)]).T.flatten()
        walk = a_log.new_zeros(self.length * PATHS, self.length)
        walk[torch.arange(len(pixels)), pixels] = 1
        self._keep("walk", walk[None])  # (1, 4 L, L)
        self._keep("back", walk.T.contiguous()[None])  # (1, L, 4 L)
        if not self.sums:
            self._keep("for_paths", a_log.new_ones(1, PATHS, 1))

    def forward(self, u: Tensor, dt: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """Scan u, dt (1, L, E) with b, c (1, L, S), all in raster order."""
        length, states, inner = self.length, b.shape[2], u.shape[2]
        dt = dt.reshape(length, 1, inner)
        drives, gains = self._drives(torch.bmm(self.walk, u), dt), self._gains(b)
        if self.sums:
            c = c.reshape(length, states, 1)
        else:  # its matrix product repeats neither side
            c = (c.reshape(length, 1, states) * self.for_paths).reshape(-1, 1, states)
        state: Tensor | None = None
        outputs = []
        decays = (row[i : i + 1] for row in self._row_decays(dt) for i in range(row.shape[0]))
        for token, decay in enumerate(decays):
            added = self._of(token, drives) * self._of(token, gains)
            state = added if state is None else decay * state + added
            read = self._of(token, c)
            outputs.append((read * state).sum(1) if self.sums else torch.bmm(read, state))
        y = torch.cat(outputs).reshape(1, length * PATHS, inner)
        return torch.bmm(self.back, y) + self.skip * u

    def _of(self, token: int, x: Tensor) -> Tensor:
        """Cut a token's part from the first axis."""
        size = x.shape[0] // self.length
        return x[token * size : (token + 1) * size]


class ScanReadLast(SteppedScan):
    """Scan for ONNX Runtime, which computes first what is written last among a node's inputs.

    Read-outs that are written beside their steps would wait until all L states exist. They are
    written after the chain of states, the last token first: each then runs beside its step. A path
    is a gather, one copy there, and a split is one operation. What a step adds is a matrix product,
    faster there than a product that repeats both sides.
    """

    walk: Tensor

    def __init__(
        self, map_size: tuple[int, int], a_log: Tensor, direction_b: Tensor, d: Tensor
    ) -> None:
        super().__init__(map_size, a_log, direction_b, d)
        paths = snake_paths(*map_size)
        self._keep("walk", torch.tensor([path.pixels for path in paths]).T.flatten())  # (4 L)
        for number, path in enumerate(paths):
            places = torch.tensor(path.places)  # of each pixel on the path, (L)
            self._keep(f"back{number}", (self.length - 1 - places) * PATHS + number)

    def forward(self, u: Tensor, dt: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """Scan u, dt (1, L, E) with b, c (1, L, S), all in raster order."""
        length, states, inner = self.length, b.shape[2], u.shape[2]
        dt = dt.reshape(length, 1, inner)
        drives = torch.split(self._drives(u.index_select(1, self.walk), dt), PATHS)
        gains = torch.split(self._gains(b), PATHS)
        decays = (decay for row in self._row_decays(dt) for decay in torch.split(row, 1))
        chain: list[Tensor] = []
        for decay, drive, gain in zip(decays, drives, gains, strict=True):
            added = torch.bmm(gain, drive)
            chain.append(decay * chain[-1] + added if chain else added)
        reads = torch.split(c.reshape(length, 1, states), 1)
        outputs = [torch.matmul(reads[token], chain[token]) for token in range(length)[::-1]]
        y = torch.cat(outputs).reshape(1, length * PATHS, inner)
        total = self.skip * u
        for number in range(PATHS):
            total = total + y.index_select(1, self.get_buffer(f"back{number}"))
        return total


def scan_of(
    map_size: tuple[int, int], a_log: Tensor, direction_b: Tensor, d: Tensor, target: Target
) -> nn.Module:
    """Return the form of a scan for a target; see `ChunkedScan` for the other arguments."""
    if target not in STEPPED:
        return ChunkedScan(map_size, a_log, direction_b, d)
    if target is Target.ONNX_RUNTIME:
        return ScanReadLast(map_size, a_log, direction_b, d)
    return ScanInTurn(map_size, a_log, direction_b, d, target)


STEPPED = frozenset({Target.ONNX_RUNTIME, Target.LITERT, Target.XNNPACK})
"""Targets that scan token by token. docs/deployment.md has the figures that decided it."""


class Softplus(nn.Module):
    """log(1 + exp(x)) as max(x, 0) + log(1 + exp(-|x|)), which cannot overflow.

    Before: `softplus`, which XNNPACK leaves out of its delegate, as it also does `log1p`.
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x) + torch.log(1.0 + torch.exp(-x.abs()))


class TokenMixer(nn.Module):
    """SnakeMamba for inference: (N, C, H, W) -> (N, C, H, W).

    Before: a BatchNorm, a convolution with another one, a 7x7 convolution, SiLU, one projection
    that is split in three, the scan, layer normalisation, ReLU, a 1x1 convolution with BatchNorm.
    After: the BatchNorms are part of the convolutions, and the projection is three, so nothing is
    split. The bias of dt, which is added twice, is doubled once.
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
        if x.shape[0] > 1:  # the scan keeps one state, so loop over the batch
            return torch.cat([self(x[index : index + 1]) for index in range(x.shape[0])])
        u = self.inwards(x).flatten(2).transpose(1, 2)
        y = self.scan(u, self.dt(u), self.b(u), self.c(u))
        mixed: Tensor = self.outwards(torch.relu(self.norm(y)))
        return mixed.transpose(1, 2).reshape(x.shape)
