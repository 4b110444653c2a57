"""`/v1/jobs` and `/v1/leases`: work for devices, and what comes of it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from mobilebench.server import jobs
from mobilebench.server.artifacts import SHA256
from mobilebench.server.devices import ALIAS, TEXT
from mobilebench.server.problems import Refused
from mobilebench.server.routes.records import LEASE
from mobilebench.server.service import TOKEN, Author, Here, Service, Worker, aside, refusals

router = APIRouter(tags=["jobs"])
JOB = "^[A-Za-z0-9_-]{1,64}$"
_LOOK_EVERY_S = 1.0
"""How often a request that waits looks for jobs that other workers took in."""
_MOST_DEVICES = 100
State = Literal["waiting", "leased", "done", "refused", "given_up"]
JobInPath = Annotated[str, Path(pattern=JOB, max_length=64)]
LeaseInPath = Annotated[str, Path(pattern=LEASE)]
Sha256 = Annotated[str, Field(pattern=SHA256)]
Pattern = Annotated[str, Field(pattern=TEXT, max_length=100)]


class Post(BaseModel):
    """The files of a job, and who may do it."""

    model_config = ConfigDict(extra="forbid")
    files: Annotated[
        dict[Annotated[str, Field(pattern=TEXT, max_length=200)], Sha256],
        Field(min_length=2, max_length=jobs.MOST_FILES),
    ]
    device: Pattern | None = None
    model: Pattern | None = None
    job: Annotated[str, Field(pattern=JOB)] | None = None


class Posted(BaseModel):
    """A job that waits."""

    job: str


class File(BaseModel):
    """A file of a job."""

    sha256: str
    size_bytes: int


class Refusal(BaseModel):
    """Why a device did not do a job."""

    device: str
    word: str
    sentence: str
    time: str


class Shown(BaseModel):
    """A job, and what came of it."""

    job: str
    state: State
    created: str
    device: str | None
    model: str | None
    title: str
    files: dict[str, File]
    attempts: int
    leased_to: str | None
    record_id: str | None
    refused: list[Refusal]


class Jobs(BaseModel):
    """A page of jobs, the newest first."""

    jobs: list[Shown]
    next: str | None


class Leased(BaseModel):
    """A job for one device, until the lease expires."""

    lease: str
    job: str
    device: str
    files: dict[str, File]
    expires_s: int
    heartbeat_s: int


@router.post(
    "/v1/jobs",
    status_code=201,
    responses={
        200: {"description": "The job was there", "model": Posted},
        **refusals(*TOKEN, "other_job", "missing_files", "bad_json"),
    },
)
async def post(response: Response, body: Post, service: Here, _: Author) -> Posted:
    """Add a job, whose files were uploaded before."""
    posted = jobs.Posted(body.files, body.device, body.model, body.job)
    job_id, new = await aside(jobs.post, service.database, service.artifacts, posted)
    response.status_code = 201 if new else 200
    service.announce()
    return Posted(job=job_id)


@router.get("/v1/jobs", responses=refusals(*TOKEN))
async def every(
    service: Here,
    _: Worker,
    state: Annotated[State | None, Query()] = None,
    after: Annotated[str | None, Query(pattern="^[0-9]{1,15}-[A-Za-z0-9_-]{1,64}$")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Jobs:
    """List jobs, the newest first."""
    page, following = await aside(jobs.listed, service.database, state, after, limit)
    return Jobs.model_validate({"jobs": page, "next": following})


@router.get(
    "/v1/jobs/next",
    response_model=None,
    responses={
        200: {"description": "A job", "model": Leased},
        204: {"description": "No job came"},
        **refusals(*TOKEN, "other_device"),
    },
)
async def following(
    request: Request,
    service: Here,
    caller: Worker,
    wait_s: Annotated[float, Query(ge=0, le=60)] = 25,
    device: Annotated[
        list[Annotated[str, Field(pattern=ALIAS)]] | None, Query(max_length=_MOST_DEVICES)
    ] = None,
) -> Leased | Response:
    """Lease the oldest job that a device can take; wait for one where there is no job."""
    models = await aside(jobs.served, service.database, caller, device or ())
    await service.seen(caller)
    end = time.monotonic() + wait_s
    while True:
        news = service.news
        lease = await aside(jobs.take, service.database, models, service.settings.lease_s)
        if lease is not None:
            service.metrics.lease("given")
            return _leased(service, lease)
        left = end - time.monotonic()
        if left <= 0 or service.stopping or await request.is_disconnected():
            return Response(status_code=204)
        try:
            async with asyncio.timeout(min(left, _LOOK_EVERY_S)):
                await news.wait()
        except TimeoutError:
            pass


def _leased(service: Service, lease: jobs.Lease) -> Leased:
    return Leased(
        lease=lease.lease_id,
        job=lease.job_id,
        device=lease.alias,
        files={
            path: File(sha256=sha256, size_bytes=size)
            for path, (sha256, size) in lease.files.items()
        },
        expires_s=service.settings.lease_s,
        heartbeat_s=service.settings.heartbeat_s,
    )


@router.get("/v1/jobs/{job}", responses=refusals(*TOKEN, "not_there"))
async def one(job: JobInPath, service: Here, _: Worker) -> Shown:
    """Say what is known of a job."""
    return Shown.model_validate(await aside(jobs.one, service.database, job))


@router.delete("/v1/jobs/{job}", status_code=204, responses=refusals(*TOKEN, "not_there"))
async def remove(job: JobInPath, service: Here, _: Author) -> Response:
    """Remove a job; a lease of it is over."""
    await aside(jobs.remove, service.database, job)
    return Response(status_code=204)


class Renewed(BaseModel):
    """A lease that was renewed."""

    expires_s: int


@router.post(
    "/v1/leases/{lease}/heartbeat", responses=refusals(*TOKEN, "lease_over", "other_device")
)
async def heartbeat(lease: LeaseInPath, service: Here, caller: Worker) -> Renewed:
    """Renew a lease."""
    lease_s = service.settings.lease_s
    await aside(jobs.renew, service.database, caller, lease, lease_s)
    await service.seen(caller)
    return Renewed(expires_s=lease_s)


class Done(BaseModel):
    """A lease ended with a record."""

    model_config = ConfigDict(extra="forbid")
    record_id: Annotated[str, Field(pattern="^[!-~]{1,64}$")]


class CannotDo(BaseModel):
    """A lease ended without a record: why, in a word and a sentence."""

    model_config = ConfigDict(extra="forbid")
    refused: Annotated[str, Field(pattern="^[a-z0-9_]{1,40}$")]
    sentence: Annotated[str, Field(pattern=TEXT, max_length=500)]


class Ended(BaseModel):
    """What an end came to."""

    status: Literal["done", "already"]


@router.post(
    "/v1/leases/{lease}/done",
    responses=refusals(
        *TOKEN, "lease_over", "other_device", "other_key", "missing_record", "bad_json"
    ),
)
async def done(lease: LeaseInPath, body: Done | CannotDo, service: Here, caller: Worker) -> Ended:
    """End a lease, with a record that was taken before or with a refusal."""

    def work() -> Any:
        if isinstance(body, CannotDo):
            return jobs.refuse(service.database, caller, lease, body.refused, body.sentence)
        text = service.store.document(body.record_id)
        if text is None:
            raise Refused("missing_record", "The record was not taken yet; send it first.")
        return jobs.end(service.database, caller, lease, jobs.Result.of(json.loads(text)))

    status = await aside(work)
    service.metrics.lease("given_back" if isinstance(body, CannotDo) else status)
    if isinstance(body, CannotDo):
        service.announce()
    return Ended(status=status)
