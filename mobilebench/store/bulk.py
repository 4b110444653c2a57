"""Read many records in several processes, each checked as one by itself is."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path

from mobilebench.errors import UserError
from mobilebench.store.arrivals import Row
from mobilebench.store.documents import Document, texts_of

_ALONE_BYTES = 16 << 20
"""Starting processes takes as long as reading about this much."""
_AT_ONCE = 50
"""Records that a process is given at once."""
_Text = tuple[bytes, str]
"""The text of a record, and what an error calls it."""


def rows_of(
    paths: Sequence[Path],
    processes: int | None = None,
    *,
    counted: Callable[[int], object] = lambda files: None,
) -> list[Row]:
    """Return the records of some files, ready for a store, in the order of the files.

    Several processes share the work where there is enough of it: as many as there are cores, if
    `processes` is None. `counted` is told of each file that was parsed. Raises `SchemaError`,
    naming the file, for the first record that is wrong.
    """
    if processes is None:
        processes = 1 if _bytes_of(paths) < _ALONE_BYTES else os.cpu_count() or 1
    given = _texts(paths, counted)
    if processes == 1:
        return [_row(*text) for text in given]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _left_to_the_parent) as pool:
        try:
            return [row for part in _shared(pool, given, 2 * processes) for row in part]
        except BrokenProcessPool as error:
            raise UserError(
                "A process that read records ended before its time, perhaps for want of memory; "
                "import fewer files at once. Nothing was added."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _bytes_of(paths: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


def _texts(paths: Iterable[Path], counted: Callable[[int], object]) -> Iterator[_Text]:
    for path in paths:
        yield from texts_of(path)
        counted(1)


def _shared(pool: ProcessPoolExecutor, given: Iterator[_Text], ahead: int) -> Iterator[list[Row]]:
    """Yield what the processes make of the texts, in their order, with few under way."""
    under_way: deque[Future[list[Row]]] = deque()
    while True:
        while len(under_way) < ahead and (part := list(islice(given, _AT_ONCE))):
            under_way.append(pool.submit(_rows, part))
        if not under_way:
            return
        yield under_way.popleft().result()


def _rows(given: Sequence[_Text]) -> list[Row]:
    return [_row(*text) for text in given]


def _row(text: bytes, what: str) -> Row:
    row = Row.of(Document.parse(text, what))
    return Row(row.columns, row.content)  # the record itself would be most of the memory


def _left_to_the_parent() -> None:
    """Let Ctrl-C end the parent alone, which then ends these processes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
