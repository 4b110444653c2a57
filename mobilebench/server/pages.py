"""The pages of the leaderboard at every path that is not of the contract."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response

from mobilebench.pages import live
from mobilebench.server.service import COUNTED, Here, aside

_HEADERS = {
    "Content-Security-Policy": live.POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_LASTING = "public, max-age=3600"
_FRESH = "no-cache"


class _Rest(Convertor[str]):
    """Any path but those of the contract, which are refused with a problem document."""

    regex = r"(?!v1(?:/|$)).*"

    def convert(self, value: str) -> str:
        """Return the path."""
        return value

    def to_string(self, value: str) -> str:
        """Return the path."""
        return value


register_url_convertor("page", _Rest())
router = APIRouter(include_in_schema=False)


@router.api_route("/{path:page}", methods=["GET", "HEAD"], dependencies=[COUNTED])
async def page(request: Request, service: Here) -> Response:
    """Give a page, or a script that it uses."""
    # As it came: the pages unquote the parts of a path themselves.
    raw: Any = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw.decode("ascii", "replace").lstrip("/")
    query = request.scope["query_string"].decode("ascii", "replace")
    answer = await aside(live.answer, service.pages, path, query)
    cached = _LASTING if answer.lasting else _FRESH
    headers = {**_HEADERS, "Cache-Control": cached, "Content-Type": answer.kind}
    return Response(answer.body, answer.status, headers)
