"""Replace the places of this machine in texts that are shared: logs of bundles, records."""

from __future__ import annotations

import getpass
import re
import socket
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_OTHER = re.compile(r"(?<![\w.~>/-])/([^\s/:\"'<>()]+)((?:/[^\s/:\"'<>()]+)+)")
"""An absolute path with at least two parts; names of operations such as `/conv/Add` have no folder
of this machine in front."""
_QUOTED = re.compile(r"(?<=File \")[^\"\n]+(?=\")|(?<=\(from )[/.][^\n]+?(?=, line \d)")
"""A path as traces and our own messages write it, which may hold spaces."""
_BELOW = re.compile(r"\.\.\.(?:/[^\s/:\"'<>()]+)*/(?=[^\s/:\"'<>()]+)")
_IN_PATH = re.compile(r"[^\s\"']*/[^\s\"']*")
_TELLING = 4
"""Letters from which the name of a machine tells something: shorter ones are parts of words."""


def without(text: str) -> str:
    """Replace folders, the user and the host in a text by placeholders.

    Installed packages are in `<packages>` and the like. Of any other absolute path the last part
    stays: `.../net.py`.
    """
    for folder, placeholder in _folders(str(Path.cwd())):
        text = re.sub(rf"{re.escape(folder)}(?![\w-])", placeholder, text)
    text = _QUOTED.sub(lambda path: name_alone(path[0]), text)
    text = _OTHER.sub(_last_part, text)
    text = _BELOW.sub(".../", text)
    for name, placeholder in _names():
        word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])")
        if placeholder == "<host>":
            text = word.sub(placeholder, text)
        else:  # many a user is called as words are
            text = _IN_PATH.sub(lambda path: word.sub(placeholder, path[0]), text)  # noqa: B023
    return text


@cache
def _folders(working: str) -> list[tuple[str, str]]:
    """Return the folders to replace, each also as its links resolve, the longest first."""
    paths = sysconfig.get_paths()
    places = [
        (paths["purelib"], "<packages>"),
        (paths["platlib"], "<packages>"),
        (paths["stdlib"], "<python>"),
        (sys.prefix, "<environment>"),
        (sys.base_prefix, "<python>"),
        (tempfile.gettempdir(), "..."),
        (working, "..."),
        (str(Path.home()), "..."),
    ]
    resolved = [(str(Path(folder).resolve()), placeholder) for folder, placeholder in places]
    unique = dict(reversed([*places, *resolved]))  # the first placeholder of a folder counts
    root = Path(working).anchor
    return sorted(
        ((folder, name) for folder, name in unique.items() if folder != root),
        key=lambda place: -len(place[0]),
    )


@cache
def _names() -> list[tuple[str, str]]:
    return list(_telling_names())


def _telling_names() -> Iterator[tuple[str, str]]:
    host = socket.gethostname()
    for name in {host, host.partition(".")[0]}:
        if len(name) >= _TELLING and name != "localhost":
            yield name, "<host>"
    try:
        yield getpass.getuser(), "<user>"
    except (OSError, KeyError):  # a user without a name, as in some containers
        return


def name_alone(path: str) -> str:
    """Return a path of this machine without its folders: `.../net.py`."""
    return f".../{path.rpartition('/')[2]}" if path.startswith(("/", "...")) else path


def _last_part(path: re.Match[str]) -> str:
    if not Path(f"/{path[1]}").is_dir():
        return path[0]
    return f".../{path[2].rpartition('/')[2]}"
