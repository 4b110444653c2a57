"""Run programs of others in the shell of one phone, a model at a time.

claim -> usable? -> files that fit -> copy -> start -> look until the end -> read -> clean
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from mobilebench.errors import Cancelled, UserError
from mobilebench.interfaces import ToolCall, ToolRan
from mobilebench.observer import Progress, SilentProgress
from mobilebench.values.attached import Attached
from mobilebench.values.seen import Interruption
from mobilebench.values.tool import ToolFile, ToolRun
from mobilebench.values.wishes import Wishes
from mobilebench_device_runners import _claims, _remote
from mobilebench_device_runners._adb import elf, listing, storage, tool_end
from mobilebench_device_runners._adb.command import Adb
from mobilebench_device_runners._adb.conditions import Conditions
from mobilebench_device_runners._adb.tool_folder import PLACE, About, Look, ToolFolder
from mobilebench_device_runners._reading import android
from mobilebench_device_runners._tools import LinkLost, ToolFailed

_BEGINS_S = 10.0
"""Until the shell of the phone has begun what it was given."""
_LOST_POLL_S = 1.0


@dataclass(frozen=True)
class Waiting:
    """How long the computer waits, in seconds."""

    look_s: float = 1.0
    """Between two looks: each takes a little time from what is measured."""
    lost_s: float = 180.0
    """For a phone that is gone: a restart takes a minute or two."""


@dataclass
class _Course:
    """What happened to one run so far."""

    since: float = field(default_factory=time.monotonic)
    began: float = 0.0
    """When the program was started."""
    interruptions: list[Interruption] = field(default_factory=list)
    exit_code: int | None = None
    ended: float | None = None
    gone: bool = False
    """The phone did not come back while it was waited for."""

    def note(self, what: str) -> None:
        elapsed = round((time.monotonic() - self.since) * 1e9)
        self.interruptions.append(Interruption(elapsed_ns=elapsed, what=what))


def run(
    device_id: str,
    calls: Sequence[ToolCall],
    time_limit_s: float,
    *,
    wishes: Wishes,
    waiting: Waiting | None = None,
    cancel: Event | None = None,
    progress: Progress | None = None,
) -> Generator[ToolRan, None, None]:
    """Give each call as it ends; see `interfaces.Tooling`."""
    phone = _Phone(device_id, waiting or Waiting(), cancel, progress or SilentProgress())
    before = phone.read()
    with _claims.claimed(before.claim, f"run {calls[0].program.name}"):
        _remote.require_usable(before)
        _require_fitting(calls, before)
        with phone.left_clean(wishes):
            for call in calls:
                yield phone.run(call, time_limit_s)


class _Phone:
    """One phone that is claimed, with the folder on it."""

    def __init__(
        self, device_id: str, waiting: Waiting, cancel: Event | None, progress: Progress
    ) -> None:
        self._id = device_id
        self._waiting = waiting
        self._cancel = cancel or Event()
        self._progress = progress
        self._row, address = listing.row(device_id, cancel)
        self._adb = Adb(address, cancel)
        self._folder = ToolFolder(self._adb)
        self._conditions = Conditions(self._adb, Wishes())
        self._by = listing.version()
        self._boot: str | None = None

    def read(self) -> Attached:
        """Read the phone as it is now."""
        if self._row.obstacle is not None:
            return android.of_row(self._row)
        return android.read(lambda words: self._adb.run("shell", *words), self._row)

    @contextmanager
    def left_clean(self, wishes: Wishes) -> Iterator[None]:
        """Set what was wished; leave the phone as it was, however the context ends."""
        self._conditions = Conditions(self._adb, wishes)
        try:
            self._begin()
            yield
        finally:
            self._adb.cancel = None  # what is left to do is done also after Ctrl-C
            with suppress(ToolFailed):
                self._folder.remove()
            with suppress(ToolFailed):
                self._conditions.take_back()

    def _begin(self) -> None:
        try:
            self._folder.begin()
        except ToolFailed as error:
            raise UserError(
                f"The folder {PLACE} cannot be made on the phone: {error}; free its storage, or "
                f"unlock it once after its restart."
            ) from error

    def run(self, call: ToolCall, time_limit_s: float) -> ToolRan:
        """Do one call; whatever happens to it is in what is returned."""
        course = _Course()
        before = self._returned(course)
        facts = ToolRun(
            by=self._by,
            program=_fact(call.program),
            libraries=tuple(map(_fact, call.libraries)),
            model=_fact(call.model),
            arguments=call.arguments,
            began=datetime.now(UTC).isoformat(timespec="seconds"),
            before=(before or android.of_row(self._row)).anonymous(),
        )
        if before is None or before.why_not:
            sentences = [each.sentence for each in before.why_not] if before else []
            reason = " ".join(sentences) or "it does not answer"
            return ToolRan(call, facts, b"", f"the device could not be used any more: {reason}")
        try:
            failure = self._do(call, time_limit_s, course)
        except ToolFailed as error:
            failure = str(error)
            course.gone = isinstance(error, LinkLost)
        output, about = self._fetch(course)
        after = self._read_again()
        text = output.decode("utf-8", "replace")
        failure = failure or (
            None if course.exit_code is None else tool_end.why(course.exit_code, text)
        )
        ended = course.ended
        return ToolRan(
            call=call,
            run=replace(
                facts,
                duration_ns=None if ended is None else round((ended - course.began) * 1e9),
                exit_code=course.exit_code,
                profile=about.profile,
                profile_refusal=about.refusal,
                cpuset=about.cpuset,
                settings=dict(self._conditions.settings),
                after=None if after is None else after.anonymous(),
                interruptions=tuple(course.interruptions),
            ),
            output=output,
            failure=failure,
            remarks=() if failure else tool_end.problems(text),
        )

    def _returned(self, course: _Course) -> Attached | None:
        """Read the phone, after waiting for one that is gone; None where it stays away."""
        attached = self._read_again()
        if attached is None:
            with suppress(LinkLost):
                self._wait_back(course, self._boot)
                attached = self._read_again()
        return attached

    def _read_again(self) -> Attached | None:
        """Read the phone; None where it does not answer."""
        try:
            return self.read()
        except (ToolFailed, UserError):
            return None

    def _do(self, call: ToolCall, time_limit_s: float, course: _Course) -> str | None:
        """Copy, start and wait; return why there is no end of the program."""
        self._progress.stage("copy")
        self._conditions.set()
        self._folder.put((call.program, *call.libraries, call.model), call.program)
        self._progress.stage("run")
        self._boot = self._boot_id()
        course.began = time.monotonic()
        try:
            self._folder.start(call.program.name, call.arguments)
        except LinkLost as error:
            # It may have begun all the same.
            course.note(f"connection lost: {error.why}")
            self._wait_back(course, self._boot)
        look = self._wait(time_limit_s, course)
        if look is None:
            return "the shell of the device did not begin it"
        if look.runs:
            self._folder.stop()
            return f"it did not end within {time_limit_s:g} s"
        course.ended = time.monotonic()
        course.exit_code = look.exit_code
        if look.exit_code is None:
            restarted = any("restart" in each.what for each in course.interruptions)
            return "the device has restarted" if restarted else "its process was killed"
        return None

    def _wait(self, time_limit_s: float, course: _Course) -> Look | None:
        """Look until the program has ended or its time is over; None where it never began."""
        away = 0.0
        while True:
            try:
                look = self._folder.look()
            except LinkLost as error:
                course.note(f"connection lost: {error.why}")
                if away > self._waiting.lost_s:
                    raise
                away += self._wait_back(course, self._boot)
                continue
            took = time.monotonic() - course.began - away
            if look is None and took > _BEGINS_S:
                return None
            if look is not None and (not look.runs or took > time_limit_s):
                return look
            if self._cancel.wait(self._waiting.look_s):
                raise Cancelled

    def _wait_back(self, course: _Course, boot: str | None) -> float:
        """Wait for a phone that is gone; return the seconds. Raises `LinkLost` if it stays away."""
        began = time.monotonic()
        while True:
            try:
                self._adb.readdress(listing.found_again(self._id, self._cancel))
                restarted = boot is not None and self._boot_id() != boot
                course.note("the device has restarted" if restarted else "connection is back")
                return time.monotonic() - began
            except LinkLost:
                if time.monotonic() - began > self._waiting.lost_s:
                    raise
            if self._cancel.wait(min(_LOST_POLL_S, self._waiting.look_s)):
                raise Cancelled

    def _boot_id(self) -> str | None:
        """Return what changes when the phone restarts; None where it does not tell."""
        text = self._adb.shell("cat /proc/sys/kernel/random/boot_id 2>/dev/null").text.strip()
        return text or None

    def _fetch(self, course: _Course) -> tuple[bytes, About]:
        """Return what was printed, and where the process was; nothing of a phone that is gone."""
        try:
            try:
                return self._folder.output(), self._folder.about()
            except LinkLost as error:
                if course.gone:
                    raise
                course.note(f"connection lost: {error.why}")
                self._wait_back(course, self._boot)
                return self._folder.output(), self._folder.about()
        except ToolFailed as error:
            course.note(f"the output could not be read: {error.why}")
            return b"", About(None, None, None)


def _require_fitting(calls: Sequence[ToolCall], attached: Attached) -> None:
    """Require files that this phone can load, each with another name. Raises `UserError`."""
    abis = attached.android.abis if attached.android else ()
    for call in calls:
        places: dict[str, Path] = {}
        for path in (call.program, *call.libraries, call.model):
            other = places.setdefault(path.name, path)
            if other is not path:
                raise UserError(
                    f"{other} and {path} have the same name, and lie in one folder on the device; "
                    f"rename one of them."
                )
    for program in dict.fromkeys(call.program for call in calls):
        elf.require_fits(program, abis, program=True)
    for library in dict.fromkeys(each for call in calls for each in call.libraries):
        if ".so" in library.suffixes:
            elf.require_fits(library, abis, program=False)


def _fact(path: Path) -> ToolFile:
    return ToolFile(name=path.name, sha256=storage.sha256_of(path), size_bytes=path.stat().st_size)
