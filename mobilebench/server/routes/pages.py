"""The pages for people: the board, records, comparisons and what draws them."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from mobilebench.pages.live import POLICY, answer
from mobilebench.server.service import COUNTED, Here, aside

router = APIRouter(include_in_schema=False, dependencies=[COUNTED])
_A_DAY = "public, max-age=86400"


@router.get("/")
async def board(request: Request, service: Here) -> Response:
    """Show the groups of the board."""
    return await _page(request, service, "")


@router.get("/favicon.ico")
async def icon() -> Response:
    """Say that there is no icon: browsers ask for one beside documents that name none."""
    return Response(status_code=204)


@router.get("/{name}")
async def page(request: Request, service: Here, name: str) -> Response:
    """Show a page that there is once."""
    return await _page(request, service, quote(name, safe=""))


@router.get("/static/{name}")
@router.get("/group/{name}")
@router.get("/record/{name:path}")
async def named(request: Request, service: Here, name: str) -> Response:
    """Show a page of which there are many, or give a script."""
    # As the browser asked for it, below the path where a proxy has the server.
    first = request.scope["path"].removeprefix(request.scope.get("root_path", "")).split("/")[1]
    return await _page(request, service, f"{first}/{quote(name, safe='')}")


async def _page(request: Request, service: Here, path: str) -> Response:
    reply = await aside(answer, service.pages, path, request.url.query)
    return Response(
        reply.body,
        status_code=reply.status,
        media_type=reply.kind,
        headers={
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": _A_DAY if reply.lasting else "no-cache",
        },
    )
