"""Replay phones, iPhones and boards: the tools answer what a device of `data/` showed.

`Replay` answers in this process. `tools` writes executables named adb, xcrun, ios and ssh, which
answer the same to any program that has them on its PATH. Only the standard library is used here,
since the executables run this file.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
TOOLS = ("adb", "xcrun", "ios", "ssh")
APP = "dev.example.bench"
_ERRNO = {
    "EACCES": "Permission denied",
    "EPERM": "Operation not permitted",
    "ENOENT": "No such file or directory",
    "ENODATA": "No data available",
    "EBUSY": "Device or resource busy",
    "EAGAIN": "Resource temporarily unavailable",
    "EINVAL": "Invalid argument",
    "EIO": "I/O error",
}
_ANY = {"ID", "UDID", "FILE", "JOB"}
_PLACE = "--json-output"
_MULTIPLE = re.compile(r"(;|&&|\|)")


def names(kind: str | None = None) -> list[str]:
    """Return the names of the recorded devices."""
    return sorted(
        path.stem
        for path in DATA.glob("*.json")
        if kind is None or json.loads(path.read_text(encoding="utf-8"))["kind"] == kind
    )


def recorded(name: str) -> dict[str, Any]:
    """Return a recorded device: its replies, its files of the kernel and what to expect."""
    content: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return content


@dataclass(frozen=True)
class Replied:
    """An answer as a tool gives it."""

    args: tuple[str, ...]
    rc: int
    stdout: bytes = b""
    stderr: bytes = b""


class Replay:
    """One recorded device; the answers of a repeated command follow one another.

    With `merged`, an old adbd: complaints come with the output, and the exit status is 0.
    """

    def __init__(
        self, device: dict[str, Any], state: Path | None = None, merged: bool = False
    ) -> None:
        self.device = device
        self.merged = merged
        self._place = state
        self._state: dict[str, Any] = {"calls": {}, "lost": None}
        if state is not None and state.is_file():
            self._state = json.loads(state.read_text(encoding="utf-8"))

    def run(self, tool: str, args: Sequence[str]) -> Replied:
        """Answer a command of the computer."""
        if tool == "adb":
            return self._adb(list(args))
        if tool == "ssh":
            return self.shell("board", _command_of_ssh(args))
        return self._host([tool, *args])

    def device_ask(self, words: Sequence[str]) -> Replied:
        """Answer what `adb shell` is given."""
        return self.shell("device", " ".join(words))

    def board_ask(self, words: Sequence[str]) -> Replied:
        """Answer what ssh is given."""
        return self.shell("board", " ".join(words))

    def host_ask(self, words: Sequence[str]) -> Replied:
        """Answer a command of the computer, with the tool as its first word."""
        return self.run(words[0], words[1:])

    def _adb(self, args: list[str]) -> Replied:
        while args and args[0].startswith("-"):
            args = args[2:] if args[0] in ("-s", "-t", "-H", "-P", "-L") else args[1:]
        if args[:1] in (["shell"], ["exec-out"]):
            words = [word for word in args[1:] if word not in ("-T", "-t", "-x", "-n")]
            return self.shell("device", " ".join(words))
        if args[:1] == ["get-state"]:
            return Replied(("adb", *args), 0, b"device\n")
        if args[:1] in (["version"], ["--version"]):
            return Replied(("adb", *args), 0, b"Android Debug Bridge version 1.0.41\n")
        if args[:1] in (["start-server"], ["wait-for-device"], ["reconnect"]):
            return Replied(("adb", *args), 0)
        return self._host(["adb", *args])

    def _host(self, words: list[str]) -> Replied:
        reply = self._find("host", words)
        if reply is None and words[:2] == ["adb", "devices"]:
            reply = self._find("host", ["adb", "devices", "-l"])
        if reply is None:
            return Replied(tuple(words), 1, b"", f"{words[0]}: not recorded\n".encode())
        place = _after(words, _PLACE)
        if "json_output" in reply and place is not None:
            Path(place).write_text(self._text(reply, "json_output"), encoding="utf-8")
        return self._replied(words, reply)

    def shell(self, on: str, line: str) -> Replied:
        """Answer a line for the shell of a device or a board."""
        if self._state["lost"]:
            return Replied((line,), 1, b"", self._state["lost"].encode())
        out, err, rc, joint = b"", b"", 0, ";"
        for part in _MULTIPLE.split(line):
            if part in (";", "&&", "|"):
                joint = part
                continue
            words = shlex.split(re.sub(r"2>(?:/dev/null|&1)", "", part))
            if not words or (joint == "&&" and rc):
                continue
            if joint == "|" and words[0] == "head":
                out = b"".join(out.splitlines(keepends=True)[:1])
                continue
            words = [word.replace("$?", str(rc)) for word in words]
            replied = self._command(on, words)
            out, err, rc = out + replied.stdout, err + replied.stderr, replied.rc
            if self.merged and not self._state["lost"]:
                out, err = out + err, b""
            if self._state["lost"]:
                break
        return Replied((line,), 0 if self.merged and not self._state["lost"] else rc, out, err)

    def _command(self, on: str, words: list[str]) -> Replied:
        reply = self._find(on, words)
        if reply is not None:
            return self._replied(words, reply)
        if words[0] == "getprop" and len(words) == 2:
            every = self._find(on, ["getprop"])
            text = self._text(every, "stdout") if every else ""
            match = re.search(rf"^\[{re.escape(words[1])}\]: \[(.*)\]", text, re.MULTILINE)
            return Replied(tuple(words), 0, f"{match[1] if match else ''}\n".encode())
        if words[0] == "echo":
            return Replied(tuple(words), 0, " ".join(words[1:]).encode() + b"\n")
        if words[0] in ("cat", "ls") and "sysfs" in self.device:
            return self._files(words)
        if on == "device":
            return Replied(
                tuple(words), 127, b"", f"/system/bin/sh: {words[0]}: not found\n".encode()
            )
        return Replied(tuple(words), 127, b"", f"{words[0]}: command not found\n".encode())

    def _files(self, words: list[str]) -> Replied:
        files: dict[str, Any] = self.device["sysfs"]
        out, err = "", ""
        for path in (word for word in words[1:] if not word.startswith("-")):
            inside = {
                each[len(path.rstrip("/")) + 1 :].split("/")[0]
                for each in files
                if each.startswith(path.rstrip("/") + "/")
            }
            if words[0] == "ls" and inside:
                out += "".join(f"{each}\n" for each in sorted(inside))
                continue
            hits = [each for each in files if fnmatch.fnmatch(each, path)]
            for each in hits or [path]:
                content = files.get(each, {"errno": "ENOENT"})
                if isinstance(content, dict):
                    err += f"{words[0]}: {each}: {_ERRNO[content['errno']]}\n"
                else:
                    out += f"{each}\n" if words[0] == "ls" else content
        return Replied(tuple(words), 1 if err else 0, out.encode(), err.encode())

    def _find(self, on: str, words: list[str]) -> dict[str, Any] | None:
        best: tuple[int, dict[str, Any]] | None = None
        words = [APP if word == "mobilebench.app" else word for word in words]
        for reply in self.device["replies"]:
            if reply["on"] != on:
                continue
            listed = shlex.split(reply["cmd"])
            if sorted(listed) == sorted(words):
                return dict(reply)
            fixed = [word for word in listed if word not in _ANY]
            fits = listed[:2] == words[:2] and set(fixed) <= set(words)
            if fits and (best is None or len(fixed) > best[0]):
                best = (len(fixed), reply)
        return best[1] if best else None

    def _text(self, reply: dict[str, Any], key: str) -> str:
        content = reply.get(key, "")
        if isinstance(content, list):
            calls = self._state["calls"]
            index = calls.get(reply["cmd"], 0)
            calls[reply["cmd"]] = index + 1
            content = content[min(index, len(content) - 1)]
        return str(content)

    def _replied(self, words: Sequence[str], reply: dict[str, Any]) -> Replied:
        stdout, stderr = self._text(reply, "stdout"), self._text(reply, "stderr")
        if reply.get("transport_lost"):
            self._state["lost"] = stderr
        if self._place is not None:
            self._place.write_text(json.dumps(self._state), encoding="utf-8")
        return Replied(tuple(words), reply["rc"], stdout.encode(), stderr.encode())


def _after(words: Sequence[str], option: str) -> str | None:
    words = list(words)
    index = words.index(option) + 1 if option in words else len(words)
    return words[index] if index < len(words) else None


def _command_of_ssh(args: Sequence[str]) -> str:
    rest = list(args)
    while rest and rest[0].startswith("-"):
        takes = len(rest[0]) == 2 and rest[0][1] in "bcDEeFIiJLlmOopQRSWw"
        rest = rest[2:] if takes else rest[1:]
    return " ".join(word for word in rest[1:] if word != "--")


def tools(folder: Path, device: dict[str, Any], which: Sequence[str] = TOOLS) -> Path:
    """Write executables that replay a device into a folder, and return the folder for the PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    recording = folder / "device.json"
    recording.write_text(json.dumps(device), encoding="utf-8")
    for tool in which:
        path = folder / tool
        words = [sys.executable, "-I", "-S", __file__, str(recording), tool]
        path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        path.chmod(0o755)
    return folder


def _main() -> int:
    recording, tool, *args = sys.argv[1:]
    device = json.loads(Path(recording).read_text(encoding="utf-8"))
    replied = Replay(device, Path(recording).with_name("state.json")).run(tool, args)
    sys.stdout.buffer.write(replied.stdout)
    sys.stdout.flush()
    sys.stderr.buffer.write(replied.stderr)
    return replied.rc


if __name__ == "__main__":
    sys.exit(_main())
