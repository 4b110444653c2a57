"""Programs that a test ends by a signal."""

from __future__ import annotations

import signal


def hear_signals() -> None:
    """Restore Ctrl-C and a hangup in a program, which those who run these tests may ignore.

    A shell does so in the background, and nohup. Give it to `subprocess.Popen` as `preexec_fn`.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
