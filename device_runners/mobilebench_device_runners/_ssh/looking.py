"""Read what a board shows of itself, by the connection to it."""

from __future__ import annotations

from mobilebench.errors import MobilebenchError
from mobilebench.values.attached import Attached, Form, Transport
from mobilebench.values.device import DeviceKind
from mobilebench.values.obstacles import Obstacle
from mobilebench_device_runners._board.lock import LOCK_FILE
from mobilebench_device_runners._reading import board
from mobilebench_device_runners._ssh.connection import Connection
from mobilebench_device_runners._tools import LinkLost

_BUSY = f"""
lock="${{TMPDIR:-/tmp}}/{LOCK_FILE}"
if [ -e "$lock" ] && command -v flock > /dev/null; then
  flock -n "$lock" true || echo measuring
fi
"""


def look(connection: Connection, known: Attached | None = None) -> Attached:
    """Read a board now; where it is `known`, only what changes."""
    if known is not None:
        return board.sample(connection.ask, known)
    return board.read(connection.ask, connection.target.name)


def is_busy(connection: Connection) -> bool:
    """Return whether a job measures on the board; False where it cannot tell."""
    return connection.run(_BUSY, good=range(255)).text.strip() == "measuring"


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
