"""What the routes share: the store, the files, the limits, and who is asking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from mobilebench.pages.stored import StoredPages
from mobilebench.server import devices, tokens
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
_CALLERS = 1000
_KNOWN_S = 1.0
"""How long a token is not looked up again; one that was revoked here is at once."""
_SEEN_EVERY_S = 60.0
_AT_WORK = 4
"""Records that are read at the same time; more wait, and keep no memory busy."""


class Service:
    """One worker of a server."""

    def __init__(self, settings: Settings) -> None:
        """Open what the worker needs. Raises `UserError` where the store cannot be used."""
        self.settings = settings
        self.limits = settings.limits
        self.store = RecordStore(settings.store)
        self.pages = StoredPages(self.store)
        self.database = Database(settings.store)
        self.artifacts = Artifacts(Path(settings.files))
        self.artifacts.prepare()
        self.metrics = Metrics()
        self.writer = Writer(self.store)
        self.reading = asyncio.Semaphore(_AT_WORK)
        self.news = asyncio.Event()
        """Set for a moment when a job was posted to this worker."""
        self.stopping = False
        self._callers: dict[str | None, tuple[Caller, float]] = {}
        self._seen: dict[str, float] = {}
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
        known, until = self._callers.get(header, (None, 0.0))
        if known is not None and time.monotonic() < until:
            caller = known
        else:
            caller = await self._looked_up(request, header)
        request.state.token_id = caller.token_id
        self.count_request(caller.token_id)
        return caller

    async def _looked_up(self, request: Request, header: str | None) -> Caller:
        try:
            caller = await run_in_threadpool(tokens.caller, self.database, header)
        except Refused as problem:
            if problem.code != "no_token":
                self.count_failure(request)
            raise
        if len(self._callers) >= _CALLERS:
            self._callers.clear()
        self._callers[header] = (caller, time.monotonic() + _KNOWN_S)
        return caller

    def forget_callers(self) -> None:
        """Look every token up again: one was revoked."""
        self._callers.clear()

    async def seen(self, caller: Caller) -> None:
        """Note that a device was here, once a minute at most."""
        now = time.monotonic()
        if (
            caller.alias is None
            or now - self._seen.get(caller.alias, -_SEEN_EVERY_S) < _SEEN_EVERY_S
        ):
            return
        if len(self._seen) >= _CALLERS:
            self._seen.clear()
        self._seen[caller.alias] = now
        await run_in_threadpool(devices.seen, self.database, caller.alias)


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
