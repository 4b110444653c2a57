"""The app's folder on a phone: copy a job there by content, read what comes, tidy up.

What a job needs is often there already: models of earlier jobs stay for a week, by their sha256,
beside the app's jobs, and go with the app.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.measuring.job_folder import JOB_FILE, LEFT_FILES, JobFolder
from mobilebench.notation.quantities import size as size_in_words
from mobilebench_device_runners._adb.app import PACKAGE, Owner
from mobilebench_device_runners._adb.command import QUICK_S, Adb, quoted
from mobilebench_device_runners._by_app import KEY_FILE, RUNNING_FILE, require_taken
from mobilebench_device_runners._tools import Answer, ToolFailed

_STAYS = (*LEFT_FILES, RUNNING_FILE, KEY_FILE)
"""Files of a job's folder that do not go to the phone."""
_KEPT = "kept"
_KEPT_DAYS = 7
_LEAST_KEPT = 1024
"""Bytes of a file that is worth the while."""
_SPARE_BYTES = 64_000_000
"""What the phone needs beside the job: its journal, its record, and the app's own files."""
_HASHED_BYTES_S = 50_000_000
"""Slowest phone that is waited for while it hashes."""
_LINE = re.compile(r"^(?P<size>\d+) ?(?P<sha256>[0-9a-f]{64})?")


@dataclass(frozen=True)
class File:
    """A file that the phone should have."""

    name: str
    """Relative to the job's folder."""
    source: Path
    size: int
    sha256: str
    grows: bool = False
    """Whether the phone appends to it: a journal, which is never replaced by a shorter one."""


@dataclass(frozen=True)
class There:
    """What a phone has of a file."""

    size: int
    sha256: str | None
    """None where the phone cannot compute it."""

    def is_whole(self, file: File, noted: Mapping[str, str]) -> bool:
        """Whether it is the file; by what was noted when it was copied, where nothing hashes."""
        if file.grows:
            return self.size >= file.size
        return self.size == file.size and (self.sha256 or noted.get(file.name)) == file.sha256


def roots(user: Owner) -> list[str]:
    """Return, in words of the shell, where a phone may have the storage that it shares."""
    own = ['"${EXTERNAL_STORAGE:-/sdcard}"'] if user.id == 0 else []
    return [
        *own,
        f"/storage/emulated/{user.id}",
        # Where the usual way to Android/data is closed to the cable, another one may be open.
        f"/mnt/pass_through/{user.id}/emulated/{user.id}",
        f"/data/media/{user.id}",
    ]


def exists(adb: Adb, user: Owner) -> bool:
    """Whether the app has made its folder yet."""
    tests = [f"[ -d {root}/Android/data/{PACKAGE}/files ]" for root in roots(user)]
    return adb.shell(" || ".join(tests)).ok


def find(adb: Adb, user: Owner) -> Storage:
    """Return the app's folder, by a way on which files can be written and read back.

    Raises `UserError` where there is no such way.
    """
    line = (
        f"for root in {' '.join(roots(user))}; do "
        f'f="$root/Android/data/{PACKAGE}/files"; '
        'if mkdir -p "$f/jobs" 2>/dev/null && echo probe > "$f/jobs/.probe" 2>/dev/null && '
        '[ "$(cat "$f/jobs/.probe" 2>/dev/null)" = probe ]; then '
        'rm -f "$f/jobs/.probe"; echo "folder:$f"; break; fi; done'
    )
    for text in adb.shell(line).text.split("\n"):
        if text.startswith("folder:"):
            return Storage(adb, text.removeprefix("folder:"))
    raise UserError(
        "The phone does not let the cable write into the folder of the app "
        f"(Android/data/{PACKAGE}), neither directly nor by another way. Unlock the phone once "
        "after a restart; where it still refuses, copy the folder of the job by hand: the app "
        "takes it with the system's file picker, and saves its record (docs/android.md)."
    )


class Storage:
    """The app's folder on one phone."""

    def __init__(self, adb: Adb, folder: str) -> None:
        self._adb = adb
        self.folder = folder
        self.key = secrets.token_hex(16)
        """What lets an intent start a job at once."""
        self._files: Sequence[File] = ()

    def of(self, name: str, file: str = "") -> str:
        """Return the path of a job's folder, or of a file in it."""
        return f"{self.folder}/jobs/{name}" + (f"/{file}" if file else "")

    def put(self, given: JobFolder, name: str) -> int:
        """Copy a job, without what is there; return how many bytes went over the cable.

        Raises `UserError` where the phone has no room for it, `ToolFailed` where a file does not
        arrive as it was sent.
        """
        require_taken(given, sum(source.stat().st_size for _, source in _sources(given)))
        self._files = files = _files(given)
        missing = self._missing(files, name)
        self._require_room(sum(file.size for file in missing))
        for file in missing:
            self._adb.push(file.source, self.of(name, file.name))
        self._note(files, name)
        damaged = self._missing(missing, name) if missing else []
        if damaged:
            names = ", ".join(file.name for file in damaged)
            answer = Answer(("adb", "push", names), 0)
            raise ToolFailed(answer, "ended well, and the phone has other bytes; check the cable")
        self._write(self.of(name, KEY_FILE), self.key.encode())
        # Last: the app lists a folder with a job, and a folder with one is whole.
        self._write(self.of(name, JOB_FILE), given.content)
        return sum(file.size for file in missing)

    def remove(self, name: str) -> None:
        """Remove the job that was put there; its models stay for a week."""
        store = f"{self.folder}/{_KEPT}"
        lines = [f"mkdir -p {quoted(store)}"]
        for file in self._files:
            if file.size < _LEAST_KEPT:
                continue
            place, target = quoted(self.of(name, file.name)), quoted(f"{store}/{file.sha256}")
            lines.append(f"[ -f {place} ] && mv -f {place} {target} && touch {target}")
        lines.append(f"rm -rf {quoted(self.of(name))}")
        lines.append(
            f"find {quoted(store)} -type f -mtime +{_KEPT_DAYS} -exec rm -f {{}} + 2>/dev/null"
        )
        self._adb.shell("\n".join(lines), timeout_s=60)

    def remove_refusal(self, name: str, file: str) -> None:
        """Remove what an earlier start left."""
        self._adb.shell(f"rm -f {quoted(self.of(name, file))}")

    def _missing(self, files: Sequence[File], name: str) -> list[File]:
        """Return the files that the phone does not have, after looking among those that it kept."""
        folders = {self.of(name)} | {str(Path(self.of(name, file.name)).parent) for file in files}
        lines = [f"mkdir -p {quoted(*sorted(folders))}"]
        for file in files:
            place = quoted(self.of(name, file.name))
            stored = quoted(f"{self.folder}/{_KEPT}/{file.sha256}")
            lines.append(f"[ -f {place} ] || [ ! -f {stored} ] || mv {stored} {place}")
            lines.append(
                f'if [ -f {place} ]; then echo "$(wc -c < {place}) '
                f'$(sha256sum < {place} 2>/dev/null)"; else echo none; fi'
            )
        size = sum(file.size for file in files)
        answered = self._adb.shell("\n".join(lines), timeout_s=QUICK_S + size / _HASHED_BYTES_S)
        answers = [line.strip() for line in answered.text.split("\n")]
        answers = [line for line in answers if line == "none" or _LINE.match(line)]
        if len(answers) != len(files):
            answer = Answer(("adb", "shell", "mkdir ..."), answered.rc, answered.text.encode())
            raise ToolFailed(answer, f"cannot prepare the folder of the job: {answer.complaint}")
        noted = self._noted(name)
        return [
            file
            for file, line in zip(files, answers, strict=True)
            if not _is_whole(line, file, noted)
        ]

    def _noted(self, name: str) -> dict[str, str]:
        content = self._adb.read(self.of(name, ".noted")) or b""
        lines = [line.split(" ", 1) for line in content.decode("utf-8", "replace").split("\n")]
        return {line[1]: line[0] for line in lines if len(line) == 2}

    def _note(self, files: Sequence[File], name: str) -> None:
        """Note what was copied, for a phone that cannot hash."""
        lines = [f"{file.sha256} {file.name}\n" for file in files]
        self._write(self.of(name, ".noted"), "".join(lines).encode())

    def _write(self, target: str, content: bytes) -> None:
        """Write a small file; it appears whole."""
        with tempfile.TemporaryDirectory(prefix="mobilebench-") as folder:
            source = Path(folder) / "content"
            source.write_bytes(content)
            self._adb.push(source, f"{target}.part")
        self._adb.require(f"mv -f {quoted(f'{target}.part', target)}")

    def _require_room(self, size: int) -> None:
        if not size:
            return
        left = free(self._adb, self.folder)
        if left is not None and left < size + _SPARE_BYTES:
            self._adb.shell(f"rm -rf {quoted(f'{self.folder}/{_KEPT}')}")
            left = free(self._adb, self.folder)
        if left is not None and left < size + _SPARE_BYTES:
            raise UserError(
                f"The job needs {size_in_words(size + _SPARE_BYTES)} on the phone, which has "
                f"{size_in_words(left)} free; delete something on it."
            )


def _is_whole(line: str, file: File, noted: Mapping[str, str]) -> bool:
    if line == "none":
        return False
    match = _LINE.match(line)
    assert match is not None
    return There(int(match["size"]), match["sha256"]).is_whole(file, noted)


def _files(given: JobFolder) -> list[File]:
    """Return the files that a phone should have, without the job's own file."""
    return [
        File(
            name,
            source,
            source.stat().st_size,
            sha256_of(source),
            grows=name == given.job.reporting.journal_file,
        )
        for name, source in _sources(given)
    ]


def _sources(given: JobFolder) -> Iterator[tuple[str, Path]]:
    """Give the files of a folder that go to the phone, by their names."""
    for source in sorted(given.path.rglob("*")):
        name = source.relative_to(given.path).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        stays = hidden or name in (*_STAYS, JOB_FILE) or name.endswith(".damaged")
        if source.is_file() and not stays:
            yield name, source


def sha256_of(path: Path) -> str:
    """Return the sha256 of the file by itself, as a phone computes it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free(adb: Adb, folder: str) -> int | None:
    """Return the free bytes; None where the phone does not tell them in a known way."""
    words = adb.shell(f"df -k {quoted(folder)}").text.split()
    shares = [at for at, word in enumerate(words) if re.fullmatch(r"\d+%", word)]
    if not shares or not words[shares[-1] - 1].isdigit():
        return None
    return int(words[shares[-1] - 1]) * 1024
