"""Write a review as JUnit XML: a suite for each cell, a case for each of its figures.

A regression is a failure, a broken export an error. What cannot be decided is skipped, and a
failure where the caller fails on it.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass

from mobilebench.notation import escapes
from mobilebench.regress.comparison import Comparison, Verdict
from mobilebench.regress.reports import cells, remarks, summary
from mobilebench.regress.review import FailOn, Fault, Review, grouped
from mobilebench.regress.sentence import sentence

_KINDS = ("failure", "error", "skipped")
_COUNTS = {"failure": "failures", "error": "errors", "skipped": "skipped"}


@dataclass(frozen=True)
class _Case:
    """One test case."""

    name: str
    text: str
    kind: str | None = None
    """`failure`, `error` or `skipped`; None for a pass."""
    type: str = ""
    log: str = ""
    seconds: float = 0.0


def as_junit(review: Review) -> str:
    """Format a review as JUnit XML.

    `time` is what the runs of a cell took, in seconds. It stands at the cell's first figure,
    because all of its figures come from the same runs.
    """
    suites = [(name, list(cases)) for name, cases in _suites(review)]
    everything = [case for _, cases in suites for case in cases]
    root = ET.Element("testsuites", {"name": "mobilebench", **_counted(everything)})
    for name, cases in suites:
        shown = escapes.visible(name)
        suite = ET.SubElement(root, "testsuite", {"name": shown, **_counted(cases)})
        properties = ET.SubElement(suite, "properties")
        for key, text in _properties(review):
            ET.SubElement(properties, "property", name=key, value=escapes.visible(text))
        for case in cases:
            _add(suite, shown, case)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add(suite: ET.Element, classname: str, case: _Case) -> None:
    element = ET.SubElement(
        suite,
        "testcase",
        classname=classname,
        name=escapes.visible(case.name),
        time=f"{case.seconds:.3f}",
    )
    text = escapes.visible(case.text)
    if case.kind is None:
        ET.SubElement(element, "system-out").text = text
        return
    inner = ET.SubElement(element, case.kind, message=text)
    if case.kind != "skipped":
        inner.set("type", case.type)
        inner.text = "\n".join(map(escapes.visible, case.log.splitlines())) or text


def _counted(cases: list[_Case]) -> dict[str, str]:
    counts = {_COUNTS[kind]: str(sum(case.kind == kind for case in cases)) for kind in _KINDS}
    seconds = sum(case.seconds for case in cases)
    return {"tests": str(len(cases)), **counts, "time": f"{seconds:.3f}"}


def _properties(review: Review) -> Iterator[tuple[str, str]]:
    yield "sentence", sentence(review)
    yield "baseline", review.baseline
    yield "candidate", review.candidate
    if review.report is not None:
        yield "summary", summary(review.report)
        for remark in remarks(review.report):
            yield "remark", remark


def _suites(review: Review) -> Iterator[tuple[str, Iterator[_Case]]]:
    doubtful = "failure" if review.fail_on is FailOn.INCONCLUSIVE else "skipped"
    for cell, comparisons in grouped(review.comparisons).items():
        yield cell, _compared(comparisons, doubtful)
    for cell in review.same:
        yield cell, iter([_Case("same file", "the same file on both sides, byte by byte")])
    if review.unmatched:
        cases = (_Case(text, text, doubtful, "unmatched") for text in review.unmatched)
        yield "unmatched", cases
    if review.broken:
        yield "candidate", (_broken(fault) for fault in review.broken)
    if review.missing or review.alone:
        yield "baseline", _missing(review)
    if review.refusal is not None:
        yield "mobilebench", iter([_Case("comparison", review.refusal, "error", "refused")])


def _compared(comparisons: list[Comparison], doubtful: str) -> Iterator[_Case]:
    seconds = max((c.seconds for c in comparisons if c.seconds is not None), default=0.0)
    for index, comparison in enumerate(comparisons):
        _, metric, before, after, change, *_ = cells(comparison)
        figures = f"{before or 'nothing'} to {after or 'nothing'}{f' ({change})' * bool(change)}"
        kind = None
        if comparison.verdict is Verdict.REGRESSED:
            kind = "failure"
        elif comparison.undecided:
            kind = doubtful
        elif comparison.verdict is Verdict.NOT_COMPARABLE:
            kind = "skipped"
        yield _Case(
            metric,
            f"{comparison.words}: {figures}; {comparison.reason}",
            kind,
            str(comparison.verdict),
            seconds=seconds if index == 0 else 0.0,
        )


def _broken(fault: Fault) -> _Case:
    return _Case(
        f"{fault.subject}: export", _words(fault), "error", "broken export", fault.log_tail
    )


def _missing(review: Review) -> Iterator[_Case]:
    kind = "failure" if review.need_baseline else "skipped"
    for fault in review.missing:
        yield _Case(f"{fault.subject}: export", _words(fault), kind, "no baseline", fault.log_tail)
    for figures in review.alone:
        yield _Case(figures.cell, "no baseline yet", kind, "no baseline")


def _words(fault: Fault) -> str:
    place = f"{fault.file}:{fault.line}: " if fault.file is not None else ""
    return f"{place}{fault.message}{f'; {fault.advice}' if fault.advice else ''}"
