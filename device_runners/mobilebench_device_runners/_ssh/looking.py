"""Read what a board shows of itself, by the connection to it."""

from __future__ import annotations

from collections.abc import Sequence

from mobilebench.errors import MobilebenchError
from mobilebench.values.attached import Attached, BoardFacts, Transport
from mobilebench.values.device import DeviceKind
from mobilebench.values.obstacles import Obstacle
from mobilebench_device_runners._reading.asking import Answer
from mobilebench_device_runners._reading.cores import read_cores
from mobilebench_device_runners._reading.temperatures import read_zones
from mobilebench_device_runners._ssh.connection import Connection
from mobilebench_device_runners._tools import LinkLost

_ANY = range(255)


def look(connection: Connection) -> Attached:
    """Read a board now."""

    def ask(words: Sequence[str]) -> Answer:
        return connection.run(" ".join(words), good=_ANY)

    kernel = ask(["uname", "-a"])
    return Attached(
        id=connection.target.device_id,
        kind=DeviceKind.BOARD,
        transport=Transport.SSH,
        model=(
            connection.run("cat /proc/device-tree/model", good=_ANY).text.strip("\0\n ") or None
        ),
        os="Linux",
        os_version=kernel.stdout.decode().split()[2],
        zones=read_zones(ask),
        cpu=read_cores(ask),
        board=BoardFacts(host=connection.target.name),
    )


def unreachable(device_id: str, error: MobilebenchError) -> Attached:
    """Describe a board that does not answer, with what to do."""
    sentence = error.why if isinstance(error, LinkLost) else str(error)
    return Attached(
        id=device_id,
        kind=DeviceKind.BOARD,
        transport=Transport.SSH,
        os="Linux",
        why_not=(Obstacle.UNREACHABLE,),
        mends=(sentence,),
    )
