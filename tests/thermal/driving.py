"""Simulate a phone under a policy, and keep what the policy decided."""

from __future__ import annotations

from dataclasses import dataclass, field

from mobilebench.thermal import controllers, phones
from mobilebench.thermal.observation import Controller, Decision, Observation, Reason
from mobilebench.thermal.phones import Weather
from mobilebench.thermal.simulation import Run, Truth, Use, run
from mobilebench.values.phone import Phone
from mobilebench.values.policy import Policy

S = 1_000_000_000
INTERVAL_NS = round(1e9 / 30)


@dataclass
class Listening:
    """Drives by a controller, and keeps its decisions that say something."""

    controller: Controller
    said: list[tuple[int, Decision]] = field(default_factory=list)

    def decide(self, seen: Observation, truth: Truth) -> Decision:
        """Return the controller's decision."""
        decision = self.controller.decide(seen)
        if decision.reason is not Reason.HOLD:
            self.said.append((seen.t_ns, decision))
        return decision

    def times(self, reason: Reason) -> list[int]:
        """Return when a reason was given."""
        return [t_ns for t_ns, decision in self.said if decision.reason is reason]


def use(minutes: float, air_c: float = 25.0, full_ms: float = 26.0, seed: int = 1) -> Use:
    """Return 30 frames a second with the slimmable widths."""
    widths = phones.slimmable_widths(full_ms).widths
    return Use(widths, INTERVAL_NS, INTERVAL_NS, round(minutes * 60 * S), air_c, seed)


def drawn(seed: int, minutes: float) -> tuple[Phone, Use]:
    """Return a phone of the distribution, and its use."""
    phone, air_c, widths = phones.draw(seed, Weather.USUAL)
    return phone, Use(widths.widths, INTERVAL_NS, INTERVAL_NS, round(minutes * 60 * S), air_c, seed)


def drive(phone: Phone, used: Use, policy: Policy) -> tuple[Run, Listening]:
    """Simulate a policy on a phone."""
    driver = Listening(controllers.controller(policy, used.widths, used.interval_ns))
    return run(phone, used, driver), driver
