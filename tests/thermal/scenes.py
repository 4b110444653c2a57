"""Controllers in short scripted scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mobilebench.thermal.observation import Controller, Decision, Observation, Reading
from mobilebench.values.widths import WidthCost

S, MS = 1_000_000_000, 1_000_000
INTERVAL_NS = S // 30
WIDTHS = tuple(
    WidthCost(width=width, cool_ms=cool_ms, top1=top1)
    for width, cool_ms, top1 in (
        (1.0, 28.0, 70.5),
        (0.75, 20.5, 68.9),
        (0.5, 10.7, 64.4),
        (0.35, 7.0, 59.7),
    )
)


def play(
    controller: Controller,
    seconds: float,
    slow: Callable[[float, int], float] = lambda _, __: 1.0,
    reading: Callable[[float], Reading | None] = lambda _: None,
) -> Iterator[tuple[float, Decision]]:
    """Yield the second and the decision of every frame; readings come once a second."""
    index, next_read = 0, 1.0
    for slot in range(int(seconds * 30)):
        second = slot / 30
        seen = None
        if second >= next_read:
            seen, next_read = reading(second), next_read + 1
        latency_ns = int(WIDTHS[index].cool_ns * slow(second, index))
        observation = Observation(slot * INTERVAL_NS + latency_ns, index, latency_ns, seen)
        decision = controller.decide(observation)
        index = decision.index
        yield second, decision
