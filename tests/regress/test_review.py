"""What a review comes to: its outcome, its exit code and the sentence that it begins with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobilebench.regress import Rule, check
from mobilebench.regress.annotations import as_annotations
from mobilebench.regress.markdown import as_markdown
from mobilebench.regress.review import FailOn, Fault, Figures, Outcome, Review
from mobilebench.regress.sentence import sentence
from tests.records import MEDIAN, levels, runs

SHARED = levels(8, 0.05)
FAULT = Fault(subject="net.py:make", message="m: n, o", file="a,b:c.py", line=3)
ALONE = Figures(cell="net onnx-fp32", size_bytes=2_100_000)


def _review(factor: float | None = None, count: int = 8, **parts: object) -> Review:
    report = None
    if factor is not None:
        after = runs(SHARED[:count] * factor, "B")
        report = check(runs(SHARED[:count], "A"), after, metrics=MEDIAN)
    return Review(baseline="A", candidate="B", rule=Rule(), report=report, **parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("review", "outcome", "codes"),
    [
        (_review(1.2), Outcome.REGRESSED, (1, 1, 1, 0)),
        (_review(0.8), Outcome.IMPROVED, (0, 0, 0, 0)),
        (_review(1.0), Outcome.UNCHANGED, (0, 0, 0, 0)),
        (_review(1.2, count=1), Outcome.INCONCLUSIVE, (3, 0, 3, 0)),
        (_review(same=("a",)), Outcome.SAME_FILE, (0, 0, 0, 0)),
        (_review(1.2, same=("a",), alone=(ALONE,)), Outcome.REGRESSED, (1, 1, 1, 0)),
        (_review(alone=(ALONE,)), Outcome.NO_BASELINE, (0, 0, 0, 0)),
        (_review(alone=(ALONE,), missing=(FAULT,)), Outcome.NO_BASELINE, (0, 0, 0, 0)),
        (_review(missing=(FAULT,), need_baseline=True), Outcome.REFUSED, (2, 2, 2, 2)),
        (_review(broken=(FAULT,)), Outcome.BROKEN, (4, 4, 4, 0)),
        (_review(1.2, broken=(FAULT,)), Outcome.BROKEN, (4, 4, 4, 0)),
        (_review(refusal="It failed."), Outcome.REFUSED, (2, 2, 2, 2)),
    ],
)
def test_outcome_exit_code_and_sentence(
    review: Review, outcome: Outcome, codes: tuple[int, ...]
) -> None:
    assert review.outcome is outcome
    for fail_on, code in zip((None, *FailOn), codes, strict=True):
        one = replace(review, fail_on=fail_on)
        assert one.exit_code == code
        text = sentence(one)
        assert " A" in text and "B" in text and text.count(". ") == 0 and text.endswith(".")
        undecided = outcome is Outcome.INCONCLUSIVE and fail_on is None
        assert text.startswith("could not" if undecided else "failed" if code else "passed")


def test_equal_files_are_counted_and_nothing_false_is_said_of_the_others() -> None:
    one, two = (sentence(_review(same=names)) for names in (("a",), ("a", "b")))
    assert "B makes the same file as A, byte by byte, so nothing was measured" in one
    assert "B makes the same 2 files as A" in two
    both = sentence(_review(same=("a",), alone=(ALONE,)))
    assert "so there was nothing to compare (1 without a baseline yet)" in both, "ALONE has figures"


def test_an_annotation_names_the_line_in_the_form_of_github() -> None:
    [line] = as_annotations(_review(broken=(FAULT,))).splitlines()
    place = "file=a%2Cb%3Ac.py,line=3,title=mobilebench broken export"
    assert line == f"::error {place}::net.py:make: m: n, o"


def test_the_first_table_holds_only_what_changed() -> None:
    changed = as_markdown(_review(1.2)).partition("<details>")[0]
    assert changed.count("| latency p50 |") == 1
    unchanged = as_markdown(_review(1.0)).partition("<details>")[0]
    assert "|" not in unchanged and unchanged.startswith("✅ **mobilebench passed:** ")
    assert "2.10 MB" in as_markdown(_review(alone=(ALONE,)))


def test_an_annotation_without_a_ratio_or_a_number_has_no_stray_blank() -> None:
    review = _review(1.2)
    assert review.report is not None
    [comparison] = review.report.comparisons
    for change, text in (
        ({"effect": None}, " ms: "),
        ({"effect": None, "candidate": None}, " ms to unknown: "),
    ):
        changed = replace(review.report, comparisons=(replace(comparison, **change),))  # type: ignore[arg-type]
        [line] = as_annotations(replace(review, report=changed)).splitlines()
        assert text in line and " : " not in line and "  " not in line


def test_a_baseline_that_does_not_export_is_not_said_to_lack_the_model() -> None:
    new = replace(FAULT, subject="new.py:make", fresh=True)
    for need in (False, True):
        broken = sentence(_review(missing=(FAULT,), need_baseline=need))
        assert "A does not export (a,b:c.py, line 3)" in broken and "is new" not in broken
        both = sentence(_review(missing=(FAULT, new), need_baseline=need))
        assert "new.py:make is new since A, and A does not export net.py:make (a,b" in both
        alone = sentence(_review(missing=(new,), need_baseline=need))
        assert "new.py:make is new since A" in alone and "does not export" not in alone
