"""`/v1/tokens` and `/v1/me`: who may do what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from mobilebench.server import tokens
from mobilebench.server.devices import Text
from mobilebench.server.problems import Refused
from mobilebench.server.routes.enrolment import Scopes
from mobilebench.server.service import TOKEN, Admin, Anyone, Here, aside, refusals
from mobilebench.server.tokens import Scope

router = APIRouter(tags=["tokens"])


class New(BaseModel):
    """What a token is for."""

    model_config = ConfigDict(extra="forbid")
    scopes: Scopes
    name: Text


class Made(BaseModel):
    """A new token; nobody is told its text again."""

    id: str
    token: str
    scopes: list[Scope]
    name: str


class Known(BaseModel):
    """A token without its text."""

    id: str
    name: str
    scopes: list[Scope]
    device: str | None
    created: str
    revoked: str | None


class Tokens(BaseModel):
    """Every token."""

    tokens: list[Known]


class Me(BaseModel):
    """The token that asks."""

    id: str
    name: str
    scopes: list[Scope]
    device: str | None


@router.post("/v1/tokens", status_code=201, responses=refusals(*TOKEN, "bad_json"))
async def make(body: New, service: Here, _: Admin) -> Made:
    """Make a token for a person or a program."""

    def work() -> tokens.Made:
        with service.database.writing() as connection:
            return tokens.make(connection, body.scopes, body.name)

    new = await aside(work)
    scopes = sorted(set(body.scopes))
    return Made(id=new.token_id, token=new.text, scopes=scopes, name=body.name)


@router.get("/v1/tokens", responses=refusals(*TOKEN))
async def every(service: Here, _: Admin) -> Tokens:
    """List the tokens, without their texts."""

    def work() -> Tokens:
        with service.database.reading() as connection:
            return Tokens.model_validate({"tokens": tokens.listed(connection)})

    return await aside(work)


@router.delete("/v1/tokens/{token_id}", status_code=204, responses=refusals(*TOKEN, "not_there"))
async def revoke(
    service: Here, _: Admin, token_id: Annotated[str, Path(pattern="^[a-z2-7]{10}$")]
) -> Response:
    """Revoke a token, from the next request on."""

    def work() -> bool:
        with service.database.writing() as connection:
            return tokens.revoke(connection, token_id)

    if not await aside(work):
        raise Refused("not_there", "There is no such token.")
    service.forget_callers()
    return Response(status_code=204)


@router.get("/v1/me", responses=refusals(*TOKEN))
async def me(caller: Anyone) -> Me:
    """Say whose token asks."""
    return Me(
        id=caller.token_id, name=caller.name, scopes=sorted(caller.scopes), device=caller.alias
    )
