"""Run the gate on handmade records: what it calls a change, what it refuses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mobilebench.errors import UnknownName, UserError
from mobilebench.regress import Rule, Verdict, check
from mobilebench.regress.comparison import Comparison
from mobilebench.values.forecast import Basis, Forecast
from mobilebench.values.measurement import ComputeUnit, Failure, Loads, Measurement, Memory, Stage
from mobilebench.values.record import Record
from tests.records import MEDIAN, failed_export, levels, runs


def only(baseline: list[Record], candidate: list[Record], rule: Rule | None = None) -> Comparison:
    [comparison] = check(baseline, candidate, rule, metrics=MEDIAN).comparisons
    return comparison


def test_a_slowdown_in_pairs_is_a_regression() -> None:
    shared = levels(8, 0.1)
    found = only(runs(shared, "A"), runs(shared * 1.05, "B"))
    assert found.verdict is Verdict.REGRESSED and found.paired and found.runs == (8, 8)
    assert found.effect == pytest.approx(0.05, abs=0.01)
    assert found.interval is not None and found.interval[0] < 0.05 < found.interval[1]
    assert found.p_value == 1 / 256
    assert found.baseline == pytest.approx(np.median(shared), rel=0.02)


def test_a_speed_up_is_an_improvement_and_no_alarm() -> None:
    shared = levels(8, 0.1)
    report = check(runs(shared, "A"), runs(shared * 0.9, "B"), metrics=MEDIAN)
    assert report.verdict is Verdict.IMPROVED


def test_the_same_again_is_unchanged() -> None:
    shared = levels(12, 0.1)
    found = only(runs(shared, "A"), runs(shared, "B"))
    assert found.verdict is Verdict.UNCHANGED
    assert "within 3.0%" in found.reason


def test_a_change_below_the_tolerance_is_none() -> None:
    shared = levels(12, 0.1)
    assert only(runs(shared, "A"), runs(shared * 1.01, "B")).verdict is Verdict.UNCHANGED
    strict = Rule(tolerance=0.001)
    assert only(runs(shared, "A"), runs(shared * 1.01, "B"), strict).verdict is Verdict.REGRESSED


@pytest.mark.parametrize("pairs", [1, 2, 5, 6])
def test_too_few_runs_are_inconclusive_however_large_the_change(pairs: int) -> None:
    shared = levels(pairs, 0.1)
    found = only(runs(shared, "A"), runs(shared * 1.5, "B"))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert ("one run a side" if pairs == 1 else "too few") in found.reason


def test_noise_between_runs_is_inconclusive_never_unchanged() -> None:
    found = only(runs(levels(8, 0.2, 1), "A"), runs(levels(8, 0.2, 2), "B"))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "take more pairs" in found.reason


def test_runs_that_are_no_pairs_are_compared_as_groups() -> None:
    found = only(runs(levels(5, 0.005, 1)), runs(levels(5, 0.005, 2) * 1.1, seed=1))
    assert found.verdict is Verdict.REGRESSED and not found.paired
    assert found.p_value == 1 / 252


def test_half_of_the_pairs_alone_makes_no_pairs() -> None:
    shared = levels(8, 0.01)
    found = only(runs(shared, "A"), runs(shared, "B")[:5])
    assert not found.paired and found.runs == (8, 5)


def test_of_many_cells_each_has_to_stand_out_more() -> None:
    """Put one cell with a change of 7 % among twenty without: eight pairs are too few."""
    names = [f"net{index}" for index in range(21)]
    shared = levels(8, 0.05)
    factors = {names[0]: 1.07}
    before = [r for name in names for r in runs(shared, "A", hash_of(name), model=name)]
    after = [
        r
        for name in names
        for r in runs(shared * factors.get(name, 1.0), "B", hash_of(name), model=name)
    ]
    report = check(before, after, metrics=MEDIAN)
    first = report.comparisons[0]
    assert first.verdict is Verdict.INCONCLUSIVE and first.effect == pytest.approx(0.07, abs=0.01)
    assert Rule().pairs_needed(21) == 12
    more = levels(12, 0.05)
    before = [r for name in names for r in runs(more, "A", hash_of(name), model=name)]
    after = [
        r
        for name in names
        for r in runs(more * factors.get(name, 1.0), "B", hash_of(name), model=name)
    ]
    found = {c.cell.split()[0]: c.verdict for c in check(before, after, metrics=MEDIAN).comparisons}
    assert found.pop(names[0]) is Verdict.REGRESSED
    assert Verdict.REGRESSED not in found.values()


def hash_of(name: str) -> int:
    return int(name.removeprefix("net"))


@pytest.mark.parametrize(("cells", "pairs"), [(0, 8), (1, 8), (2, 8), (3, 9), (28, 12)])
def test_the_pairs_needed_can_reach_alpha(cells: int, pairs: int) -> None:
    rule = Rule()
    assert rule.pairs_needed(cells) == pairs
    assert 0.5**pairs < rule.alpha / max(cells, 1)


def _with(record: Record, **changes: object) -> Record:
    outcome = record.outcome
    assert isinstance(outcome, Measurement)
    return dataclasses.replace(record, outcome=dataclasses.replace(outcome, **changes))  # type: ignore[arg-type]


def test_load_time_and_memory_are_gated() -> None:
    before = runs(levels(8, 0.001), "A")
    memory = Memory(peak_bytes=10 * 2**20, before_load_bytes=2**20)
    loads = Loads(first_ns=50_000_000)
    before = [_with(record, memory=memory, loads=loads) for record in before]
    after = [
        _with(
            record,
            memory=Memory(peak_bytes=12 * 2**20, before_load_bytes=2**20),
            loads=Loads(first_ns=70_000_000 + index),
        )
        for index, record in enumerate(runs(levels(8, 0.001), "B"))
    ]
    found = {c.metric: c.verdict for c in check(before, after).comparisons}
    assert found["first load"] is found["peak memory"] is Verdict.REGRESSED
    assert found["latency p50"] is found["size"] is found["parity"] is Verdict.UNCHANGED


def test_size_and_parity_are_gated_by_one_record() -> None:
    before, after = runs([10.0]), runs([10.0], seed=1)
    facts = after[0].artifact
    assert facts is not None
    worse = dataclasses.replace(
        facts,
        size_bytes=facts.size_bytes * 2,
        parity=tuple(dataclasses.replace(parity, passed=False) for parity in facts.parity),
    )
    changed = [dataclasses.replace(after[0], artifact=worse)]
    found = {c.metric: c.verdict for c in check(before, changed).comparisons}
    assert found["size"] is found["parity"] is Verdict.REGRESSED
    assert found["latency p50"] is Verdict.INCONCLUSIVE


def test_what_left_one_accelerator_counts_although_as_much_came_to_another() -> None:
    before, after = runs([10.0]), runs([10.0], seed=1)

    def placed(records: list[Record], npu: int, gpu: int) -> list[Record]:
        facts = records[0].artifact
        assert facts is not None
        forecast = tuple(
            Forecast(
                id=unit,
                label=label,
                unit=unit,
                basis=Basis.RULES,
                operations=100,
                taken=taken,
                islands=1,
                macs_off_share=0.0,
            )
            for unit, label, taken in (
                (ComputeUnit.NPU, "Neural Engine", npu),
                (ComputeUnit.GPU, "GPU delegate", gpu),
            )
        )
        changed = dataclasses.replace(facts, forecast=forecast)
        return [dataclasses.replace(records[0], artifact=changed)]

    [found] = check(
        placed(before, 90, 80), placed(after, 80, 90), metrics=["placement"]
    ).comparisons
    assert found.verdict is Verdict.REGRESSED
    assert (found.baseline, found.candidate) == (30, 30)
    assert found.reason == "known exactly; Neural Engine: 20 after 10"
    [found] = check(
        placed(before, 90, 80), placed(after, 90, 90), metrics=["placement"]
    ).comparisons
    assert found.verdict is Verdict.IMPROVED


def test_a_smaller_file_is_an_improvement() -> None:
    before, after = runs([10.0]), runs([10.0], seed=1)
    facts = after[0].artifact
    assert facts is not None
    smaller = dataclasses.replace(facts, size_bytes=facts.size_bytes // 2)
    changed = [dataclasses.replace(after[0], artifact=smaller)]
    [found] = check(before, changed, metrics=["size"]).comparisons
    assert found.verdict is Verdict.IMPROVED and found.effect == pytest.approx(-0.5, abs=1e-6)


def test_the_90th_percentile_may_move_a_little_more() -> None:
    shared = levels(12, 0.1)
    found = {
        c.metric: c.verdict
        for c in check(
            runs(shared, "A"),
            runs(shared * 1.04, "B"),
            metrics=["latency p50", "latency p90"],
        ).comparisons
    }
    assert found["latency p50"] is Verdict.REGRESSED
    assert found["latency p90"] is not Verdict.REGRESSED


def test_unchanged_needs_both_ends_of_the_interval() -> None:
    """Leave a change that may be far quicker, but is not slower, inconclusive."""
    shared = levels(8, 0.1)
    quicker = shared * np.exp([-0.3, -0.2, -0.1, 0.0, 0.01, 0.01, 0.0, 0.01])
    found = only(runs(shared, "A"), runs(quicker, "B"))
    assert found.interval is not None and found.interval[0] < -0.03
    assert found.verdict is Verdict.INCONCLUSIVE


def test_a_cell_that_fails_now_is_a_regression() -> None:
    before = runs([10.0, 10.0])
    failed = dataclasses.replace(
        before[0],
        record_id="f" * 32,
        outcome=Failure(stage=Stage.RUN, error="Crash", message="signal 11"),
    )
    report = check(before, [failed])
    assert report.verdict is Verdict.REGRESSED
    assert "run failed: Crash: signal 11" in report.comparisons[0].reason


def test_unlike_records_are_refused_saying_what_differs() -> None:
    with pytest.raises(UserError, match=r"differ in threads \(1 / 2\)"):
        check(runs([10.0]), runs([10.0], threads=2))
    with pytest.raises(UserError, match=r"protocol \(smoke-1 / burst-1\)"):
        check(runs([10.0]), runs([10.0], protocol_id="burst-1"))
    with pytest.raises(UserError, match="no model by the same recipe in common"):
        check(runs([10.0]), runs([10.0], model="rapidnet_ti"))


def test_a_field_may_be_allowed_to_differ_and_the_report_says_so() -> None:
    shared = levels(8, 0.001)
    report = check(
        runs(shared, "A"), runs(shared, "B", threads=2), metrics=MEDIAN, allow_different=["threads"]
    )
    assert report.across == ("threads",) and report.verdict is Verdict.UNCHANGED
    with pytest.raises(UnknownName, match="thread"):
        check(runs([10.0]), runs([10.0]), allow_different=["thread"])


def test_a_cell_without_a_counterpart_is_no_pass() -> None:
    shared = levels(8, 0.001)
    lonely = runs([10.0], seed=3, model="rapidnet_ti")
    report = check([*runs(shared, "A"), *lonely], runs(shared, "B"), metrics=MEDIAN)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.unmatched[0].startswith("only the baseline has rapidnet_ti")


def test_nothing_on_one_side_is_an_error() -> None:
    with pytest.raises(UserError, match="candidate holds no records"):
        check(runs([10.0]), [])
    with pytest.raises(UserError, match="baseline holds no records"):
        check([], runs([10.0]))
    with pytest.raises(UnknownName, match="latency p50"):
        check(runs([10.0]), runs([10.0]), metrics=["latency p51"])


def test_a_record_counts_once_and_never_against_itself() -> None:
    shared = levels(8, 0.001)
    before, after = runs(shared, "A"), runs(shared, "B")
    report = check([*before, *before], after, metrics=MEDIAN)
    assert report.comparisons[0].runs == (8, 8) and report.comparisons[0].paired
    with pytest.raises(UserError, match="1 records in common"):
        check(before, [*after, before[0]])
    changed = dataclasses.replace(before[0], created="2030-01-01T00:00:00.000Z")
    with pytest.raises(UserError, match="baseline holds two different records with the id"):
        check([*before, changed], after)


def test_failed_exports_have_nothing_to_compare() -> None:
    with pytest.raises(UserError, match="no model by the same recipe in common"):
        check([failed_export(target="opset18")], runs([10.0]))


@pytest.mark.parametrize(
    "changes", [{"tolerance": -0.1}, {"tolerance": 2}, {"alpha": 0}, {"alpha": 1.5}]
)
def test_a_rule_that_makes_no_sense_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(UserError, match="give one such as"):
        Rule(**changes)
