"""`/v1/artifacts`: the files of jobs, in ranges, up and down."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response, StreamingResponse

from mobilebench.server import artifacts, jobs, limits
from mobilebench.server.problems import Refused
from mobilebench.server.service import TOKEN, Author, Here, Service, Worker, aside, refusals
from mobilebench.server.tokens import Caller

router = APIRouter(tags=["artifacts"])
Sha256 = Annotated[str, Path(pattern=artifacts.SHA256)]
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


class Stored(BaseModel):
    """A file, or a part of one."""

    sha256: str
    status: Literal["whole", "part"]
    size_bytes: int | None = None
    offset: int | None = None


@router.head("/v1/artifacts/{sha256}", responses=refusals(*TOKEN, "not_there"))
async def look(sha256: Sha256, service: Here, caller: Worker) -> Response:
    """Say how much of a file is there."""
    size = await aside(service.artifacts.size, sha256)
    offset = await aside(service.artifacts.offset, sha256) if size is None else size
    if size is not None:
        await _require_readable(service, caller, sha256)
    elif not offset:
        raise Refused("not_there", "Nothing of this file is here.")
    headers = {
        "Upload-Offset": str(offset),
        "Upload-Complete": "?0" if size is None else "?1",
        "Cache-Control": "no-store",
    }
    if size is not None:
        headers |= {"Content-Length": str(size), "Accept-Ranges": "bytes", "ETag": f'"{sha256}"'}
    return Response(headers=headers)


async def _require_readable(service: Service, caller: Caller, sha256: str) -> None:
    if not await aside(jobs.may_read, service.database, caller, sha256):
        raise Refused("other_device", "The file is of no job that this device was given.")


@router.put(
    "/v1/artifacts/{sha256}",
    status_code=201,
    responses={
        200: {"description": "The file was there", "model": Stored},
        201: {"description": "The file is whole", "model": Stored},
        202: {"description": "A part is there", "model": Stored},
        **refusals(
            *TOKEN, "offset", "busy", "wrong_hash", "too_large", "encoding", "slow", "disk_full"
        ),
    },
    openapi_extra={"requestBody": {"required": True, "content": _BYTES}},
)
async def send(
    request: Request,
    sha256: Sha256,
    service: Here,
    _: Author,
    content_range: Annotated[str | None, Header(alias="Content-Range")] = None,
) -> Response:
    """Take a file, or a part that begins where the parts before it end."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refused("encoding", "Send the bytes of the file as they are.")
    start, stated = artifacts.stated_part(content_range)
    if (size := await aside(service.artifacts.size, sha256)) is not None:
        return JSONResponse({"sha256": sha256, "status": "whole", "size_bytes": size})
    most = service.limits.file_bytes
    if (stated or 0) > most:
        raise _too_large(most)
    length = request.headers.get("content-length", "")
    whole_length = int(length) if length.isdecimal() and len(length) < 16 else None
    total = stated if stated is not None else whole_length
    with service.artifacts.appending(sha256, start) as handle:
        offset = start
        async for chunk in limits.sent_pieces(request, service.limits):
            offset += len(chunk)
            if offset > most or (total is not None and offset > total):
                raise _too_large(min(most, total if total is not None else most))
            await aside(handle.write, chunk)
        await aside(handle.flush)
        if total is not None and offset < total:
            headers = {"Upload-Offset": str(offset)}
            answer = {"sha256": sha256, "status": "part", "offset": offset}
            return JSONResponse(answer, 202, headers)
        size = await aside(service.artifacts.finish, sha256)
    return JSONResponse({"sha256": sha256, "status": "whole", "size_bytes": size}, 201)


def _too_large(most: int) -> Refused:
    return Refused("too_large", f"The file is larger than {most} bytes; send a smaller one.")


@router.get(
    "/v1/artifacts/{sha256}",
    responses={
        200: {"content": _BYTES},
        206: {"description": "The range", "content": _BYTES},
        **refusals(*TOKEN, "not_there", "other_device", "range"),
    },
)
async def fetch(
    sha256: Sha256,
    service: Here,
    caller: Worker,
    wanted: Annotated[str | None, Header(alias="Range")] = None,
) -> Response:
    """Give a file, or a range of it."""
    size = await aside(service.artifacts.size, sha256)
    if size is None:
        raise Refused("not_there", "There is no such file; a part of it may be.")
    await _require_readable(service, caller, sha256)
    headers = {"Accept-Ranges": "bytes", "ETag": f'"{sha256}"', "Cache-Control": "private"}
    part = artifacts.asked_range(wanted, size)
    start, length = part or (0, size)
    headers["Content-Length"] = str(length)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{size}"
    return StreamingResponse(
        service.artifacts.pieces(sha256, start, length),
        206 if part is not None else 200,
        headers,
        media_type="application/octet-stream",
    )
