"""What an Android device is: the properties that `getprop` prints."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mobilebench.values.attached import Form
from mobilebench.values.facts import Soc
from mobilebench_device_runners._reading.asking import Answer, text_of

_DEFAULT_SERIALS = re.compile(
    r"(?:0?123456789[abcdef]*|(.)\1*|unknown|null|none|default|android|123456|abcdef0?123456789)",
    re.IGNORECASE,
)
_SOLD_AS = {
    "s5e8535": "Exynos 1330",
    "s5e8825": "Exynos 1280",
    "s5e8835": "Exynos 1380",
    "s5e8845": "Exynos 1480",
    "s5e8855": "Exynos 1580",
    "s5e9925": "Exynos 2200",
    "s5e9945": "Exynos 2400",
    "s5e9955": "Exynos 2500",
}


def properties_of(answer: Answer) -> dict[str, str]:
    """Return the properties with a text; a line that was cut does not count."""
    text = text_of(answer).whole
    pairs = re.findall(r"^\[([^\]\n]+)\]: \[(.*?)\]\n", text, re.MULTILINE | re.DOTALL)
    return {name: content.strip() for name, content in pairs if content.strip()}


def soc_of(properties: Mapping[str, str]) -> Soc | None:
    """Return the system on chip; before Android 12 only the platform names it."""
    for source in ("ro.soc.model", "ro.hardware.chipname", "ro.board.platform"):
        name = properties.get(source)
        if name and name.lower() not in ("unknown", "undefined"):
            platform = properties.get("ro.board.platform")
            return Soc(
                name=name,
                source=source,
                platform=platform if platform != name else None,
                real=not is_emulator(properties),
                same_as=_SOLD_AS.get(name.lower()),
            )
    return None


def is_emulator(properties: Mapping[str, str]) -> bool:
    """Return whether the properties are those of an emulator."""
    return (
        "1" in (properties.get("ro.kernel.qemu"), properties.get("ro.boot.qemu"))
        or properties.get("ro.hardware") in ("ranchu", "goldfish", "cutf_cvm")
        or properties.get("ro.hardware.virtual_device") == "1"
    )


def abis_of(properties: Mapping[str, str]) -> tuple[str, ...]:
    """Return the kinds of programs that it runs, the native one first: the kernel says nothing."""
    listed = properties.get("ro.product.cpu.abilist") or properties.get("ro.product.cpu.abi", "")
    return tuple(name for part in listed.split(",") if (name := part.strip()))


def form_of(properties: Mapping[str, str], folds: bool) -> Form:
    """Return what the device looks like."""
    words = set(properties.get("ro.build.characteristics", "").split(","))
    names = " ".join(
        properties.get(f"ro.product.{name}", "") for name in ("model", "marketname", "name")
    )
    if "tv" in words:
        return Form.TV
    if "watch" in words:
        return Form.WATCH
    if folds:
        return Form.FOLDABLE
    if "tablet" in words or re.search(r"\b(?:TB-|Tab\b|Tablet|Pad\b|MatePad|SM-[TX]\d)", names):
        return Form.TABLET
    return Form.PHONE


def is_default_serial(serial: str | None) -> bool:
    """Return whether a serial is a factory default, which many devices share."""
    return bool(serial) and bool(_DEFAULT_SERIALS.fullmatch(serial or ""))
