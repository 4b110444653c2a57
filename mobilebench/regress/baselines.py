"""Load the records of one side of a check, from files, the store or a commit.

results.json, folder/          files of records; of a folder, every .json file in it
store:commit=3f2a,model=NAME   records of the store that all conditions hold for; store: all
git:REF:PATH                   such files in a commit of the repository around the working directory
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from mobilebench.errors import NoRecords, UserError
from mobilebench.store import Query, RecordStore
from mobilebench.store.documents import parse_records, read_records
from mobilebench.values.record import Record

EVERYTHING = "store:"
"""The spec of all records of the store."""


def load(spec: str, store: str | None = None) -> list[Record]:
    """Return the records that a spec names.

    Raises `NoRecords` where nothing has that name or it holds no records, `SchemaError` for
    documents that are not records, `UnknownName` for a condition that does not exist, and
    `UserError` for a ref that the repository does not have.
    """
    return list(each(spec, store))


def each(spec: str, store: str | None = None) -> Iterator[Record]:
    """Yield the records that a spec names, otherwise as `load`; a store is read bit by bit."""
    kind, _, rest = spec.partition(":")
    if kind == "store" and (rest or spec == EVERYTHING):
        records = _from_store(rest, store)
    elif kind == "git" and rest:
        records = _from_git(rest)
    else:
        records = _from_path(Path(spec))
    empty = True
    for record in records:
        empty = False
        yield record
    if empty:
        raise NoRecords(f"{spec} holds no records; give one that does.")


def _from_path(path: Path) -> Iterator[Record]:
    if path.is_dir():
        for file in sorted(path.glob("*.json")):
            yield from read_records(file)
    elif path.exists():
        yield from read_records(path)
    else:
        raise NoRecords(
            f"There is no baseline or candidate {path}; give a file or a folder of records, "
            f"store:CONDITIONS or git:REF:PATH."
        )


def _from_store(conditions: str, place: str | None) -> Iterator[Record]:
    query = Query.parse(conditions) if conditions else Query()
    with RecordStore(place, create=False) as store:
        for document in store.documents(query):
            yield document.record


def _from_git(rest: str) -> Iterator[Record]:
    ref, _, path = rest.partition(":")
    if not path:
        raise UserError(f"git:{rest} names no file; write git:REF:PATH, as git:main:bench.json.")
    listed = _git("ls-tree", "-r", "--name-only", ref, "--", path)
    names = [name for name in listed.decode().splitlines() if name.endswith(".json")]
    if not names:
        raise NoRecords(
            f"The commit {ref} has no records at {path}; give the path of a file or a folder: of a "
            f"folder, every .json file is read."
        )
    for name in names:
        yield from parse_records(_git("show", f"{ref}:./{name}"), f"{ref}:{name}")


def _git(*arguments: str) -> bytes:
    try:
        process = subprocess.run(["git", *arguments], capture_output=True, timeout=60, check=False)
    except FileNotFoundError as error:
        raise UserError("git is not installed; install it, or give a file.") from error
    if process.returncode:
        lines = process.stderr.decode(errors="replace").strip().splitlines()
        raise UserError(
            f"git could not find the baseline ({lines[0] if lines else 'no reason given'}); give a "
            f"ref that this repository has: a shallow clone may lack it."
        )
    return process.stdout
