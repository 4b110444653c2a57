"""`/v1/enrolments` and `/v1/enrol`: from a code to the token of a device."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from mobilebench.server import enrolment
from mobilebench.server.devices import Alias, Described
from mobilebench.server.service import TOKEN, Admin, Here, aside, refusals
from mobilebench.server.tokens import Scope

router = APIRouter(tags=["enrolment"])
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]


class Prepare(BaseModel):
    """Which device is to be enrolled."""

    model_config = ConfigDict(extra="forbid")
    alias: Alias | None = None
    scopes: Scopes | None = None


class Prepared(BaseModel):
    """A code for one device."""

    code: str
    expires: str
    url: str


@router.post(
    "/v1/enrolments", status_code=201, responses=refusals(*TOKEN, "alias_taken", "bad_json")
)
async def prepare(body: Prepare, service: Here, _: Admin) -> Prepared:
    """Make a code, which is valid for ten minutes and for one device."""
    new = await aside(
        enrolment.prepare, service.database, service.settings.address, body.alias, body.scopes or ()
    )
    return Prepared(code=new.code, expires=new.expires, url=new.url)


class Enrol(BaseModel):
    """A device with a code: its key, and what it is."""

    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z -]{8,20}$")]
    public_key: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    signature: Annotated[str, Field(pattern="^[0-9a-f]{128}$")]
    device: Described


class Enrolled(BaseModel):
    """The token of a device; nobody is told it again."""

    device: str
    token: str
    scopes: list[Scope]
    server: str


@router.post("/v1/enrol", status_code=201, responses=refusals("no_code", "code_over", "bad_json"))
async def enrol(request: Request, body: Enrol, service: Here) -> Enrolled:
    """Give a device its token for a code, and pin its key to its alias."""
    service.count_failure(request)
    new = await aside(
        enrolment.enrol,
        service.database,
        body.code,
        body.public_key,
        body.signature,
        body.device,
    )
    service.forget_callers()  # a first token may be revoked
    return Enrolled(
        device=new.alias,
        token=new.token,
        scopes=list(new.scopes),
        server=service.settings.address,
    )
