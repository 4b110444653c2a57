"""Read what a board shows of itself, by the connection to it."""

from __future__ import annotations

from mobilebench.errors import MobilebenchError
from mobilebench.values.attached import Attached, Form, Transport
from mobilebench.values.device import DeviceKind
from mobilebench.values.obstacles import Obstacle
from mobilebench_device_runners._reading import board
from mobilebench_device_runners._ssh.connection import Connection
from mobilebench_device_runners._tools import LinkLost


def look(connection: Connection) -> Attached:
    """Read a board now."""
    return board.read(connection.ask, connection.target.name)


def unreachable(device_id: str, error: MobilebenchError) -> Attached:
    """Describe a board that does not answer, with what to do."""
    sentence = error.why if isinstance(error, LinkLost) else str(error)
    return Attached(
        id=device_id,
        kind=DeviceKind.BOARD,
        form=Form.BOARD,
        transport=Transport.SSH,
        os="linux",
        why_not=(Obstacle.UNREACHABLE,),
        mends=(sentence,),
    )
