"""Say in words why SSH does not reach a board, with the one command that mends it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mobilebench_device_runners._ssh.target import Target
from mobilebench_device_runners._tools import Answer

_REMOVE = re.compile(r"^\s*(ssh-keygen -f .+ -R .+)$", re.MULTILINE)
_OFFENDING = re.compile(r"Offending \S+ key in (.+):\d+")


@dataclass(frozen=True)
class Problem:
    """Why there is no connection."""

    sentence: str
    """What was found, and the command that mends it."""
    passes: bool
    """Whether the board may come back by itself: a restart, a cable, a network."""


def problem(answer: Answer, target: Target) -> Problem:
    """Read what `ssh` says about a connection that it could not make."""
    text = answer.stderr.decode("utf-8", "replace")
    for words, passes, sentence in _KNOWN:
        if re.search(words, text):
            return Problem(sentence(target, text), passes)
    return Problem(
        f"SSH does not reach {target.name}: {_last(text)}; try `ssh {target.typed}`.", True
    )


def is_of_client(answer: Answer) -> bool:
    """Return whether exit status 255 is that of `ssh` itself, not of a command on the board."""
    text = answer.stderr.decode("utf-8", "replace")
    if re.search(r"^(?:ssh|mux_client|kex|client_loop|packet_write)", text, re.MULTILINE):
        return True
    return any(re.search(words, text) for words, _, _ in _KNOWN) or not (text or answer.stdout)


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it gives no reason"


def _changed(target: Target, text: str) -> str:
    mend = _REMOVE.search(text)
    name = target.host if target.port is None else f"[{target.host.strip('[]')}]:{target.port}"
    offending = _OFFENDING.search(text)
    file = f"-f '{offending[1]}' " if offending else ""
    command = mend[1].strip() if mend else f"ssh-keygen {file}-R '{name}'"
    return (
        f"The host key of {target.name} has changed, so this may be another machine. Where you "
        f"have installed the board anew, run: {command} && ssh {target.typed}"
    )


def _unknown(target: Target, text: str) -> str:
    return (
        f"The host key of {target.name} is not known yet. Run: ssh {target.typed} once, compare "
        f"the fingerprint with that on the board, and answer yes."
    )


def _denied(target: Target, text: str) -> str:
    who = target.user or "the user of ~/.ssh/config, or else your own name"
    return (
        f"The board {target.name} does not let {who} in with a key: there is no such user, or it "
        f"does not have your key. Run: ssh-copy-id {target.typed}"
    )


def _refused(target: Target, text: str) -> str:
    return (
        f"The board {target.name} is there, and no SSH server answers. Run on the board: sudo "
        f"systemctl enable --now ssh"
    )


def _no_name(target: Target, text: str) -> str:
    return (
        f"No host has the name {target.host}. Correct it, or write the board's address: "
        f"ssh:user@ADDRESS (on the board: hostname -I)."
    )


def _silent(target: Target, text: str) -> str:
    return (
        f"The board {target.name} does not answer ({_last(text)}). See to its power and its "
        f"network, then try `ssh {target.typed}`."
    )


def _starting(target: Target, text: str) -> str:
    return f"The board {target.name} is starting; try again in a minute."


def _strange_key(target: Target, text: str) -> str:
    return (
        f"The private key for {target.name} cannot be used: {_last(text)} Add it to the agent: "
        f"ssh-add"
    )


_KNOWN: tuple[tuple[str, bool, Callable[[Target, str], str]], ...] = (
    (r"IDENTIFICATION HAS CHANGED|host key for .* has changed", False, _changed),
    (r"host key is known for|Host key verification failed", False, _unknown),
    (r"System is booting up|pam_nologin|going down", True, _starting),
    (r"UNPROTECTED PRIVATE KEY|bad permissions", False, _strange_key),
    (r"Permission denied|Too many authentication failures", False, _denied),
    (r"Connection refused", True, _refused),
    (r"Could not resolve hostname", True, _no_name),
    (
        r"timed out|No route to host|Network is unreachable|Connection (?:reset|closed)|Broken pipe"
        r"|not responding",
        True,
        _silent,
    ),
)
