"""Refusals as problem documents (RFC 9457): a code for programs, a sentence for people."""

from __future__ import annotations

import errno
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mobilebench.errors import MobilebenchError, SchemaError, UserError

MEDIA_TYPE = "application/problem+json"
_LONGEST = 500
"""Characters of what a sentence repeats of others' text."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PAUSE_S = 1
_PAUSE_FOR_ROOM_S = 30
_LOG = logging.getLogger("mobilebench.server")


@dataclass(frozen=True)
class Code:
    """A kind of refusal."""

    status: int
    title: str


CODES = {
    "bad_request": Code(400, "The request is malformed"),
    "bad_json": Code(400, "The body is not JSON"),
    "bad_encoding": Code(400, "The body cannot be unpacked"),
    "no_token": Code(401, "A token is needed"),
    "bad_token": Code(401, "The token is not known"),
    "revoked_token": Code(401, "The token was revoked"),
    "scope": Code(403, "The token may not do this"),
    "other_key": Code(403, "Another key signed the record"),
    "other_device": Code(403, "The token is not for this device"),
    "not_there": Code(404, "There is nothing here"),
    "no_code": Code(404, "There is no such code"),
    "method": Code(405, "The method is not allowed here"),
    "slow": Code(408, "The body came too slowly"),
    "other_record": Code(409, "Another record has this id"),
    "other_job": Code(409, "Another job has this id"),
    "alias_taken": Code(409, "A device has this alias"),
    "missing_files": Code(409, "Files of the job are missing"),
    "missing_record": Code(409, "The record was not taken yet"),
    "offset": Code(409, "The part does not begin where the file ends"),
    "busy": Code(409, "Another upload of this file is running"),
    "lease_over": Code(410, "The lease is over"),
    "code_over": Code(410, "The code is over"),
    "too_large": Code(413, "The body is too large"),
    "too_deep": Code(413, "The JSON is nested too deeply"),
    "media_type": Code(415, "The body is of another type"),
    "encoding": Code(415, "The body has an unknown encoding"),
    "range": Code(416, "The range is beyond the file"),
    "invalid": Code(422, "The content is not valid"),
    "unsigned": Code(422, "The record is not signed"),
    "wrong_hash": Code(422, "The file has another hash"),
    "too_many": Code(429, "Too many requests"),
    "internal": Code(500, "The server failed"),
    "unavailable": Code(503, "The database does not answer"),
    "disk_full": Code(507, "The disk of the server is full"),
}


class Refused(MobilebenchError):
    """A request that is refused: the code, and one sentence with what to mend."""

    def __init__(self, code: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        """The status of HTTP."""
        return CODES[self.code].status

    @property
    def document(self) -> dict[str, Any]:
        """The problem document."""
        return {
            "type": f"urn:mobilebench:problem:{self.code}",
            "title": CODES[self.code].title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }

    def response(self) -> Response:
        """Return the answer."""
        headers = dict(self.headers)
        if self.status == 401:
            # RFC 6750 asks for a parameter; without one, Foundation on Linux ends the process.
            headers.setdefault("WWW-Authenticate", 'Bearer realm="mobilebench"')
        content = json.dumps(self.document).encode()
        return Response(content, self.status, headers, media_type=MEDIA_TYPE)


def shown(text: object) -> str:
    """Return a text of others for a sentence: visible characters, and not too long."""
    visible = "".join(
        each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in str(text)
    )
    return visible if len(visible) <= _LONGEST else f"{visible[:_LONGEST]}..."


def of_error(error: Exception) -> Refused:
    """Return the refusal for an error of the store or of the database."""
    text = " ".join(str(getattr(error, "orig", None) or error).split())
    if "disk is full" in text or "No space left" in text:
        return Refused(
            "disk_full",
            "The disk of the server is full; keep the record and try again later.",
            {"Retry-After": str(_PAUSE_FOR_ROOM_S)},
        )
    if isinstance(error, SchemaError):  # it names the store's place, which is nobody's business
        return Refused(
            "internal",
            "The server cannot read what it stored; whoever runs it finds it with `mobilebench "
            "store check`.",
        )
    return Refused(
        "unavailable",
        "The database of the server does not answer, or is busy; try again in a moment.",
        {"Retry-After": str(_PAUSE_S)},
    )


def _of_validation(error: RequestValidationError) -> Refused:
    first = error.errors()[0]
    place = ".".join(shown(part) for part in first["loc"])
    if first["type"] == "json_invalid":
        return Refused("bad_json", "The body is not JSON; it may have been cut off.")
    message = shown(first["msg"].removeprefix("Value error, "))
    return Refused("invalid", f"The request is not valid: at {place}: {message}.")


def _of_http(error: HTTPException) -> Refused:
    headers = error.headers
    if error.status_code == 404:
        return Refused("not_there", "There is nothing at this path; /openapi.json lists them.")
    if error.status_code == 405:
        allowed = (headers or {}).get("Allow", "")
        return Refused("method", f"This path does not take this method, but {allowed}.", headers)
    return Refused("bad_request", f"The request is malformed: {shown(error.detail)}.", headers)


def install(app: FastAPI) -> None:
    """Make every refusal and every error of an app a problem document."""

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return error.response()

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _of_validation(error).response()

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return _of_http(error).response()

    async def store(_: Request, error: Exception) -> Response:
        problem = of_error(error)
        _LOG.warning("%s: %s", problem.code, " ".join(str(error).split()))
        return problem.response()

    async def file(request: Request, error: Exception) -> Response:
        assert isinstance(error, OSError)
        if error.errno in _NO_ROOM:
            return of_error(OSError("No space left on the disk")).response()
        _LOG.error("a file could not be used", exc_info=error)
        return await failed(request, error)

    async def failed(_: Request, error: Exception) -> Response:
        # Starlette raises it again after the answer, and the log holds the traceback.
        return Refused(
            "internal", "The server failed; its log says why. Try again later."
        ).response()

    for cls, handler in (
        (Refused, refused),
        (RequestValidationError, invalid),
        (HTTPException, http),
        (UserError, store),
        (sa.exc.DBAPIError, store),
        (sa.exc.TimeoutError, store),
        (OSError, file),
        (Exception, failed),
    ):
        app.add_exception_handler(cls, handler)
