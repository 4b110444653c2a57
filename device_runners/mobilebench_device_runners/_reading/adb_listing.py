"""The rows of `adb devices -l`.

A serial may hold spaces, a state may be a sentence and a product name, too, so that a row is split
from the right, by the keys that adb knows.
"""

from __future__ import annotations

import re

from mobilebench.values import value
from mobilebench.values.attached import Transport
from mobilebench.values.obstacles import Obstacle
from mobilebench_device_runners._reading.asking import Answer, text_of

COMMAND = ("adb", "devices", "-l")
NO_SERIAL = "(no serial number)"
_KEYS = re.compile(r"\s+(?=(?:usb|product|model|device|transport_id|features):\S)")
_HEAD = re.compile(
    r"(?P<serial>\S.*?)\s+(?P<state>no permissions\b.*|device|offline|unauthorized|authorizing"
    r"|connecting|recovery|sideload|rescue|bootloader|host|no device|detached|unknown)"
)
_STATES = {
    "device": None,
    "offline": Obstacle.OFFLINE,
    "connecting": Obstacle.OFFLINE,
    "detached": Obstacle.OFFLINE,
    "unauthorized": Obstacle.UNAUTHORIZED,
    "authorizing": Obstacle.UNAUTHORIZED,
    "recovery": Obstacle.RECOVERY,
    "sideload": Obstacle.RECOVERY,
    "rescue": Obstacle.RECOVERY,
    "bootloader": Obstacle.BOOTLOADER,
    "no permissions": Obstacle.NO_PERMISSIONS,
}
_BEST_FIRST = (Transport.USB, Transport.EMULATOR, Transport.TCP, Transport.MDNS)


@value
class Row:
    """One row of the listing."""

    serial: str
    state: str
    """adb's word, without the advice in brackets."""
    transport: Transport
    transport_id: int | None = None
    usb: str | None = None
    product: str | None = None
    model: str | None = None
    """As adb writes it: signs other than letters and digits are replaced."""
    device: str | None = None

    @property
    def obstacle(self) -> Obstacle | None:
        """Why adb cannot use it; None where it can."""
        return _STATES.get(self.state, Obstacle.STATE_UNKNOWN)

    @property
    def address_by(self) -> str:
        """`serial`, or `transport_id` where adb takes no serial."""
        return "transport_id" if self.serial == NO_SERIAL else "serial"

    @property
    def address(self) -> tuple[str, ...]:
        """The options that choose it: `-s SERIAL` or `-t NUMBER`."""
        if self.address_by == "transport_id" and self.transport_id is not None:
            return ("-t", str(self.transport_id))
        return ("-s", self.serial)

    @property
    def id(self) -> str:
        """The id of the device for users."""
        if self.address_by == "transport_id":
            return f"adb:usb:{self.usb}" if self.usb else f"adb:transport:{self.transport_id}"
        return f"adb:{self.serial}"

    @property
    def rank(self) -> int:
        """0 for the best kind of connection."""
        return _BEST_FIRST.index(self.transport)


def rows_of(answer: Answer) -> tuple[Row, ...]:
    """Return the rows below the title; lines of the daemon and half a row do not count."""
    lines = [line.rstrip() for line in text_of(answer).lines]
    titles = [index for index, line in enumerate(lines) if line.startswith("List of devices")]
    rows = []
    for line in lines[titles[0] + 1 :] if titles else []:
        if line and not line.startswith(("* ", "adb server", "adb: ")):
            row = _row(line)
            rows += [row] if row else []
    return tuple(rows)


def _row(line: str) -> Row | None:
    head, *pairs = _KEYS.split(line)
    match = _HEAD.fullmatch(head) or re.fullmatch(r"(?P<serial>\S.*?)\s+(?P<state>\S+)", head)
    if not match:
        return None
    fields = dict(pair.split(":", 1) for pair in pairs)
    state = "no permissions" if match["state"].startswith("no perm") else match["state"]
    number = fields.get("transport_id", "")
    return Row(
        serial=match["serial"],
        state=state,
        transport=_transport(match["serial"], fields.get("usb")),
        transport_id=int(number) if re.fullmatch(r"[0-9]{1,9}", number) else None,
        usb=fields.get("usb"),
        product=fields.get("product"),
        model=fields.get("model"),
        device=fields.get("device"),
    )


def _transport(serial: str, usb: str | None) -> Transport:
    if usb:
        return Transport.USB
    if re.fullmatch(r"emulator-\d+", serial):
        return Transport.EMULATOR
    if re.search(r"\._adb[\w-]*\._tcp\.?$", serial):
        return Transport.MDNS
    if re.search(r":\d{1,5}$", serial):
        return Transport.TCP
    return Transport.USB
