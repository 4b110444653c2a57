"""Read bodies within limits: of bytes, of what they unpack to, of levels, and of time.

A body is unpacked piece by piece and refused as soon as it passes a limit, so a small one that
unpacks to gigabytes costs no more memory than the limit. Levels are counted before anything parses
the JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Protocol

import zstandard
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mobilebench.server.problems import Refused, shown
from mobilebench.server.settings import MIB, Limits

_PIECE = 1 << 16
"""Bytes that are unpacked at once."""
_LONGEST_WINDOW = 8 * MIB
"""Of a zstd frame, as RFC 9659 limits it for the web."""
# A string is passed over as a whole; possessive, so that no text makes it slow.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
_STREAMED = ("/v1/records", "/v1/artifacts/")
"""Paths whose bodies the routes read themselves."""
_KEPT = 10_000
"""Buckets above which the full ones are forgotten."""


def require_shallow(body: bytes, depth: int) -> None:
    """Raise `Refused` for JSON with more levels than `depth`, without parsing it."""
    level = 0
    for match in _TOKEN.finditer(body):
        token = body[match.start()]
        if token in b"[{":
            level += 1
            if level > depth:
                raise Refused(
                    "too_deep", f"The JSON has more than {depth} levels; nest it less deeply."
                )
        elif token in b"]}":
            level -= 1


class _Unpacker(Protocol):
    def pieces(self, chunk: bytes) -> Iterator[bytes]: ...
    def finish(self) -> None: ...


class _Plain:
    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def finish(self) -> None:
        pass


class _Gzip:
    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(wbits=31)

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        try:
            while chunk:
                if self._unpacker.eof:
                    raise zlib.error("something follows the end")
                yield self._unpacker.decompress(chunk, _PIECE)
                chunk = self._unpacker.unconsumed_tail or self._unpacker.unused_data
        except zlib.error as error:
            raise _broken("gzip", error) from error

    def finish(self) -> None:
        if not self._unpacker.eof:
            raise _broken("gzip", "it was cut off")


class _Zstd:
    def __init__(self) -> None:
        unpacker = zstandard.ZstdDecompressor(max_window_size=_LONGEST_WINDOW)
        self._unpacker = unpacker.decompressobj(write_size=_PIECE)
        self._eof = False

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        # In small steps: a step cannot be stopped, and 512 bytes unpack to tens of MB at most.
        for start in range(0, len(chunk), _STEP):
            if self._eof:
                raise _broken("zstd", "something follows the end")
            try:
                yield self._unpacker.decompress(chunk[start : start + _STEP])
            except zstandard.ZstdError as error:
                raise _broken("zstd", error) from error
            self._eof = self._unpacker.eof
            if self._eof and self._unpacker.unused_data:
                raise _broken("zstd", "something follows the end")

    def finish(self) -> None:
        if not self._eof:
            raise _broken("zstd", "it was cut off")


_STEP = 256


def _broken(name: str, why: object) -> Refused:
    return Refused("bad_encoding", f"The body is not valid {name} ({shown(why)}); pack it again.")


_UNPACKERS: dict[str, Callable[[], _Unpacker]] = {
    "": _Plain,
    "identity": _Plain,
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "zstd": _Zstd,
}


async def unpacked(request: Request, limits: Limits, most: int) -> AsyncIterator[bytes]:
    """Yield a body in pieces, unpacked. Raises `Refused` as soon as it passes a limit."""
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in _UNPACKERS:
        raise Refused(
            "encoding", f"The body has the encoding {shown(encoding)}; send gzip, zstd or none."
        )
    unpacker = _UNPACKERS[encoding]()
    sent = size = 0
    async for chunk in sent_pieces(request, limits):
        sent += len(chunk)
        if sent > limits.sent_bytes:
            raise _too_large(limits.sent_bytes, "as sent")
        for piece in unpacker.pieces(chunk):
            size += len(piece)
            if size > most:
                raise _too_large(most, "unpacked")
            if piece:
                yield piece
    unpacker.finish()


async def sent_pieces(request: Request, limits: Limits) -> AsyncIterator[bytes]:
    """Yield a body as it comes. Raises `Refused` where it pauses for too long or breaks off."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(limits.wait_s):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise Refused(
                "slow", f"The body paused for {limits.wait_s:g} s; send it again.", _CLOSE
            ) from None
        except ClientDisconnect:
            raise Refused("bad_request", "The body was cut off; send it again.", _CLOSE) from None
        if chunk is None:
            return
        if chunk:
            yield chunk


_CLOSE = {"Connection": "close"}


async def whole(request: Request, limits: Limits, most: int) -> bytes:
    """Return a body, unpacked. Raises `Refused` as soon as it passes a limit."""
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated[:20]) > limits.sent_bytes:
        raise _too_large(limits.sent_bytes, "as sent")
    return b"".join([piece async for piece in unpacked(request, limits, most)])


def _too_large(most: int, form: str) -> Refused:
    size = f"{most // MIB} MiB" if most >= MIB else f"{most} bytes"
    return Refused(
        "too_large", f"The body is larger than {size} {form}; send less at once.", _CLOSE
    )


class PlainBodies:
    """Middleware: the app behind it gets bodies that are unpacked and within the limits."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"].startswith(_STREAMED):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            body = await whole(request, self._limits, self._limits.request_bytes)
            if body:
                self._require_json(request, body)
        except Refused as problem:
            await problem.response()(scope, receive, send)
            return
        given = False

        async def replayed() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replayed, send)

    def _require_json(self, request: Request, body: bytes) -> None:
        require_media_type(request, "application/json")
        require_shallow(body, self._limits.depth)
        try:
            json.loads(body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise Refused(
                "bad_json", f"The body is not JSON ({shown(error)}); it may have been cut off."
            ) from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def require_media_type(request: Request, *allowed: str) -> str:
    """Return the type of a body, without parameters. Raises `Refused` for any other."""
    name = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if name not in allowed:
        raise Refused(
            "media_type",
            f"The body has the type {shown(name) or 'of nothing'}; send {' or '.join(allowed)}.",
        )
    return name


class Buckets:
    """How often each of many may come: a bucket of tokens for each, filled at a steady rate."""

    def __init__(self, rate_s: float, most: float) -> None:
        self._rate_s = rate_s
        self._most = most
        self._levels: dict[str, tuple[float, float]] = {}

    def _level(self, name: str, now: float) -> float:
        level, since = self._levels.get(name, (self._most, now))
        return min(self._most, level + (now - since) * self._rate_s)

    def take(self, name: str) -> None:
        """Count one. Raises `Refused` with the time to wait where there were too many."""
        now = time.monotonic()
        level = self._level(name, now)
        if level < 1:
            wait = int((1 - level) / self._rate_s) + 1
            raise Refused(
                "too_many",
                f"These are too many requests; wait {wait} s.",
                {"Retry-After": str(wait)},
            )
        if len(self._levels) >= _KEPT:
            self._forget(now)
        self._levels[name] = (level - 1, now)

    def _forget(self, now: float) -> None:
        """Forget who came long ago; of as many who did not, all."""
        full = [name for name in self._levels if self._level(name, now) >= self._most]
        for name in full:
            del self._levels[name]
        if len(self._levels) >= _KEPT:
            self._levels.clear()
