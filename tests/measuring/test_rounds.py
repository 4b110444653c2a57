"""The rounds of a measurement can be followed, and nobody touches what is timed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mobilebench.measuring import bench, rounds
from mobilebench.measuring.setting import Setting, plan
from mobilebench.values.artifact import Artifact
from mobilebench.values.measurement import Measurement
from mobilebench.values.protocol import Protocol, WarmUp, protocol
from tests.doubles import Followed

SECOND = 1_000_000_000
TWO_ROUNDS = Protocol(
    id="two",
    purpose="tests",
    rounds=2,
    warm_up=WarmUp(min_iterations=1, min_duration_ns=0, max_duration_ns=SECOND),
    inferences=3,
    min_duration_ns=SECOND,
    max_duration_ns=10 * SECOND,
)


@pytest.mark.parametrize(
    ("id_", "round_", "elapsed_s", "text"),
    [
        ("burst-1", 2, 7.0, "round 3 of 5"),
        ("modelbench-1", 19, 0.0, "round 20 of 20"),
        ("sustained-1", 0, 33.6, "34 s of at least 60"),
        ("paced-30fps-1", 0, 0.2, "0 s of at least 60"),
        ("mlperf-ss-1", 0, 299.0, "299 s of at least 360"),
        ("ci-ab-1", 0, 3.0, "ci-ab-1"),
    ],
)
def test_a_round_in_words(id_: str, round_: int, elapsed_s: float, text: str) -> None:
    assert rounds.words(protocol(id_), round_, elapsed_s) == text


def test_a_watch_reports_what_changed_and_counts_the_seconds_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter((100.0, 100.3, 100.6, 101.4, 101.45, 103.3))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    followed = Followed()
    place = tmp_path / "journal.jsonl"
    watch = rounds.Watch(place, protocol("sustained-1"), followed.started("a"))
    watch.look()
    place.write_bytes(b'{"n":0,"start":{"round":0}}\n{"n":1,"samples":')
    for _ in range(5):
        watch.look()
    assert followed.stages == ["0 s of at least 60", "1 s of at least 60", "3 s of at least 60"]


def test_a_watch_takes_whole_lines_and_stops_after_the_last_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(100, 200))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    followed, place = Followed(), tmp_path / "journal.jsonl"
    watch = rounds.Watch(place, TWO_ROUNDS, followed.started("a"))
    with place.open("ab", buffering=0) as file:
        for text in (b'{"n":0,"start":{"round":0}}\n{"n"', b':1,"round_ended":0}', b"\n", b"{\n",
                     b'{"n":3,"round_ended":1}\n'):  # fmt: skip
            file.write(text)
            watch.look()
    assert followed.stages == ["round 1 of 2", "round 2 of 2"]


def test_the_rounds_of_a_real_measurement_are_followed(
    tiny_artifacts: dict[str, Artifact],
) -> None:
    artifact = tiny_artifacts["onnx-fp32"]
    setting = Setting(device_id="host", protocol=TWO_ROUNDS)
    followed = Followed()
    [record] = bench.measure(plan([artifact], setting).cells, followed)
    assert followed.stages == ["two", "round 1 of 2", "round 2 of 2"]
    assert isinstance(record.outcome, Measurement)
    assert len(followed.outcomes) == 1 and followed.outcomes[0].split()[1] in ("ns", "µs", "ms")


def test_a_cell_is_finished_once_its_record_is_kept(tiny_artifacts: dict[str, Artifact]) -> None:
    cells = plan(
        [tiny_artifacts["onnx-fp32"]], Setting("host", protocol("smoke-1"), threads=(1, 2, 1))
    ).cells
    followed = Followed()
    measuring = bench.measure(cells, followed)
    next(measuring)
    assert followed.outcomes == []
    next(measuring)
    assert len(followed.outcomes) == 1
    measuring.close()  # type: ignore[attr-defined]
    first, second = followed.outcomes
    assert first.split()[1] in ("ns", "µs", "ms") and second == "stopped"
