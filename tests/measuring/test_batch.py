"""Batches over scripted phones: fair orders, failures, devices that are away, and stops."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import closing
from functools import partial
from itertools import pairwise

import pytest

from mobilebench.errors import MissingToolkit, UserError
from mobilebench.measuring import batch
from mobilebench.measuring.batch import (
    Batch,
    Here,
    Measured,
    NotMeasured,
    Outcome,
    Patience,
    in_turn,
    plan_batch,
)
from mobilebench.measuring.setting import plan
from mobilebench.values.device import DeviceKind
from mobilebench.values.measurement import Failure
from mobilebench.values.obstacles import Obstacle
from mobilebench.values.recipe import Format
from tests.doubles import Followed
from tests.shelf import (
    SETTING,
    Phone,
    Shelf,
    artifact,
    artifacts,
    crash,
    disappear,
    hang,
    hang_for_good,
    meet,
    refuse,
    succeed,
)

HASTY = Patience(wait_s=0.2, look_s=0.01, overhead_s=30, stop_s=5)


def _planned(shelf: Shelf, count: int) -> Batch:
    devices = [phone.device for phone in shelf.phones.values()]
    return plan_batch(devices, SETTING, partial(plan, artifacts(count)))


def _run(shelf: Shelf, count: int = 3, patience: Patience = HASTY) -> list[Outcome]:
    return list(batch.run(_planned(shelf, count), patience=patience))


def _words(outcomes: list[Outcome], device_id: str) -> list[str]:
    """Say what came of each cell of a device, in order."""
    return [
        str(each.why)
        if isinstance(each, NotMeasured)
        else each.record.outcome.error
        if isinstance(each.record.outcome, Failure)
        else "measured"
        for each in outcomes
        if each.cell.device.id == device_id
    ]


@pytest.mark.parametrize("count", range(1, 8))
def test_every_cell_has_every_place_and_every_predecessor_equally_often(count: int) -> None:
    rows = [in_turn(range(count), row) for row in range(count * (1 + count % 2))]
    assert all(sorted(row) == list(range(count)) for row in rows)
    for place in range(count):
        assert set(Counter(row[place] for row in rows).values()) == {len(rows) // count}
    pairs = Counter(pair for row in rows for pair in pairwise(row))
    if count > 1:
        assert len(pairs) == count * (count - 1) and len(set(pairs.values())) == 1


def test_two_devices_begin_with_different_artifacts(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(Phone("adb:1"), Phone("adb:2")).use(monkeypatch)
    outcomes = _run(shelf, 4)
    assert shelf.phones["adb:1"].ran == ["model0", "model1", "model3", "model2"]
    assert shelf.phones["adb:2"].ran == ["model1", "model2", "model0", "model3"]
    assert _words(outcomes, "adb:1") == ["measured"] * 4 == _words(outcomes, "adb:2")


def test_devices_measure_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    together = meet(threading.Barrier(3))
    phones = [Phone(f"adb:{n}", steps=[together, together]) for n in range(3)]
    outcomes = _run(Shelf(*phones).use(monkeypatch), 2)
    assert len(outcomes) == 6 and all(isinstance(each, Measured) for each in outcomes)


@pytest.mark.parametrize("kind", [DeviceKind.HOST, DeviceKind.SIMULATED])
def test_what_computes_on_this_computer_takes_turns(
    monkeypatch: pytest.MonkeyPatch, kind: DeviceKind
) -> None:
    shelf = Shelf(*(Phone(f"adb:{n}", kind=kind) for n in range(4))).use(monkeypatch)
    seen: list[int] = []
    for phone in shelf.phones.values():
        phone.steps = [lambda _, cancel: (cancel.wait(0.005), seen.append(shelf.at_once))] * 3  # type: ignore[list-item]
    assert len(_run(shelf, 3)) == 12
    assert shelf.most_at_once == 1 and len(seen) == 12


def test_a_failure_is_recorded_and_the_batch_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(Phone("adb:1", steps=[succeed, crash]), Phone("adb:2")).use(monkeypatch)
    outcomes = _run(shelf)
    assert _words(outcomes, "adb:1") == ["measured", "Crash", "measured"]
    assert _words(outcomes, "adb:2") == ["measured"] * 3


def test_what_the_user_can_mend_is_named_for_its_cell_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf = Shelf(Phone("adb:1", steps=[refuse])).use(monkeypatch)
    outcomes = _run(shelf)
    [first, *others] = outcomes
    assert isinstance(first, NotMeasured) and "no room" in str(first)
    assert str(first).startswith("model0") and "on adb:1: " in str(first)
    assert all(isinstance(each, Measured) for each in others)


def test_a_runtime_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def lack(phone: Phone, cancel: threading.Event) -> None:
        raise MissingToolkit("The program 'adb' is not installed.")

    shelf = Shelf(Phone("adb:1", steps=[lack])).use(monkeypatch)
    [first, *_] = _run(shelf)
    assert isinstance(first, NotMeasured) and isinstance(first.why, MissingToolkit)


def test_a_device_that_disappears_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(Phone("adb:1", steps=[succeed, disappear]), Phone("adb:2")).use(monkeypatch)
    outcomes = _run(shelf, 4)
    first, second, *lost = _words(outcomes, "adb:1")
    assert (first, second) == ("measured", "ConnectionLost") and len(lost) == 2
    assert all("could not be used for 200 ms: It is not there any more" in why for why in lost)
    assert shelf.phones["adb:1"].ran == ["model0", "model1"]
    assert _words(outcomes, "adb:2") == ["measured"] * 4


def test_a_device_that_comes_back_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(Phone("adb:1", steps=[disappear])).use(monkeypatch)
    phone = shelf.phones["adb:1"]
    looked = shelf.attached

    def later(device_id: str | None = None) -> object:
        phone.attached = phone.attached or phone.looks == 2
        return looked(device_id)

    monkeypatch.setattr(shelf, "attached", later)
    outcomes = _run(shelf, 3, Patience(wait_s=60, look_s=0.01))
    assert _words(outcomes, "adb:1") == ["ConnectionLost", "measured", "measured"]


def test_a_device_that_is_hot_waits_and_is_measured_then(monkeypatch: pytest.MonkeyPatch) -> None:
    def heat(phone: Phone, cancel: threading.Event) -> None:
        phone.why_not = (Obstacle.HOT,)

    shelf = Shelf(Phone("adb:1", steps=[heat]), Phone("adb:2")).use(monkeypatch)
    phone = shelf.phones["adb:1"]
    looked = shelf.attached

    def cooling(device_id: str | None = None) -> object:
        if device_id == "adb:1" and phone.looks == 3:
            phone.why_not = ()
        return looked(device_id)

    monkeypatch.setattr(shelf, "attached", cooling)
    followed = _Following()
    planned = _planned(shelf, 2)
    outcomes = list(batch.run(planned, None, followed, Patience(wait_s=60, look_s=0.01)))
    assert _words(outcomes, "adb:1") == ["measured", "measured"]
    assert any("waits: It is too hot" in stage for stage in followed.stages)
    assert "can be used again" in followed.outcomes
    # The cell was begun twice, and the observer knows of it.
    assert followed.expected == 1


class _Following(Followed):
    expected = 0

    def expect(self, cells: int) -> None:
        self.expected += cells


def test_a_cell_that_hangs_is_stopped_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(Phone("adb:1", steps=[hang]), Phone("adb:2")).use(monkeypatch)
    # The protocol itself may take 24 s; a limit below it would be no limit of a real batch.
    outcomes = _run(shelf, 2, _limited(shelf))
    first, second = _words(outcomes, "adb:1")
    assert "did not end within" in first and second == "measured"
    assert _words(outcomes, "adb:2") == ["measured", "measured"]


def test_a_runner_that_cannot_be_stopped_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(Phone("adb:1", steps=[hang_for_good]), Phone("adb:2")).use(monkeypatch)
    outcomes = _run(shelf, 3, _limited(shelf))
    first, *others = _words(outcomes, "adb:1")
    assert "did not end within" in first
    assert others == ["the cell before it hangs, and did not stop when it was told to."] * 2
    assert _words(outcomes, "adb:2") == ["measured"] * 3


def _limited(shelf: Shelf) -> Patience:
    """Return a patience by which the cells of a shelf may take 0.3 s."""
    longest_s = _planned(shelf, 1).cells[0].job.protocol.longest_ns / 1e9
    return Patience(wait_s=0.2, look_s=0.01, overhead_s=0.3 - longest_s, stop_s=0.3)


def test_ctrl_c_stops_every_device(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(*(Phone(f"adb:{n}", steps=[succeed, hang, succeed]) for n in range(3)))
    outcomes = batch.run(_planned(shelf.use(monkeypatch), 3), patience=HASTY)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), closing(outcomes):
        for _ in range(3):
            next(outcomes)
        _until(lambda: shelf.at_once == 3)
        raise KeyboardInterrupt
    assert shelf.at_once == 0 and threading.active_count() == before
    assert all(len(phone.ran) == 2 for phone in shelf.phones.values())


def test_an_error_of_the_program_stops_every_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(phone: Phone, cancel: threading.Event) -> None:
        raise KeyError("a bug")

    shelf = Shelf(Phone("adb:1", steps=[stumble]), Phone("adb:2", steps=[hang])).use(monkeypatch)
    with pytest.raises(KeyError, match="a bug"):
        _run(shelf)
    assert shelf.at_once == 0


def _until(holds: object) -> None:
    for _ in range(6000):
        if holds():  # type: ignore[operator]
            return
        threading.Event().wait(0.01)
    raise AssertionError("not within a minute")


def test_what_no_device_of_a_kind_takes_is_left_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(Phone("adb:1"), Phone("adb:2")).use(monkeypatch)
    devices = [phone.device for phone in shelf.phones.values()]
    mixed = [artifact("model0"), artifact("model1", Format.TFLITE)]
    planned = plan_batch(devices, SETTING, partial(plan, mixed))
    assert len(planned.cells) == 2 and len(planned.left_out) == 1
    assert "cannot be measured on adb" in planned.left_out[0]
    with pytest.raises(UserError, match="cannot be measured on adb"):
        plan_batch(devices, SETTING, partial(plan, mixed[1:]))


def test_what_is_done_is_not_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(Phone("adb:1"), Phone("adb:2")).use(monkeypatch)
    planned = _planned(shelf, 2)
    left = batch.without(planned, lambda cell: cell.device.id == "adb:1")
    assert [each.device.id for each in left.queues] == ["adb:2"]
    list(batch.run(left))
    assert shelf.phones["adb:1"].ran == []


def test_the_way_of_this_computer_reads_one_device_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(Phone("adb:1", why_not=(Obstacle.LOCKED,)), Phone("adb:2")).use(monkeypatch)
    assert "unlock the phone" in Here().obstacles("adb:1")[0]
    assert Here().obstacles("adb:2") == ()
    assert [phone.looks for phone in shelf.phones.values()] == [1, 1]
