"""The standard streams of the program, which stay usable whatever is at their other end.

A reader of the output that ends early (`| head -1`) changes nothing: the rest is discarded, files
and records are written, and the exit code is the verb's. Where the output itself fails, as on a
full disk or with a closed stream (`>&-`), the verb still does its work; then the program says that
its result is lost, and ends with 2 where it would have ended with 0. What is lost on stderr, which
has no results, is lost in silence.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_STDIN, _STDOUT, _STDERR = range(3)
_ERROR = 2
"""Exit code for what the user can fix."""


class _Output(io.RawIOBase):
    """An open file that takes everything, and remembers the first failure."""

    def __init__(self, descriptor: int, failure: OSError | None) -> None:
        self._descriptor = descriptor
        self.failure = failure
        self.lost = False
        """Whether something could not be written."""

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        """Write some bytes and return their number; all of them are gone after a failure."""
        while self.failure is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:  # another program has made a shared terminal so
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.failure = error
        self.lost = True
        return len(data)


@contextmanager
def guarded() -> Iterator[None]:
    """Run the program with streams that take everything.

    Raises `SystemExit` with 2 where a result was lost and the program would have ended well.
    """
    closed = [_open_closed(descriptor) for descriptor in (_STDIN, _STDOUT, _STDERR)]
    out, err = _Output(_STDOUT, closed[_STDOUT]), _Output(_STDERR, closed[_STDERR])
    sys.stdout = _text(out, sys.stdout, line_buffering=out.isatty())
    sys.stderr = _text(err, sys.stderr, line_buffering=True)
    try:
        yield
    except SystemExit as error:
        code = error.code
    else:
        code = 0
    sys.stdout.flush()
    failure = out.failure
    if out.lost and failure is not None and failure.errno != errno.EPIPE:
        from mobilebench.cli.output import complain

        complain(
            f"The result could not be printed: {str(failure.strerror).lower()}; give standard "
            f"output a place that takes it."
        )
        code = code or _ERROR
    sys.stderr.flush()
    raise SystemExit(code)


def _open_closed(descriptor: int) -> OSError | None:
    """Open a standard stream that is closed on nothing, and return the error of its use.

    A file that the program opens would otherwise take its number, and get what others print.
    """
    try:
        os.fstat(descriptor)
    except OSError as error:
        nothing = os.open(os.devnull, os.O_RDWR)
        if nothing != descriptor:
            os.dup2(nothing, descriptor)
            os.close(nothing)
        os.set_inheritable(descriptor, True)
        return error
    return None


def _text(raw: _Output, stream: Any, *, line_buffering: bool) -> io.TextIOWrapper:
    """Return a text stream in the encoding of the one that it replaces."""
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors=getattr(stream, "errors", None) or "backslashreplace",
        line_buffering=line_buffering,
    )
