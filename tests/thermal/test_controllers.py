"""What every policy has in common, and what is refused."""

from __future__ import annotations

import json
import math

import pytest

from mobilebench.conformance import controlled, kit
from mobilebench.errors import UserError
from mobilebench.thermal.controllers import PURSUES_HEAT, RULES, controller
from mobilebench.thermal.observation import Observation, Reading, Reason
from mobilebench.values.device import ThermalState
from mobilebench.values.policy import Aim, Policy, PolicyRule
from tests.thermal.scenes import INTERVAL_NS, WIDTHS, play

EVERYTHING = Aim(
    warmest=ThermalState.FAIR, headroom=0.9, skin_c=38, battery_c=36, uncapped=True, energy_mj=50
)


@pytest.mark.parametrize("rule", PolicyRule)
def test_every_rule_has_a_controller_that_begins_at_the_widest(rule: PolicyRule) -> None:
    machine = controller(Policy(rule=rule), WIDTHS, INTERVAL_NS)
    assert machine.decide(Observation(0, 0, WIDTHS[0].cool_ns)).index == 0


@pytest.mark.parametrize("rule", PolicyRule)
def test_a_rule_decides_the_same_twice(rule: PolicyRule) -> None:
    def decisions() -> list[tuple[float, int, Reason]]:
        machine = controller(Policy(rule=rule, aim=EVERYTHING), WIDTHS, INTERVAL_NS)
        heat = play(
            machine,
            90,
            lambda second, _: 1.2 if second > 30 else 1.0,
            lambda second: Reading(skin_c=30 + second / 6, headroom=second / 60),
        )
        return [(second, each.index, each.reason) for second, each in heat]

    first = decisions()
    assert first == decisions()
    assert len({index for _, index, _ in first}) > 1 or rule is PolicyRule.FIXED


@pytest.mark.parametrize("rule", sorted(PURSUES_HEAT))
def test_a_policy_for_heat_keeps_the_deadline_without_any_sensor(rule: PolicyRule) -> None:
    machine = controller(Policy(rule=rule, aim=EVERYTHING), WIDTHS, INTERVAL_NS)
    nothing = Reading(headroom=math.nan, skin_c=None)
    last = list(play(machine, 60, lambda *_: 1.3, lambda _: nothing))[-1][1]
    assert last.index >= 1


@pytest.mark.parametrize("rule", sorted(PURSUES_HEAT))
@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_is_not_finite_is_not_known(rule: PolicyRule, number: float) -> None:
    def decisions(no_skin: float | None, no_cap: float | None) -> list[tuple[int, Reason]]:
        learns = {"learns": 1.0} if rule is PolicyRule.THRESHOLD else {}
        policy = Policy(rule=rule, aim=Aim(uncapped=True), parameters=learns)
        machine = controller(policy, WIDTHS, INTERVAL_NS)

        def reading(second: float) -> Reading:
            return Reading(skin_c=no_skin if second < 40 else 35.0, cap=no_cap)

        steps = play(machine, 120, lambda second, _: 1.6 if 20 < second < 30 else 1.0, reading)
        return [(each.index, each.reason) for _, each in steps]

    assert decisions(number, number) == decisions(None, None)


@pytest.mark.parametrize("rule", sorted(PURSUES_HEAT))
def test_the_inputs_of_a_decision_are_numbers_that_json_has(rule: PolicyRule) -> None:
    machine = controller(Policy(rule=rule, aim=EVERYTHING), WIDTHS, INTERVAL_NS)
    hot = Reading(headroom=1.2, skin_c=44.0, battery_c=math.nan, state=ThermalState.CRITICAL)
    shifts = [each for _, each in play(machine, 90, reading=lambda _: hot) if each.inputs]
    assert shifts
    for shift in shifts:
        assert all(math.isfinite(number) for number in shift.inputs.values())


def test_an_unknown_parameter_is_named_with_the_one_that_was_meant() -> None:
    policy = Policy(rule=PolicyRule.DEADLINE, parameters={"quite_ns": 1.0})
    with pytest.raises(UserError, match="no parameter 'quite_ns'; did you mean quiet_ns"):
        controller(policy, WIDTHS, INTERVAL_NS)


@pytest.mark.parametrize("number", [-1.0, math.nan, math.inf])
def test_a_parameter_out_of_its_range_is_refused(number: float) -> None:
    policy = Policy(rule=PolicyRule.DEADLINE, parameters={"gain": number})
    with pytest.raises(UserError, match="gain of the policy deadline is .* from 0 to 1"):
        controller(policy, WIDTHS, INTERVAL_NS)


def test_frames_without_a_rate_need_a_deadline() -> None:
    with pytest.raises(UserError, match="needs a deadline"):
        controller(Policy(rule=PolicyRule.DEADLINE), WIDTHS, None)
    controller(Policy(rule=PolicyRule.FIXED), WIDTHS, None)


@pytest.mark.parametrize("rule", PolicyRule)
def test_every_default_is_in_its_range(rule: PolicyRule) -> None:
    for parameter in RULES[rule][0]:
        assert parameter.least <= parameter.default <= parameter.most


def test_our_controllers_answer_every_vector_as_the_files_say() -> None:
    vectors = list(controlled.vectors())
    assert len(vectors) >= 40
    assert {vector.given["policy"].get("rule", "fixed") for vector in vectors} == set(PolicyRule)
    for vector in vectors:
        line = json.dumps({"id": vector.id, "answer": controlled.answer(vector.given)})
        [result] = kit.judge(line, [vector])
        assert result.right and result.supported, (vector.id, result.mistake)


def test_every_reason_is_in_some_vector() -> None:
    reasons = {
        decision["reason"]
        for vector in controlled.vectors()
        for decision in vector.expected["decisions"]
    }
    assert reasons == set(Reason) - {Reason.HOLD}
