"""Jobs for devices: posted, leased to one device at a time, and ended by a record.

A lease has to be renewed; one that is not gives its job to another device. The first record is the
job's result, whichever lease it came by.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa

from mobilebench.errors import SchemaError
from mobilebench.server.artifacts import Artifacts
from mobilebench.server.database import Database, as_time, now_ms
from mobilebench.server.problems import Refused, shown
from mobilebench.server.tables import DEVICES, JOB_FILES, JOBS, LEASES
from mobilebench.server.tokens import Caller
from mobilebench.values import wire
from mobilebench.values.job import Job
from mobilebench.values.record import Subject

MOST_FILES = 100
_MOST_EXPIRED = 5
"""Leases of one job that expire before nobody gets it any more."""
_LARGEST_DOCUMENT = 1 << 20
PASSING = ("stopped", "unusable")
"""Words of a device that may take the same job later: its agent was stopped, or it is hot."""
_PATH = re.compile(r"[^\x00-\x1f\x7f\\:]{1,200}")
_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class Posted:
    """What somebody wants to be done, and by whom."""

    files: Mapping[str, str]
    device: str | None
    model: str | None
    job_id: str | None


@dataclass(frozen=True)
class Lease:
    """A job in the hands of a device."""

    lease_id: str
    job_id: str
    alias: str
    files: Mapping[str, tuple[str, int]]
    """Hash and size by path."""


def post(database: Database, artifacts: Artifacts, posted: Posted) -> tuple[str, bool]:
    """Add a job; return its id, and whether it is new. Raises `Refused`."""
    sizes = _sizes(artifacts, posted.files)
    job = _document(artifacts, posted.files, "job.json", Job)
    subject = _document(artifacts, posted.files, "subject.json", Subject)
    for path, sha256 in job.files.items():
        if posted.files.get(path) != sha256 and not _is_of(artifacts, posted.files, path, sha256):
            raise Refused(
                "invalid", f"job.json names the file {shown(path)} with a hash that `files` lacks."
            )
    job_id = posted.job_id or secrets.token_hex(8)
    row = {
        "job_id": job_id,
        "created": now_ms(),
        "state": "waiting",
        "device": posted.device,
        "device_is_pattern": _is_pattern(posted.device),
        "model": posted.model,
        "model_is_pattern": _is_pattern(posted.model),
        "title": shown(f"{subject.model.title} {job.title}, {job.protocol.id}")[:300],
        "model_sha256": job.model_sha256,
    }
    files = [
        {"job_id": job_id, "path": path, "sha256": sha256, "size_bytes": sizes[path]}
        for path, sha256 in posted.files.items()
    ]
    with database.writing() as connection:
        existing = connection.execute(sa.select(JOBS).where(JOBS.c.job_id == job_id)).one_or_none()
        if existing is not None:
            same = (existing.device, existing.model) == (posted.device, posted.model)
            if (
                not same
                or _files(connection, job_id).keys() != posted.files.keys()
                or any(
                    posted.files[path] != sha256
                    for path, (sha256, _) in _files(connection, job_id).items()
                )
            ):
                raise Refused("other_job", f"Another job has the id {job_id}; take another one.")
            return job_id, False
        connection.execute(sa.insert(JOBS).values(**row))
        connection.execute(sa.insert(JOB_FILES), files)
    return job_id, True


def _is_of(artifacts: Artifacts, files: Mapping[str, str], path: str, sha256: str) -> bool:
    """Return whether files are the parts of a model with that hash, as `content_sha256` has it.

    That is a folder such as an .mlpackage, or a file with its weights beside it.
    """
    folder, weights = PurePosixPath(path), f"{path}.data"
    inside = sorted(name for name in map(PurePosixPath, files) if folder in name.parents)
    digest = hashlib.sha256()
    parts = [path, weights] if {path, weights} <= files.keys() else list(map(str, inside))
    for name in parts:
        place = artifacts.path(files[name])
        if name not in (path, weights):
            relative = PurePosixPath(name).relative_to(folder)
            digest.update(f"{relative}\0{place.stat().st_size}\0".encode())
        with place.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return bool(parts) and digest.hexdigest() == sha256


def _is_pattern(text: str | None) -> bool:
    return text is not None and _PATTERN.search(text) is not None


def _sizes(artifacts: Artifacts, files: Mapping[str, str]) -> dict[str, int]:
    for path in files:
        parts = path.split("/")
        if not _PATH.fullmatch(path) or not all(parts) or {".", ".."} & set(parts):
            raise Refused(
                "invalid", f"The path {shown(path)} is not a relative path inside a folder."
            )
    sizes = {path: artifacts.size(sha256) for path, sha256 in files.items()}
    missing = sorted(files[path] for path, size in sizes.items() if size is None)
    if missing:
        raise Refused(
            "missing_files", f"These files were not uploaded whole: {', '.join(missing)}."
        )
    return {path: size for path, size in sizes.items() if size is not None}


def _document(artifacts: Artifacts, files: Mapping[str, str], path: str, cls: Any) -> Any:
    if path not in files:
        raise Refused("invalid", f"`files` has no {path}, which every job has.")
    place = artifacts.path(files[path])
    if place.stat().st_size > _LARGEST_DOCUMENT:
        raise Refused("invalid", f"{path} is larger than {_LARGEST_DOCUMENT} bytes.")
    try:
        return wire.loads(cls, place.read_bytes(), path)
    except SchemaError as error:
        raise Refused("invalid", shown(error)) from error


def _files(connection: sa.Connection, job_id: str) -> dict[str, tuple[str, int]]:
    statement = sa.select(JOB_FILES).where(JOB_FILES.c.job_id == job_id)
    return {row.path: (row.sha256, row.size_bytes) for row in connection.execute(statement)}


def served(database: Database, caller: Caller, names: Sequence[str]) -> dict[str, str]:
    """Return the model by alias of the devices that a caller asks for.

    Raises `Refused` for one that is not the caller's.
    """
    if caller.alias is None:
        raise Refused("other_device", "Only enrolled devices take jobs; enrol this one first.")
    wanted = tuple(dict.fromkeys(names)) or (caller.alias,)
    mine = sa.or_(DEVICES.c.alias == caller.alias, DEVICES.c.served_by == caller.alias)
    statement = sa.select(DEVICES.c.alias, DEVICES.c.model).where(DEVICES.c.alias.in_(wanted), mine)
    with database.reading() as connection:
        models = {row.alias: row.model for row in connection.execute(statement)}
    for name in wanted:
        if name not in models:
            raise Refused("other_device", f"The token does not serve the device {shown(name)}.")
    return models


def take(database: Database, devices: Mapping[str, str], lease_s: int) -> Lease | None:
    """Lease the oldest job that one of some devices can take; None where there is no job.

    A device that has a lease gets it again. `devices` has the model by alias.
    """
    with database.reading() as connection:
        if not _anything(connection, devices):
            return None
    with database.writing() as connection:
        _expire(connection)
        # Two requests of one device come one after the other.
        held = sa.select(DEVICES.c.alias).where(DEVICES.c.alias.in_(devices))
        connection.execute(held.order_by(DEVICES.c.alias).with_for_update()).all()
        expires = now_ms() + lease_s * 1000
        here = sa.and_(LEASES.c.alias.in_(devices), LEASES.c.state == "open")
        row = connection.execute(sa.select(LEASES).where(here).limit(1)).one_or_none()
        if row is not None:
            same = LEASES.c.lease_id == row.lease_id
            connection.execute(sa.update(LEASES).where(same).values(expires=expires))
            return Lease(row.lease_id, row.job_id, row.alias, _files(connection, row.job_id))
        for alias, model in devices.items():
            for job_id in _candidates(connection, alias, model):
                if _lock(connection, job_id):
                    return _lease(connection, job_id, alias, expires)
    return None


def _anything(connection: sa.Connection, devices: Mapping[str, str]) -> bool:
    """Return whether a look with the right to write could find anything."""
    held = sa.select(LEASES.c.lease_id).where(LEASES.c.alias.in_(devices), LEASES.c.state == "open")
    late = sa.select(LEASES.c.lease_id).where(LEASES.c.state == "open", LEASES.c.expires < now_ms())
    if any(connection.execute(each.limit(1)).first() for each in (held, late)):
        return True
    return any(
        next(iter(_candidates(connection, alias, model)), None) is not None
        for alias, model in devices.items()
    )


def _expire(connection: sa.Connection) -> None:
    """Give the jobs of leases that expired to whoever asks next, or up."""
    late = sa.select(LEASES.c.lease_id, LEASES.c.job_id).where(
        LEASES.c.state == "open", LEASES.c.expires < now_ms()
    )
    for lease_id, job_id in connection.execute(late.with_for_update(skip_locked=True)).all():
        here = LEASES.c.lease_id == lease_id
        connection.execute(sa.update(LEASES).where(here).values(state="expired"))
        times = sa.select(sa.func.count()).where(
            LEASES.c.job_id == job_id, LEASES.c.state == "expired"
        )
        many = connection.execute(times).scalar_one() >= _MOST_EXPIRED
        job = sa.update(JOBS).where(JOBS.c.job_id == job_id, JOBS.c.state == "leased")
        connection.execute(job.values(state="given_up" if many else "waiting"))


def _candidates(connection: sa.Connection, alias: str, model: str) -> list[str]:
    """Return the jobs that a device may take, the oldest first."""
    refused = sa.select(LEASES.c.job_id).where(LEASES.c.alias == alias, LEASES.c.state == "refused")
    statement = (
        sa.select(JOBS.c.job_id, JOBS.c.device, JOBS.c.model)
        .where(
            JOBS.c.state == "waiting",
            _fits(JOBS.c.device, JOBS.c.device_is_pattern, alias),
            _fits(JOBS.c.model, JOBS.c.model_is_pattern, model),
            JOBS.c.job_id.not_in(refused),
        )
        .order_by(JOBS.c.created, JOBS.c.job_id)
    )
    return [
        row.job_id
        for row in connection.execute(statement)
        if (row.device is None or row.device == alias or fnmatchcase(alias, row.device))
        and (row.model is None or row.model == model or fnmatchcase(model, row.model))
    ]


def _fits(column: sa.Column[Any], is_pattern: sa.Column[Any], text: str) -> sa.ColumnElement[bool]:
    return sa.or_(column.is_(None), column == text, is_pattern)


def _lock(connection: sa.Connection, job_id: str) -> bool:
    """Return whether a job is still waiting; nobody else gets it until the transaction ends."""
    here = sa.and_(JOBS.c.job_id == job_id, JOBS.c.state == "waiting")
    statement = sa.select(JOBS.c.job_id).where(here).with_for_update(skip_locked=True)
    return connection.execute(statement).first() is not None


def _lease(connection: sa.Connection, job_id: str, alias: str, expires: int) -> Lease:
    lease_id = secrets.token_hex(16)
    row = {"created": now_ms(), "expires": expires, "state": "open"}
    connection.execute(
        sa.insert(LEASES).values(lease_id=lease_id, job_id=job_id, alias=alias, **row)
    )
    connection.execute(sa.update(JOBS).where(JOBS.c.job_id == job_id).values(state="leased"))
    connection.execute(
        sa.update(DEVICES).where(DEVICES.c.alias == alias).values(last_seen=row["created"])
    )
    return Lease(lease_id, job_id, alias, _files(connection, job_id))


def renew(database: Database, caller: Caller, lease_id: str, lease_s: int) -> None:
    """Renew a lease. Raises `Refused` where it is over, or another's."""
    with database.writing() as connection:
        row = _held(connection, caller, lease_id)
        if row.state != "open" or row.expires < now_ms():
            raise Refused("lease_over", "The lease is over; its job may be another device's now.")
        connection.execute(
            sa.update(LEASES)
            .where(LEASES.c.lease_id == lease_id)
            .values(expires=now_ms() + lease_s * 1000)
        )


def _held(connection: sa.Connection, caller: Caller, lease_id: str) -> sa.Row[Any]:
    statement = (
        sa.select(LEASES, DEVICES.c.served_by)
        .select_from(LEASES.outerjoin(DEVICES, DEVICES.c.alias == LEASES.c.alias))
        .where(LEASES.c.lease_id == lease_id)
        .with_for_update(of=LEASES)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:  # also of a job that was removed
        raise Refused("lease_over", "There is no such lease; its job was removed.")
    if caller.alias is None or caller.alias not in (row.alias, row.served_by):
        raise Refused("other_device", "The lease is another device's.")
    return row


@dataclass(frozen=True)
class Result:
    """What a record says about the job that it came of."""

    record_id: str
    model_sha256: str | None
    public_key: str | None

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Result:
        """Read it from a record's document."""
        job, signature = plain.get("job") or {}, plain.get("signature") or {}
        return cls(plain["record_id"], job.get("model_sha256"), signature.get("public_key"))


def end(database: Database, caller: Caller, lease_id: str, result: Result) -> str:
    """End a lease with a record, which is the job's result where it is the first; say which.

    Raises `Refused` for a record about another file or by another key.
    """
    with database.writing() as connection:
        lease = _held(connection, caller, lease_id)
        statement = sa.select(JOBS).where(JOBS.c.job_id == lease.job_id).with_for_update()
        job = connection.execute(statement).one()
        if result.model_sha256 != job.model_sha256:
            raise Refused("invalid", "The record is about another file than the job of the lease.")
        if caller.public_key is not None and result.public_key != caller.public_key:
            raise Refused("other_key", "The record is signed by another key than the device's.")
        if lease.state == "open":
            here = LEASES.c.lease_id == lease_id
            connection.execute(sa.update(LEASES).where(here).values(state="done"))
        if job.record_id is not None:
            return "already"
        # Another device that has the job now is told so when it asks next.
        others = sa.update(LEASES).where(LEASES.c.job_id == job.job_id, LEASES.c.state == "open")
        connection.execute(others.values(state="over"))
        connection.execute(
            sa.update(JOBS)
            .where(JOBS.c.job_id == job.job_id)
            .values(state="done", record_id=result.record_id)
        )
    return "done"


def refuse(database: Database, caller: Caller, lease_id: str, word: str, sentence: str) -> str:
    """Give a job back that a device cannot do. Raises `Refused` where the lease is over."""
    with database.writing() as connection:
        lease = _held(connection, caller, lease_id)
        if lease.state in ("refused", "returned"):
            return "already"
        if lease.state != "open":
            raise Refused("lease_over", "The lease is over; its job may be another device's now.")
        connection.execute(
            sa.update(LEASES)
            .where(LEASES.c.lease_id == lease_id)
            .values(
                state="returned" if word in PASSING else "refused", word=word, sentence=sentence
            )
        )
        job = connection.execute(sa.select(JOBS).where(JOBS.c.job_id == lease.job_id)).one()
        for_good = job.device == lease.alias and word not in PASSING
        state = "refused" if for_good else "waiting"
        here = sa.and_(JOBS.c.job_id == lease.job_id, JOBS.c.state == "leased")
        connection.execute(sa.update(JOBS).where(here).values(state=state))
    return "done"


def remove(database: Database, job_id: str) -> None:
    """Remove a job; a lease of it is over. Raises `Refused` where there is no such job."""
    with database.writing() as connection:
        connection.execute(sa.delete(LEASES).where(LEASES.c.job_id == job_id))
        connection.execute(sa.delete(JOB_FILES).where(JOB_FILES.c.job_id == job_id))
        if not connection.execute(sa.delete(JOBS).where(JOBS.c.job_id == job_id)).rowcount:
            raise Refused("not_there", "There is no such job.")


def one(database: Database, job_id: str) -> dict[str, Any]:
    """Return what is known of a job. Raises `Refused` where there is no such job."""
    with database.reading() as connection:
        row = connection.execute(sa.select(JOBS).where(JOBS.c.job_id == job_id)).one_or_none()
        if row is None:
            raise Refused("not_there", "There is no such job.")
        return _shown(connection, row)


def listed(
    database: Database, state: str | None, after: str | None, limit: int
) -> tuple[list[dict[str, Any]], str | None]:
    """Return a page of jobs, the newest first, and where the next page begins."""
    order = JOBS.c.created, JOBS.c.job_id
    statement = sa.select(JOBS).order_by(*(column.desc() for column in order)).limit(limit + 1)
    if state is not None:
        statement = statement.where(JOBS.c.state == state)
    if after is not None:
        created, _, job_id = after.partition("-")
        if not created.isdecimal() or len(created) > 15 or not job_id.isprintable():
            raise Refused("invalid", "`after` is not what a former page gave as `next`.")
        statement = statement.where(sa.tuple_(*order) < (int(created), job_id))
    with database.reading() as connection:
        rows = connection.execute(statement).all()
        jobs = [_shown(connection, row) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return jobs, None if last is None else f"{last.created}-{last.job_id}"


def _shown(connection: sa.Connection, job: sa.Row[Any]) -> dict[str, Any]:
    statement = sa.select(LEASES).where(LEASES.c.job_id == job.job_id).order_by(LEASES.c.created)
    leases = connection.execute(statement).all()
    return {
        "job": job.job_id,
        "state": job.state,
        "created": as_time(job.created),
        "device": job.device,
        "model": job.model,
        "title": job.title,
        "files": {
            path: {"sha256": sha256, "size_bytes": size}
            for path, (sha256, size) in _files(connection, job.job_id).items()
        },
        "attempts": len(leases),
        "leased_to": next((lease.alias for lease in leases if lease.state == "open"), None),
        "record_id": job.record_id,
        "refused": [
            {
                "device": lease.alias,
                "word": lease.word,
                "sentence": lease.sentence,
                "time": as_time(lease.created),
            }
            for lease in leases
            if lease.state in ("refused", "returned")
        ],
    }


def may_read(database: Database, caller: Caller, sha256: str) -> bool:
    """Return whether a caller may have a file: of any job, or of one that a device was given."""
    if caller.alias is None:
        return True
    mine = sa.select(DEVICES.c.alias).where(DEVICES.c.served_by == caller.alias)
    statement = (
        sa.select(LEASES.c.lease_id)
        .join(JOB_FILES, JOB_FILES.c.job_id == LEASES.c.job_id)
        .where(
            JOB_FILES.c.sha256 == sha256,
            sa.or_(LEASES.c.alias == caller.alias, LEASES.c.alias.in_(mine)),
        )
        .limit(1)
    )
    with database.reading() as connection:
        return connection.execute(statement).first() is not None


def counts(connection: sa.Connection) -> dict[str, int]:
    """Return how many jobs are in each state."""
    statement = sa.select(JOBS.c.state, sa.func.count()).group_by(JOBS.c.state)
    return {row[0]: row[1] for row in connection.execute(statement)}


def aliases_by_record(connection: sa.Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return the device for each of some records that were the result of a job."""
    statement = (
        sa.select(JOBS.c.record_id, LEASES.c.alias)
        .join(LEASES, LEASES.c.job_id == JOBS.c.job_id)
        .where(JOBS.c.record_id.in_(ids), LEASES.c.state == "done")
        .order_by(LEASES.c.created.desc())
    )
    return {row.record_id: row.alias for row in connection.execute(statement)}
