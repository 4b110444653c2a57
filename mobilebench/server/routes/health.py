"""`/health` and `/metrics`: for those who watch the server."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from mobilebench.machine.host import version
from mobilebench.server import jobs
from mobilebench.server.service import COUNTED, Here, aside, refusals

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The server works."""

    status: Literal["ok"]
    version: str


@router.get("/health", dependencies=[COUNTED], responses=refusals())
async def health(service: Here) -> Health:
    """Say that the server and its database answer."""

    def work() -> None:
        with service.database.reading() as connection:
            connection.execute(sa.select(1))

    await aside(work)
    return Health(status="ok", version=version())


@router.get(
    "/metrics",
    dependencies=[COUNTED],
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **refusals()},
)
async def metrics(service: Here) -> Response:
    """Give the counts, as Prometheus reads them."""

    def work() -> bytes:
        with service.database.reading() as connection:
            return service.metrics.text(jobs.counts(connection))

    return Response(await aside(work), media_type="text/plain; version=0.0.4; charset=utf-8")
