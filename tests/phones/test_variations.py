"""Answers that no recording holds: cut, reordered, damaged, with other line ends.

Nothing may crash a reader, and what it returns is right or unknown.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest

from mobilebench.values.attached import Attached
from mobilebench.values.facts import (
    Battery,
    BatteryStatus,
    CurrentSign,
    CurrentUnit,
    Rejection,
    SensorKind,
    ServiceState,
    ZoneUnit,
)
from mobilebench.values.obstacles import Caution, Obstacle
from mobilebench_device_runners._reading import (
    adb_listing,
    android,
    android_battery,
    android_properties,
    android_thermal,
    android_users,
    board,
    go_ios,
    ios,
    jetson,
    raspberry,
)
from mobilebench_device_runners._reading.asking import Ask, cpu_list, decimal, number
from mobilebench_device_runners._reading.temperatures import constants, without, zones_of
from tests.phones.replay import APP, Replay, Replied, names, recorded

PHONES = [name for name in names("android") if name != "a16-adb-states"]
LAYOUTS = (
    "a02-pixel-a16-charge-limit",
    "a03-samsung-a14-history-gos",
    "a04-samsung-a10-shifted-types-crlf",
    "a08-huawei-a10-not-ready-localized",
    "a14-tablet-dock-mixed-units",
)
"""One phone for each layout of the thermal service's dump."""


def said(text: str | bytes, rc: int = 0) -> Replied:
    return Replied((), rc, text.encode() if isinstance(text, str) else text)


def answer_of(name: str, command: str) -> bytes:
    """Return what a recorded device answers to a command; empty where it was not asked."""
    replies = recorded(name)["replies"]
    texts = [each.get("stdout", "") for each in replies if each["cmd"] == command]
    return str(texts[0]).encode() if texts else b""


def read(
    name: str,
    change: Callable[[Replied], Replied] = lambda answer: answer,
    merged: bool = False,
) -> Any:
    """Read a recorded phone, each of whose answers is changed."""
    replay = Replay(recorded(name), merged=merged)
    listing = replay.host_ask(adb_listing.COMMAND)

    def ask_of(row: adb_listing.Row) -> Ask:
        return lambda words: change(replay.device_ask(words))

    return android.listed(listing, ask_of, APP)


def cuts(whole: bytes) -> list[bytes]:
    return [whole[:end] for end in range(len(whole))]


@pytest.mark.parametrize("name", PHONES)
def test_a_cut_battery_dump_gives_what_was_whole_or_nothing(name: str) -> None:
    whole = answer_of(name, "dumpsys battery")
    right = android_battery.battery_of(said(whole))
    unknown = Battery()
    free = {"state", "charge_counter_trusted", "charge_counter_why", "charge_counter_uah"}
    for part in cuts(whole):
        seen = android_battery.battery_of(said(part))
        for field in fields(Battery):
            value = getattr(seen, field.name)
            if field.name == "plugged" and value:
                assert set(value) <= set(right.plugged or ())
            elif field.name not in free:
                allowed = (getattr(right, field.name), getattr(unknown, field.name))
                assert value in allowed, (field.name, part[-60:])
        # Without its level a counter cannot be judged.
        counters = {None, right.charge_counter_uah, _counter(whole)}
        assert seen.charge_counter_uah in counters
        assert seen.charge_counter_trusted in (None, right.charge_counter_trusted, False)


def _counter(whole: bytes) -> int | None:
    match = re.search(rb"  Charge counter: (\d+)", whole)
    return int(match[1]) if match else None


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_cut_thermal_dump_gives_what_was_whole_or_nothing(name: str) -> None:
    whole = answer_of(name, "dumpsys thermalservice")
    right, _ = android_thermal.thermal_of(said(whole))
    cached, _ = android_thermal.thermal_of(said(whole.partition(b"Current temp")[0]))
    known = {*right.temperatures.readings, *cached.temperatures.readings}
    # Beside fewer sensors 0.0 is a placeholder as well.
    for part in cuts(whole):
        seen, _ = android_thermal.thermal_of(said(part))
        names_of = {(each.name, each.celsius) for each in known}
        assert {(each.name, each.celsius) for each in seen.temperatures.readings} <= names_of
        assert seen.status in (None, right.status)
        assert seen.severe_skin_c in (None, right.severe_skin_c)
        assert seen.headroom_thresholds in (None, right.headroom_thresholds)
        assert not seen.status_is_evidence or right.status_is_evidence


@pytest.mark.parametrize("name", names("android"))
def test_a_cut_listing_gives_whole_rows_only(name: str) -> None:
    whole = answer_of(name, "adb devices -l")
    right = adb_listing.rows_of(said(whole))
    for part in cuts(whole):
        rows = adb_listing.rows_of(said(part))
        assert rows == right[: len(rows)]


@pytest.mark.parametrize("name", PHONES)
def test_cut_properties_and_packages_give_what_was_whole_or_nothing(name: str) -> None:
    whole = answer_of(name, "getprop")
    right = android_properties.properties_of(said(whole))
    for part in cuts(whole):
        assert android_properties.properties_of(said(part)).items() <= right.items()
    whole = answer_of(name, f"dumpsys package {APP}")
    app = android_users.app_of(said(whole), APP, 0)
    assert app is not None
    for part in cuts(whole):
        seen = android_users.app_of(said(part), APP, 0)
        assert seen is None or seen.version_code in (None, app.version_code)
        assert seen is None or set(seen.users) <= set(app.users)


def _comparable(attached: Attached) -> Attached:
    return replace(attached, warnings=tuple(w for w in attached.warnings if w != Caution.CRLF))


@pytest.mark.parametrize("ends", [b"\r\n", b"\r\r\n"])
@pytest.mark.parametrize("name", PHONES)
def test_line_ends_of_windows_change_nothing(name: str, ends: bytes) -> None:
    plain = read(name)
    changed = read(name, lambda each: replace(each, stdout=re.sub(rb"\r*\n", ends, each.stdout)))
    assert list(map(_comparable, changed)) == list(map(_comparable, plain))
    usable = [each for each in changed if each.thermal is not None]
    assert all(Caution.CRLF in each.warnings for each in usable)


@pytest.mark.parametrize("name", PHONES)
def test_an_old_adb_that_mixes_complaints_into_answers_changes_nothing(name: str) -> None:
    assert read(name, merged=True) == read(name)


@pytest.mark.parametrize("name", names("android"))
def test_damaged_answers_crash_nothing(name: str) -> None:
    for seed in range(12):
        chance = random.Random(seed)

        def damage(answer: Replied, chance: random.Random = chance) -> Replied:
            raw = bytearray(answer.stdout)
            for _ in range(len(raw) // 40 + 1):
                if raw:
                    raw[chance.randrange(len(raw))] = chance.randrange(256)
            return replace(answer, stdout=bytes(raw), rc=chance.choice((0, 0, 1, 255)))

        for device in read(name, damage):
            assert device.state(0).t_ns == 0
            assert device.device.os == "Android"


@pytest.mark.parametrize(
    "answer",
    [
        said(b""),
        said(b"", 255),
        Replied((), 1, b"", b"error: device offline\n"),
        said(b"\x00\xff\xfe" * 50),
        said("Error: java.lang.SecurityException: denied\n"),
        said("[" * 4000),
        said("{" * 4000 + "\n"),
        said("9" * 4000 + "\n"),
    ],
)
def test_a_device_that_answers_everything_alike_is_unknown(answer: Replied) -> None:
    row = adb_listing.rows_of(said("List of devices attached\nX  device transport_id:1\n"))[0]
    phone = android.read(lambda words: answer, row)
    assert (phone.soc, phone.battery and phone.battery.level_percent) == (None, None)
    assert phone.state(1).temperatures_c is None
    pi = board.read(lambda words: answer, "pi")
    assert pi.state(1).temperatures_c is None
    assert ios.listed(lambda words: answer) == ()


@pytest.mark.parametrize("name", names("android"))
def test_commands_in_one_line_answer_as_each_by_itself(name: str) -> None:
    device = recorded(name)

    def listed(joint: bool) -> tuple[tuple[Attached, ...], int]:
        replay = Replay(device)
        asked = []

        def ask(words: Any) -> Replied:
            if not joint and any("mobilebench-next" in word for word in words):
                return Replied((), 0)
            asked.append(words)
            return replay.device_ask(words)

        listing = replay.host_ask(adb_listing.COMMAND)
        return android.listed(listing, lambda row: ask, APP), len(asked)

    (together, few), (alone, many) = listed(True), listed(False)
    assert together == alone
    assert few <= many
    assert few <= 8 * len(together)


def test_a_broken_connection_ends_the_questions() -> None:
    asked = []
    row = adb_listing.rows_of(said("List of devices attached\nX  device transport_id:1\n"))[0]

    def ask(words: Any) -> Replied:
        asked.append(words)
        return Replied((), 1, b"", b"adb: device 'X' not found\n")

    assert android.read(ask, row).why_not == (Obstacle.TRANSPORT_LOST,)
    assert len(asked) == 1


BATTERY = """Current Battery Service state:
  AC powered: false
  USB powered: {usb}
  Wireless powered: false
  Charge counter: {counter}
  status: {status}
  present: true
  level: {level}
  scale: {scale}
  voltage: 3900
  temperature: {temperature}
"""


def battery(current: str = "", **changed: Any) -> Battery:
    values = {"usb": "false", "counter": 2000000, "status": 3, "level": 50, "scale": 100}
    text = BATTERY.format(**{**values, "temperature": 300, **changed})
    return android_battery.battery_of(said(text), current or android_battery.Unreadable.ABSENT)


@pytest.mark.parametrize(
    ("level", "scale", "percent"), [(50, 100, 50), (100, 200, 50), (7, 0, 7), (300, 100, None)]
)
def test_a_level_is_a_share_of_its_scale(level: int, scale: int, percent: int | None) -> None:
    assert battery(level=level, scale=scale).level_percent == percent


@pytest.mark.parametrize(
    ("counter", "trusted"),
    [(2000000, True), (50, False), (0, False), (-5, False), (2000, False), (90000000, False)],
)
def test_a_charge_counter_is_trusted_only_if_it_can_be(counter: int, trusted: bool) -> None:
    assert battery(counter=counter).charge_counter_trusted is trusted


@pytest.mark.parametrize(
    ("raw", "status", "unit", "sign"),
    [
        ("-412000", 3, CurrentUnit.MICROAMPERE, CurrentSign.NEGATIVE_IS_DISCHARGE),
        ("412000", 3, CurrentUnit.MICROAMPERE, CurrentSign.POSITIVE_IS_DISCHARGE),
        ("-9999", 2, CurrentUnit.MILLIAMPERE_LIKELY, CurrentSign.AMBIGUOUS),
        ("976", 4, CurrentUnit.UNKNOWN, CurrentSign.AMBIGUOUS),
        ("0", 2, CurrentUnit.UNKNOWN, CurrentSign.AMBIGUOUS),
    ],
)
def test_the_unit_and_the_sign_of_a_current_follow_from_what_is_known(
    raw: str, status: int, unit: CurrentUnit, sign: CurrentSign
) -> None:
    current = battery(raw, status=status).current
    assert current is not None
    assert (current.unit, current.sign) == (unit, sign)
    assert unit is not CurrentUnit.UNKNOWN or raw == "0" or current.milliamperes is None


def test_a_status_that_nobody_knows_decides_nothing() -> None:
    seen = battery(status=9, usb="true")
    assert (seen.status, seen.charging) == (BatteryStatus.UNKNOWN, None)


@pytest.mark.parametrize(
    ("raw", "celsius", "unit"),
    [
        ("37000", 37.0, ZoneUnit.THOUSANDTHS),
        ("347", 34.7, ZoneUnit.TENTHS),
        ("36", 36.0, ZoneUnit.DEGREES),
        ("2500", None, None),
        ("-127000", None, None),
        ("151000", None, None),
        ("text", None, None),
        ("", None, None),
    ],
)
def test_the_unit_of_a_zone_is_decided_by_its_range(
    raw: str, celsius: float | None, unit: ZoneUnit | None
) -> None:
    folder = "/sys/class/thermal/thermal_zone0"
    zones = zones_of({f"{folder}/type": "board\n", f"{folder}/temp": raw})
    if celsius is None:
        assert zones.readings == () and len(zones.rejected) == 1
    else:
        assert [(each.celsius, each.unit) for each in zones.readings] == [(celsius, unit)]


THERMAL = """IsStatusOverride: {override}
Thermal Status: {status}
Cached temperatures:
HAL Ready: true
HAL connection:
\tThermalHAL AIDL 1  connected: yes
Current temperatures from HAL:
{rows}Current cooling devices from HAL:
Temperature static thresholds from HAL:
\tTemperatureThreshold{{mType=3, mName=skin, mHotThrottlingThresholds=[NaN, 37.0, 39.0, 41.0, \
NaN, NaN, NaN], mColdThrottlingThresholds=[NaN, NaN, NaN, NaN, NaN, NaN, NaN]}}
"""


def thermal(*rows: str, override: str = "false", status: int = 0) -> Any:
    lines = "".join(f"\t{row}\n" for row in rows)
    return android_thermal.thermal_of(
        said(THERMAL.format(rows=lines, override=override, status=status))
    )


@pytest.mark.parametrize(
    "row",
    [
        "Temperature{mValue=36.5, mType=3, mName=skin, mStatus=0}",
        "Temperature{mName=skin, mStatus=0, mValue=36.5, mType=3}",
        "Temperature{mValue: 36.5, mType: 3, mName: skin, mStatus: 0}",
        "{.type = SKIN, .name = skin, .value = 36.5, .throttlingStatus = NONE}",
        "Temperature{value=36.5, type=SKIN, name=skin, throttlingStatus=0}",
    ],
)
def test_other_layouts_of_a_sensor_are_read(row: str) -> None:
    seen, mismatch = thermal(row)
    assert seen.temperatures.by_kind == {SensorKind.SKIN: 36.5}
    assert seen.status_is_evidence and not mismatch


@pytest.mark.parametrize("value", ["NaN", "-30.0", "-40.0", "150.5", "Infinity", "3.4e38", "0.0"])
def test_what_is_no_temperature_is_rejected(value: str) -> None:
    seen, _ = thermal(
        f"Temperature{{mValue={value}, mType=3, mName=skin, mStatus=0}}",
        "Temperature{mValue=31.0, mType=2, mName=battery, mStatus=0}",
    )
    assert [each.name for each in seen.temperatures.readings] == ["battery"]
    assert [each.name for each in seen.temperatures.rejected] == ["skin"]


def test_a_cold_phone_may_be_at_zero() -> None:
    seen, _ = thermal(
        "Temperature{mValue=0.0, mType=3, mName=skin, mStatus=0}",
        "Temperature{mValue=-2.5, mType=2, mName=battery, mStatus=0}",
    )
    assert seen.temperatures.by_kind == {SensorKind.SKIN: 0.0, SensorKind.BATTERY: -2.5}


@pytest.mark.parametrize("name", ["ibat", "battery_level", "vbat", "soc_percent", "bcl_current"])
def test_a_name_that_is_of_no_heat_is_rejected_whatever_its_type(name: str) -> None:
    seen, _ = thermal(f"Temperature{{mValue=42.0, mType=0, mName={name}, mStatus=0}}")
    assert [each.why for each in seen.temperatures.rejected] == [Rejection.NOT_A_TEMPERATURE]


def test_a_status_that_somebody_set_is_no_evidence() -> None:
    seen, _ = thermal("Temperature{mValue=30.0, mType=3, mName=skin, mStatus=0}", override="true")
    assert seen.overridden and not seen.status_is_evidence


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Can't find service: thermalservice\n", ServiceState.ABSENT),
        ("Permission Denial: can't dump\n", ServiceState.DENIED),
        ("java.lang.SecurityException: no\n", ServiceState.DENIED),
        ("Thermal Status: 0\nCached temperatures:\nHAL Ready: false\n", ServiceState.NOT_READY),
        ("Thermal Status: 0\nCached temperatures:\n", ServiceState.TRUNCATED),
        ("Thermal Stat", ServiceState.TRUNCATED),
    ],
)
def test_a_thermal_service_says_how_it_is(text: str, state: ServiceState) -> None:
    assert android_thermal.thermal_of(said(text))[0].state is state


def test_rows_in_another_order_say_the_same() -> None:
    for name in PHONES:
        lines = answer_of(name, "dumpsys thermalservice").decode().split("\n")
        rows = [index for index, line in enumerate(lines) if "\tTemperature{" in line]
        right, _ = android_thermal.thermal_of(said("\n".join(lines)))
        start = next((i for i, line in enumerate(lines) if "Current temp" in line), len(lines))
        current = [index for index in rows if index > start]
        for index, line in zip(current, [lines[each] for each in reversed(current)], strict=True):
            lines[index] = line
        seen, _ = android_thermal.thermal_of(said("\n".join(lines)))
        assert seen.temperatures.by_kind == right.temperatures.by_kind, name


def test_a_constant_is_no_reading_while_others_move() -> None:
    folder = "/sys/class/thermal/thermal_zone"
    polls = [
        zones_of(
            {
                f"{folder}0/type": "cpu",
                f"{folder}0/temp": str(celsius),
                f"{folder}1/type": "board",
                f"{folder}1/temp": "38125",
                f"{folder}2/type": "battery",
                f"{folder}2/temp": "31000",
            }
        )
        for celsius in (41000, 44000, 47000)
    ]
    assert constants(polls) == {"board"}
    assert constants(polls[:2]) == frozenset() == constants([polls[0]] * 3)
    seen = without(polls[0], constants(polls))
    assert set(seen.by_name) == {"cpu", "battery"}
    assert [(each.name, each.why) for each in seen.rejected] == [("board", Rejection.CONSTANT)]


def test_a_flag_since_boot_spoils_the_samples_from_where_it_appears() -> None:
    polls = [
        raspberry.throttled_of(f"throttled={raw}") for raw in ("0x20000", "0x20000", "0x60000")
    ]
    assert board.valid_samples(polls) == (True, True, False)
    assert board.valid_samples([None, *polls]) == (True, True, True, False)


@pytest.mark.parametrize("text", ["throttled=", "throttled=80008", "VCHI", "throttled=0xZZ", ""])
def test_an_answer_of_the_firmware_that_is_none_has_no_flags(text: str) -> None:
    assert raspberry.throttled_of(text) is None


def test_tegrastats_of_other_releases_is_read() -> None:
    line = (
        "RAM 2448/3956MB (lfb 15x4MB) CPU [12%@1428,off,off,9%@1428] EMC_FREQ 0% GR3D_FREQ 0% "
        "PLL@38.5C CPU@40.5C PMIC@100C GPU@38C AO@45C thermal@39.25C POM_5V_IN 2110/2110 "
        "POM_5V_GPU 0/0"
    )
    seen = jetson.statistics_of(line)
    assert seen.temperatures.by_name == {
        "PLL": 38.5, "CPU": 40.5, "GPU": 38.0, "AO": 45.0, "thermal": 39.25,
    }  # fmt: skip
    assert [(each.name, each.why) for each in seen.temperatures.rejected] == [
        ("PMIC", Rejection.CONSTANT)
    ]
    assert [(rail.name, rail.watts) for rail in seen.rails] == [
        ("POM_5V_IN", 2.11),
        ("POM_5V_GPU", 0.0),
    ]


@pytest.mark.parametrize("name", names("ios"))
def test_cut_answers_of_apple_s_tools_crash_nothing(name: str) -> None:
    device = recorded(name)
    right = {each.id for each in ios.listed(Replay(device).host_ask)}
    for share in range(0, 100, 7):
        for reply in device["replies"]:
            for key in ("json_output", "stdout"):
                if key in reply:
                    reply[key] = reply[key][: len(reply[key]) * share // 100]
        assert {each.id for each in ios.listed(Replay(device).host_ask)} <= right
        device = recorded(name)


def test_a_failed_command_of_go_ios_is_recognised_in_old_and_new_logs() -> None:
    for line in (
        '{"level":"fatal","msg":"failed","error":"needs an active tunnel"}\n',
        '{"level":"ERROR","msg":"failed","err":"needs an active tunnel"}\n',
    ):
        outcome = go_ios.outcome_of(Replied((), 1, b"", line.encode()))
        assert not outcome.ok and outcome.cause == "tunnel_down"


def test_a_phone_that_trusts_no_computer_hides_no_other_from_go_ios() -> None:
    # The log is that of go-ios 1.2.0.
    untrusted = (
        b'{"level":"ERROR","msg":"failed getting values","err":"could not retrieve PairRecord with '
        b"error: ReadPair failed with errorcode '2', is the device paired?\"}"
    )
    replies = {
        "ios list --details": Replied((), 1, b"", untrusted),
        "ios list": said('{"deviceList":["A","B","B","C"]}'),
        "ios info --udid A": Replied((), 1, b"", untrusted),
        "ios info --udid B": said('{"ProductType":"iPhone12,1","ProductVersion":"16.7"}'),
    }
    first, second, third = ios.listed(
        lambda words: replies.get(" ".join(words), Replied((), 1, b"", b"")), devicectl=False
    )
    assert (first.id, first.why_not) == ("ios:A", (Obstacle.NOT_PAIRED,))
    assert (second.id, second.model, second.os_version) == ("ios:B", "iPhone12,1", "16.7")
    assert second.usable and second.transport is None
    assert (third.id, third.why_not) == ("ios:C", (Obstacle.STATE_UNKNOWN,))
    assert third.apple is not None and third.apple.paired is None


@pytest.mark.parametrize(
    ("text", "cores"),
    [("0-3", (0, 1, 2, 3)), ("0-1,4 6", (0, 1, 4, 6)), ("", ()), ("x", None), ("0-9999999", None)],
)
def test_lists_of_cores(text: str, cores: tuple[int, ...] | None) -> None:
    assert cpu_list(text) == cores


@pytest.mark.parametrize("text", ["", "1e9", "٣", "--1", "1 2", "0x10", "9" * 40])
def test_what_is_no_whole_number_is_none(text: str) -> None:
    assert number(text) is None


def test_a_decimal_is_read_as_it_is_written() -> None:
    assert (decimal("1.5"), decimal("x"), decimal("1,5"), decimal("٣")) == (1.5, None, None, None)


def test_a_device_has_one_claim_on_every_transport_and_its_record_no_serial() -> None:
    devices = read("a09-honor-a14-four-transports")
    assert len({each.claim for each in devices[:3]}) == 1
    for each in devices[:3]:
        assert "HONOR09FAKE" not in str(each.anonymous())


def test_two_phones_with_a_default_serial_are_two() -> None:
    listing = said(
        "List of devices attached\n"
        "0123456789ABCDEF  device usb:1-1 product:a model:a device:a transport_id:1\n"
        "192.0.2.9:5555  device product:a model:a device:a transport_id:2\n"
    )
    replay = Replay(recorded("a11-unisoc-go-32bit"))
    devices = android.listed(
        listing,
        lambda row: (
            lambda words: (
                said("0123456789ABCDEF\n")
                if list(words[:2]) == ["getprop", "ro.serialno"]
                else replay.device_ask(words)
            )
        ),
        APP,
    )
    assert [each.duplicate_of for each in devices] == [None, None]
    assert len({each.claim for each in devices}) == 2


def test_the_description_of_a_phone_is_that_of_its_app() -> None:
    device = read("a10-mediatek-a11-not-ready-cores-off")[0].device
    assert (device.model, device.os, device.os_version) == (
        "TECNO MOBILE LIMITED TECNO KE5",
        "Android",
        "11",
    )
    assert device.cores == 8 and device.clusters is not None
    assert [(each.count, each.max_mhz) for each in device.clusters] == [(4, None), (4, 2001.0)]


def test_the_cap_of_a_state_is_that_of_the_fastest_cores() -> None:
    phone = read("a03-samsung-a14-history-gos")[0]
    state = phone.state(7)
    assert (state.t_ns, state.cpu_cap_mhz, state.thermal) == (7, 1747.0, "fair")
    assert (state.battery_fraction, state.charging, state.low_power_mode) == (0.68, False, False)


def test_a_state_says_why_a_reading_is_missing() -> None:
    state = read("a19-denied-and-truncated-a12")[0].state(0)
    assert state.temperatures_c is None
    assert state.unreadable["temperatures_c"] == state.unreadable["thermal"] == "denied"
    assert read("a08-huawei-a10-not-ready-localized")[0].state(0).unreadable == {
        "thermal": "not ready"
    }


@pytest.mark.parametrize("name", PHONES)
def test_a_sample_of_a_phone_says_what_reading_it_said(name: str) -> None:
    replay = Replay(recorded(name))
    listing = replay.host_ask(adb_listing.COMMAND)
    phone = android.listed(listing, lambda row: replay.device_ask, APP)[0]
    asked = []

    def ask(words: Any) -> Replied:
        asked.append(words)
        return Replay(recorded(name)).device_ask(words)

    assert android.sample(ask, phone).state(3) == phone.state(3)
    assert len(asked) <= 7


@pytest.mark.parametrize("name", names("board"))
def test_a_sample_of_a_board_says_what_reading_it_said(name: str) -> None:
    known = board.read(Replay(recorded(name)).board_ask, "board")
    assert board.sample(Replay(recorded(name)).board_ask, known) == known


def _iphone(**changed: dict[str, Any]) -> Attached:
    row: dict[str, Any] = {
        "identifier": "1",
        "connectionProperties": {
            "transportType": "wired", "tunnelState": "connected", "pairingState": "paired",
        },
        "deviceProperties": {"developerModeStatus": "enabled"},
        "hardwareProperties": {"platform": "iOS", "productType": "iPhone16,1", "udid": "U"},
    }  # fmt: skip
    for part, fields_ in changed.items():
        row[part] = {**row[part], **fields_}
    return ios.of_devicectl(row)


@pytest.mark.parametrize(
    ("part", "field", "value", "reasons"),
    [
        ("connectionProperties", "tunnelState", "disconnected", ()),
        ("connectionProperties", "tunnelState", "connecting", ("tunnel_down",)),
        ("connectionProperties", "tunnelState", None, ("state_unknown",)),
        ("connectionProperties", "pairingState", "unpaired", ("not_paired",)),
        ("deviceProperties", "developerModeStatus", "disabled", ("developer_mode_off",)),
        ("deviceProperties", "developerModeStatus", None, ()),
        ("hardwareProperties", "platform", "visionOS", ("not_a_phone",)),
        ("hardwareProperties", "productType", 7, ()),
        ("hardwareProperties", "udid", ["U"], ()),
    ],
)
def test_an_iphone_can_be_used_unless_a_field_says_otherwise(
    part: str, field: str, value: Any, reasons: tuple[str, ...]
) -> None:
    assert _iphone(**{part: {field: value}}).reasons == reasons


def test_a_phone_that_devicectl_lists_without_udid_is_one_with_that_of_go_ios() -> None:
    device = recorded("i05-xcode15-missing-fields")
    row = '{"deviceList":[{"Udid":"00008101-X","ProductType":"iPhone13,1","ConnectionType":"USB"}]}'
    device["replies"].append(
        {"on": "host", "cmd": "ios list --details", "rc": 0, "stdout": row + "\n"}
    )
    seen = ios.listed(Replay(device).host_ask)
    assert [each.apple.udid for each in seen if each.apple] == [
        "00008020-FAKE0000000005",
        "00008101-X",
    ]
