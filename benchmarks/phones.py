"""Simulated phones: latencies of runs in sessions, with the noise that real ones show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.signal import lfilter

Array = np.ndarray[Any, Any]
ITERATIONS = 100
LEVEL_MS = 10.3
"""Off the middle between two steps of a clock of 1 ms."""


_QUARTILES = 0.6745 / 0.8165
"""Of the normal distribution over those of Student's t with 2 degrees of freedom."""


@dataclass(frozen=True)
class Phone:
    """A simulated phone; its shares are standard deviations of logarithms."""

    name: str
    iteration: float = 0.05
    """Noise from one inference to the next."""
    autocorrelation: float = 0.0
    """Of the inferences of a run."""
    between: float = 0.0
    """Noise from one run to the next."""
    shared: float = 0.0
    """Correlation of the levels of neighbouring runs."""
    heavy: bool = False
    """Levels follow Student's t with 2 degrees of freedom, scaled to the same quartiles."""
    modes: float = 0.0
    """In three runs of ten the level is higher by this share."""
    drift: float = 0.0
    """Growth from the first run of a session to its last."""
    saw: float = 0.0
    """Height of a saw-tooth over the positions of a session."""
    period: int = 2
    uneven: float = 1.0
    """Factor of the second side's noise between runs."""
    two_cores: float = 0.0
    """Share of runs in which a fifth of the inferences takes 1.3 times as long."""
    tick_ms: float = 0.0
    """Step of the clock."""

    def pairs(
        self, trials: int, pairs: int, effect: float, turned: Array, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Return interleaved sessions as two sides of (trials, pairs, iterations), in ms.

        In a pair that is `turned`, (trials, pairs), the second side runs first.
        """
        levels = self._levels(trials, 2 * pairs, rng)
        first = 2 * np.arange(pairs) + turned
        second = 2 * np.arange(pairs) + 1 - turned
        sides = [np.take_along_axis(levels, place, axis=1) for place in (first, second)]
        return self._side(sides[0], 1.0, 0.0, rng), self._side(sides[1], self.uneven, effect, rng)

    def groups(
        self, trials: int, runs: int, effect: float, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Return two sessions, one after the other, as two sides of (trials, runs, iterations)."""
        levels = [self._levels(trials, runs, rng) for _ in range(2)]
        return self._side(levels[0], 1.0, 0.0, rng), self._side(levels[1], self.uneven, effect, rng)

    def anchored(
        self, trials: int, runs: int, effect: float, rng: np.random.Generator
    ) -> list[tuple[Array, Array]]:
        """Return two sessions in which a reference and the network take turns.

        Each is the reference and the network, as (trials, runs, iterations).
        """
        sessions = []
        for factor, change in ((1.0, 0.0), (self.uneven, effect)):
            levels = self._levels(trials, 2 * runs, rng)
            reference = self._side(levels[:, ::2], factor, 0.0, rng)
            sessions.append((reference, self._side(levels[:, 1::2], factor, change, rng)))
        return sessions

    def _levels(self, trials: int, positions: int, rng: np.random.Generator) -> Array:
        """Return the logarithms of the levels of a session's runs."""
        draw = (
            rng.standard_t(2, (trials, positions))
            if self.heavy
            else rng.normal(size=(trials, positions))
        )
        if self.heavy:
            draw *= 0.6745 / 0.8165
        draw[:, 1:] *= np.sqrt(1 - self.shared**2)
        wander = lfilter([1.0], [1.0, -self.shared], draw, axis=1)
        modes = np.log1p(self.modes) * (rng.random((trials, positions)) < 0.3)
        drift = np.log1p(self.drift) * np.linspace(0, 1, positions)
        place = np.arange(positions) % self.period
        saw = self.saw * ((place > 0) & (place < self.period / 2 + 1))
        levels: Array = self.between * wander + modes + drift + saw
        return levels

    def _side(self, levels: Array, factor: float, effect: float, rng: np.random.Generator) -> Array:
        shape = (*levels.shape, ITERATIONS)
        new = rng.normal(size=shape)
        new[..., 1:] *= np.sqrt(1 - self.autocorrelation**2)
        noise = self.iteration * lfilter([1.0], [1.0, -self.autocorrelation], new, axis=-1)
        slow = rng.random((*levels.shape, 1)) < self.two_cores
        slow = slow & (rng.random(shape) < 0.2)
        latencies = LEVEL_MS * (1 + effect) * np.exp(factor * levels[..., None] + noise)
        latencies *= np.where(slow, 1.3, 1.0)
        if self.tick_ms:
            latencies = np.round(latencies / self.tick_ms) * self.tick_ms
        return latencies


PHONES = (
    Phone("iterations 2 %", iteration=0.02),
    Phone("iterations 15 %", iteration=0.15),
    Phone("iterations 40 %", iteration=0.4),
    Phone("iterations 15 %, runs 3 %", iteration=0.15, between=0.03),
    Phone("runs 1 %", autocorrelation=0.5, between=0.01, two_cores=0.3, drift=0.05),
    Phone("runs 3 %", autocorrelation=0.5, between=0.03, two_cores=0.3, drift=0.05),
    Phone("runs 6 %", autocorrelation=0.5, between=0.06, two_cores=0.3, drift=0.05),
    Phone(
        "runs 6 %, neighbours alike", autocorrelation=0.5, between=0.06, shared=0.9, two_cores=0.3
    ),
    Phone("two levels of runs", between=0.005, modes=0.15),
    Phone("heavy tails", between=0.02, heavy=True),
    Phone("AR(1) drift, 0.8", between=0.05, shared=0.8),
    Phone("saw-tooth, period 2", between=0.01, saw=0.05, period=2),
    Phone("saw-tooth, period 4", between=0.01, saw=0.05, period=4),
    Phone("second side noisier", between=0.01, uneven=5.0),
    Phone("clock of 1 ms", iteration=0.05, between=0.01, tick_ms=1.0),
    Phone("clock of 1 ms, quiet", iteration=0.005, between=0.002, tick_ms=1.0),
)
