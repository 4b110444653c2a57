"""Programs that a test ends by a signal."""

from __future__ import annotations

import signal


def hear_ctrl_c() -> None:
    """Restore Ctrl-C in a program, which a shell that runs these tests in the background ignores.

    Give it to `subprocess.Popen` as `preexec_fn`.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
