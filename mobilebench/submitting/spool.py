"""A folder with the records that a server does not have yet.

Each is one file, named by the sha256 of its text, which appears whole and goes when the server has
the record. A process that is killed in between leaves it, and the server knows a record that comes
twice; so no process waits for another one. What the server refuses for good moves to `refused/`,
with the reason beside it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mobilebench.files import write_bytes, write_text, writing
from mobilebench.submitting.answers import Status, Taken
from mobilebench.submitting.client import Server

BATCH_RECORDS = 64
"""Most records in one request: what is lost with a connection is sent again."""
BATCH_BYTES = 8 << 20
_RECORD, _LEASE, _REASON = ".json", ".lease", ".txt"
_LOCK = ".sending.lock"
_ABANDONED_S = 24 * 3600.0
"""Age from which a file that never became whole is removed."""


@dataclass(frozen=True)
class Waiting:
    """A record that waits to be sent."""

    name: str
    text: str
    lease: str | None


@dataclass(frozen=True)
class Sent:
    """What came of the records of a spool."""

    added: int = 0
    there: int = 0
    """The server had them already."""
    refused: tuple[str, ...] = ()
    """A sentence for each that was set apart."""

    def __add__(self, other: Sent) -> Sent:
        return Sent(
            self.added + other.added, self.there + other.there, (*self.refused, *other.refused)
        )


class Spool:
    """The records for one server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.refused_folder = folder / "refused"

    def add(self, text: str, lease: str | None = None) -> str:
        """Keep a record, by its JSON text, until the server has it; return its name here.

        With `lease`, it is the result of that job. Raises `OutputError` where it cannot be written.
        """
        name = _name(text)
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if lease is not None:
            write_text(self._place(name, _LEASE), lease)
        # Last: a lease without its record is nothing.
        write_bytes(self._place(name, _RECORD), text.encode())
        return name

    def names(self) -> list[str]:
        """Return the names of the records that wait, the oldest first."""
        dated = []
        for path in self.folder.glob(f"*{_RECORD}"):
            with suppress(FileNotFoundError):  # another process sent it
                dated.append((path.stat().st_mtime_ns, path.stem))
        return [name for _, name in sorted(dated)]

    def __len__(self) -> int:
        return len(self.names())

    def send(self, server: Server, names: Sequence[str] | None = None) -> Iterator[Sent]:
        """Send what waits, or only these; yield what came of each part as soon as it is known.

        Where another process sends all that waits just now, only `names` are sent: it does the
        others. Raises as `Server.submit` does, and keeps the rest.
        """
        if names is not None:
            yield from self._send(server, names)
            return
        if not self.folder.is_dir():
            return
        with writing(self.folder):
            lock = FileLock(self.folder / _LOCK, timeout=0)
            try:
                lock.acquire()
            except Timeout:
                return
        try:
            self._sweep()
            yield from self._send(server, self.names())
        finally:
            lock.release()

    def _send(self, server: Server, names: Sequence[str]) -> Iterator[Sent]:
        for batch in self._batches(names):
            lease = batch[0].lease
            results = server.submit([each.text for each in batch], lease)
            for each, taken in zip(batch, results, strict=True):
                yield self._settled(each, taken)

    def _batches(self, names: Sequence[str]) -> Iterator[list[Waiting]]:
        """Yield records to be sent together; one with a lease goes by itself."""
        batch: list[Waiting] = []
        size = 0
        for name in names:
            waiting = self._read(name)
            if waiting is None:
                continue
            if waiting.lease is not None:
                yield [waiting]
                continue
            if batch and (len(batch) == BATCH_RECORDS or size + len(waiting.text) > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(waiting)
            size += len(waiting.text)
        if batch:
            yield batch

    def _read(self, name: str) -> Waiting | None:
        """Read a record that waits; None where another process has sent it meanwhile."""
        try:
            text = self._place(name, _RECORD).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            lease = self._place(name, _LEASE).read_text(encoding="utf-8")
        except FileNotFoundError:
            lease = ""
        return Waiting(name, text, lease or None)

    def _settled(self, waiting: Waiting, taken: Taken) -> Sent:
        place = self._place(waiting.name, _RECORD)
        if taken.status is Status.REFUSED:
            aside = self._reason(waiting.name, taken.why)
            with writing(aside), suppress(FileNotFoundError):
                place.replace(aside)
        with writing(place):
            place.unlink(missing_ok=True)
            self._place(waiting.name, _LEASE).unlink(missing_ok=True)
        return self._counted(waiting.name, taken)

    def settle(self, text: str, taken: Taken) -> Sent:
        """Return what came of a record that was never kept here; set it apart where it is refused.

        Raises `OutputError` where it cannot be set apart.
        """
        name = _name(text)
        if taken.status is Status.REFUSED:
            write_bytes(self._reason(name, taken.why), text.encode())
        return self._counted(name, taken)

    def _reason(self, name: str, why: str) -> Path:
        """Write why a record is refused; return where the record belongs."""
        aside = self.refused_folder / f"{name}{_RECORD}"
        write_text(aside.with_suffix(_REASON), f"{why}\n")
        return aside

    def _counted(self, name: str, taken: Taken) -> Sent:
        match taken.status:
            case Status.ADDED:
                return Sent(added=1)
            case Status.THERE:
                return Sent(there=1)
        return Sent(refused=(f"{self.refused_folder / name}{_RECORD}: {taken.why}",))

    def _place(self, name: str, ending: str) -> Path:
        return self.folder / f"{name}{ending}"

    def _sweep(self) -> None:
        """Remove what killed processes left that was never whole."""
        for path in self.folder.iterdir():
            whole = path.suffix == _RECORD or path.is_dir() or path.name == _LOCK
            if whole or self._place(path.stem, _RECORD).exists():
                continue
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _ABANDONED_S:
                    path.unlink()


def _name(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
