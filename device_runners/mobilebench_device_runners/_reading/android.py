"""Read an Android device: which commands it is asked, and what the answers mean together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mobilebench.values import value
from mobilebench.values.attached import AndroidFacts, Attached, Form, Transport
from mobilebench.values.device import DeviceKind
from mobilebench.values.facts import (
    Battery,
    BatteryStatus,
    Cpu,
    CurrentUnit,
    Plug,
    Screen,
    Section,
    SensorKind,
    ServiceState,
    Support,
    Thermal,
)
from mobilebench.values.obstacles import Caution, Obstacle
from mobilebench_device_runners._reading import android_thermal, asking
from mobilebench_device_runners._reading.adb_listing import Row, rows_of
from mobilebench_device_runners._reading.android_battery import (
    CURRENT_NOW,
    battery_of,
    sign_is_certain,
)
from mobilebench_device_runners._reading.android_properties import (
    abis_of,
    form_of,
    is_default_serial,
    is_emulator,
    properties_of,
    soc_of,
)
from mobilebench_device_runners._reading.android_screen import (
    displays_of,
    fold_of,
    power_saver_of,
    screen_of,
)
from mobilebench_device_runners._reading.android_storage import (
    free_kib_of,
    is_busybox,
    knows_nanoseconds,
)
from mobilebench_device_runners._reading.android_users import app_of, current_user_of, users_of
from mobilebench_device_runners._reading.asking import (
    Answer,
    Ask,
    Reply,
    Text,
    held,
    number,
    question_of_files,
    question_of_names,
    read_files,
    text_of,
)
from mobilebench_device_runners._reading.cores import FREQUENCIES, again, paths_of, read_cores
from mobilebench_device_runners._reading.memory import MEMORY, ram_bytes_of
from mobilebench_device_runners._reading.temperatures import ZONES, read_zones

APP = "mobilebench.app"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
OPTIMIZER = "com.samsung.android.game.gos"
FIXED_PERFORMANCE = ("cmd", "power", "set-fixed-performance-mode-enabled")
_PROPERTIES = ("getprop",)
_THERMAL = ("dumpsys", "thermalservice")
_BATTERY = ("dumpsys", "battery")
_POWER = ("dumpsys", "power")
_DISPLAY = ("dumpsys", "display")
_SAVER = ("settings", "get", "global", "low_power")
_USERS = ("pm", "list", "users")
_USER = ("am", "get-current-user")
_DISK = ("df", "-k", "/data")
_DATE = ("date", "+%s%N")
_OPTIMIZERS = ("pm", "list", "packages", OPTIMIZER)
_FILES = (CURRENT_NOW, MEMORY)
_FOLD = (("cmd", "device_state", "print-states"), ("cmd", "device_state", "print-state"))
_QUESTIONS: Sequence[Sequence[str]] = (
    _THERMAL, _BATTERY, _POWER, _DISPLAY, _SAVER, _USERS, _USER, _DISK, _DATE, _OPTIMIZERS,
    question_of_names(FREQUENCIES), question_of_names(ZONES),
)  # fmt: skip
"""What every device is asked, in one command."""
_ABIS = {"arm64-v8a", "x86_64"}
_OLDEST_SDK = 26
_LOW_PERCENT = 15
"""Android's own limit, at which it warns (config_lowBatteryWarningLevel)."""
_LITTLE_KIB = 2 * 1024 * 1024
_MODERATE = 2
_HOT_C = {SensorKind.SKIN: 45.0, SensorKind.BATTERY: 45.0}
"""Where a phone publishes no threshold. Phones stop charging at about that."""
_FOLDS_FROM_SDK = 31


@value
class Identity:
    """What tells one device from another."""

    properties: dict[str, str]
    serialno: str | None
    boot_id: str | None
    lost: bool
    crlf: bool = False


class _Session:
    """Questions to one device, until the connection breaks."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._answers: dict[str, Reply] = {}
        self.lost = self.crlf = self.cut = False

    def ask_together(self, *questions: Sequence[str]) -> None:
        """Put questions with one command; `ask` then gives each answer once."""
        if not self.lost:
            self._answers, self.lost = asking.ask_together(self._ask, questions)

    def ask(self, words: Sequence[str]) -> Answer:
        """Put a question; a broken connection leaves those that follow without an answer."""
        answer: Answer | None = self._answers.pop(" ".join(words), None)
        if answer is None:
            if self.lost:
                return Reply(rc=255)
            answer = self._ask(words)
        text = text_of(answer)
        self.lost |= text.lost
        self.crlf |= text.crlf
        return answer

    def text(self, *words: str) -> Text:
        """Put a question and return the text."""
        return text_of(self.ask(words))


def listed(listing: Answer, ask_of: Callable[[Row], Ask], app: str = APP) -> tuple[Attached, ...]:
    """Return every device that `adb devices -l` lists, in its order.

    `ask_of` gives the questions for a row. A device that is listed several times is read once, by
    its best connection; the other rows name that one.
    """
    rows = rows_of(listing)
    identities = {
        index: read_identity(ask_of(row)) for index, row in enumerate(rows) if row.obstacle is None
    }
    best = _best(rows, identities)
    result = []
    for index, row in enumerate(rows):
        chosen = best.get(index, index)
        if index not in identities:
            result.append(of_row(row))
        elif chosen != index:
            duplicate = of_row(row, identities[index])
            result.append(
                replace(duplicate, why_not=(Obstacle.DUPLICATE,), duplicate_of=rows[chosen].serial)
            )
        else:
            others = tuple(rows[each].serial for each in best if best[each] == index != each)
            result.append(read(ask_of(row), row, app, identities[index], others))
    return tuple(result)


def _best(rows: Sequence[Row], identities: dict[int, Identity]) -> dict[int, int]:
    """Return by row the row of the same device with the best connection."""
    best: dict[int, int] = {}
    for index in sorted(identities, key=lambda each: (rows[each].rank, each)):
        same = (each for each in best.values() if _same(identities[each], identities[index]))
        best[index] = next(same, index)
    return best


def _same(one: Identity, other: Identity) -> bool:
    if not one.serialno or one.serialno != other.serialno:
        return False
    if one.boot_id and other.boot_id:
        return one.boot_id == other.boot_id
    return not is_default_serial(one.serialno)


def read_identity(ask: Ask) -> Identity:
    """Ask which device it is: its properties, serial number and boot."""
    session = _Session(ask)
    session.ask_together(_PROPERTIES, question_of_files([BOOT_ID]))
    properties = properties_of(session.ask(_PROPERTIES))
    serialno = properties.get("ro.serialno") or properties.get("ro.boot.serialno")
    for default in ((), ("unknown",)):
        if not serialno:
            word = session.text("getprop", "ro.serialno", *default)
            serialno = word.first if re.fullmatch(r"\S+", word.first) else None
    if serialno == "unknown":
        serialno = None
    boot = held(read_files(session.ask, [BOOT_ID]), BOOT_ID)
    return Identity(
        properties=properties,
        serialno=serialno or None,
        boot_id=boot.strip() if boot else None,
        lost=session.lost,
        crlf=session.crlf,
    )


def of_row(row: Row, identity: Identity | None = None) -> Attached:
    """Return what a row shows of a device that is not asked."""
    obstacle = row.obstacle
    emulator = row.transport is Transport.EMULATOR
    properties = identity.properties if identity else {}
    return Attached(
        id=row.id,
        kind=DeviceKind.SIMULATED if emulator else DeviceKind.PHONE,
        transport=row.transport,
        model=_model(row, properties),
        os="android",
        why_not=(obstacle,) if obstacle else (),
        warnings=(Caution.EMULATOR,) if emulator else (),
        android=_facts(row, identity),
    )


def _model(row: Row, properties: Mapping[str, str]) -> str | None:
    return properties.get("ro.product.model") or (row.model or "").replace("_", " ") or None


def _facts(row: Row, identity: Identity | None) -> AndroidFacts:
    properties = identity.properties if identity else {}
    abis = abis_of(properties)
    sdk = number(properties.get("ro.build.version.sdk", ""))
    return AndroidFacts(
        serial=row.serial,
        serialno=identity.serialno if identity else None,
        boot_id=identity.boot_id if identity else None,
        state=row.state,
        transport_id=row.transport_id,
        address_by=row.address_by,
        usb=row.usb,
        product=row.product,
        manufacturer=properties.get("ro.product.manufacturer"),
        device=properties.get("ro.product.device") or row.device,
        sdk=sdk,
        fingerprint=properties.get("ro.build.fingerprint"),
        abi=abis[0] if abis else None,
        abis=abis,
        emulator=is_emulator(properties) or row.transport is Transport.EMULATOR,
        low_ram=properties.get("ro.config.low_ram") == "true",
    )


def read(
    ask: Ask,
    row: Row,
    app: str = APP,
    identity: Identity | None = None,
    others: tuple[str, ...] = (),
) -> Attached:
    """Read one device; nothing on it is changed.

    `others` are the serials by which the same device is listed again.
    """
    identity = identity or read_identity(ask)
    session = _Session(ask)
    session.lost, session.crlf = identity.lost, identity.crlf
    properties = identity.properties
    emulator = is_emulator(properties) or row.transport is Transport.EMULATOR
    folds = (number(properties.get("ro.build.version.sdk", "")) or 0) >= _FOLDS_FROM_SDK
    of_package = ("dumpsys", "package", app)
    session.ask_together(
        *_QUESTIONS, question_of_files(_FILES), of_package, *(_FOLD if folds else ())
    )

    dump = session.ask(_THERMAL)
    thermal, mismatch = android_thermal.thermal_of(dump)
    files = read_files(session.ask, _FILES)
    battery = battery_of(session.ask(_BATTERY), files[CURRENT_NOW])
    power = session.ask(_POWER)
    displays = displays_of(session.ask(_DISPLAY))
    saver = power_saver_of(session.ask(_SAVER), power)
    users = users_of(session.ask(_USERS))
    user = current_user_of(session.ask(_USER))
    package = session.ask(of_package)
    cpu = read_cores(session.ask)
    zones = read_zones(session.ask)
    disk = session.ask(_DISK)
    date = session.ask(_DATE)
    fold = fold_of(*(session.ask(question) for question in _FOLD)) if folds else None
    optimizer = f"package:{OPTIMIZER}" in session.text(*_OPTIMIZERS).lines

    if emulator:
        thermal = replace(thermal, status_is_evidence=False)
    if thermal.section is Section.NONE and zones is not None and zones.readings:
        thermal = replace(thermal, section=Section.ZONES)
    form = form_of(properties, folds=fold is not None)
    facts = replace(
        _facts(row, identity),
        emulator=emulator,
        fold=fold[0] if fold else None,
        fold_raw=fold[1] if fold else None,
        displays=displays,
        app=app_of(package, app, user),
        users=tuple(users.names) if users else None,
        user_names={str(each): name for each, name in users.names.items()} if users else None,
        running_users=users.running if users else None,
        current_user=user,
        clock_ns=knows_nanoseconds(date),
        other_transports=others,
    )
    attached = Attached(
        id=row.id,
        kind=_kind(form, emulator),
        form=form,
        transport=row.transport,
        model=_model(row, properties),
        marketing=properties.get("ro.product.marketname")
        or properties.get("ro.config.marketing_name"),
        soc=soc_of(properties),
        os="android",
        os_version=properties.get("ro.build.version.release"),
        os_build=properties.get("ro.build.fingerprint"),
        ram_bytes=ram_bytes_of(held(files, MEMORY)),
        disk_free_kib=free_kib_of(disk),
        thermal=thermal,
        zones=zones,
        battery=battery,
        cpu=cpu,
        screen=screen_of(displays, power),
        power_saver=saver,
        android=facts,
    )
    statuses = android_thermal.sensor_statuses(dump)
    attached = replace(attached, why_not=_obstacles(attached, statuses, session.lost))
    return replace(
        attached,
        warnings=_cautions(
            attached,
            {
                Caution.TYPE_NAME_MISMATCH: mismatch,
                Caution.CRLF: session.crlf,
                Caution.BUSYBOX: is_busybox(disk, date),
                Caution.VENDOR_OPTIMIZER: optimizer,
                Caution.SEVERAL_TRANSPORTS: bool(others),
            },
        ),
    )


def sample(ask: Ask, known: Attached) -> Attached:
    """Read again what changes during a measurement: heat, battery and clocks; in few commands.

    `why_not` says whether the connection broke; the rest of `known` stays.
    """
    session = _Session(ask)
    session.ask_together(_THERMAL, _BATTERY)
    thermal, _ = android_thermal.thermal_of(session.ask(_THERMAL))
    cpu = known.cpu or Cpu()
    files = read_files(session.ask, [CURRENT_NOW, *paths_of(cpu)])
    battery = battery_of(session.ask(_BATTERY), files[CURRENT_NOW])
    zones = known.zones
    if thermal.section is Section.NONE and zones is not None:
        zones = read_zones(session.ask)
        if zones is not None and zones.readings:
            thermal = replace(thermal, section=Section.ZONES)
    if known.android is not None and known.android.emulator:
        thermal = replace(thermal, status_is_evidence=False)
    return replace(
        known,
        why_not=(Obstacle.TRANSPORT_LOST,) if session.lost else (),
        thermal=thermal,
        zones=zones,
        battery=battery,
        cpu=again(cpu, files),
    )


def try_fixed_performance(ask: Ask) -> Support:
    """Switch the fixed-performance mode on and off again; return whether the device has it.

    Only for a device that this process has claimed.
    """
    answer = ask([*FIXED_PERFORMANCE, "true"])
    complaint = (answer.stdout + answer.stderr).decode("utf-8", "replace").lower()
    words = ("fail", "unknown command", "exception", "not found", "not implemented", "error")
    if answer.rc != 0 or any(word in complaint for word in words):
        return Support.UNSUPPORTED
    ask([*FIXED_PERFORMANCE, "false"])
    return Support.SUPPORTED


def _kind(form: Form, emulator: bool) -> DeviceKind:
    if emulator:
        return DeviceKind.SIMULATED
    if form is Form.TABLET:
        return DeviceKind.TABLET
    return DeviceKind.BOARD if form is Form.TV else DeviceKind.PHONE


def _obstacles(attached: Attached, statuses: dict[str, int], lost: bool) -> tuple[Obstacle, ...]:
    if lost:
        return (Obstacle.TRANSPORT_LOST,)
    android, battery, thermal = attached.android, attached.battery, attached.thermal
    assert android is not None and battery is not None and thermal is not None
    conditions = {
        Obstacle.NOT_A_PHONE: attached.form is Form.WATCH,
        Obstacle.ABI: bool(android.abis) and not _ABIS & set(android.abis),
        Obstacle.OS_TOO_OLD: android.sdk is not None and android.sdk < _OLDEST_SDK,
        Obstacle.THERMAL_OVERRIDDEN: thermal.overridden,
        Obstacle.HOT: is_hot(attached, statuses),
        Obstacle.LOW_BATTERY: battery.level_percent is not None
        and not battery.overridden
        and battery.level_percent <= _LOW_PERCENT,
        Obstacle.POWER_SAVER: attached.power_saver is True,
    }
    return tuple(word for word, holds in conditions.items() if holds)


def is_hot(attached: Attached, statuses: dict[str, int]) -> bool:
    """Return whether the phone throttles by its own flags or thresholds.

    `statuses` are those of single sensors. Where it publishes no threshold, 45 degrees of the skin
    or the battery count.
    """
    thermal = attached.thermal
    if thermal is None or thermal.overridden:
        return False
    if (thermal.status or 0) >= _MODERATE:
        return True
    for reading in attached.temperatures.readings:
        if reading.kind is None or reading.kind in (SensorKind.GPU, SensorKind.NPU):
            continue
        if statuses.get(reading.name, 0) >= _MODERATE and thermal.section is Section.CURRENT:
            return True
        limit = _limit_c(thermal, reading.name, reading.kind)
        if limit is not None and reading.celsius >= limit:
            return True
    battery = attached.battery
    return (battery.celsius or 0) >= _HOT_C[SensorKind.BATTERY] if battery else False


def _limit_c(thermal: Thermal, name: str, kind: SensorKind) -> float | None:
    """Return where a sensor's status becomes moderate, or the first above that it has."""
    mine = [each for each in thermal.thresholds if each.name == name and each.kind is kind]
    same = mine or [each for each in thermal.thresholds if each.kind is kind]
    limits = [
        limit
        for each in same
        if (limit := next((c for c in each.hot_c[_MODERATE:] if c is not None), None)) is not None
    ]
    absolute = _HOT_C.get(kind)
    published = min(limits, default=None)
    moderate = any(len(each.hot_c) > _MODERATE and each.hot_c[_MODERATE] for each in same)
    if absolute is None or moderate:
        return published
    return min(published, absolute) if published is not None else absolute


def _cautions(attached: Attached, seen: dict[Caution, bool]) -> tuple[Caution, ...]:
    android, battery, thermal = attached.android, attached.battery, attached.thermal
    assert android is not None and battery is not None and thermal is not None
    conditions = {
        Caution.EMULATOR: android.emulator,
        **_of_heat(thermal, android.emulator),
        **_of_battery(battery, android.emulator),
        Caution.CHARGING_WHILE_MEASURING: battery.charging is True and attached.usable,
        **_of_cores(attached.cpu, lost=Obstacle.TRANSPORT_LOST in attached.why_not),
        Caution.LOW_RAM: android.low_ram,
        Caution.SCREEN_OFF: attached.screen in (Screen.OFF, Screen.DOZING),
        Caution.FOLDED: android.fold == "closed",
        Caution.SEVERAL_USERS: len(android.users or ()) > 1,
        Caution.APP_FOR_OTHER_USER_ONLY: android.app is not None
        and not android.app.installed
        and bool(android.app.users),
        Caution.DISK_LOW: attached.disk_free_kib is not None
        and attached.disk_free_kib < _LITTLE_KIB,
        Caution.ADDRESS_TRANSPORT: attached.transport is Transport.TCP,
        Caution.SERIAL_NOT_UNIQUE: is_default_serial(android.serialno or android.serial),
        Caution.OUTPUT_TRUNCATED: ServiceState.TRUNCATED in (thermal.state, battery.state),
    }
    return tuple(word for word in Caution if conditions.get(word) or seen.get(word))


def _of_heat(thermal: Thermal, emulator: bool) -> dict[Caution, bool]:
    return {
        Caution.THERMAL_LIGHT: thermal.status == 1 and not thermal.overridden,
        Caution.THERMAL_NOT_READY: thermal.state is ServiceState.NOT_READY,
        Caution.THERMAL_ABSENT: thermal.state is ServiceState.ABSENT,
        Caution.THERMAL_DENIED: thermal.state is ServiceState.DENIED,
        Caution.THERMAL_STATUS_NOT_EVIDENCE: thermal.state is ServiceState.OK
        and not (thermal.status_is_evidence or thermal.overridden or emulator),
    }


def _of_battery(battery: Battery, emulator: bool) -> dict[Caution, bool]:
    plugged = battery.plugged or ()
    unreal = battery.overridden or emulator
    current = battery.current if battery.current and battery.current.raw and not unreal else None
    unsure = (CurrentUnit.MILLIAMPERE_LIKELY, CurrentUnit.UNKNOWN)
    return {
        Caution.NO_BATTERY: battery.present is False,
        Caution.BATTERY_OVERRIDDEN: battery.overridden,
        Caution.WIRELESS_CHARGING_HEATS: battery.charging is True and Plug.WIRELESS in plugged,
        Caution.PLUGGED_NOT_CHARGING: bool(plugged)
        and battery.charging is False
        and battery.status is not BatteryStatus.NONE,
        Caution.CHARGE_LIMIT_ACTIVE: battery.limit_percent is not None,
        Caution.CHARGE_COUNTER_UNTRUSTED: battery.charge_counter_trusted is False
        and battery.present is not False,
        Caution.CURRENT_UNIT_AMBIGUOUS: current is not None and current.unit in unsure,
        Caution.CURRENT_SIGN_AMBIGUOUS: current is not None and not sign_is_certain(current),
    }


def _of_cores(cpu: Cpu | None, lost: bool) -> dict[Caution, bool]:
    return {
        Caution.CPU_CAPPED: cpu is not None and bool(cpu.capped),
        Caution.CORES_OFFLINE: cpu is not None and bool(cpu.offline),
        Caution.CPUFREQ_ABSENT: cpu is not None
        and not lost
        and not cpu.clusters
        and cpu.online is not None,
    }
