"""Ask a device: answers as text, files of the kernel, and what a failure says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from mobilebench.values import value
from mobilebench.values.device import Unreadable
from mobilebench.values.facts import ServiceState


class Answer(Protocol):
    """The answer to one command."""

    @property
    def rc(self) -> int:
        """Exit status; on old Android devices 0 for failures, too."""

    @property
    def stdout(self) -> bytes:
        """What it printed."""

    @property
    def stderr(self) -> bytes:
        """What it printed to stderr."""


Ask = Callable[[Sequence[str]], Answer]
"""Puts a command to a device, as words for its shell, and waits for the answer.

A command that fails has an answer, too; only a broken connection may raise."""


@value
class Reply:
    """The answer to one of several commands that were put together."""

    rc: int
    stdout: bytes = b""
    stderr: bytes = b""
    """Of all that were put together: a device does not tell whose it is."""


LONGEST_LINE = 3000
"""Of a shell command in characters: adbd of Android 6 and older takes 4 KiB."""
_MARK = "mobilebench-file"
_END = "mobilebench-end"
_NEXT = "mobilebench-next"
_ENDED = re.compile(rb"%s:([0-9]+):([0-9]+)\r*\n" % _NEXT.encode())
_FAILURE = re.compile(r"^(?:/\S*sh: )?(?:cat|head|ls): (.+)$")
_LOST = re.compile(
    r"(?:error: )?(?:device '[^']*' not found|device offline|device not found|no devices?/emulators"
    r" found|closed|protocol fault.*|device unauthorized.*|connection reset.*|broken pipe"
    r"|device still (?:authorizing|connecting).*|transport.* not found|read: unexpected EOF.*)",
    re.IGNORECASE,
)
_SSH_LOST = re.compile(
    r"(?:client_loop: |ssh: |kex_exchange_identification: |packet_write_wait: )"
    r"|Connection (?:to \S+ )?(?:closed|reset|timed out|refused)",
    re.IGNORECASE,
)


@value
class Text:
    """An answer as text with plain line ends."""

    whole: str
    crlf: bool
    """Whether lines ended as those of Windows do."""
    lost: bool
    """Whether the connection broke during the answer."""

    @property
    def cut(self) -> bool:
        """Whether the last line has no end."""
        return self.lost or bool(self.whole and not self.whole.endswith("\n"))

    @property
    def lines(self) -> list[str]:
        """The lines that have an end."""
        return self.whole.split("\n")[:-1]

    @property
    def first(self) -> str:
        """The first line without spaces around it; empty where it has no end."""
        return self.whole.partition("\n")[0].strip() if "\n" in self.whole else ""


def text_of(answer: Answer) -> Text:
    """Return the text that a command printed, whatever bytes are in it."""
    raw = answer.stdout.decode("utf-8", "replace")
    complaint = answer.stderr.decode("utf-8", "replace").strip()
    return Text(
        whole=re.sub(r"\r+\n", "\n", raw),
        crlf="\r\n" in raw,
        lost=answer.rc != 0 and is_lost(complaint),
    )


def is_lost(complaint: str) -> bool:
    """Return whether a complaint of adb or ssh says that the connection broke."""
    return any(
        bool(_LOST.fullmatch(line.strip().removeprefix("adb: "))) or bool(_SSH_LOST.match(line))
        for line in complaint.splitlines()
    )


def service_state(text: str) -> ServiceState:
    """Return how a dump of a service went, from its text: the exit status says nothing."""
    start = text.lstrip()[:2000]
    if re.match(r"Can't find service|Service \S+ does not exist|cmd: Can't find", start):
        return ServiceState.ABSENT
    if re.search(
        r"^Permission Denial|SecurityException|does not have permission|Permission denied",
        start,
        re.MULTILINE,
    ):
        return ServiceState.DENIED
    return ServiceState.OK


def number(text: str) -> int | None:
    """Return a whole number in ASCII digits; None for anything else."""
    text = text.strip()
    return int(text) if re.fullmatch(r"[+-]?[0-9]{1,18}", text) else None


def decimal(text: str) -> float | None:
    """Return a number, NaN and infinity included; None for anything else."""
    text = text.strip()
    if re.fullmatch(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,3})?)", text):
        return float(text)
    if text.lower() in ("nan", "inf", "-inf", "infinity", "-infinity"):
        return float(text)
    return None


def cpu_list(text: str) -> tuple[int, ...] | None:
    """Return the cores of a list such as `0-3,6` or `0 1 2 3`; None for anything else."""
    cores: list[int] = []
    for part in re.split(r"[\s,]+", text.strip()):
        first, dash, last = part.partition("-")
        if not part:
            continue
        if not first.isascii() or not first.isdigit() or (dash and not last.isdigit()):
            return None
        stop = int(last) if dash else int(first)
        if stop >= 4096:
            return None
        cores += range(int(first), stop + 1)
    return tuple(sorted(set(cores)))


Files = Mapping[str, str | Unreadable]
"""What files hold, by path; or why one could not be read."""


def held(files: Files, path: str) -> str | None:
    """Return what a file holds; None where it could not be read."""
    text = files.get(path, Unreadable.ABSENT)
    return None if isinstance(text, Unreadable) else text


def question_of_names(folder: str) -> list[str]:
    """Return the command by which `names_in` lists a folder."""
    return ["ls", folder]


def names_in(ask: Ask, folder: str) -> tuple[str, ...]:
    """Return the names in a folder of the device, numbers in them in their order."""
    text = text_of(ask(question_of_names(folder)))
    names = {
        name
        for line in text.lines
        if not _FAILURE.match(line)
        for name in line.split()
        if "/" not in name
    }
    return tuple(
        sorted(names, key=lambda name: [int(p) if p.isdigit() else p for p in _parts(name)])
    )


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r"([0-9]+)", name) if part] if name[:1].isalpha() else ["~"]


def ask_together(ask: Ask, questions: Sequence[Sequence[str]]) -> tuple[dict[str, Reply], bool]:
    """Put several commands in one line, and return the answers by command.

    Each command of a computer to a device costs more than most answers. What has no end is left
    out, but where the connection broke: there it is cut. Also returns whether it broke.
    """
    answers: dict[str, Reply] = {}
    for part in _lines(questions):
        words = [
            word
            for number, question in enumerate(part)
            for word in (*_ended(question), "echo", f"{_NEXT}:{number}:$?;")
        ]
        answer = ask(words)
        begin = 0
        left = list(part)
        for end in _ENDED.finditer(answer.stdout):
            if left and int(end[1]) == len(part) - len(left):
                text = answer.stdout[begin : end.start()]
                reply = Reply(rc=int(end[2]), stdout=text, stderr=answer.stderr)
                answers[" ".join(left.pop(0))] = reply
            begin = end.end()
        if text_of(answer).lost:
            cut = Reply(rc=answer.rc, stdout=answer.stdout[begin:], stderr=answer.stderr)
            return answers | {" ".join(question): cut for question in left[:1]}, True
    return answers, False


def _ended(question: Sequence[str]) -> list[str]:
    """Return a command with the mark of its end."""
    return [*question[:-1], f"{question[-1]};"]


def _lines(questions: Sequence[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    line: list[Sequence[str]] = []
    length = 0
    for question in questions:
        more = len(" ".join(question)) + len(_NEXT) + 16
        if line and length + more > LONGEST_LINE:
            yield line
            line, length = [], 0
        line.append(question)
        length += more
    if line:
        yield line


def question_of_files(paths: Sequence[str]) -> list[str]:
    """Return the command by which `read_files` reads a few files."""
    words = [word for path in paths for word in ("echo", f"{_MARK}:{path};", "cat", f"{path};")]
    return [*words, "echo", _END]


def read_files(ask: Ask, paths: Sequence[str]) -> dict[str, str | Unreadable]:
    """Read small files of the device, several with each command.

    A file that cannot be read is absent, not empty; one whose text was cut is not ready.
    """
    result: dict[str, str | Unreadable] = {}
    for part in _batches(paths):
        answer = ask(question_of_files(part))
        text = text_of(answer)
        result |= _split(part, text, answer.stderr.decode("utf-8", "replace"))
        if text.lost:
            break
    return {path: result.get(path, Unreadable.ABSENT) for path in paths}


def _batches(paths: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    length = 0
    for path in paths:
        more = 2 * len(path) + len(_MARK) + 14
        if batch and length + more > LONGEST_LINE:
            yield batch
            batch, length = [], 0
        batch.append(path)
        length += more
    if batch:
        yield batch


def _split(paths: Sequence[str], text: Text, complaints: str) -> dict[str, str | Unreadable]:
    contents: dict[str, list[str]] = {}
    failures: dict[str, str] = {}
    path, ended = None, False
    for line in text.whole.split("\n"):
        if line == _END:
            path, ended = None, True
        elif line.startswith(f"{_MARK}:"):
            path = line.removeprefix(f"{_MARK}:")
            contents[path] = []
        elif path is not None:
            if match := _FAILURE.match(line):
                failures[path] = match[1]
            else:
                contents[path].append(line)
    for line in complaints.replace("\r", "").splitlines():
        if match := _FAILURE.match(line.strip()):
            failed = [each for each in paths if f"{each}:" in line or f"{each}'" in line]
            for each in failed:
                failures[each] = match[1]
    result: dict[str, str | Unreadable] = {}
    for each in paths:
        if each in failures:
            result[each] = _why(failures[each])
        elif each not in contents or (each == path and not ended):
            result[each] = Unreadable.NOT_READY
        else:
            content = "\n".join(contents[each]).strip("\n\0")
            result[each] = content if content.strip() or "affected" in each else Unreadable.ABSENT
    return result


def _why(complaint: str) -> Unreadable:
    if re.search(r"denied|EACCES|EPERM|not permitted", complaint, re.IGNORECASE):
        return Unreadable.DENIED
    if re.search(r"No such|ENOENT|ENODATA|ENODEV|not found", complaint, re.IGNORECASE):
        return Unreadable.ABSENT
    return Unreadable.NOT_READY
