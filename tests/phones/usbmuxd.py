"""A usbmuxd that lists devices and opens no way to them, as for phones that trust no computer.

Messages are those of libusbmuxd: a header of four numbers of 32 bits, then a property list.
"""

from __future__ import annotations

import plistlib
import socketserver
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_HEADER = struct.Struct("<4I")
"""Length with the header, version, kind, and a number that the answer repeats."""
_VERSION, _PLIST = 1, 8
_OK, _NO_DEVICE, _REFUSED = 0, 2, 3
BUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Row:
    """One way to a device; a phone by cable and by network has two."""

    udid: str
    connection: str
    """`USB` or `Network`."""


@dataclass
class Usbmuxd:
    """What stands behind the socket, and what it was asked."""

    address: str
    """What `USBMUXD_SOCKET_ADDRESS` says."""
    rows: Sequence[Row]
    asked: list[str] = field(default_factory=list)
    """Kinds of messages, in their order."""

    def answers(self, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Return the answers to one message; to `Listen` also one for each device."""
        kind = message["MessageType"]
        self.asked.append(kind)
        devices = [_attached(number, row) for number, row in enumerate(self.rows, 1)]
        if kind == "ListDevices":
            yield {"DeviceList": devices}
        elif kind == "Listen":
            yield from (_result(_OK), *devices)
        elif kind == "ReadBUID":
            yield {"BUID": BUID}
        else:
            yield _result(_NO_DEVICE if kind == "ReadPairRecord" else _REFUSED)


def _result(number: int) -> dict[str, Any]:
    return {"MessageType": "Result", "Number": number}


def _attached(number: int, row: Row) -> dict[str, Any]:
    properties = {
        "ConnectionType": row.connection,
        "DeviceID": number,
        "SerialNumber": row.udid,
    }
    return {"MessageType": "Attached", "DeviceID": number, "Properties": properties}


@contextmanager
def usbmuxd(rows: Sequence[Row], socket: Path | None = None) -> Iterator[Usbmuxd]:
    """Serve devices, on a socket in the file system or on a port of this computer."""

    class Connection(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while len(head := self.rfile.read(_HEADER.size)) == _HEADER.size:
                length, _, _, tag = _HEADER.unpack(head)
                message = plistlib.loads(self.rfile.read(length - _HEADER.size))
                for answer in served.answers(message):
                    content = plistlib.dumps(answer)
                    size = _HEADER.size + len(content)
                    self.wfile.write(_HEADER.pack(size, _VERSION, _PLIST, tag) + content)

    server: socketserver.BaseServer
    if socket is not None:
        server = socketserver.ThreadingUnixStreamServer(str(socket), Connection)
        address = str(socket)
    else:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection)
        address = f"127.0.0.1:{server.server_address[1]}"
    server.daemon_threads = True
    served = Usbmuxd(address, rows)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
