"""What the routes share: the store, the files, the limits, and who is asking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from mobilebench.server import tokens
from mobilebench.server.artifacts import Artifacts
from mobilebench.server.database import Database
from mobilebench.server.limits import Buckets
from mobilebench.server.metrics import Metrics
from mobilebench.server.problems import CODES, Refused
from mobilebench.server.records import Writer
from mobilebench.server.settings import Settings
from mobilebench.server.tokens import Caller, Scope
from mobilebench.store import RecordStore

_T = TypeVar("_T")
_AT_WORK = 4
"""Records that are read at the same time; more wait, and keep no memory busy."""


class Service:
    """One worker of a server."""

    def __init__(self, settings: Settings) -> None:
        """Open what the worker needs. Raises `UserError` where the store cannot be used."""
        self.settings = settings
        self.limits = settings.limits
        self.store = RecordStore(settings.store)
        self.database = Database(settings.store)
        self.artifacts = Artifacts(Path(settings.files))
        self.artifacts.prepare()
        self.metrics = Metrics()
        self.writer = Writer(self.store)
        self.reading = asyncio.Semaphore(_AT_WORK)
        self.news = asyncio.Event()
        """Set for a moment when a job was posted to this worker."""
        self.stopping = False
        self._requests = Buckets(self.limits.requests_per_s, self.limits.requests_at_once)
        failures = self.limits.failures_per_minute
        self._failures = Buckets(failures / 60, failures)

    def close(self) -> None:
        """Write what waits, and close the database."""
        self.stopping = True
        self.writer.close()
        self.store.close()
        self.database.close()

    def announce(self) -> None:
        """Wake those who wait for a job."""
        self.news.set()
        self.news = asyncio.Event()

    def count_failure(self, request: Request) -> None:
        """Count a refused token or code of an address. Raises `Refused` where there were many."""
        self._failures.take(_address(request))

    def count_request(self, name: str) -> None:
        """Count a request of a token or an address. Raises `Refused` where there were many."""
        self._requests.take(name)

    async def caller(self, request: Request) -> Caller:
        """Return whose token came with a request. Raises `Refused`."""
        header = request.headers.get("authorization")
        try:
            caller = await run_in_threadpool(tokens.caller, self.database, header)
        except Refused as problem:
            if problem.code != "no_token":
                self.count_failure(request)
            raise
        request.state.token_id = caller.token_id
        self.count_request(caller.token_id)
        return caller


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def service_of(request: Request) -> Service:
    """Return the worker's service."""
    service: Service = request.app.state.service
    return service


Here = Annotated[Service, Depends(service_of)]


def _needing(scope: Scope, *, bound: bool | None = None) -> Callable[..., Awaitable[Caller]]:
    async def caller(request: Request, service: Here) -> Caller:
        caller = await service.caller(request)
        if not caller.may(scope):
            raise Refused("scope", f"The token has not the scope {scope}; use one that has it.")
        if bound is False and caller.alias is not None and Scope.ADMIN not in caller.scopes:
            raise Refused("scope", "The token of a device may not do this; use a person's.")
        return caller

    return caller


async def _anybody(request: Request, service: Here) -> None:
    service.count_request(_address(request))


Submitter = Annotated[Caller, Depends(_needing(Scope.SUBMIT))]
Worker = Annotated[Caller, Depends(_needing(Scope.JOBS))]
Author = Annotated[Caller, Depends(_needing(Scope.JOBS, bound=False))]
Admin = Annotated[Caller, Depends(_needing(Scope.ADMIN))]
COUNTED = Depends(_anybody)
"""For routes that need no token."""


async def anyone(request: Request, service: Here) -> Caller:
    """Return whose token came, whatever it may do. Raises `Refused` without one."""
    return await service.caller(request)


Anyone = Annotated[Caller, Depends(anyone)]


async def aside(work: Callable[..., _T], *arguments: Any) -> _T:
    """Run work that waits for the database in a thread."""
    return await run_in_threadpool(work, *arguments)


def refusals(*codes: str) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the refusals of a route."""
    usual = ("bad_request", "invalid", "too_many", "unavailable")
    statuses: dict[int, list[str]] = {}
    for code in (*usual, *codes):
        titles = statuses.setdefault(CODES[code].status, [])
        if CODES[code].title not in titles:
            titles.append(CODES[code].title)
    reference = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {
            "description": "; ".join(titles),
            "content": {"application/problem+json": reference},
        }
        for status, titles in sorted(statuses.items())
    }


TOKEN = ("no_token", "bad_token", "revoked_token", "scope")
"""Refusals of every route that needs a token."""
