"""Why a device cannot be used now, and what a record has to say of one that can.

Each word has one sentence: what it is, and what to do.
"""

from __future__ import annotations

from enum import StrEnum


class Obstacle(StrEnum):
    """Why no measurement can start on a device now."""

    # the link
    UNAUTHORIZED = "unauthorized"
    OFFLINE = "offline"
    RECOVERY = "recovery"
    BOOTLOADER = "bootloader"
    NO_PERMISSIONS = "no_permissions"
    TRANSPORT_LOST = "transport_lost"
    DUPLICATE = "duplicate_of"
    TUNNEL_DOWN = "tunnel_down"
    STATE_UNKNOWN = "state_unknown"
    NOT_PAIRED = "not_paired"
    UNREACHABLE = "unreachable"
    # the device
    NOT_A_PHONE = "not_a_phone"
    LOCKED = "locked"
    DEVELOPER_MODE_OFF = "developer_mode_off"
    ABI = "abi"
    ARCH = "arch"
    OS_TOO_OLD = "os_too_old"
    NO_PYTHON = "no_python"
    LIBC_MUSL = "libc_musl"
    INSTALL_REFUSED = "install_refused"
    # its condition
    HOT = "hot"
    LOW_BATTERY = "low_battery"
    POWER_SAVER = "power_saver"
    THERMAL_OVERRIDDEN = "thermal_overridden"
    BUSY = "busy"

    @property
    def sentence(self) -> str:
        """What it is and what to do, for people."""
        return _OBSTACLES[self]

    @property
    def passes(self) -> bool:
        """Whether it goes away by waiting."""
        return self in (Obstacle.HOT, Obstacle.BUSY, Obstacle.LOW_BATTERY)


_OBSTACLES = {
    Obstacle.UNAUTHORIZED: "The phone has not accepted this computer: unlock it and tap Allow in "
    "the question about USB debugging.",
    Obstacle.OFFLINE: "adb lists the device, and it does not answer: plug it in again, or run adb "
    "reconnect.",
    Obstacle.RECOVERY: "The device is in recovery or sideload mode: restart it into Android.",
    Obstacle.BOOTLOADER: "The device is in its bootloader: restart it into Android.",
    Obstacle.NO_PERMISSIONS: "This user may not open the USB device: install the udev rules of "
    "Android (Debian: android-sdk-platform-tools-common), then plug the device in again.",
    Obstacle.TRANSPORT_LOST: "The connection broke while the device was read: check the cable and "
    "the hub, then try again.",
    Obstacle.DUPLICATE: "The same device is listed by a better connection: use that one.",
    Obstacle.TUNNEL_DOWN: "No tunnel leads to the iPhone: plug the cable in once, or start the "
    "tunnel.",
    Obstacle.STATE_UNKNOWN: "The tool does not say whether the device can be reached: plug it in, "
    "and update Xcode.",
    Obstacle.NOT_PAIRED: "The iPhone does not trust this computer: unlock it and tap Trust.",
    Obstacle.UNREACHABLE: "No connection to the device could be made: check its power, its network "
    "and its address.",
    Obstacle.NOT_A_PHONE: "It is not an iPhone or iPad: nothing is measured on it.",
    Obstacle.LOCKED: "The phone is locked: unlock the phone and set Auto-Lock to Never for the "
    "run.",
    Obstacle.DEVELOPER_MODE_OFF: "Developer Mode is off: Settings > Privacy & Security > "
    "Developer Mode, then restart the phone.",
    Obstacle.ABI: "Its programs are 32-bit: the app has only 64-bit code, so use another device.",
    Obstacle.ARCH: "Its programs are not for aarch64 or x86_64, and the runtimes have no wheels "
    "for it: install a 64-bit system.",
    Obstacle.OS_TOO_OLD: "Its system is older than the app can run on: update it, or use another "
    "device.",
    Obstacle.NO_PYTHON: "No Python 3 is on its PATH: install python3.",
    Obstacle.LIBC_MUSL: "Its C library is musl, for which the runtimes have no wheels: use a "
    "system with glibc, such as Debian.",
    Obstacle.INSTALL_REFUSED: "The phone refuses the installation: switch on 'Install via USB' and "
    "'USB debugging (Security settings)' on the phone.",
    Obstacle.HOT: "It is too hot: wait until it has cooled down.",
    Obstacle.LOW_BATTERY: "Its battery is too low: charge it first.",
    Obstacle.POWER_SAVER: "The power saver caps its clocks: switch it off.",
    Obstacle.THERMAL_OVERRIDDEN: "Somebody has set its thermal status by hand: run adb shell cmd "
    "thermalservice reset.",
    Obstacle.BUSY: "Another process uses it: wait until that one is done.",
}


class Caution(StrEnum):
    """What a record has to say of a device that can be used all the same."""

    # heat
    THERMAL_LIGHT = "thermal_light"
    THERMAL_NOT_READY = "thermal_not_ready"
    THERMAL_ABSENT = "thermal_absent"
    THERMAL_DENIED = "thermal_denied"
    THERMAL_STATUS_NOT_EVIDENCE = "thermal_status_not_evidence"
    TYPE_NAME_MISMATCH = "type_name_mismatch"
    CONSTANT_READING = "constant_reading"
    # battery
    CHARGING_WHILE_MEASURING = "charging_while_measuring"
    PLUGGED_NOT_CHARGING = "plugged_not_charging"
    CHARGE_LIMIT_ACTIVE = "charge_limit_active"
    WIRELESS_CHARGING_HEATS = "wireless_charging_heats"
    BATTERY_OVERRIDDEN = "battery_overridden"
    NO_BATTERY = "no_battery"
    CHARGE_COUNTER_UNTRUSTED = "charge_counter_untrusted"
    CURRENT_UNIT_AMBIGUOUS = "current_unit_ambiguous"
    CURRENT_SIGN_AMBIGUOUS = "current_sign_ambiguous"
    # speed
    CPU_CAPPED = "cpu_capped"
    CPUFREQ_ABSENT = "cpufreq_absent"
    CORES_OFFLINE = "cores_offline"
    GOVERNOR_NOT_PERFORMANCE = "governor_not_performance"
    POWER_MODE_NOT_MAX = "power_mode_not_max"
    VENDOR_OPTIMIZER = "vendor_optimizer"
    LOW_RAM = "low_ram"
    # a Raspberry Pi's firmware
    UNDER_VOLTAGE = "under_voltage"
    FREQUENCY_CAPPED = "frequency_capped"
    THROTTLED = "throttled"
    SOFT_TEMP_LIMIT = "soft_temp_limit"
    VCGENCMD_DENIED = "vcgencmd_denied"
    # the body, the screen, the users
    SCREEN_OFF = "screen_off"
    FOLDED = "folded"
    EMULATOR = "emulator"
    SEVERAL_USERS = "several_users"
    APP_FOR_OTHER_USER_ONLY = "app_for_other_user_only"
    DISK_LOW = "disk_low"
    # the link and the tools
    SEVERAL_TRANSPORTS = "several_transports"
    ADDRESS_TRANSPORT = "address_transport"
    SERIAL_NOT_UNIQUE = "serial_not_unique"
    UNKNOWN_TO_DEVICECTL = "unknown_to_devicectl"
    OUTPUT_TRUNCATED = "output_truncated"
    CRLF = "crlf"
    BUSYBOX = "busybox"

    @property
    def sentence(self) -> str:
        """What it is and what to do, for people."""
        return _CAUTIONS[self]


_CAUTIONS = {
    Caution.THERMAL_LIGHT: "The phone throttles lightly: let it cool for steady numbers.",
    Caution.THERMAL_NOT_READY: "The thermal service has no sensors, so its status 0 means nothing: "
    "the thermal zones are read instead.",
    Caution.THERMAL_ABSENT: "It has no thermal sensors to read: the rest before a measurement goes "
    "by time.",
    Caution.THERMAL_DENIED: "It does not allow reading its temperatures: the rest before a "
    "measurement goes by time.",
    Caution.THERMAL_STATUS_NOT_EVIDENCE: "Its thermal status is always 0: only the temperatures "
    "say whether it is hot.",
    Caution.TYPE_NAME_MISMATCH: "Its thermal sensors have the wrong type numbers: they are read by "
    "name.",
    Caution.CONSTANT_READING: "A sensor gave the same number every time: it is left out.",
    Caution.CHARGING_WHILE_MEASURING: "It charges, which heats it: unplug it or set a charge limit "
    "for numbers to compare.",
    Caution.PLUGGED_NOT_CHARGING: "It is plugged in and does not charge, so the supply feeds it: "
    "no energy can be read from its battery.",
    Caution.CHARGE_LIMIT_ACTIVE: "A charge limit is in force: keep it the same for numbers to "
    "compare.",
    Caution.WIRELESS_CHARGING_HEATS: "It charges without a cable, which heats it a lot: take it "
    "off the pad.",
    Caution.BATTERY_OVERRIDDEN: "Somebody has set its battery's values by hand: run adb shell "
    "dumpsys battery reset.",
    Caution.NO_BATTERY: "It has no battery: energy cannot be read.",
    Caution.CHARGE_COUNTER_UNTRUSTED: "Its charge counter cannot be right: no energy is computed "
    "from it.",
    Caution.CURRENT_UNIT_AMBIGUOUS: "The unit of its battery current is not certain: no energy is "
    "computed from it.",
    Caution.CURRENT_SIGN_AMBIGUOUS: "The sign of its battery current is not certain: no energy is "
    "computed from it.",
    Caution.CPU_CAPPED: "The system allows its cores less than their highest clock: let it cool, "
    "and switch off power limits.",
    Caution.CPUFREQ_ABSENT: "It does not show its CPU clocks: a cap cannot be seen.",
    Caution.CORES_OFFLINE: "Some of its cores are switched off: use no more threads than are left.",
    Caution.GOVERNOR_NOT_PERFORMANCE: "Its CPU governor is not performance: clocks follow the "
    "load, as users have it.",
    Caution.POWER_MODE_NOT_MAX: "Its power mode is below the highest: compare only records of one "
    "mode.",
    Caution.VENDOR_OPTIMIZER: "The maker's game optimizer is installed and may cap the app: "
    "compare with a run where it is off.",
    Caution.LOW_RAM: "It is a low-memory device: large models may be killed.",
    Caution.UNDER_VOLTAGE: "Its supply voltage is too low: use a stronger supply and a short "
    "cable.",
    Caution.FREQUENCY_CAPPED: "Its firmware caps the clock now: cool it, and use a stronger "
    "supply.",
    Caution.THROTTLED: "Its firmware throttles it now: cool it, and use a stronger supply.",
    Caution.SOFT_TEMP_LIMIT: "It has reached its soft temperature limit: cool it with a fan.",
    Caution.VCGENCMD_DENIED: "This user may not ask the firmware: add it to the group video and "
    "log in again.",
    Caution.SCREEN_OFF: "Its screen is off: it is switched on before a measurement.",
    Caution.FOLDED: "It is folded, and cools differently from open: compare only records of one "
    "state.",
    Caution.EMULATOR: "It is an emulator: its numbers never enter a ranking.",
    Caution.SEVERAL_USERS: "Several users are on the phone: the app runs for the current one.",
    Caution.APP_FOR_OTHER_USER_ONLY: "The app is installed for another user only: it is installed "
    "for the current one first.",
    Caution.DISK_LOW: "Little space is free on it: large models do not fit, so delete something.",
    Caution.SEVERAL_TRANSPORTS: "It is connected in several ways: the cable is used.",
    Caution.ADDRESS_TRANSPORT: "It is reached by its network address, which can change: set a "
    "fixed one or use a cable.",
    Caution.SERIAL_NOT_UNIQUE: "Its serial number is a factory default that other devices share: "
    "attach only one of them.",
    Caution.UNKNOWN_TO_DEVICECTL: "devicectl cannot drive it: go-ios does.",
    Caution.OUTPUT_TRUNCATED: "An answer was cut off: what came before the cut is used.",
    Caution.CRLF: "Its answers have line ends of Windows: adb on it is old.",
    Caution.BUSYBOX: "busybox comes first on its PATH: its commands answer differently.",
}
