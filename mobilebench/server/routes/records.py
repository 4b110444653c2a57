"""`/v1/records`: take records, one or many, and give them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.responses import Response

from mobilebench.server import jobs, limits, records
from mobilebench.server.devices import TEXT
from mobilebench.server.problems import Refused, shown
from mobilebench.server.service import COUNTED, TOKEN, Here, Service, Submitter, aside, refusals
from mobilebench.server.tokens import Caller
from mobilebench.values.device import DeviceKind
from mobilebench.values.recipe import Format, Precision

router = APIRouter(tags=["records"])
_ONE = "application/json"
_BATCH = "application/x-ndjson"
_GROUP = 32
"""Lines of a batch that are stored at once."""
LEASE = r"^[0-9a-f]{32}$"
_DOCUMENT = {
    "type": "object",
    "description": "A record; its JSON Schema is mobilebench/schema/record.v2.json.",
    "required": ["schema_version", "record_id", "created", "model", "device", "outcome"],
}


class Taken(BaseModel):
    """What came of one record."""

    record_id: str
    status: Literal["added", "there"]
    lease: Literal["done", "already", "refused"] | None = None
    problem: dict[str, Any] | None = None


class Line(BaseModel):
    """What came of one line of a batch."""

    line: int
    record_id: str | None
    status: Literal["added", "there", "refused"]
    problem: dict[str, Any] | None = None


class Batch(BaseModel):
    """What came of a batch."""

    results: list[Line]


@router.post(
    "/v1/records",
    status_code=201,
    responses={
        200: {"description": "The record was there, or a batch", "model": Taken | Batch},
        201: {"description": "Added", "model": Taken},
        **refusals(
            *TOKEN, "other_record", "other_key", "unsigned", "too_large", "too_deep", "bad_json",
            "bad_encoding", "media_type", "encoding", "slow", "disk_full",
        ),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                _ONE: {"schema": _DOCUMENT},
                _BATCH: {"schema": {"type": "string", "description": "A record on each line."}},
            },
        }
    },
)  # fmt: skip
async def submit(
    request: Request,
    service: Here,
    caller: Submitter,
    lease: Annotated[str | None, Header(alias="Mobilebench-Lease", pattern=LEASE)] = None,
) -> Response:
    """Take one record as JSON, or a batch with one on each line."""
    kind = limits.require_media_type(request, _ONE, _BATCH)
    await service.seen(caller)
    if kind == _BATCH:
        if lease is not None:
            raise Refused("bad_request", "A batch ends no lease; send the record by itself.")
        return JSONResponse({"results": [line async for line in _batch(request, service, caller)]})
    body = await limits.whole(request, service.limits, service.limits.document_bytes)
    try:
        [given] = await _read(service, caller, [body])
        if isinstance(given, Refused):
            raise given
        [outcome] = await _store(service, [given])
        if isinstance(outcome, Refused):
            raise outcome
    except Refused as problem:
        service.metrics.record(problem.code)
        raise
    service.metrics.record(outcome)
    answer: dict[str, Any] = {"record_id": given.record_id, "status": outcome}
    if lease is not None:
        answer |= await _end(service, caller, lease, given.result)
    return JSONResponse(answer, 201 if outcome == "added" else 200)


async def _end(service: Service, caller: Caller, lease: str, result: jobs.Result) -> dict[str, Any]:
    try:
        status = await aside(jobs.end, service.database, caller, lease, result)
    except Refused as problem:
        return {"lease": "refused", "problem": problem.document}
    service.metrics.lease(status)
    return {"lease": status}


async def _read(
    service: Service, caller: Caller, bodies: list[bytes]
) -> list[records.Given | Refused]:
    async with service.reading:
        return await aside(records.read, bodies, caller, service.limits.depth)


async def _store(service: Service, given: list[records.Given]) -> list[records.Outcome]:
    return await asyncio.wrap_future(service.writer.add(given))


@dataclass
class _Numbered:
    number: int
    body: bytes


async def _batch(
    request: Request, service: Service, caller: Caller
) -> AsyncIterator[dict[str, Any]]:
    group: list[_Numbered] = []
    size = 0
    async for numbered in _lines(request, service):
        group.append(numbered)
        size += len(numbered.body)
        if len(group) >= _GROUP or size > service.limits.request_bytes:
            for answer in await _group(service, caller, group):
                yield answer
            group, size = [], 0
    for answer in await _group(service, caller, group):
        yield answer


async def _group(service: Service, caller: Caller, group: list[_Numbered]) -> list[dict[str, Any]]:
    read = await _read(service, caller, [numbered.body for numbered in group])
    good = [given for given in read if not isinstance(given, Refused)]
    stored = iter(await _store(service, good) if good else [])
    answers = []
    for numbered, given in zip(group, read, strict=True):
        outcome = given if isinstance(given, Refused) else next(stored)
        record_id = None if isinstance(given, Refused) else given.record_id
        answer: dict[str, Any] = {"line": numbered.number, "record_id": record_id}
        if isinstance(outcome, Refused):
            service.metrics.record(outcome.code)
            answer |= {"status": "refused", "problem": outcome.document}
        else:
            service.metrics.record(outcome)
            answer |= {"status": outcome}
        answers.append(answer)
    return answers


async def _lines(request: Request, service: Service) -> AsyncIterator[_Numbered]:
    """Yield the lines of a batch as they come, with their numbers from 1."""
    most = service.limits.document_bytes
    number = 1
    rest: list[bytes] = []
    length = 0
    async for piece in limits.unpacked(request, service.limits, service.limits.batch_bytes):
        first, *following = piece.split(b"\n")
        rest.append(first)
        length += len(first)
        for line in following:
            body = b"".join(rest)
            if body.strip():
                yield _Numbered(number, body)
            number += 1
            rest, length = [line], len(line)
        if length > most:
            raise Refused("too_large", f"Line {number} is larger than {most} bytes.")
    body = b"".join(rest)
    if body.strip():
        yield _Numbered(number, body)


class Listed(BaseModel):
    """What a list shows of a record."""

    record_id: str
    created: str
    model: str | None
    format: str | None
    precision: str | None
    device_model: str | None
    device_kind: str | None
    device: str | None
    runtime: str | None
    protocol: str | None
    outcome: str | None
    signed: bool


class Page(BaseModel):
    """A page of records, the newest first."""

    records: list[Listed]
    next: str | None


Condition = Annotated[str | None, Query(pattern=TEXT, max_length=200)]


@router.get("/v1/records", dependencies=[COUNTED], responses=refusals())
async def every(
    service: Here,
    model: Condition = None,
    device_model: Condition = None,
    device_kind: Annotated[DeviceKind | None, Query()] = None,
    os_build: Condition = None,
    format: Annotated[Format | None, Query()] = None,
    precision: Annotated[Precision | None, Query()] = None,
    runtime: Condition = None,
    protocol: Condition = None,
    commit: Condition = None,
    session: Condition = None,
    side: Condition = None,
    outcome: Annotated[Literal["measurement", "failure"] | None, Query()] = None,
    after: Condition = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page:
    """List records that meet every condition, the newest first."""
    conditions = {
        "model": model,
        "device_model": device_model,
        "device_kind": device_kind,
        "os_build": os_build,
        "format": format,
        "precision": precision,
        "runtime": runtime,
        "protocol": protocol,
        "commit": commit,
        "session": session,
        "side": side,
        "outcome": outcome,
    }
    page = await aside(records.listed, service.store, service.database, conditions, after, limit)
    return Page.model_validate({"records": page.records, "next": page.next})


@router.get(
    "/v1/records/{record_id:path}",
    dependencies=[COUNTED],
    responses={200: {"content": {_ONE: {"schema": _DOCUMENT}}}, **refusals("not_there")},
)
async def one(
    service: Here, record_id: Annotated[str, Path(pattern="^[!-~]{1,64}$", max_length=64)]
) -> Response:
    """Give the document of a record, as it came."""
    text = await aside(service.store.document, record_id)
    if text is None:
        raise Refused("not_there", f"There is no record {shown(record_id)}.")
    return Response(text, media_type=_ONE)
