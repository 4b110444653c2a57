"""Say why a program of others has no result, by its exit code and its output."""

from __future__ import annotations

import re
from collections.abc import Iterator

_MISSING = re.compile(r'library "([^"]+)" not found')
_CLOSED = re.compile(r'library "([^"]+)"[^\n]*is not accessible for the namespace')
_SYMBOL = re.compile(r'cannot locate symbol "([^"]+)" referenced by "([^"]+)"')
_SIGNALS = {
    4: "it has an instruction that this processor lacks: take a build for an older one",
    6: "it gave up (abort)",
    7: "it crashed (bus error)",
    9: "it was killed, as the system does where memory is short",
    11: "it crashed (segmentation fault)",
    15: "it was ended from outside",
}
_MOST_SHOWN = 200


def problems(text: str) -> tuple[str, ...]:
    """Return what the linker of the device complained about, each with what to do."""
    return tuple(dict.fromkeys(_problems(text)))


def why(exit_code: int, text: str) -> str | None:
    """Return why a program ended, in a sentence; None where it ended with 0."""
    if exit_code == 0:
        return None
    linked = problems(text)
    if linked:
        return "; ".join(linked)
    if exit_code in (126, 127):
        last = _last_line(text)
        return (
            f"the device could not start it ({last})" if last else "the device could not start it"
        )
    signal = exit_code - 128
    if signal in _SIGNALS:
        return _SIGNALS[signal]
    last = _last_line(text)
    return f"it ended with {exit_code}" + (f" ({last})" if last else "")


def _problems(text: str) -> Iterator[str]:
    for name in _MISSING.findall(text):
        yield f"the library {name} is missing on the device: add it with --library"
    for name in _CLOSED.findall(text):
        yield (
            f"the system does not open its library {name} to the shell: take a build that brings "
            f"its own, or the app"
        )
    for symbol, place in _SYMBOL.findall(text):
        yield (
            f"{place.rpartition('/')[2]} needs {symbol}, which its libraries lack: take program "
            f"and libraries of one version"
        )


def _last_line(text: str) -> str:
    """Return the last line that is not the command."""
    lines = [line.strip() for line in text.splitlines()[1:] if line.strip()]
    return lines[-1][:_MOST_SHOWN] if lines else ""
