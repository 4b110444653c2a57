"""Measure the store from 1,000 to 1,000,000 records, beside JSON files and one plain table.

    python benchmarks/store.py --sizes 1000 10000 --table docs/store-speed.md

Four parts. *Taking in*: signed records of 1,000 samples, as text, are read, checked and written,
by the store, into a folder of JSON files, and into one SQL table of JSON. *Importing*: files of
such records, by one process and by all cores. *Asking*: of many records of 20 samples, the
questions of the verbs and of the pages. *Showing*: whole pages, as a server answers them. The ways
take turns in one run.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import tables
from made_records import CELLS, PHONES, record

from mobilebench import files
from mobilebench.leaderboard import rank
from mobilebench.leaderboard.view import View
from mobilebench.pages.live import Answer, answer
from mobilebench.pages.stored import StoredPages
from mobilebench.store import Query, RecordStore, bulk, signing
from mobilebench.store.arrivals import Row
from mobilebench.store.documents import Document, as_json
from mobilebench.store.packing import pack
from mobilebench.values import wire
from mobilebench.values.record import Record

TITLE = "# What the store costs"
EXPLAINED = """\
Written by `benchmarks/store.py` on {machine}: {cores} cores that other work shared (load {load}).
Times are those that the processor spent in the process, as the median of the turns, with the least
and the most in parentheses. Waiting for the disk is not in them. Records are made up; every way
does the same work in the same run.

*Taking in* is of {count} signed records of {samples} samples each, as text: parsed, the signature
verified and, by the store alone, the types validated; then written, {batch} in a transaction."""
IMPORTED = """\
*Importing* is of {count:,} such records in files of {batch}, with the same checks, by the clock and
with the start of the processes: all are added in one transaction, or none. The target is 600 a
second on two cores."""
ASKED = """\
*Asking* is of records of {few} samples in {cells} cells. *A board* is what the leaderboard reads of
one device model, compute unit and protocol, at its second look; *first look* derives the figures
from the samples, once. *A page* is the index of 100 records of a model, somewhere in the middle.
*History* reads all records of one cell, with their samples. A folder of files is read whole for
each question, and so is the table of JSON but for a record by its id; of more than {plain:,}
records that is not tried. The target for a board among 1,000,000 records is 150 ms at the 95th
percentile."""
SHOWN = """\
*Showing* is of the same records: a page from the request to its bytes, in milliseconds of the
processor, as a server's process makes it. *Overview* has a line for each of the cells: in a process
that has just started, again, and after a record came in. *A group* is the board of one device
model, compute unit and protocol, as the median of {groups} groups, with their 95th percentile.
*List* is a page of 100 records with their medians, which are computed from the samples. The target
for a board's page among 1,000,000 records is 300 ms."""
SHOWN_HEADS = (
    "records", "overview, first", "again", "after a new record", "a group", "95th percentile",
    "list", "a record", "histories",
)  # fmt: skip
SAMPLES, FEW = 1000, 20
_BATCH = 100
_TURNS = 40
_ROUNDS = 3
_PLAIN = 10_000
_CHUNK = 2000


def _spent(work: Callable[[], Any]) -> float:
    """Return the seconds that the processor spent on some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _size(place: Path) -> int:
    paths = place.rglob("*") if place.is_dir() else place.parent.glob(f"{place.name}*")
    return sum(path.stat().st_blocks * 512 for path in paths if path.is_file())


def _drop(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    for path in place.parent.glob(f"{place.name}*"):
        path.unlink()


def _into_store(texts: Sequence[bytes], place: Path) -> None:
    with RecordStore(place) as store:
        for start in range(0, len(texts), _BATCH):
            store.add_each([Document.parse(text) for text in texts[start : start + _BATCH]])


def _into_folder(texts: Sequence[bytes], place: Path) -> None:
    place.mkdir()
    for number, text in enumerate(texts):
        signing.require_intact(json.loads(text), "it")
        (place / f"{number}.json").write_bytes(text)


def _into_table(texts: Sequence[bytes], place: Path) -> None:
    connection = _table(place)
    for start in range(0, len(texts), _BATCH):
        for text in texts[start : start + _BATCH]:
            plain = json.loads(text)
            signing.require_intact(plain, "it")
            row = plain["record_id"], text.decode()
            connection.execute("INSERT INTO records VALUES (?, ?)", row)
        connection.commit()
    connection.close()


def _table(place: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(place)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE IF NOT EXISTS records (id TEXT PRIMARY KEY, document TEXT)")
    return connection


INTO: dict[str, Callable[[Sequence[bytes], Path], None]] = {
    "the store": _into_store,
    "a folder of JSON files": _into_folder,
    "one table of JSON": _into_table,
}


def taking_in(count: int, folder: Path) -> str:
    """Return the table of what a record of 1,000 samples costs, by each way."""
    texts = [
        wire.dumps(signing.sign(record(number * 977 % CELLS, SAMPLES))).encode()
        for number in range(count)
    ]
    spent: dict[str, list[float]] = {name: [] for name in INTO}
    bytes_each: dict[str, float] = {}
    for turn in range(_ROUNDS):
        for number, (name, way) in enumerate(INTO.items()):
            place = folder / f"in-{turn}-{number}"
            start = time.process_time()
            way(texts, place)
            spent[name].append((time.process_time() - start) / count)
            bytes_each[name] = _size(place) / count
            _drop(place)
    base = spent["the store"]
    lines = [
        (
            name,
            _ms(own),
            f"{1 / statistics.median(own):,.0f}",
            f"{statistics.median(a / b for a, b in zip(own, base, strict=True)):.2f}",
            f"{bytes_each[name] / 1000:.1f}",
        )
        for name, own in spent.items()
    ]
    heads = ("into", "ms a record", "records a second of one core", "ratio", "KB a record")
    return tables.markdown(heads, lines)


def importing(count: int, folder: Path) -> str:
    """Return the table of what importing files of 1,000-sample records takes, by the clock."""
    paths = []
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        own = (signing.sign(record(number * 977 % CELLS, SAMPLES)) for number in numbers)
        paths.append(folder / f"import-{start}.json")
        paths[-1].write_text(as_json(Document.of(each) for each in own), "utf-8")
    cores = os.cpu_count() or 1
    took: dict[int, list[float]] = {}
    for turn in range(_ROUNDS):
        for processes in (1, cores):
            place = folder / f"import-{turn}-{processes}.sqlite"
            start_s = time.perf_counter()
            with RecordStore(place) as store:
                assert store.add_all(bulk.rows_of(paths, processes)) == count
            took.setdefault(processes, []).append(time.perf_counter() - start_s)
            _drop(place)
    for path in paths:
        path.unlink()
    lines = [
        (
            str(processes),
            f"{count / statistics.median(own):,.0f}",
            f"{count / max(own):,.0f} to {count / min(own):,.0f}",
            f"{statistics.median(a / b for a, b in zip(took[1], own, strict=True)):.2f}",
        )
        for processes, own in took.items()
    ]
    heads = ("processes", "records a second", "least and most", "ratio to one")
    return tables.markdown(heads, lines)


def _ms(seconds: Sequence[float]) -> str:
    middle = statistics.median(seconds) * 1e3
    return f"{middle:.3g} ({min(seconds) * 1e3:.3g} to {max(seconds) * 1e3:.3g})"


@cache
def _cell(cell: int) -> tuple[Row, str]:
    """Return one record of a cell as a row, with its text."""
    document = Document.of(record(cell, FEW))
    row = Row.of(document)
    return Row(row.columns, row.content), document.text


def _rows(start: int, end: int, cells: int) -> Iterator[tuple[Row, str]]:
    """Yield rows; those of one cell differ in id and time, and share the rest."""
    for number in range(start, end):
        row, text = _cell(number * 7919 % cells)
        id_ = random.Random(number).randbytes(16).hex()
        created = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(1_735_689_600 + 30 * number))
        columns = {**row.columns, "record_id": id_, "created": created}
        text = text.replace(row.record_id, id_).replace(str(row.columns["created"]), created)
        yield Row(columns, pack(text)), text


def _filled(size: int, cells: int, folder: Path, plain: bool) -> dict[str, Path]:
    """Fill a store, a folder and a table with the same records."""
    places = {"store": folder / f"{size}.sqlite", "folder": folder / f"{size}-files"}
    places["table"] = folder / f"{size}-table.sqlite"
    connection = _table(places["table"]) if plain else None
    if plain:
        places["folder"].mkdir()
    with RecordStore(places["store"]) as store:
        for start in range(0, size, _CHUNK):
            both = list(_rows(start, min(start + _CHUNK, size), cells))
            store.add_each([row for row, _ in both])
            if connection is not None:
                for row, text in both:
                    (places["folder"] / f"{row.record_id}.json").write_text(text)
                values = [(row.record_id, text) for row, text in both]
                connection.executemany("INSERT INTO records VALUES (?, ?)", values)
                connection.commit()
    if connection is not None:
        connection.close()
    _cell.cache_clear()
    gc.collect()  # what was made is not part of what is asked
    return places


def _of_files(folder: Path) -> list[Record]:
    return [wire.loads(Record, path.read_bytes()) for path in folder.iterdir()]


def _of_table(place: Path) -> list[Record]:
    with sqlite3.connect(place) as connection:
        texts = [text for (text,) in connection.execute("SELECT document FROM records")]
    connection.close()
    return [wire.loads(Record, text) for text in texts]


def showing(store: RecordStore, size: int, newer: Row) -> tuple[str, ...]:
    """Return a line of what pages cost a server, into which a newer record comes."""
    while store.derive_entries():
        pass  # a server does so while it is idle
    pages = StoredPages(store)

    def shown(path: str, query: str = "") -> float:
        replies: list[Answer] = []
        spent = _spent(lambda: replies.append(answer(pages, path, query)))
        assert replies[0].status == 200, (path, replies[0].status)
        return spent

    first = shown("")
    again = [shown("") for _ in range(_ROUNDS)]
    store.add_each([newer])
    renewed = shown("")
    rows = list(pages.rows(View()))
    groups = list(dict.fromkeys(row.group for row in rows if row.group is not None))
    chance = random.Random(size)
    group = [shown(f"group/{each}") for each in chance.sample(groups, min(_TURNS, len(groups)))]
    middle = store.page(limit=1000).next
    return (
        f"{size:,}",
        f"{first * 1e3:.3g}",
        f"{statistics.median(again) * 1e3:.3g}",
        f"{renewed * 1e3:.3g}",
        f"{statistics.median(group) * 1e3:.3g}",
        f"{sorted(group)[int(0.95 * len(group))] * 1e3:.3g}",
        f"{shown('records', f'after={quote(middle)}' if middle else '') * 1e3:.3g}",
        f"{shown(f'record/{chance.choice(rows).record_id}') * 1e3:.3g}",
        f"{shown('history') * 1e3:.3g}",
    )


def asking(size: int, cells: int, folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a line of what questions cost among some records, and one of pages."""
    plain = size <= _PLAIN
    places = _filled(size, cells, folder, plain)
    chance = random.Random(size)
    first, board, p95, page, history, one = [], [], [], [], [], []
    with RecordStore(places["store"], create=False) as store:
        spots = store.places()
        chosen = chance.sample(spots, min(_TURNS, len(spots)))
        models = [phone for phone, _ in PHONES]
        for spot in chosen:
            query = Query(
                device_model=spot.device_model,
                compute_unit=spot.compute_unit,
                protocol=spot.protocol,
            )
            first.append(_spent(lambda query=query: rank(store.find_entries(query))))
            for _ in range(3):
                board.append(_spent(lambda query=query: store.find_entries(query)))
            model = chance.choice(models)
            middle = store.page(Query(device_model=model), limit=1000).next
            page.append(
                _spent(lambda m=model, a=middle: store.page(Query(device_model=m), a, limit=100))
            )
            line = store.find_entries(query, limit=1)[0]
            history.append(_spent(lambda line=line: store.find(Query(line=line.line))))
            one.append(_spent(lambda line=line: store.document(line.record_id)))
        [(newer, _)] = _rows(size, size + 1, cells)
        pages = showing(store, size, newer)
    p95 = sorted(board)[int(0.95 * len(board))]
    others = ["not tried"] * 2
    if plain:
        ways = (lambda: _of_files(places["folder"]), lambda: _of_table(places["table"]))
        others = [f"{_spent(way) * 1e3:,.0f}" for way in ways]
    each = _size(places["store"]) / size
    for place in places.values():
        _drop(place)
    answers = (
        f"{size:,}",
        _ms(board),
        f"{p95 * 1e3:.3g}",
        f"{statistics.median(first) * 1e3:.3g}",
        f"{statistics.median(page) * 1e3:.3g}",
        f"{statistics.median(history) * 1e3:.3g}",
        f"{statistics.median(one) * 1e3:.3g}",
        *others,
        f"{each / 1000:.2f}",
    )
    return answers, pages


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--cells", type=int, default=CELLS)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--folder", type=Path, help="where the stores are made; removed after")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--imported", type=int, default=3000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        into = taking_in(given.count, folder)
        imported = importing(given.imported, folder)
        print(into, imported, sep="\n")
        questions, pages = [], []
        for size in given.sizes:
            of_questions, of_pages = asking(size, min(given.cells, size), folder)
            print(of_questions, of_pages, flush=True)
            questions.append(of_questions)
            pages.append(of_pages)
    explained = EXPLAINED.format(
        machine=tables.machine(),
        cores=os.cpu_count(),
        load=f"{os.getloadavg()[0]:.0f}",
        count=given.count,
        samples=SAMPLES,
        batch=_BATCH,
    )
    heads = (
        "records", "a board, ms", "95th percentile", "first look", "a page", "history",
        "a record", "folder, any", "table, any", "KB a record",
    )  # fmt: skip
    question = tables.filled(ASKED.format(few=FEW, cells=f"{given.cells:,}", plain=_PLAIN))
    text = "\n\n".join(
        (
            tables.page(TITLE, explained, into),
            tables.filled(IMPORTED.format(count=given.imported, batch=_BATCH)),
            imported,
            question,
            tables.markdown(heads, questions),
            tables.filled(SHOWN.format(groups=_TURNS)),
            tables.markdown(SHOWN_HEADS, pages),
        )
    )
    if given.table is None:
        print(text)
    else:
        files.write_text(given.table, text)


if __name__ == "__main__":
    main()
