"""Read iPhones: which commands the tools are asked, and what the answers mean together.

devicectl knows phones from iOS 17 and has two ids for each; xcdevice and go-ios know older ones,
too. A phone that several tools list is one device.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mobilebench.values.attached import AppleFacts, Attached, Form, IosTool, Transport
from mobilebench.values.device import DeviceKind
from mobilebench.values.facts import Soc
from mobilebench.values.obstacles import Caution, Obstacle
from mobilebench_device_runners._reading import go_ios
from mobilebench_device_runners._reading.asking import Answer, Ask
from mobilebench_device_runners._reading.devicectl import (
    ask_devicectl,
    locked_of,
    mapping,
    rows,
    word,
)

_SIMULATED = ("simulated", "virtual")
_LOW_PERCENT = 15
_CHIPS = (
    (r"iPhone10,", "A11 Bionic"),
    (r"iPhone11,", "A12 Bionic"),
    (r"iPhone12,", "A13 Bionic"),
    (r"iPhone13,", "A14 Bionic"),
    (r"iPhone14,", "A15 Bionic"),
    (r"iPhone15,", "A16 Bionic"),
    (r"iPhone16,", "A17 Pro"),
    (r"iPhone17,[12]$", "A18 Pro"),
    (r"iPhone17,[345]$", "A18"),
    (r"iPhone18,[124]$", "A19 Pro"),
    (r"iPhone18,3$", "A19"),
)
"""Chips by product type; Apple's tools do not name them."""


def listed(ask: Ask, devicectl: bool = True, go: bool = True) -> tuple[Attached, ...]:
    """Return every device of Apple that the tools list, each once; simulators do not count.

    `ask` runs a command on this computer; `devicectl` and `go` say which tools it has.
    """
    known: list[Attached] = []
    unnamed: list[Attached] = []
    if devicectl:
        outcome = ask_devicectl(ask, ["list", "devices"])
        every = [
            of_devicectl(each)
            for each in rows(outcome.result.get("devices"))
            if mapping(each.get("hardwareProperties")).get("reality") not in _SIMULATED
        ]
        known = [each for each in every if each.model]
        unnamed = [each for each in every if not each.model]
    older: list[Attached] = []
    if devicectl and (unnamed or not known):
        older = list(of_xcdevice(ask(["xcrun", "xcdevice", "list", "--timeout", "5"])))
    if go:
        older = _joined(older, _listed_by_go_ios(ask))
    known, older = _without_known(known, older)
    if len(unnamed) == 1 and len(older) == 1:
        older = [_with_identifier(older[0], unnamed[0])]
        unnamed = []
    elif devicectl:
        older = [_unknown_to_devicectl(each) for each in older]
    result = [*known, *older, *unnamed]
    return tuple(_asked(ask, each) for each in result)


def _udid(attached: Attached) -> str | None:
    return attached.apple.udid if attached.apple else None


def of_devicectl(row: dict[str, Any]) -> Attached:
    """Return what one row of devicectl shows; any field may be missing."""
    hardware = mapping(row.get("hardwareProperties"))
    properties = mapping(row.get("deviceProperties"))
    connection = mapping(row.get("connectionProperties"))
    udid, identifier = word(hardware.get("udid")), word(row.get("identifier"))
    model, platform = word(hardware.get("productType")), word(hardware.get("platform"))
    transport = _transport(word(connection.get("transportType")))
    state = word(connection.get("tunnelState"))
    paired = {"paired": True, "unpaired": False}.get(str(connection.get("pairingState")))
    mode = {"enabled": True, "disabled": False}.get(str(properties.get("developerModeStatus")))
    phone = _is_phone(platform, word(hardware.get("deviceType")), model)
    why_not: tuple[Obstacle, ...] = ()
    if phone is False:
        why_not = (Obstacle.NOT_A_PHONE,)
    else:
        conditions = {
            Obstacle.STATE_UNKNOWN: state is None or phone is None,
            Obstacle.NOT_PAIRED: paired is False,
            Obstacle.DEVELOPER_MODE_OFF: mode is False,
            Obstacle.TUNNEL_DOWN: state in ("unavailable", "connecting")
            or (state == "disconnected" and transport is not Transport.WIRED),
        }
        why_not = tuple(obstacle for obstacle, holds in conditions.items() if holds)
    mends = (go_ios.MEND_CABLE,) if Obstacle.TUNNEL_DOWN in why_not else ()
    return Attached(
        id=f"ios:{udid or identifier or 'unknown'}",
        kind=_kind(model),
        form=_form(platform, model),
        transport=transport,
        model=model,
        marketing=word(hardware.get("marketingName")),
        soc=_soc(model),
        os="ios" if phone is not False else str(platform or "unknown").lower(),
        os_version=word(properties.get("osVersionNumber")),
        os_build=word(properties.get("osBuildUpdate")),
        why_not=why_not,
        mends=mends,
        apple=AppleFacts(
            id=identifier,
            udid=udid,
            platform=platform,
            name=word(properties.get("name")),
            by=IosTool.DEVICECTL,
            developer_mode=mode,
            tunnel=None if state is None else state == "connected",
            tunnel_needed=False,
            paired=paired,
            state=state,
        ),
    )


def of_xcdevice(answer: Answer) -> tuple[Attached, ...]:
    """Return the phones that `xcdevice list` shows; simulators do not count."""
    try:
        document = json.loads(answer.stdout)
    except (ValueError, RecursionError):
        return ()
    result = []
    for row in rows(document):
        platform = str(row.get("platform", ""))
        udid, model = word(row.get("identifier")), word(row.get("modelCode"))
        if row.get("simulator") is not False or platform != "com.apple.platform.iphoneos":
            continue
        version = re.fullmatch(
            r"([0-9.]+)(?: \((\w+)\))?", str(row.get("operatingSystemVersion", ""))
        )
        why_not = _of_xcdevice(row)
        interface = {"usb": Transport.WIRED, "network": Transport.LOCAL_NETWORK}
        result.append(
            Attached(
                id=f"ios:{udid or 'unknown'}",
                kind=_kind(model),
                form=_form("iOS", model),
                transport=interface.get(str(row.get("interface"))),
                model=model,
                marketing=word(row.get("modelName")),
                soc=_soc(model),
                os="ios",
                os_version=version[1] if version else None,
                os_build=version[2] if version else None,
                why_not=why_not,
                apple=AppleFacts(
                    udid=udid, platform="iOS", name=word(row.get("name")), by=IosTool.GO_IOS
                ),
            )
        )
    return tuple(result)


def _of_xcdevice(row: dict[str, Any]) -> tuple[Obstacle, ...]:
    """Return why xcdevice calls a phone not available."""
    if row.get("available") is not False:
        return ()
    text = json.dumps(row.get("error")).lower()
    words = (
        ("developer mode", Obstacle.DEVELOPER_MODE_OFF),
        ("locked", Obstacle.LOCKED),
        ("unlock", Obstacle.LOCKED),
        ("pair", Obstacle.NOT_PAIRED),
        ("trust", Obstacle.NOT_PAIRED),
    )
    return (next((obstacle for word, obstacle in words if word in text), Obstacle.UNREACHABLE),)


def of_go_ios(answer: Answer) -> tuple[Attached, ...]:
    """Return the phones that `ios list --details` shows, each once, by cable if it can be."""
    return _of_go_ios(rows(mapping(go_ios.document_of(answer)).get("deviceList")))


def _listed_by_go_ios(ask: Ask) -> tuple[Attached, ...]:
    """Return the phones that go-ios lists, also where it can read one of them only by its UDID."""
    answer = ask(["ios", "list", "--details"])
    detailed = of_go_ios(answer)
    if detailed or answer.rc == 0:
        return detailed
    # go-ios 1.2.0 gives no details of any phone where one does not trust this computer.
    listed_udids = mapping(go_ios.document_of(ask(["ios", "list"]))).get("deviceList")
    udids = dict.fromkeys(listed_udids if isinstance(listed_udids, list) else ())
    result: list[Attached] = []
    for udid in filter(word, udids):
        answer = ask(["ios", "info", "--udid", udid])
        facts = mapping(go_ios.document_of(answer)) if answer.rc == 0 else {}
        [attached] = _of_go_ios([{**facts, "Udid": udid}])
        if answer.rc != 0:
            paired = False if go_ios.is_not_paired(answer) else None
            why_not = Obstacle.STATE_UNKNOWN if paired is None else Obstacle.NOT_PAIRED
            apple = replace(attached.apple, paired=paired) if attached.apple else None
            attached = replace(attached, why_not=(why_not,), apple=apple)
        result.append(attached)
    return tuple(result)


def _of_go_ios(listed_rows: Sequence[dict[str, Any]]) -> tuple[Attached, ...]:
    best: dict[str, Attached] = {}
    for row in listed_rows:
        udid, model = word(row.get("Udid")), word(row.get("ProductType"))
        if udid is None:
            continue
        system = str(row.get("ProductName", "iPhone OS"))
        phone = system in ("iPhone OS", "iPad OS", "iPadOS", "iOS")
        connection = str(row.get("ConnectionType", "")).upper()
        wired = connection == "USB"
        ways = {"USB": Transport.WIRED, "NETWORK": Transport.LOCAL_NETWORK}
        version = word(row.get("ProductVersion"))
        attached = Attached(
            id=f"ios:{udid}",
            kind=_kind(model),
            form=_form("iOS" if phone else system, model),
            transport=ways.get(connection),
            model=model,
            soc=_soc(model),
            os="ios" if phone else system.lower(),
            os_version=version,
            why_not=() if phone else (Obstacle.NOT_A_PHONE,),
            apple=AppleFacts(
                udid=udid,
                platform="iOS" if phone else system,
                by=IosTool.GO_IOS,
                tunnel_needed=go_ios.needs_tunnel(version),
            ),
        )
        if udid not in best or (wired and best[udid].transport is not Transport.WIRED):
            best[udid] = attached
    return tuple(best.values())


def _joined(first: Sequence[Attached], second: Sequence[Attached]) -> list[Attached]:
    """Return the devices of two tools; of the same UDID, what either knows."""
    others = {_udid(each): each for each in second}
    result = []
    for each in first:
        other = others.pop(_udid(each), None)
        if other is not None and each.apple is not None and other.apple is not None:
            each = replace(
                each,
                transport=each.transport or other.transport,
                os_version=each.os_version or other.os_version,
                apple=replace(each.apple, tunnel_needed=other.apple.tunnel_needed),
            )
        result.append(each)
    return [*result, *others.values()]


def _without_known(
    known: Sequence[Attached], older: Sequence[Attached]
) -> tuple[list[Attached], list[Attached]]:
    """Return devices of devicectl with the UDIDs that only others know, and what is left."""
    udids = {_udid(each) for each in known}
    left = [each for each in older if _udid(each) not in udids]
    result = []
    for each in known:
        same = [other for other in left if other.model == each.model]
        nameless = [other for other in known if not _udid(other) and other.model == each.model]
        if not _udid(each) and each.apple and len(same) == len(nameless) == 1:
            left.remove(same[0])
            apple = replace(each.apple, udid=_udid(same[0]))
            each = replace(
                each,
                id=same[0].id,
                os_version=each.os_version or same[0].os_version,
                apple=apple,
            )
        result.append(each)
    return result, left


def _with_identifier(attached: Attached, row: Attached) -> Attached:
    """Return a phone with the identifier that devicectl has for it without knowing more."""
    identifier = row.apple.id if row.apple else None
    known = _unknown_to_devicectl(attached)
    return replace(known, apple=replace(known.apple, id=identifier) if known.apple else None)


def _unknown_to_devicectl(attached: Attached) -> Attached:
    return replace(attached, warnings=(*attached.warnings, Caution.UNKNOWN_TO_DEVICECTL))


def _asked(ask: Ask, attached: Attached) -> Attached:
    """Return a phone with what only a question to it shows."""
    apple = attached.apple
    if apple is None or attached.why_not:
        return attached
    if apple.by is IosTool.DEVICECTL:
        device = ["--device", apple.id or apple.udid or ""]
        locked = locked_of(ask_devicectl(ask, ["device", "info", "lockState", *device]))
        why_not = (Obstacle.LOCKED,) if locked else ()
        return replace(attached, why_not=why_not, apple=replace(apple, locked=locked))
    return _asked_by_go_ios(ask, attached, apple)


def _asked_by_go_ios(ask: Ask, attached: Attached, apple: AppleFacts) -> Attached:
    udid = ["--udid", apple.udid or ""]
    battery = go_ios.battery_of(ask(["ios", "batterycheck", *udid]))
    mode = go_ios.developer_mode_of(ask(["ios", "devmode", "get", *udid]))
    tunnel, mends = apple.tunnel, attached.mends
    needed = go_ios.needs_tunnel(attached.os_version)
    if needed:
        tunnels = go_ios.tunnels_of(ask(["ios", "tunnel", "ls"]))
        tunnel = apple.udid in (tunnels or ())
        if not tunnel:
            wired = attached.transport is not Transport.LOCAL_NETWORK
            mends = (*mends, go_ios.mend_of(attached.os_version, wired))
    level = battery.level_percent if battery else None
    conditions = {
        Obstacle.DEVELOPER_MODE_OFF: mode is False and needed is not None,
        Obstacle.TUNNEL_DOWN: bool(needed) and not tunnel,
        Obstacle.LOW_BATTERY: level is not None and level <= _LOW_PERCENT,
    }
    why_not = tuple(obstacle for obstacle, holds in conditions.items() if holds)
    charging = battery is not None and battery.charging is True and not why_not
    return replace(
        attached,
        battery=battery,
        why_not=why_not,
        warnings=(
            *attached.warnings,
            *((Caution.CHARGING_WHILE_MEASURING,) if charging else ()),
        ),
        mends=mends,
        apple=replace(apple, developer_mode=mode, tunnel=tunnel, tunnel_needed=needed),
    )


def choose(devices: Sequence[Attached]) -> Attached | None:
    """Return the device to take where none is named: the only usable one, or the wired one."""
    usable = [each for each in devices if each.usable]
    wired = [each for each in usable if each.transport in (Transport.WIRED, Transport.USB)]
    for several in (usable, wired):
        if len(several) == 1:
            return several[0]
    return None


def _transport(kind: str | None) -> Transport | None:
    return {"wired": Transport.WIRED, "localNetwork": Transport.LOCAL_NETWORK}.get(kind or "")


def _is_phone(platform: str | None, kind: str | None, model: str | None) -> bool | None:
    if platform is not None:
        return platform in ("iOS", "iPadOS")
    if kind is not None:
        return kind in ("iPhone", "iPad", "iPod")
    return bool(re.match(r"iP(?:hone|ad|od)\d", model)) if model else None


def _kind(model: str | None) -> DeviceKind:
    return DeviceKind.TABLET if (model or "").startswith("iPad") else DeviceKind.PHONE


def _form(platform: str | None, model: str | None) -> Form | None:
    forms = {"watchOS": Form.WATCH, "tvOS": Form.TV}
    if platform in forms:
        return forms[platform]
    if (model or "").startswith("iPad"):
        return Form.TABLET
    return Form.PHONE if (model or "").startswith("iPhone") else None


def _soc(model: str | None) -> Soc | None:
    for pattern, name in _CHIPS:
        if model and re.match(pattern, model):
            return Soc(name=name, source="product type")
    return None
