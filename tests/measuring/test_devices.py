"""Which devices a text chooses, and what is said of those that cannot be used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobilebench.errors import UnknownName, UserError
from mobilebench.measuring.devices import Offer, choose, is_several, offers
from mobilebench.values.device import Device, DeviceKind
from mobilebench.values.obstacles import Obstacle
from tests.shelf import Phone, Shelf


def _offer(id_: str, model: str, kind: DeviceKind = DeviceKind.PHONE, soc: str = "") -> Offer:
    return Offer(
        Device(id=id_, kind=kind, model=model, soc=soc or None, os="Android", os_version="16"),
        names=(model,),
    )


PIXEL8 = _offer("adb:8A1X", "Pixel 8", soc="Tensor G3")
PIXEL9 = _offer("adb:8B2Y", "Pixel 9 Pro", soc="Tensor G4")
GALAXY = _offer("adb:R5CT", "SM-S921B", soc="Exynos 2400")
BOARD = _offer("ssh:rpi", "Raspberry Pi 5", DeviceKind.BOARD)
HOST = _offer("host", "AMD EPYC", DeviceKind.HOST)
SIM = _offer("sim:steady", "Pixel-like", DeviceKind.SIMULATED)
LOCKED = replace(
    _offer("adb:LOCK", "Pixel 7"), why_not=("The phone is locked: unlock it.",), passes=False
)
HOT = replace(_offer("adb:HOT", "Pixel 6"), why_not=("It is too hot: wait.",), passes=True)
ALL = (PIXEL8, PIXEL9, GALAXY, BOARD, HOST, SIM)


def _ids(text: str, *there: Offer) -> list[str]:
    return [device.id for device in choose(text, lambda _: there or ALL).devices]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("all", ["adb:8A1X", "adb:8B2Y", "adb:R5CT", "ssh:rpi"]),
        ("model=pixel*", ["adb:8A1X", "adb:8B2Y"]),
        ("soc=Exynos*", ["adb:R5CT"]),
        ("kind=board", ["ssh:rpi"]),
        ("scheme=adb", ["adb:8A1X", "adb:8B2Y", "adb:R5CT"]),
        ("scheme=sim", ["sim:steady"]),
        ("kind=simulated", ["sim:steady"]),
        ("adb:R5CT,adb:8A1X", ["adb:R5CT", "adb:8A1X"]),
        ("adb:R5CT, model=Pixel*, adb:R5CT", ["adb:R5CT", "adb:8A1X", "adb:8B2Y"]),
        ("8A", ["adb:8A1X"]),
        ("ssh", ["ssh:rpi"]),
        ("host,all", ["host", "adb:8A1X", "adb:8B2Y", "adb:R5CT", "ssh:rpi"]),
    ],
)
def test_a_text_chooses_each_device_once(text: str, ids: list[str]) -> None:
    assert _ids(text) == ids


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("adb", r"3 devices fit --device adb: adb:8A1X \(Pixel 8\), adb:8B2Y .*; name one of"),
        ("8", "2 devices fit --device 8"),
        ("adb:8A1Y", "There is no device called 'adb:8A1Y'; did you mean adb:8A1X"),
        ("model=iPhone*", r"No device fits --device model=iPhone\*; there are: adb:8A1X"),
        (
            "modle=Pixel*",
            "There is no key of a device's pattern called 'modle'; did you mean model",
        ),
        ("adb:8A1X,,ssh", "--device was given as 'adb:8A1X,,ssh'; give all, ids or patterns"),
        ("", "--device was given as ''"),
    ],
)
def test_a_text_that_chooses_nothing_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        _ids(text)


def test_a_name_beside_a_pattern_is_not_swallowed_by_it() -> None:
    with pytest.raises(UnknownName, match="adb:NONE"):
        _ids("model=Pixel*,adb:NONE")


def test_what_cannot_be_used_is_left_out_of_all_and_refused_by_name() -> None:
    choice = choose("all", lambda _: (PIXEL8, LOCKED))
    assert [device.id for device in choice.devices] == ["adb:8A1X"]
    assert choice.left_out == ("adb:LOCK cannot be used now: The phone is locked: unlock it.",)
    assert choose("model=Pixel*", lambda _: (PIXEL8, LOCKED)).left_out == choice.left_out
    with pytest.raises(UserError, match="adb:LOCK cannot be used now: The phone is locked"):
        _ids("adb:8A1X,adb:LOCK", PIXEL8, LOCKED)
    with pytest.raises(UserError, match="None of the devices of --device all can be used. adb:LOC"):
        _ids("all", LOCKED)


def test_a_board_that_is_in_no_list_is_chosen_by_its_whole_id() -> None:
    def read(asked: str | None) -> tuple[Offer, ...]:
        return (BOARD,) if asked == "ssh:rpi" else (PIXEL8,) if asked in (None, "adb") else ()

    chosen = choose("ssh:rpi,adb:8A1X", read).devices
    assert [device.id for device in chosen] == ["ssh:rpi", "adb:8A1X"]
    with pytest.raises(UserError, match="no device called 'ssh:pi'"):
        choose("ssh:pi,adb:8A1X", read)


def test_what_waiting_mends_is_chosen() -> None:
    assert _ids("all", PIXEL8, HOT) == ["adb:8A1X", "adb:HOT"]


def test_nothing_attached_says_what_all_would_choose() -> None:
    with pytest.raises(UserError, match="No phone and no board is attached"):
        _ids("all", HOST, SIM)


def test_one_device_by_two_connections_is_chosen_once() -> None:
    cable, network = (
        replace(_offer(id_, "Pixel 8"), claim="adb:8A1X") for id_ in ("adb:8A1X", "adb:10.0.0.2")
    )
    assert _ids("all", cable, network) == ["adb:8A1X"]
    with pytest.raises(UserError, match="adb:8A1X and adb:10.0.0.2 are the same device"):
        _ids("adb:8A1X,adb:10.0.0.2", cable, network)


def test_several_is_what_more_than_an_id_can_be() -> None:
    assert all(map(is_several, ("all", "a,b", "model=x")))
    assert not any(map(is_several, ("host", "adb:1", "sim:steady:real")))


def test_offers_are_of_every_runner_and_say_what_stands_in_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Shelf(
        Phone("adb:1"),
        Phone("adb:2", why_not=(Obstacle.LOCKED,)),
        Phone("adb:3", why_not=(Obstacle.HOT,)),
    ).use(monkeypatch)
    first, locked, hot = offers()
    assert first.usable and not first.why_not
    assert not locked.usable and "unlock the phone" in locked.reason
    assert hot.usable and "too hot" in hot.reason
    assert first.device.id == "adb:1" and locked.device.id == "adb:2"


def test_this_computer_and_its_simulated_phones_are_offered() -> None:
    ids = [offer.device.id for offer in offers()]
    assert "host" in ids and "sim:steady" in ids
    assert all(offer.device.kind is DeviceKind.SIMULATED for offer in offers("sim"))
