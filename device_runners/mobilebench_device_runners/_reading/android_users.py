"""The users of an Android device, and which of them have the app."""

from __future__ import annotations

import re

from mobilebench.values import value
from mobilebench.values.facts import App, ServiceState
from mobilebench_device_runners._reading.asking import Answer, number, service_state, text_of


@value
class Users:
    """The users of a device."""

    names: dict[int, str]
    """Names that people gave, by number; a name may hold any sign."""
    running: tuple[int, ...]


def users_of(answer: Answer) -> Users | None:
    """Return the users; None where the device does not say."""
    names: dict[int, str] = {}
    running = []
    for line in text_of(answer).lines:
        # The number stands before the first colon, the flags after the last.
        match = re.match(r"\s*UserInfo\{(\d{1,9}):(.*):[0-9a-fA-F]+\}\s*(running)?", line)
        if match:
            names[int(match[1])] = match[2]
            running += [int(match[1])] if match[3] else []
    return Users(names=names, running=tuple(running)) if names else None


def current_user_of(answer: Answer) -> int | None:
    """Return the user in front."""
    user = number(text_of(answer).first)
    return user if user is not None and user >= 0 else None


def app_of(answer: Answer, name: str, user: int | None) -> App | None:
    """Read the app of a user from `dumpsys package NAME`; None where it says nothing."""
    text = text_of(answer)
    if text.lost or service_state(text.whole) is not ServiceState.OK or answer.rc == 127:
        return None
    block = _block(text.whole, name)
    if block is None:
        return App(installed=False)
    code = re.search(r"^\s*versionCode=(\d{1,18})\b(?=.*\n)", block, re.MULTILINE)
    version = re.search(r"^\s*versionName=(\S+)\s*?\n", block, re.MULTILINE)
    users = re.findall(r"^\s*User (\d{1,9}):.*\binstalled=true\b", block, re.MULTILINE)
    numbers = tuple(sorted(map(int, users)))
    return App(
        installed=(0 if user is None else user) in numbers,
        version_code=int(code[1]) if code else None,
        version_name=version[1] if version else None,
        users=numbers,
    )


def _block(whole: str, name: str) -> str | None:
    start = re.search(rf"^\s*Package \[{re.escape(name)}\] .*\n", whole, re.MULTILINE)
    if start is None:
        return None
    rest = whole[start.end() :]
    end = re.search(r"^ {0,2}\S", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest
