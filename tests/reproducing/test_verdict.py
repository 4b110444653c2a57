"""A row that was measured again is judged by the gate's rule, and called unchanged only by it."""

from __future__ import annotations

from dataclasses import replace

from mobilebench.regress import Verdict
from mobilebench.reproducing import summary, verdict
from mobilebench.reproducing.row import Likeness, Row
from mobilebench.values.record import Record
from tests.records import failed_export, measured, runs


def _row(before: list[Record], after: list[Record], likeness: Likeness = Likeness.SAME_FILE) -> Row:
    return Row(before[0], likeness, others=tuple(before[1:]), again=after[0], more=tuple(after[1:]))


def test_eight_runs_a_side_at_one_level_are_unchanged() -> None:
    [judged] = verdict.judge([_row(runs([10] * 8, seed=1), runs([10] * 8, seed=2))])
    assert judged.verdict is Verdict.UNCHANGED and judged.decided
    assert judged.words == "unchanged, not interleaved"
    assert [each.metric for each in judged.comparisons] == ["latency p50", "latency p90"]


def test_a_slower_device_is_a_regression_and_a_faster_one_none() -> None:
    slow = _row(runs([10] * 8, seed=1), runs([12] * 8, seed=2))
    fast = _row(runs([10] * 8, seed=3), runs([8] * 8, seed=4))
    verdicts = [each.verdict for each in verdict.judge([slow, fast])]
    assert verdicts == [Verdict.REGRESSED, Verdict.IMPROVED]


def test_one_run_a_side_is_never_called_unchanged() -> None:
    """Not even one with the same samples: two runs show no noise."""
    row = _row([measured()], [measured(record_id="c" * 32)])
    [judged] = verdict.judge([row])
    assert judged.verdict is Verdict.INCONCLUSIVE and not judged.decided
    said = " ".join(summary.sentences([row], [judged]))
    assert row.ratio == 1.0
    assert "unchanged" not in said and "equal" not in said
    assert "one run a side cannot show the noise between runs" in said


def test_many_new_runs_do_not_make_up_for_one_of_the_table() -> None:
    [judged] = verdict.judge([_row(runs([10], seed=1), runs([10] * 20, seed=2))])
    assert judged.verdict is Verdict.INCONCLUSIVE


def test_another_device_is_not_comparable_however_equal_its_numbers() -> None:
    new = [
        replace(run, device=replace(run.device, model="Another phone"))
        for run in runs([10] * 8, seed=1)
    ]
    row = _row(runs([10] * 8, seed=1), new)
    [judged] = verdict.judge([row])
    assert (judged.verdict, judged.words) == (None, "not comparable")
    assert judged.not_judged == "it was measured otherwise: device_model"
    assert "unchanged" not in " ".join(summary.sentences([row], [judged]))


def test_runs_under_other_conditions_do_not_count() -> None:
    before = runs([10] * 8, seed=1)
    odd = [
        replace(run, device=replace(run.device, os_build="other")) for run in runs([30] * 8, seed=5)
    ]
    row = _row(before, [*runs([10] * 8, seed=2), *odd])
    [judged] = verdict.judge([row])
    assert judged.verdict is Verdict.UNCHANGED
    assert judged.comparisons[0].runs == (8, 8)


def test_a_failure_is_not_judged() -> None:
    failed = replace(failed_export(), record_id="f" * 32)
    [one, other, none] = verdict.judge(
        [
            Row(measured(), Likeness.FAILED, again=failed),
            Row(failed, Likeness.OTHER_FILE, again=measured()),
            Row(measured(), Likeness.NOT_TRIED),
        ]
    )
    assert one.not_judged == "no new run has a latency"
    assert other.not_judged == "the table has no latency of it"
    assert (none.not_judged, none.verdict, none.words) == (None, None, "")


def test_p_values_are_adjusted_over_the_rows() -> None:
    changed = _row(runs([10] * 8, seed=1), runs([10.5] * 8, seed=2))
    others = [_row(runs([10] * 8, seed=2 * n), runs([10] * 8, seed=2 * n + 1)) for n in (2, 3, 4)]
    alone = verdict.judge([changed])[0].comparisons[0].p_value
    among = verdict.judge([changed, *others])[0].comparisons[0].p_value
    assert alone is not None and among is not None and among > alone
