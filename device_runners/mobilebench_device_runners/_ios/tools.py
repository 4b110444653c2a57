"""Drive one iPhone: by devicectl on macOS, by go-ios elsewhere and for older phones.

Both do the same few things. A file that is not there and a phone that does not answer are told
apart by the code of the error; where that says nothing, the next question for processes does.
"""

from __future__ import annotations

import json
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from threading import Event
from urllib.parse import unquote, urlparse

from mobilebench_device_runners._ios.app import App
from mobilebench_device_runners._reading import go_ios
from mobilebench_device_runners._reading.devicectl import (
    Cause,
    Outcome,
    ask_devicectl,
    mapping,
    pids_of,
    rows,
    whole,
    word,
)
from mobilebench_device_runners._tools import Answer, LinkLost, ToolFailed, run_tool

XCRUN = "xcrun"
GO_IOS = "ios"
QUICK_S = 30.0
"""Limit of a command that answers within seconds on a phone that lives."""
INSTALL_S = 300.0
_SLOWEST_BYTES_S = 2_000_000
_GONE = (Cause.TUNNEL_DOWN, Cause.NOT_THERE)
_SPACE = ("no space left", "not enough space", "insufficient", "enospc")


class Refused(ToolFailed):
    """A phone refused a command, with the cause where the tool tells it."""

    def __init__(self, answer: Answer, cause: Cause, detail: str) -> None:
        super().__init__(answer, f"failed: {detail or cause.value}; {cause.sentence}")
        self.cause = cause

    @property
    def full(self) -> bool:
        """Whether the phone has no room."""
        return any(words in self.why.lower() for words in _SPACE)


class Tool(ABC):
    """One iPhone at the end of a tool."""

    transport: str

    def __init__(self, cancel: Event | None = None) -> None:
        self.cancel = cancel
        """Ends a command that runs; None while the phone is left as it was found."""

    @abstractmethod
    def version(self) -> str:
        """Return the tool's name and version."""

    @abstractmethod
    def apps(self) -> list[App]:
        """Return the apps that people installed. Raises `ToolFailed`."""

    @abstractmethod
    def install(self, path: Path) -> None:
        """Install an app over the one that is there. Raises `Refused`."""

    @abstractmethod
    def launch(self, app: App, arguments: Sequence[str]) -> None:
        """Start the app anew, with arguments. Raises `Refused`."""

    @abstractmethod
    def pids(self, app: App) -> tuple[int, ...]:
        """Return the app's processes. Raises `ToolFailed`."""

    @abstractmethod
    def end(self, app: App) -> None:
        """End the app's processes."""

    @abstractmethod
    def push(self, app: App, source: Path, target: str) -> None:
        """Copy a file into the app's folder. Raises `Refused`."""

    @abstractmethod
    def pull(self, app: App, source: str) -> bytes | None:
        """Return a file of the app's folder; None where there is none."""

    @abstractmethod
    def remove(self, app: App, folder: str) -> bool:
        """Remove a folder of the app; return False for a tool that cannot."""

    def ask(self, words: Sequence[str]) -> Answer:
        """Run a command of the tool with the usual limit."""
        return run_tool(words, QUICK_S, cancel=self.cancel)


class Devicectl(Tool):
    """An iPhone of iOS 17 or newer, by `xcrun devicectl`."""

    transport = "devicectl"

    def __init__(self, device: str, cancel: Event | None = None) -> None:
        super().__init__(cancel)
        self._device = ("--device", device)

    def version(self) -> str:
        outcome = ask_devicectl(self.ask, ["list", "devices"])
        release = word(mapping(mapping(outcome.document).get("info")).get("version"))
        return f"devicectl {release}" if release else "devicectl"

    def apps(self) -> list[App]:
        outcome = self._do("device", "info", "apps")
        return [
            App(
                bundle_id=bundle_id,
                version=word(each.get("version")) or "",
                build=word(each.get("bundleVersion")) or "",
                name=PurePosixPath(unquote(urlparse(str(each.get("url", ""))).path)).name,
            )
            for each in rows(outcome.result.get("apps"))
            if (bundle_id := word(each.get("bundleIdentifier")))
        ]

    def install(self, path: Path) -> None:
        self._do("device", "install", "app", after=[str(path)], timeout_s=INSTALL_S)

    def launch(self, app: App, arguments: Sequence[str]) -> None:
        # Without the two dashes, devicectl takes the app's arguments for its own.
        self._do(
            *("device", "process", "launch", "--terminate-existing"),
            after=[app.bundle_id, "--", *arguments],
        )

    def pids(self, app: App) -> tuple[int, ...]:
        return pids_of(self._do("device", "info", "processes"), app.name)

    def end(self, app: App) -> None:
        for pid in self.pids(app):
            words = ("device", "process", "terminate", "--pid", str(pid), "--kill")
            # It may have ended in between, which is an error of this command.
            self._ask(words, (), QUICK_S)

    def push(self, app: App, source: Path, target: str) -> None:
        self._do(
            *("device", "copy", "to", *_container(app)),
            *("--source", str(source.resolve()), "--destination", target),
            timeout_s=60 + source.stat().st_size / _SLOWEST_BYTES_S,
        )

    def pull(self, app: App, source: str) -> bytes | None:
        with tempfile.TemporaryDirectory(prefix="mobilebench-") as folder:
            # A name that is taken is not written over.
            place = Path(folder, "file")
            words = ("device", "copy", "from", *_container(app), "--source", source)
            answer, outcome = self._ask((*words, "--destination", str(place)), (), QUICK_S)
            if outcome.ok:
                return place.read_bytes() if place.is_file() else None
        if outcome.cause in _GONE:
            raise LinkLost(answer, f"says: {_detail(answer, outcome)}")
        if outcome.cause is Cause.OTHER:
            return None
        assert outcome.cause is not None, "a command that failed has a cause"
        raise Refused(answer, outcome.cause, _detail(answer, outcome))

    def remove(self, app: App, folder: str) -> bool:
        # devicectl removes nothing; its --remove-existing-content was seen to clear all documents.
        return False

    def _do(self, *words: str, after: Sequence[str] = (), timeout_s: float = QUICK_S) -> Outcome:
        answer, outcome = self._ask(words, after, timeout_s)
        return _require(answer, outcome)

    def _ask(
        self, words: Sequence[str], after: Sequence[str], timeout_s: float
    ) -> tuple[Answer, Outcome]:
        answers: list[Answer] = []

        def ask(args: Sequence[str]) -> Answer:
            answers.append(run_tool(args, timeout_s, cancel=self.cancel))
            return answers[-1]

        outcome = ask_devicectl(ask, [*words, *self._device], after)
        return answers[-1], outcome


class GoIos(Tool):
    """An iPhone by go-ios, on any computer."""

    transport = "go-ios"

    def __init__(self, udid: str, cancel: Event | None = None) -> None:
        super().__init__(cancel)
        self._device = f"--udid={udid}"

    def version(self) -> str:
        document = mapping(go_ios.document_of(self.ask((GO_IOS, "version"))))
        release = word(document.get("version"))
        return f"go-ios {release}" if release else "go-ios"

    def apps(self) -> list[App]:
        return [
            App(
                bundle_id=bundle_id,
                version=word(each.get("CFBundleShortVersionString")) or "",
                build=word(each.get("CFBundleVersion")) or "",
                name=PurePosixPath(str(each.get("Path", ""))).name,
            )
            for each in rows(go_ios.document_of(self._do("apps")))
            if (bundle_id := word(each.get("CFBundleIdentifier")))
        ]

    def install(self, path: Path) -> None:
        self._do("install", f"--path={path}", timeout_s=INSTALL_S)

    def launch(self, app: App, arguments: Sequence[str]) -> None:
        options = [f"--arg={argument}" for argument in arguments]
        self._do("launch", app.bundle_id, "--kill-existing", *options)

    def pids(self, app: App) -> tuple[int, ...]:
        return tuple(
            pid
            for each in rows(go_ios.document_of(self._do("ps", "--apps")))
            if f"/{app.name}/" in f"{each.get('RealAppName', '')}/"
            or each.get("Name") == PurePosixPath(app.name).stem
            if (pid := whole(each.get("Pid"))) is not None
        )

    def end(self, app: App) -> None:
        if self.pids(app):
            self.ask((GO_IOS, "kill", app.bundle_id, self._device))

    def push(self, app: App, source: Path, target: str) -> None:
        for folder in reversed(PurePosixPath(target).parents[:-1]):
            # One that is there already is an error for some releases.
            self.ask((*_fsync(app), "mkdir", f"--path={folder}", self._device))
        self._do(
            *_fsync(app)[1:],
            *("push", f"--srcPath={source.resolve()}", f"--dstPath={target}"),
            timeout_s=60 + source.stat().st_size / _SLOWEST_BYTES_S,
        )

    def pull(self, app: App, source: str) -> bytes | None:
        with tempfile.TemporaryDirectory(prefix="mobilebench-") as folder:
            words = ("pull", f"--srcPath={source}", f"--dstPath={folder}", self._device)
            answer = self.ask((*_fsync(app), *words))
            outcome = go_ios.outcome_of(answer)
            if outcome.ok:
                files = [path for path in Path(folder).rglob("*") if path.is_file()]
                return files[0].read_bytes() if files else None
        if outcome.cause in _GONE:
            raise LinkLost(answer, f"says: {_detail(answer, outcome)}")
        return None

    def remove(self, app: App, folder: str) -> bool:
        self._do(*_fsync(app)[1:], "rm", "--r", f"--path={folder}")
        return True

    def _do(self, *words: str, timeout_s: float = QUICK_S) -> Answer:
        args = (GO_IOS, *words, self._device)
        answer = run_tool(args, timeout_s, cancel=self.cancel)
        _require(answer, go_ios.outcome_of(answer))
        return answer


def tool_of(by_devicectl: bool, device: str, cancel: Event | None = None) -> Tool:
    """Return the tool for a phone, by devicectl's identifier or by its UDID."""
    return Devicectl(device, cancel) if by_devicectl else GoIos(device, cancel)


def _container(app: App) -> tuple[str, ...]:
    return ("--domain-type", "appDataContainer", "--domain-identifier", app.bundle_id)


def _fsync(app: App) -> tuple[str, ...]:
    return (GO_IOS, "fsync", f"--app={app.bundle_id}")


def _require(answer: Answer, outcome: Outcome) -> Outcome:
    if outcome.ok:
        return outcome
    detail = _detail(answer, outcome)
    if outcome.cause in _GONE:
        raise LinkLost(answer, f"says: {detail}; {outcome.mend}")
    raise Refused(answer, outcome.cause or Cause.OTHER, detail)


def _detail(answer: Answer, outcome: Outcome) -> str:
    """Return the tool's own words: of devicectl those of the innermost error."""
    complaints = go_ios.complaints_of(answer)
    if complaints:
        return "; ".join(complaints)[:300]
    words = _description(mapping(outcome.document).get("error"))
    return words or answer.complaint or f"it ended with {answer.rc}"


def _description(error: object, depth: int = 0) -> str:
    info = mapping(mapping(error).get("userInfo"))
    below = [info.get(key) for key in info if "Underlying" in key] if depth < 8 else []
    for each in below:
        inner = mapping(each)
        words = _description(inner.get("error", inner), depth + 1)
        if words:
            return words
    content = info.get("NSLocalizedDescription")
    text = mapping(content).get("string") if isinstance(content, dict) else content
    return text if isinstance(text, str) else json.dumps(text) if text else ""
