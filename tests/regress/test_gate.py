"""Run the gate on handmade records: what it calls a change, what it refuses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mobilebench.errors import UnknownName, UserError
from mobilebench.regress import Rule, Verdict, check
from mobilebench.regress.comparison import Comparison
from mobilebench.values.device import DeviceKind
from mobilebench.values.forecast import Basis, Forecast
from mobilebench.values.measurement import (
    ComputeUnit,
    Failure,
    Loads,
    Measurement,
    Memory,
    Stage,
)
from mobilebench.values.record import Record
from tests.records import MEDIAN, PHONE, failed_export, levels, runs


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
    assert found.p_value == pytest.approx(2 / 252), "both directions count"


def test_whole_pairs_are_kept_and_broken_ones_dropped_and_counted() -> None:
    shared = levels(8, 0.1)
    before, after = runs(shared, "A"), runs(shared * 1.06, "B")
    found = only(before, after[1:])
    assert found.paired and found.runs == (7, 7) and found.dropped == (1, 0)
    assert found.verdict is Verdict.REGRESSED and found.p_value == 1 / 128
    found = only(before[:7], after[1:])
    assert found.paired and found.runs == (6, 6) and found.dropped == (1, 1)
    assert found.verdict is Verdict.INCONCLUSIVE, "six pairs are too few"


def test_few_pairs_among_many_runs_make_no_pairs() -> None:
    shared = levels(8, 0.01)
    found = only(runs(shared, "A"), [*runs(shared, "B")[:2], *runs(levels(6, 0.01), seed=3)])
    assert not found.paired and found.runs == (8, 8) and found.dropped == (0, 0)


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


def _failed(record: Record, stage: Stage = Stage.RUN) -> Record:
    failure = Failure(stage=stage, error="Crash", message="signal 11")
    return dataclasses.replace(record, record_id="f" + record.record_id[1:], outcome=failure)


def _outcome(baseline: list[Record], candidate: list[Record]) -> Comparison:
    report = check(baseline, candidate, metrics=MEDIAN)
    [outcome] = [c for c in report.comparisons if c.metric == "outcome"]
    return outcome


def test_a_cell_that_fails_now_is_a_regression() -> None:
    before = runs([10.0, 10.0])
    report = check(before, [_failed(before[0])])
    assert report.verdict is Verdict.REGRESSED
    assert "run failed: Crash: signal 11" in report.comparisons[0].reason


@pytest.mark.parametrize("side", ["A", ""])
def test_a_single_failure_of_the_candidate_is_never_a_pass(side: str) -> None:
    shared = levels(8, 0.001)
    before, after = runs(shared, side), runs(shared, "B" if side else "", seed=1)
    after[0] = _failed(after[0])
    report = check(before, after, metrics=MEDIAN)
    assert report.verdict is Verdict.REGRESSED
    median, outcome = report.comparisons
    assert (outcome.baseline, outcome.candidate, outcome.runs) == (0, 1, (8, 8))
    assert "0 of 8 runs of the baseline and 1 of 8 runs of the candidate" in outcome.reason
    assert "run failed: Crash: signal 11" in outcome.reason
    assert median.verdict is Verdict.UNCHANGED, "of what could be measured"
    assert median.paired == bool(side) and median.dropped == ((1, 0) if side else (0, 0))


def test_failures_on_both_sides_have_to_rise_to_be_a_regression() -> None:
    before, after = runs(levels(12, 0.001)), runs(levels(12, 0.001), seed=1)

    def failing(records: list[Record], count: int) -> list[Record]:
        return [*map(_failed, records[:count]), *records[count:]]

    few = _outcome(failing(before, 2), failing(after, 3))
    assert few.verdict is Verdict.INCONCLUSIVE and "p 0.5" in few.reason
    many = _outcome(failing(before, 2), failing(after, 10))
    assert many.verdict is Verdict.REGRESSED
    assert _outcome(failing(before, 2), after).verdict is Verdict.UNCHANGED
    assert _outcome(failing(before, 11), after).verdict is Verdict.IMPROVED


def test_a_run_that_the_cluster_lost_decides_nothing() -> None:
    before, after = runs(levels(8, 0.001)), runs(levels(8, 0.001), seed=1)
    lost = _outcome(before, [_failed(after[0], Stage.CLUSTER), *after[1:]])
    assert lost.verdict is Verdict.INCONCLUSIVE


def test_a_failure_counts_for_its_own_cell_alone() -> None:
    shared = levels(8, 0.001)
    two = runs(shared, seed=2, threads=2)
    other = runs(shared, seed=3, threads=2)
    after = [*runs(shared, seed=1), _failed(other[0]), *other[1:]]
    report = check([*runs(shared), *two], after, metrics=MEDIAN)
    [outcome] = [c for c in report.comparisons if c.metric == "outcome"]
    assert "2 threads" in outcome.cell and outcome.runs == (8, 8)


def test_what_fails_without_a_counterpart_is_named_and_no_pass() -> None:
    shared = levels(8, 0.001)
    before, after = runs(shared), runs(shared, seed=1)
    other = _failed(runs([10.0], seed=5, model="rapidnet_ti")[0])
    fine = runs(shared, seed=6, model="rapidnet_ti")
    for baseline, candidate, words in (
        (before, [*after, other], "only the candidate has rapidnet_ti"),
        ([*before, other], after, "only the baseline has rapidnet_ti"),
        ([*before, other], [*after, dataclasses.replace(other, record_id="e" * 32)], "both sides"),
        ([*before, other], [*after, *fine], "the other side's failed"),
    ):
        report = check(baseline, candidate, metrics=MEDIAN)
        assert report.verdict is Verdict.INCONCLUSIVE
        [sentence] = report.unmatched
        assert words in sentence and "run failed: Crash: signal 11" in sentence
    report = check([_failed(before[0])], after, metrics=MEDIAN)
    assert report.verdict is Verdict.INCONCLUSIVE and not report.comparisons


@pytest.mark.parametrize("zero", ["baseline", "candidate", "both"])
@pytest.mark.parametrize("metric", ["peak memory", "first load", "size"])
def test_a_metric_that_is_zero_is_not_comparable(metric: str, zero: str) -> None:
    shared = levels(8, 0.001)
    sides = {"baseline": runs(shared, "A"), "candidate": runs(shared, "B")}
    for name, side in sides.items():
        if zero in (name, "both"):
            sides[name] = [_without(record, metric) for record in side]
    report = check(sides["baseline"], sides["candidate"])
    [found] = [c for c in report.comparisons if c.metric == metric]
    assert found.verdict is Verdict.NOT_COMPARABLE and "or zero" in found.reason
    assert found.effect is None and found.interval is None
    expected = Verdict.UNCHANGED if zero == "both" else Verdict.INCONCLUSIVE
    assert report.verdict is expected
    alone = check(sides["baseline"], sides["candidate"], metrics=[metric])
    assert alone.verdict is Verdict.INCONCLUSIVE, "nothing was compared"


def _without(record: Record, metric: str) -> Record:
    if metric == "size":
        assert record.artifact is not None
        facts = dataclasses.replace(record.artifact, size_bytes=0)
        return dataclasses.replace(record, artifact=facts)
    if metric == "first load":
        return _with(record, loads=Loads(first_ns=0))
    return _with(record, memory=Memory(peak_bytes=0, before_load_bytes=0))


def test_runs_that_lack_a_number_are_left_out_and_counted() -> None:
    shared = levels(9, 0.001)
    before, after = runs(shared, "A"), runs(shared, "B")
    after[3] = _without(after[3], "peak memory")
    report = check(before, after, metrics=["latency p50", "latency p90", "peak memory"])
    found = {c.metric: (c.runs, c.dropped, c.verdict) for c in report.comparisons}
    assert found["latency p50"] == found["latency p90"] == ((9, 9), (0, 0), Verdict.UNCHANGED)
    assert found["peak memory"] == ((8, 8), (1, 1), Verdict.UNCHANGED)


def test_a_lost_verification_is_no_pass() -> None:
    shared = levels(8, 0.001)
    before, after = runs(shared, "A"), runs(shared, "B")
    unverified = [
        dataclasses.replace(r, artifact=dataclasses.replace(r.artifact, parity=()))  # type: ignore[type-var]
        for r in after
    ]
    report = check(before, unverified, metrics=["parity", "latency p50"])
    found = {c.metric: c for c in report.comparisons}
    assert found["parity"].verdict is Verdict.NOT_COMPARABLE
    assert "the candidate has no parity" in found["parity"].reason
    assert report.verdict is Verdict.INCONCLUSIVE


def _clocked(records: list[Record], tick_ns: int) -> list[Record]:
    """Round every latency to a step of the clock, as a coarse one does."""
    result = []
    for record in records:
        assert isinstance(record.outcome, Measurement)
        samples = record.outcome.samples
        rounded = tuple(round(value / tick_ns) * tick_ns for value in samples.latency_ns)
        result.append(_with(record, samples=dataclasses.replace(samples, latency_ns=rounded)))
    return result


def test_a_coarse_clock_neither_hides_a_change_nor_makes_one() -> None:
    """Read 10.0 and 10.4 ms as 10 ms, and 10.3 and 10.7 ms as 10 and 11 ms."""
    tick = 1_000_000
    steady = np.full(8, 10.0)
    hidden = only(_clocked(runs(steady, "A"), tick), _clocked(runs(steady * 1.04, "B"), tick))
    assert hidden.verdict is Verdict.INCONCLUSIVE and "finer clock" in hidden.reason
    assert hidden.interval is not None and hidden.interval[0] < 0.04 < hidden.interval[1]
    before, after = (
        _clocked(runs(np.full(8, ms), side), tick) for ms, side in ((10.3, "A"), (10.7, "B"))
    )
    jumped = only(before, after)
    assert jumped.effect == pytest.approx(0.1) and jumped.verdict is Verdict.INCONCLUSIVE
    assert "clock's step" in jumped.reason
    fine = only(_clocked(runs(steady, "A"), 1000), _clocked(runs(steady * 1.05, "B"), 1000))
    assert fine.verdict is Verdict.REGRESSED


def test_two_latencies_of_a_run_are_one_question() -> None:
    """Judge p50 and p90 together: one alone cannot reach alpha where the other contradicts it."""
    shared = levels(8, 0.05)
    before, after = runs(shared, "A"), runs(shared * 1.05, "B")
    alone = only(before, after)
    both = check(before, after, metrics=["latency p50", "latency p90"]).comparisons[0]
    assert alone.p_value == 1 / 256 and both.p_value is not None
    assert both.p_value >= alone.p_value and both.verdict is Verdict.REGRESSED


def test_unlike_records_are_refused_saying_what_differs() -> None:
    with pytest.raises(UserError, match=r"differ in threads \(1 / 2\)"):
        check(runs([10.0]), runs([10.0], threads=2))
    with pytest.raises(UserError, match=r"protocol \(smoke-1 / burst-1\)"):
        check(runs([10.0]), runs([10.0], protocol_id="burst-1"))
    with pytest.raises(UserError, match="no model by the same recipe in common"):
        check(runs([10.0]), runs([10.0], model="rapidnet_ti"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cores": 64}, r"differ in cores \(6 / 64\)\."),
        ({"ram_bytes": 16 << 30}, r"differ in ram_gib \(8 / 16\)\."),
        ({"soc": "A19"}, r"differ in soc \(unknown / A19\)\."),
        ({"cores": None, "ram_bytes": None}, r"cores \(6 / unknown\), ram_gib \(8 / unknown\)"),
    ],
)
def test_another_machine_of_the_same_name_is_refused(
    changes: dict[str, object], words: str
) -> None:
    shared = levels(8, 0.001)
    device = dataclasses.replace(PHONE, **changes)  # type: ignore[arg-type]
    after = [dataclasses.replace(record, device=device) for record in runs(shared, "B")]
    with pytest.raises(UserError, match=words):
        check(runs(shared, "A"), after)
    report = check(
        runs(shared, "A"), after, metrics=MEDIAN, allow_different=["soc", "cores", "ram_gib"]
    )
    assert report.verdict is Verdict.UNCHANGED and report.across


def test_a_system_that_keeps_more_memory_for_itself_is_the_same_machine() -> None:
    shared = levels(8, 0.001)
    device = dataclasses.replace(PHONE, ram_bytes=(8 << 30) - (300 << 20))
    after = [dataclasses.replace(record, device=device) for record in runs(shared, "B")]
    assert only(runs(shared, "A"), after).verdict is Verdict.UNCHANGED


@pytest.mark.parametrize("kind", [DeviceKind.PHONE, DeviceKind.TABLET, DeviceKind.BOARD])
def test_two_phones_of_one_model_are_two(kind: DeviceKind) -> None:
    def by(id_: str, side: str) -> list[Record]:
        device = dataclasses.replace(PHONE, kind=kind, id=id_)
        records = runs(levels(8, 0.001), side)
        return [dataclasses.replace(record, device=device) for record in records]

    assert only(by("adb:1111", "A"), by("adb:1111", "B")).verdict is Verdict.UNCHANGED
    with pytest.raises(UserError, match=r"differ in device \(adb:1111 / adb:2222\)\."):
        check(by("adb:1111", "A"), by("adb:2222", "B"))
    report = check(
        by("adb:1111", "A"), by("adb:2222", "B"), metrics=MEDIAN, allow_different=["device"]
    )
    assert report.across == ("device",)


def test_hosts_of_one_model_are_compared_whatever_their_ids() -> None:
    device = dataclasses.replace(PHONE, kind=DeviceKind.HOST, id="host")
    shared = levels(8, 0.001)
    before = [dataclasses.replace(record, device=device) for record in runs(shared, "A")]
    other = dataclasses.replace(device, id="host:4")
    after = [dataclasses.replace(record, device=other) for record in runs(shared, "B")]
    assert only(before, after).verdict is Verdict.UNCHANGED


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
    with pytest.raises(UserError, match="have 1 record in common"):
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
