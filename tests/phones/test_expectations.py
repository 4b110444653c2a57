"""Every recorded device is read as its expectations say: each key of each is judged."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from mobilebench.values.attached import Attached, IosTool
from mobilebench.values.facts import ServiceState, Temperatures, ZoneUnit
from mobilebench_device_runners._reading import android, board, go_ios, install, ios
from mobilebench_device_runners._reading.adb_listing import COMMAND
from mobilebench_device_runners._reading.android_storage import sizes_of
from mobilebench_device_runners._reading.devicectl import Outcome, ask_devicectl, pids_of
from tests.phones.replay import APP, Replay, names, recorded

UNJUDGED = {
    "why": "says what the recording is there to catch",
}


@dataclass
class Seen:
    """What the readers made of one recording."""

    kind: str
    replay: Replay
    devices: tuple[Attached, ...]
    polls: tuple[Attached, ...] = ()
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    @property
    def one(self) -> Attached:
        """The device that the recording is of."""
        return ios.choose(self.devices) or self.devices[0]


def see(name: str) -> Seen:
    """Read a recording by the public readers, as a runner does."""
    replay = Replay(recorded(name))
    kind = replay.device["kind"]
    if kind == "board":
        polls = tuple(board.read(replay.board_ask, "board") for _ in range(3))
        return Seen(kind, replay, polls[:1], polls)
    if kind == "ios":
        tools = {reply["cmd"].split()[0] for reply in replay.device["replies"]}
        devices = ios.listed(replay.host_ask, devicectl="xcrun" in tools, go="ios" in tools)
        return Seen(kind, replay, devices)
    devices = android.listed(replay.host_ask(COMMAND), lambda row: replay.device_ask, APP)
    return Seen(kind, replay, devices)


def close(numbers: Any, expected: Any) -> bool:
    """Compare with numbers that are printed with fewer digits."""
    if isinstance(expected, dict):
        return set(numbers) == set(expected) and all(
            close(numbers[key], each) for key, each in expected.items()
        )
    if isinstance(expected, list | tuple):
        return len(numbers) == len(expected) and all(map(close, numbers, expected))
    if isinstance(expected, float) and numbers is not None:
        digits = len(repr(expected).partition(".")[2])
        return bool(round(numbers, digits) == expected)
    return bool(numbers == expected)


def equal(actual: Any, expected: Any) -> None:
    assert close(actual, expected), (actual, expected)


def _rejected(temperatures: Temperatures) -> dict[str, str]:
    return {each.name: each.why.value for each in temperatures.rejected}


def _celsius(temperatures: Temperatures) -> dict[str, float]:
    return temperatures.by_name


def _units(temperatures: Temperatures, expected: str) -> None:
    text = expected.replace("millidegrees", "thousandths")
    words = {unit for unit in ZoneUnit if re.search(rf"\b{unit.value}\b", text)}
    assert {each.unit for each in temperatures.readings} == words


def _thermal(seen: Seen, key: str, expected: Any) -> None:
    thermal = seen.one.thermal
    assert thermal is not None
    counts: dict[str, Callable[[], Any]] = {
        "state": lambda: thermal.state.value,
        "status": lambda: thermal.status,
        "status_is_evidence": lambda: thermal.status_is_evidence,
        "overridden": lambda: thermal.overridden,
        "section_used": lambda: thermal.section.value,
        "celsius": lambda: _celsius(thermal.temperatures),
        "celsius_list": lambda: [[e.name, e.celsius] for e in thermal.temperatures.readings],
        "rejected": lambda: _rejected(thermal.temperatures),
        "by_kind": lambda: thermal.temperatures.by_kind,
        "severe_skin_c": lambda: thermal.severe_skin_c,
        "headroom_thresholds": lambda: thermal.headroom_thresholds,
        "physical": lambda: not (seen.one.android and seen.one.android.emulator),
    }
    equal(counts[key](), expected)


def _zones(seen: Seen, key: str, expected: Any) -> None:
    zones = seen.one.zones
    assert zones is not None
    if key == "units":
        _units(zones, expected)
    else:
        equal({"celsius": _celsius, "rejected": _rejected}[key](zones), expected)


def _battery(seen: Seen, key: str, expected: Any) -> None:
    battery = seen.one.battery
    assert battery is not None
    current = battery.current
    trust = {True: "yes", False: "no", None: None}
    state = {ServiceState.OK: None, ServiceState.DENIED: "denied", ServiceState.ABSENT: "absent"}
    plugged = None if battery.plugged is None else [plug.value for plug in battery.plugged]
    actual = {
        "present": battery.present,
        "level_percent": battery.level_percent,
        "celsius": battery.celsius,
        "volts": battery.volts,
        "status": battery.status.value,
        "plugged": bool(plugged) if isinstance(expected, bool) else plugged,
        "charging": battery.charging,
        "charge_counter_uah": battery.charge_counter_uah,
        "charge_counter_trust": trust[battery.charge_counter_trusted],
        "charge_counter_why": battery.charge_counter_why,
        "current": None
        if current is None
        else {
            "raw": current.raw,
            "unit": current.unit.value,
            "sign": current.sign.value,
            "ma": current.milliamperes,
        },
        "current_why": state[battery.current_state],
        "limit_percent": battery.limit_percent,
        "overridden": battery.overridden,
        "state": battery.state.value,
    }
    equal(actual[key], expected)


def _cpu(seen: Seen, key: str, expected: Any) -> None:
    cpu = seen.one.cpu
    assert cpu is not None
    actual = {
        "readable": bool(cpu.clusters),
        "clusters": [
            {
                "policy": each.policy,
                "cpus": list(each.cpus),
                "online": list(each.online),
                "hw_max_khz": each.hardware_max_khz,
                "allowed_max_khz": each.allowed_max_khz,
            }
            for each in cpu.clusters
        ],
        "capped": list(cpu.capped),
        "online": list(cpu.online or ()),
        "offline": list(cpu.offline),
    }
    equal(actual[key], expected)


def _identity(seen: Seen, key: str, expected: Any) -> None:
    device, facts = seen.one, seen.one.android
    assert facts is not None
    actual = {
        "model": device.model,
        "manufacturer": facts.manufacturer,
        "device": facts.device,
        "android": device.os_version,
        "sdk": facts.sdk,
        "fingerprint": device.os_build,
        "abi": facts.abi,
    }
    equal(actual[key], expected)


def _soc(seen: Seen, key: str, expected: Any) -> None:
    soc = seen.one.soc
    assert soc is not None
    if key == "from":
        assert soc.source in expected
        return
    actual = {
        "value": soc.name,
        "same_as": soc.same_as,
        "file_safe": soc.file_safe,
        "base": soc.base,
        "platform": soc.platform,
        "real": soc.real,
    }
    equal(actual[key], expected)


def _row(device: Attached, key: str, expected: Any) -> None:
    facts, apple = device.android, device.apple
    actual: dict[str, Any] = {
        "transport": device.transport and device.transport.value,
        "usable": device.usable,
        "why_not": list(device.reasons),
        "os": device.os_version,
        "build": device.os_build,
        "marketing": device.marketing,
        "model": device.model,
    }
    if facts is not None:
        actual |= {
            "serial": facts.serial,
            "state": facts.state,
            "transport_id": facts.transport_id,
            "product": facts.product,
            # As adb writes it in its listing.
            "model": (device.model or "").replace(" ", "_"),
            "device": facts.device,
            "address_by": facts.address_by,
        }
    if apple is not None:
        actual |= {
            "id": apple.id,
            "udid": apple.udid,
            "name": apple.name,
            "platform": apple.platform,
            "by": apple.by and apple.by.value,
        }
    if key == "warn":
        assert set(expected) <= set(device.warnings)
    elif key == "mend":
        assert any(expected in text for text in device.mends)
    else:
        equal(actual[key], expected)


def _devices(seen: Seen, expected: list[dict[str, Any]]) -> int:
    assert len(seen.devices) == len(expected)
    count = 0
    by_udid = {each.apple.udid: each for each in seen.devices if each.apple}
    for index, row in enumerate(expected):
        device = by_udid[row["udid"]] if seen.kind == "ios" else seen.devices[index]
        for key, content in row.items():
            _row(device, key, content)
            count += 1
    return count


def _launch(seen: Seen) -> Outcome:
    if "launch" not in seen.outcomes:
        device = seen.one.apple
        assert device is not None
        if device.by is IosTool.GO_IOS:
            words = ["ios", "launch", "dev.example.Bench", "--udid", device.udid or ""]
            seen.outcomes["launch"] = go_ios.outcome_of(seen.replay.host_ask(words))
        else:
            seen.outcomes["launch"] = ask_devicectl(
                seen.replay.host_ask,
                [
                    "device",
                    "process",
                    "launch",
                    "--device",
                    device.id or "",
                    "--terminate-existing",
                ],
                ["dev.example.Bench", "--", "--job", "folder"],
            )
    return seen.outcomes["launch"]


def _outcome(outcome: Outcome, key: str, expected: Any) -> None:
    actual = {
        "ok": outcome.ok,
        "pid": outcome.pid,
        "json_version": outcome.json_version,
        "code": outcome.code,
        "cause": outcome.cause and outcome.cause.value,
        "retry_after": outcome.cause and outcome.cause.retry_after,
        "mend": outcome.mend,
    }
    equal(actual[key], expected)


def _install(seen: Seen, key: str, expected: Any) -> None:
    if seen.kind == "ios":
        device = seen.devices[0].apple
        words = ["device", "install", "app", "--device", device.id or "" if device else ""]
        _outcome(ask_devicectl(seen.replay.host_ask, words, ["Bench.app"]), key, expected)
        return
    streamed = install.installed_of(seen.replay.run("adb", ["install", "-r", "bench.apk"]))
    pushed = install.installed_of(
        seen.replay.run("adb", ["install", "--no-streaming", "-r", "bench.apk"]), streaming=False
    )
    actual = {
        "streaming": streamed.state.value,
        "push": pushed.state.value,
        "code": streamed.code,
        "retry_helps": streamed.retry_helps,
        "mend": streamed.mend,
    }
    equal(actual[key], expected)


def _app(seen: Seen, key: str, expected: Any) -> None:
    app = seen.one.android.app if seen.one.android else None
    assert app is not None
    actual = {
        "installed": app.installed,
        "installed_for_current_user": app.installed,
        "version_code": app.version_code,
        "users": list(app.users),
    }
    equal(actual[key], expected)


def _throttled(seen: Seen, expected: list[dict[str, Any]] | None) -> int:
    polls = [each.board.throttled if each.board else None for each in seen.polls]
    if expected is None:
        assert set(polls) == {None}
        return 1
    count = 0
    for poll, row in zip(polls, expected, strict=False):
        assert poll is not None
        actual = {
            "raw": poll.raw,
            "now": [flag.value for flag in poll.now],
            "since_boot": [flag.value for flag in poll.since_boot],
            "from": poll.source,
        }
        for key, content in row.items():
            equal(actual[key], content)
            count += 1
    return count


def _board_celsius(seen: Seen, expected: dict[str, Any]) -> None:
    series = {
        name: [each.zones.by_name[name] for each in seen.polls if each.zones]
        for name in (seen.polls[0].zones or Temperatures()).by_name
    }
    actual = {
        name: series[name] if isinstance(expected.get(name), list) else series[name][0]
        for name in series
    }
    equal(actual, expected)


def _power_mode(seen: Seen, key: str, expected: Any) -> None:
    mode = seen.one.board.power_mode if seen.one.board else None
    assert mode is not None
    equal({"name": mode.name, "id": mode.id}[key], expected)


def _gpu(seen: Seen, key: str, expected: Any) -> None:
    facts = seen.one.board
    assert facts is not None
    equal({"util_percent": facts.gpu_busy_percent, "mhz": facts.gpu_mhz}[key], expected)


def _rails(seen: Seen, key: str, expected: Any) -> None:
    assert seen.one.board is not None
    actual = {}
    for rail in seen.one.board.rails:
        actual |= {rail.name: rail.watts, f"{rail.name}_avg": rail.mean_watts}
    equal(actual[key], expected)


def _files(seen: Seen, key: str, expected: Any) -> None:
    listing = seen.replay.device_ask(["ls", "-l", f"/sdcard/Android/data/{APP}/files"])
    equal(sizes_of(listing)[key], expected)


def _fixed(seen: Seen) -> str:
    return android.try_fixed_performance(seen.replay.device_ask).value


def _screen_of(seen: Seen) -> dict[str, str]:
    displays = seen.one.android.displays if seen.one.android else None
    return {name: state.value for name, state in (displays or {}).items()}


def _android(seen: Seen) -> Any:
    assert seen.one.android is not None
    return seen.one.android


def _board(seen: Seen) -> Any:
    assert seen.one.board is not None
    return seen.one.board


def _apple(seen: Seen) -> Any:
    assert seen.one.apple is not None
    return seen.one.apple


def _running(seen: Seen) -> bool:
    words = ["device", "info", "processes", "--device", _apple(seen).id]
    return bool(pids_of(ask_devicectl(seen.replay.host_ask, words), "Bench.app"))


def _fold(seen: Seen, key: str, expected: Any) -> None:
    equal({"state": _android(seen).fold, "raw": _android(seen).fold_raw}[key], expected)


def _mend(seen: Seen, expected: str) -> None:
    assert expected in seen.one.mends


def _phones(seen: Seen) -> int:
    return sum("duplicate_of" not in str(each.reasons) and each.reasons != ("offline",)
               for each in seen.devices)  # fmt: skip


NESTED = {
    "identity": _identity,
    "soc": _soc,
    "thermal": _thermal,
    "zones": _zones,
    "battery": _battery,
    "cpu": _cpu,
    "app": _app,
    "install": _install,
    "launch": lambda seen, key, expected: _outcome(_launch(seen), key, expected),
    "power_mode": _power_mode,
    "gpu": _gpu,
    "power_w": _rails,
    "files": _files,
    "fold": _fold,
}
"""Objects of which each key is judged."""
PLAIN: dict[str, Callable[[Seen], Any]] = {
    "usable": lambda seen: seen.one.usable,
    "screen": lambda seen: seen.one.screen.value,
    "power_saver": lambda seen: seen.one.power_saver,
    "fixed_performance": _fixed,
    "displays": _screen_of,
    "form": lambda seen: seen.one.form and seen.one.form.value,
    "emulator": lambda seen: _android(seen).emulator,
    "low_ram": lambda seen: _android(seen).low_ram,
    "users": lambda seen: list(_android(seen).users),
    "users_detail": lambda seen: _android(seen).user_names,
    "running_users": lambda seen: list(_android(seen).running_users),
    "current_user": lambda seen: _android(seen).current_user,
    "disk_free_kib": lambda seen: seen.one.disk_free_kib,
    "clock_ns_available": lambda seen: _android(seen).clock_ns,
    "phones": _phones,
    "choose": lambda seen: _android(seen).serial if seen.kind == "android" else _apple(seen).udid,
    "locked": lambda seen: _apple(seen).locked,
    "running": _running,
    "simulators_listed": lambda seen: len(
        [each for each in seen.devices if "simulator" in str(each).lower()]
    ),
    "tunnel_needed": lambda seen: bool(_apple(seen).tunnel_needed),
    "json_version": lambda seen: (
        ask_devicectl(seen.replay.host_ask, ["list", "devices"]).json_version
    ),
    "model": lambda seen: seen.one.model,
    "os": lambda seen: seen.one.os,
    "arch": lambda seen: _board(seen).arch,
    "governor": lambda seen: seen.one.cpu.governor if seen.one.cpu else None,
    "l4t": lambda seen: _board(seen).l4t,
    "power_mode_changed_without_root": lambda seen: not _board(seen).power_mode.needs_root,
    "arm_mhz": lambda seen: [_board_of(each).arm_mhz for each in seen.polls],
    "valid_samples": lambda seen: board.valid_samples(
        [_board_of(each).throttled for each in seen.polls]
    ),
    "rejected": lambda seen: _rejected(seen.one.zones or Temperatures()),
}
WORDS: dict[str, Callable[[Seen], set[str]]] = {
    "why_not": lambda seen: set(seen.one.reasons),
    "warn": lambda seen: {word.value for word in seen.one.warnings},
}
"""Words whose order does not matter."""


def _board_of(attached: Attached) -> Any:
    assert attached.board is not None
    return attached.board


REFUSED_BY_A_TRY = {"install_refused"}
"""What shows only when the app is installed, which no listing does."""


def judge(seen: Seen, key: str, expected: Any) -> int:
    """Judge one key of the expectations; return how many single facts it held."""
    if key in UNJUDGED:
        return 0
    if key == "devices":
        return _devices(seen, expected)
    if key == "throttled":
        return _throttled(seen, expected)
    if key == "celsius":
        _board_celsius(seen, expected)
    elif key == "mend":
        _mend(seen, expected)
    elif key in WORDS:
        actual = WORDS[key](seen)
        if key == "why_not" and REFUSED_BY_A_TRY & set(expected):
            state = install.installed_of(seen.replay.run("adb", ["install", "-r", "bench.apk"]))
            actual |= {"install_refused"} if state.state == "refused_by_device" else set()
        assert actual == set(expected), (sorted(actual), sorted(expected))
    elif key in NESTED and isinstance(expected, dict):
        for inner, content in expected.items():
            NESTED[key](seen, inner, content)
        return len(expected)
    else:
        equal(PLAIN[key](seen), expected)
    return 1


def _usable(seen: Seen, expect: dict[str, Any]) -> bool:
    return seen.one.usable and not REFUSED_BY_A_TRY & set(expect["why_not"])


@pytest.mark.parametrize("name", names())
def test_each_expectation_of_a_recorded_device_holds(name: str) -> None:
    expect = recorded(name)["expect"]
    wrong = []
    count = 0
    seen = see(name)
    for key, expected in expect.items():
        try:
            if key == "usable":
                equal(_usable(seen, expect), expected)
                count += 1
            else:
                count += judge(seen, key, expected)
        except (AssertionError, KeyError) as error:
            wrong.append(f"{key}: {type(error).__name__} {error}"[:600])
    assert wrong == []
    assert count >= len(expect) - 1
