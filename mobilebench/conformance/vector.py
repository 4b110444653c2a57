"""One golden vector: a task as JSON, and the one right answer."""

from __future__ import annotations

import json
import re
from enum import StrEnum

from mobilebench.values import value
from mobilebench.values.wire import Plain


class Kind(StrEnum):
    """What a vector is about; each kind is a folder of `tests/vectors`."""

    PROTOCOL = "protocol"
    """Given an id, the definition of the protocol."""
    ENGINE = "engine"
    """Given a protocol and a scripted device, what is recorded, to the nanosecond."""
    STATS = "stats"
    """Given numbers, what is shown of them."""
    HEADLINE = "headline"
    """Given a protocol and samples, what is shown of a measurement."""
    JOB = "job"
    """Given a job and the files that are there, what is understood, or why it is refused."""
    JOURNAL = "journal"
    """Given a journal and its job, what was measured, or why it is refused."""
    RECORD = "record"
    """Given a document, its canonical form, or why it is refused."""
    SIGNATURE = "signature"
    """Given a document and a key, the signature."""
    EVIDENCE = "evidence"
    """Given a plan and times, how well it is known where a model ran."""
    DIAGNOSES = "diagnoses"
    """Given a measurement, what makes it doubtful."""
    THERMAL = "thermal"
    """Given a policy and what was seen, every decision."""


@value
class Vector:
    """A task and its answer; both are JSON, as programs in other languages see them."""

    kind: Kind
    name: str
    about: str
    """What the vector is there to catch, in one sentence."""
    given: Plain
    expected: Plain

    @property
    def id(self) -> str:
        """The kind and the name: `engine/burst-1`."""
        return f"{self.kind}/{self.name}"

    @property
    def text(self) -> str:
        """The content of the vector's file: indented, with flat lists and objects on one line."""
        document = {
            "kind": self.kind,
            "name": self.name,
            "about": self.about,
            "given": self.given,
            "expected": self.expected,
        }
        spread = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)
        return _FLAT.sub(lambda found: _one_line(found[0]), spread) + "\n"


_FLAT = re.compile(r"\[\s[^\[\]{}]*\]|\{\s[^\[\]{}]*\}")


def _one_line(text: str) -> str:
    inner = re.sub(r"\s*\n\s*", " ", text[1:-1]).strip()
    return f"{text[0]}{inner}{text[-1]}"
