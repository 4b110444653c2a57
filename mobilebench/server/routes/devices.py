"""`/v1/devices`: what there is, by alias."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.responses import Response

from mobilebench.server import devices
from mobilebench.server.devices import ALIAS, Described
from mobilebench.server.service import COUNTED, TOKEN, Here, Worker, aside, refusals

router = APIRouter(tags=["devices"])
AliasInPath = Annotated[str, Path(pattern=ALIAS, max_length=40)]


class Shown(BaseModel):
    """A device, for all to see."""

    device: str
    model: str
    os: str
    os_build: str | None
    kind: str
    soc: str | None
    served_by: str | None
    enrolled: str
    last_seen: str
    state: Literal["idle", "busy"]


class Devices(BaseModel):
    """Every device."""

    devices: list[Shown]


class Registered(BaseModel):
    """A device that a computer serves."""

    device: str
    status: Literal["added", "there"]


@router.put(
    "/v1/devices/{alias}",
    status_code=201,
    responses={
        200: {"description": "It was there", "model": Registered},
        **refusals(*TOKEN, "alias_taken", "other_device", "bad_json"),
    },
)
async def serve(
    response: Response, alias: AliasInPath, body: Described, service: Here, caller: Worker
) -> Registered:
    """Register a device that the caller's computer serves, and whose records it signs."""
    new = await aside(devices.serve, service.database, caller, alias, body)
    response.status_code = 201 if new else 200
    return Registered(device=alias, status="added" if new else "there")


@router.get("/v1/devices", dependencies=[COUNTED], responses=refusals())
async def every(service: Here) -> Devices:
    """List the devices."""

    def work() -> Devices:
        with service.database.reading() as connection:
            return Devices.model_validate({"devices": devices.listed(connection)})

    return await aside(work)


@router.delete(
    "/v1/devices/{alias}",
    status_code=204,
    responses=refusals(*TOKEN, "not_there", "other_device"),
)
async def remove(alias: AliasInPath, service: Here, caller: Worker) -> Response:
    """Remove a device; its tokens are revoked, its leases over, and its records stay."""
    await aside(devices.remove, service.database, caller, alias)
    service.forget_callers()
    return Response(status_code=204)
