"""Choose between the variants of a job while it is measured."""

from __future__ import annotations

from collections.abc import Callable

from mobilebench.errors import UserError
from mobilebench.measuring import engine
from mobilebench.thermal.controllers import controller
from mobilebench.thermal.observation import Observation, Reason
from mobilebench.thermal.readings import Readings
from mobilebench.values.job import Job
from mobilebench.values.policy import PolicyRule
from mobilebench.values.widths import WidthCost


def require_possible(job: Job) -> None:
    """Raise `UserError` where the policy of a job cannot be followed.

    That is so for parameters that the policy does not have, and for a variant whose accuracy is not
    known.
    """
    if job.policy.rule is not PolicyRule.FIXED:
        _choosing(job, tuple(range(len(job.variants), 0, -1)))


def several(job: Job, select: Callable[[int], object]) -> engine.Several | None:
    """Return what an engine needs to choose between variants; None where nothing is chosen.

    Raises as `require_possible` does.
    """
    require_possible(job)
    if job.policy.rule is PolicyRule.FIXED:
        return None
    widths = tuple(variant.width for variant in job.variants)
    return engine.Several(widths, select, lambda cool_ns: _choosing(job, cool_ns))


def _choosing(job: Job, cool_ns: tuple[int, ...]) -> engine.Choose:
    machine = controller(job.policy, _costs(job, cool_ns), job.protocol.interval_ns)
    readings = Readings()

    def choose(moment: engine.Moment) -> engine.Shift | None:
        reading = None if moment.state is None else readings.of(moment.state)
        seen = Observation(moment.t_ns, moment.index, moment.latency_ns, reading)
        decision = machine.decide(seen)
        if decision.reason is Reason.HOLD and decision.index == moment.index:
            return None
        return engine.Shift(decision.index, decision.reason, decision.inputs)

    return choose


def _costs(job: Job, cool_ns: tuple[int, ...]) -> list[WidthCost]:
    costs = []
    for variant, ns in zip(job.variants, cool_ns, strict=True):
        if variant.accuracy is None:
            raise UserError(
                f"The policy {job.policy.rule} weighs accuracies, and that of {variant.name} is "
                f"not known; give it with --widths, or measure it with `mobilebench eval`."
            )
        costs.append(WidthCost(width=variant.width, cool_ms=ns / 1e6, top1=variant.accuracy.top1))
    return costs
